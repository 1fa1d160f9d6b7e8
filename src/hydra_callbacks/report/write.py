"""Where does a page go? Into one file, in one step, and over nothing but an earlier page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.report.links import is_page
from hydra_callbacks.support.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def page_of(data: Mapping[str, Any]) -> bytes:
    """Return the page that shows what `report.sweep`, `report.run` or `report.register` has found."""
    from hydra_callbacks.report.page import render  # noqa: PLC0415  (it needs jinja2, once there is something to draw)

    return render(data).encode("utf-8", errors="replace")


def write_page(data: Mapping[str, Any], path: Path) -> int:
    """Write a page, in one step, and return its size in bytes.

    Args:
        data: What it shows.
        path: The file; an earlier page there is replaced.

    Raises:
        HydraCallbacksError: There is a file that is no page of ours, or what is no file.
        OSError: It cannot be written; what was there stays.
    """
    if path.exists() and not path.is_file():
        msg = f"{path} is no file: give the page another name, or write it to `-` for the standard output"
        raise HydraCallbacksError(msg)
    if path.is_file() and path.stat().st_size and not is_page(path):
        msg = f"{path} is there already, and no report of hydra-callbacks; it stays: give the page another name"
        raise HydraCallbacksError(msg)
    page = page_of(data)
    write_whole(path, page)
    return len(page)
