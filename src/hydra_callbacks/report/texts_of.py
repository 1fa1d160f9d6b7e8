"""What stands in the files that a run's record names: its console, its patch, its crash report?

A record may come from anywhere, so only what lies in the run's directory, or in its sweep's folder of provenance, is
read. Of a long file, only as much as a page can hold.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.head import cut
from hydra_callbacks.support.secret_texts import without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hydra_callbacks.support.redact import Redactor

_CONSOLE_BYTES = 64_000
_PATCH_BYTES = 200_000
_CRASH_BYTES = 50_000
_SHARED = ".provenance"  # what all jobs of a sweep have in common
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def console(record: Mapping[str, Any], directory: Path, redactor: Redactor) -> dict[str, Any] | None:
    """Return the end of what a run printed, else of its log: `text`, and `is_cut`; None when nothing was kept.

    Args:
        record: Its record.
        directory: Its output directory.
        redactor: What takes the secrets out of texts.
    """
    section = record.get("console")
    named = section.get("file") if isinstance(section, dict) else None
    app = record.get("app")
    for name in (named, f"{app}.log" if isinstance(app, str) and "/" not in app else None):
        file = _inside(directory, name)
        if file is None:
            continue
        try:
            with file.open("rb") as opened:
                size = opened.seek(0, os.SEEK_END)
                opened.seek(max(0, size - _CONSOLE_BYTES))
                data = opened.read(_CONSOLE_BYTES)
        except OSError:
            continue
        if len(data) < size:
            data = data[data.find(b"\n") + 1 :]
        text = _clean(_readable(data.decode(errors="replace")), redactor).strip("\n")
        if text:
            return {"text": text, "is_cut": len(data) < size}
    return None


def patch(record: Mapping[str, Any], directory: Path, redactor: Redactor, notes: list[str]) -> tuple[str | None, bool]:
    """Return the patch to a run's commit, and whether it is cut; None when there is none.

    Args:
        record: The run's record.
        directory: Its output directory.
        redactor: What takes the secrets out of texts.
        notes: Gets what could not be read, in words.
    """
    section = record.get("git")
    name = section.get("patch") if isinstance(section, dict) else None
    file = _inside(directory, name)
    if file is None:
        return None, False
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            data = opened.read(_PATCH_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        notes.append(f"the patch is left out: {name} cannot be read ({error})")
        return None, False
    is_cut = len(data) > _PATCH_BYTES
    if is_cut:
        data = data[: data.rfind(b"\n", 0, _PATCH_BYTES) + 1] or data[:_PATCH_BYTES]
    return _clean(data.decode(errors="replace").replace("\0", "\\0"), redactor), is_cut


def crash(record: Mapping[str, Any], directory: Path, redactor: Redactor) -> str | None:
    """Return the beginning of a run's crash report; None when there is none."""
    section = record.get("crash")
    file = _inside(directory, section.get("file") if isinstance(section, dict) else None)
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            data = opened.read(_CRASH_BYTES + 1)
    except OSError:
        return None
    text = _clean(_readable(data[:_CRASH_BYTES].decode(errors="replace")), redactor)
    return text + ("\n…" if len(data) > _CRASH_BYTES else "")


def _inside(directory: Path, name: Any) -> Path | None:
    """Return a regular file that a record names, when it lies where its writers put such files."""
    if not isinstance(name, str) or not name or "\0" in name:
        return None
    try:
        file, top = (directory / name).resolve(), directory.resolve()
        is_ours = file.is_relative_to(top) or any(
            folder.name == _SHARED and top.is_relative_to(folder.parent) for folder in file.parents
        )
        return file if is_ours and file.is_file() else None
    except (OSError, RuntimeError):  # links in a circle
        return None


def _readable(text: str) -> str:
    """Return what a terminal would show in the end: without colours, and of a line written anew, its last state."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _UNSEEN.sub("�", text)


def _clean(text: str, redactor: Redactor) -> str:
    """Return a text that is not ours without secrets: those that are known, and those that their surroundings tell."""
    return cut(without_secrets(redactor.known(text), is_output=True), len(text) + 10_000)
