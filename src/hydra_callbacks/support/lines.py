"""How are lines added to a file so that each is there as a whole, or not at all?

A line that a killed writer left torn costs itself only: it is taken away before the next one is added.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from hydra_callbacks.support.files import replacing, write_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hydra_callbacks.support.locks import OpenFile

_log = logging.getLogger("hydra.callbacks")
_STEP_BYTES = 65536
_FIRST_BYTES = 8192
_LONGEST_TOLD = 200  # bytes


def append_lines(fd: int, lines: bytes) -> None:
    """Add lines to a file that nobody else writes meanwhile, all of them or none.

    Args:
        fd: Its descriptor, open to read and append.
        lines: What is added; ends with a line break.

    Raises:
        OSError: It cannot be written, or the disk is full; the file is as it was.
    """
    size = os.lseek(fd, 0, os.SEEK_END)
    try:
        write_all(fd, lines)
    except OSError:
        os.ftruncate(fd, size)
        raise


def mend_last(path: Path, fd: int, *, is_whole: Callable[[bytes], bool]) -> None:
    """End a last line that lacks its line break, or take away a torn one.

    Args:
        path: What the file is called.
        fd: Its descriptor, open to read and append.
        is_whole: Tells whether a last line without a line break is whole all the same.

    Raises:
        OSError: It cannot be written.
    """
    size = os.lseek(fd, 0, os.SEEK_END)
    if not size:
        return
    os.lseek(fd, size - 1, os.SEEK_SET)
    if os.read(fd, 1) == b"\n":
        return
    last = _last_line(fd, size)
    if is_whole(last):
        write_all(fd, b"\n")
        return
    _log.warning("%s ended in a torn row, which is taken away: %r", path, last[:_LONGEST_TOLD])
    os.ftruncate(fd, size - len(last))


def begin(path: Path, file: OpenFile, lines: bytes) -> None:
    """Give a file that has none its first lines in one step: a torn header would make it another program's.

    Args:
        path: What the file is called.
        file: The file, as `files.alone` gives it.
        lines: All of its content.

    Raises:
        OSError: It cannot be written, or the disk is full; the file is as it was.
    """
    with replacing(path, keep_mode=True) as temporary:
        temporary.write_bytes(lines)
        file.before_replacing()


def first_line(fd: int, *, quoted: bool = False) -> bytes:
    """Return a file's first line with its line break; nothing when it is empty.

    Args:
        fd: Its descriptor.
        quoted: Whether a line break between two `"` does not end it, as in CSV.
    """
    line = b""
    os.lseek(fd, 0, os.SEEK_SET)
    while part := os.read(fd, _FIRST_BYTES):
        line += part
        end = line.find(b"\n")
        while quoted and end >= 0 and line.count(b'"', 0, end) % 2:
            end = line.find(b"\n", end + 1)
        if end >= 0:
            return line[: end + 1]
    return line


def first_line_of(path: Path, *, quoted: bool = False) -> bytes:
    """Return a file's first line as `first_line` does; nothing when it is missing, too."""
    try:
        with path.open("rb", buffering=0) as file:
            return first_line(file.fileno(), quoted=quoted)
    except FileNotFoundError:
        return b""


def _last_line(fd: int, size: int) -> bytes:
    """Return what stands behind the last line break."""
    line, start = b"", size
    while start > 0 and b"\n" not in line:
        step = min(start, _STEP_BYTES)
        start -= step
        os.lseek(fd, start, os.SEEK_SET)
        line = os.read(fd, step) + line
    return line[line.rfind(b"\n") + 1 :]
