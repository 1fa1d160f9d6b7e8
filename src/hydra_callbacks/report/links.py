"""Where does a link in a page lead: to a run's page, or to its directory?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "report.html"
MARK = b'content="hydra-callbacks'
"""What every page says of who made it, near its beginning."""
_FIRST_BYTES = 4096


def is_page(file: Path) -> bool:
    """Tell whether a file is a page of ours; one that cannot be read is none."""
    try:
        with file.open("rb") as opened:
            return MARK in opened.read(_FIRST_BYTES)
    except OSError:
        return False


def page_in(directory: Path) -> Path | None:
    """Return the page of a run or sweep: `report.html`, else a page of ours under the name that the user gave it."""
    usual = directory / FILE_NAME
    if usual.is_file():
        return usual
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries if entry.name.lower().endswith(".html") and entry.is_file())
    except OSError:
        return None
    return next((file for file in map(directory.joinpath, names) if is_page(file)), None)


def link(target: Path, page_dir: Path) -> str | None:
    """Return the relative address of a file or directory, as it stands in a page; None from one disk to another.

    Args:
        target: The file or directory.
        page_dir: The directory that the page lies in.
    """
    try:
        path = os.path.relpath(target, page_dir).replace(os.sep, "/")
    except ValueError:
        return None
    return quote(os.fsencode(path), safe="/")  # a `:` is escaped, so that nothing in it is a scheme


def way_into(directory: Path, page_dir: Path) -> str | None:
    """Return the relative address of a run's page, or of its directory where it has none; None when that is gone."""
    page = page_in(directory)
    if page is not None:
        return link(page, page_dir)
    address = link(directory, page_dir) if directory.is_dir() else None
    return address and f"{address}/"
