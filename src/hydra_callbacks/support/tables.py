r"""How do many processes add rows to one CSV file, with columns that change from row to row?

Each row is one line (a line break inside a cell is written as the two characters `\n`), appended in one write under a
lock, so a process that is killed costs at most its own, unacknowledged row. A new column rewrites the file once, in
one step; any other append reads only the header and the last byte, whatever the file's length.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import os
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import TableError
from hydra_callbacks.support.files import locked, replacing, write_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_log = logging.getLogger("hydra.callbacks")
_STEP_BYTES = 65536
_ESCAPES = str.maketrans({"\r": "\\r", "\n": "\\n", "\0": "\\0"})  # the last: Python 3.10 neither writes nor reads it


def append_rows(path: Path, rows: Sequence[Mapping[str, Any]], *, timeout_s: float = 60.0) -> None:
    """Add rows to a CSV file, all of them or none; make it, with its header and folder, when missing.

    Args:
        path: The file.
        rows: One mapping for each row, column to value. A column that the file lacks is added at its end, and is
            empty in the older rows. None is an empty cell; lists and dicts are written as JSON.
        timeout_s: How long to wait while another process writes, in seconds.

    Raises:
        FileLockTimeoutError: Another process keeps the file for longer than that.
        OSError: The folder cannot be written, or the disk is full; the file is as it was.
        TableError: The file is there, and its first line is no header.
    """
    rows = [{str(_cell(column)): value for column, value in row.items()} for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path, timeout_s=timeout_s), _cells_of_any_length():
        header = _read_header(path)
        columns = list(dict.fromkeys([*header, *(column for row in rows for column in row)]))
        lines = format_rows([row.get(column) for column in columns] for row in rows)
        if columns == header:
            _append(path, lines, n_columns=len(header))
        elif header:
            _rewrite(path, columns, lines)
        else:
            _append(path, format_rows([columns]) + lines, n_columns=0)


@contextlib.contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """Let the csv module read cells of more than its 128 KiB meanwhile."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def format_rows(rows: Iterable[Iterable[Any]]) -> bytes:
    """Return rows of cells as CSV lines, in UTF-8."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8", errors="backslashreplace")


def _cell(value: Any) -> Any:
    if isinstance(value, (dict, list, tuple)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return value.translate(_ESCAPES) if isinstance(value, str) else value


def _read_header(path: Path) -> list[str]:
    """Return the columns of the file; none when it is missing or empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except FileNotFoundError:
        return []
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} is no CSV table in UTF-8 ({error}); move it away, and a new one is made"
        raise TableError(msg) from error
    if len(set(header)) != len(header):
        twice = sorted({column for column in header if header.count(column) > 1})
        msg = f"{path} names columns twice in its first line ({', '.join(twice)}); mend it, or move the file away"
        raise TableError(msg)
    return header


def _append(path: Path, lines: bytes, *, n_columns: int) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o666)
    try:
        size = os.lseek(fd, 0, os.SEEK_END)
        if n_columns:
            size = _mend_tail(path, fd, size, n_columns)
        try:
            write_all(fd, lines)
        except OSError:
            os.ftruncate(fd, size)
            raise
    finally:
        os.close(fd)


def _mend_tail(path: Path, fd: int, size: int, n_columns: int) -> int:
    """End a last line that lacks its line break, or take away one that a killed writer left torn; return the size."""
    os.lseek(fd, size - 1, os.SEEK_SET)
    if os.read(fd, 1) == b"\n":
        return size
    last = _last_line(fd, size)
    if len(next(csv.reader([last.decode(errors="replace")]), [])) == n_columns and last.count(b'"') % 2 == 0:
        write_all(fd, b"\n")
        return size + 1
    _log.warning("%s ended in a torn row, which is taken away: %r", path, last[:200])
    os.ftruncate(fd, size - len(last))
    return os.lseek(fd, 0, os.SEEK_END)


def _last_line(fd: int, size: int) -> bytes:
    """Return what stands behind the last line break."""
    line, start = b"", size
    while start > 0 and b"\n" not in line:
        step = min(start, _STEP_BYTES)
        start -= step
        os.lseek(fd, start, os.SEEK_SET)
        line = os.read(fd, step) + line
    return line[line.rfind(b"\n") + 1 :]


def _rewrite(path: Path, columns: list[str], lines: bytes) -> None:
    """Replace the file by one with more columns and the new lines; the older rows are empty there."""
    with replacing(path) as temporary, path.open(encoding="utf-8-sig", newline="") as old:
        with temporary.open("w", encoding="utf-8", newline="") as new:
            writer = csv.writer(new, lineterminator="\n")
            reader = csv.reader(old)
            n_old = len(next(reader))
            writer.writerow(columns)
            for row in reader:
                writer.writerow([*row, *[""] * (len(columns) - len(row))] if len(row) >= n_old else row)
            new.write(lines.decode("utf-8"))
        if os.name == "posix":
            temporary.chmod(path.stat().st_mode)
