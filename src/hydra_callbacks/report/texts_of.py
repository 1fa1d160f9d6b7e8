"""What stands in the files that a run's record names: its console, its patch, its crash report?

Of a long file, only as much is read as a page can hold.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.head import cut
from hydra_callbacks.report.hidden import HIDDEN
from hydra_callbacks.runs.named_file import named_file
from hydra_callbacks.runs.record import section
from hydra_callbacks.support.secret_texts import without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hydra_callbacks.support.redact import Redactor

_CONSOLE_BYTES = 64_000
_PATCH_BYTES = 200_000
_CRASH_BYTES = 50_000
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_ENDS_WHOLE = (rb"[\r\n]", rb"\s")  # where a text may be cut: after a line, else after a word


def console(record: Mapping[str, Any], directory: Path, redactor: Redactor) -> dict[str, Any] | None:
    """Return the end of what a run printed, else of its log: `text`, and `is_cut`; None when nothing was kept.

    Args:
        record: Its record.
        directory: Its output directory.
        redactor: What takes the secrets out of texts.
    """
    app = record.get("app")
    for name in (
        section(record, "console").get("file"),
        f"{app}.log" if isinstance(app, str) and "/" not in app else None,
    ):
        file = named_file(directory, name)
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
            data = _without_torn_start(data)
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
    name = section(record, "git").get("patch")
    file = named_file(directory, name)
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
        data = _without_torn_end(data[:_PATCH_BYTES])
    return _clean(data.decode(errors="replace").replace("\0", "\\0"), redactor), is_cut


def crash(record: Mapping[str, Any], directory: Path, redactor: Redactor) -> str | None:
    """Return the beginning of a run's crash report; None when there is none."""
    file = named_file(directory, section(record, "crash").get("file"))
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            data = opened.read(_CRASH_BYTES + 1)
    except OSError:
        return None
    is_cut = len(data) > _CRASH_BYTES
    data = _without_torn_end(data[:_CRASH_BYTES]) if is_cut else data
    return _clean(_readable(data.decode(errors="replace")), redactor) + ("…" if is_cut else "")


def _without_torn_start(data: bytes) -> bytes:
    """Return the end of a text without the part of a line, or of a word, at its beginning: it may be half a secret."""
    found = next(filter(None, (re.search(sign, data) for sign in _ENDS_WHOLE)), None)
    return data[found.end() :] if found else b""


def _without_torn_end(data: bytes) -> bytes:
    """Return the beginning of a text likewise."""
    found = next(filter(None, (re.search(rb"(?s:.*)" + sign, data) for sign in _ENDS_WHOLE)), None)
    return data[: found.end()] if found else b""


def _readable(text: str) -> str:
    """Return what a terminal would show in the end: without colours, and of a line written anew, its last state."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return HIDDEN.sub("�", text)


def _clean(text: str, redactor: Redactor) -> str:
    """Return a text that is not ours without secrets: those that are known, and those that their surroundings tell."""
    return cut(without_secrets(redactor.known(text), is_output=True), len(text) + 10_000)
