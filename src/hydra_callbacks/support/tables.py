"""How do many processes add rows to one CSV file, with columns that change from row to row?

Each row is one line, appended in one write while no other process writes, so a process that is killed costs at most its
own, unacknowledged row. A new column rewrites the file once, in one step; any other append reads only the header and
the last byte, whatever the file's length. What stands in a cell: `support.cells`.
"""

from __future__ import annotations

import contextlib
import csv
import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import TableError
from hydra_callbacks.support.cells import decode, decode_name, encode, encode_name
from hydra_callbacks.support.files import alone, replacing
from hydra_callbacks.support.lines import append_lines, first_line, first_line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hydra_callbacks.support.files import OpenFile

_ANY_LENGTH = 2**31 - 1  # characters, the most that every system takes


def append_rows(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    timeout_s: float = 60.0,
) -> None:
    """Add rows to a CSV file, all of them or none; make it, with its header and folder, when missing.

    Args:
        path: The file.
        rows: One mapping for each row, column to value. A column that the file lacks is added at its end, and is
            empty in the older rows.
        timeout_s: How long to wait while another process writes, in seconds.

    Raises:
        FileLockTimeoutError: Another process keeps the file for longer than that.
        OSError: The folder cannot be written, or the disk is full; the file is as it was.
        TableError: The file is there, and its first line is no header.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path, timeout_s=timeout_s) as file:
        add_rows(path, file, read_header(path, file.fd), rows)


def add_rows(
    path: Path,
    file: OpenFile,
    header: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    longest: int | None = None,
) -> None:
    """Add rows to a file with this header.

    Args:
        path: What the file is called.
        file: The file, as `alone` gives it.
        header: Its columns, as `read_header` gives them.
        rows: As in `append_rows`.
        longest: Characters that a cell may have; what is longer is cut. None for any length.

    Raises:
        OSError: As in `append_rows`.
    """
    new = [column for row in rows for column in row.keys() - header] if header else []
    columns = [*header, *(column for row in rows for column in row if column in new or not header)]
    columns = list(dict.fromkeys(columns))
    lines = format_rows(([row.get(column) for column in columns] for row in rows), longest=longest)
    if header and not new:
        append_lines(path, file.fd, lines, is_whole=lambda last: _is_whole(last, len(header)))
    elif header:
        _rewrite(path, file, columns, lines)
    else:
        append_lines(path, file.fd, format_header(columns) + lines, is_whole=bool)


def read_header(path: Path, fd: int | None = None) -> tuple[str, ...]:
    """Return the columns of a CSV file; none when it is missing or empty.

    Args:
        path: What the file is called.
        fd: Its descriptor, where it is open already.

    Raises:
        OSError: It cannot be read.
        TableError: Its first line is no header.
    """
    line = first_line_of(path, quoted=True) if fd is None else first_line(fd, quoted=True)
    try:
        header = _names_in(line)
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} is no CSV table in UTF-8 ({error}); move it away, and a new one is made"
        raise TableError(msg) from error
    if len(set(header)) != len(header):
        twice = sorted({column for column in header if header.count(column) > 1})
        msg = f"{path} names columns twice in its first line ({', '.join(twice)}); mend it, or move the file away"
        raise TableError(msg)
    return header


@lru_cache(maxsize=16)  # the jobs of a sweep meet the same header again and again
def _names_in(line: bytes) -> tuple[str, ...]:
    text = line.decode("utf-8-sig")
    if not text.strip():
        return ()
    with cells_of_any_length():
        return tuple(map(decode_name, next(csv.reader([text]), ())))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file, column to value; a cell that is empty or missing is None.

    Raises:
        OSError: It cannot be read.
        TableError: It is no CSV table in UTF-8; the message names the line.
    """
    header = read_header(path)
    if not header:
        return
    csv.field_size_limit(_ANY_LENGTH)  # not set back: other tables may be read meanwhile
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(_without_nul(file))
        try:
            next(reader)
            for cells in reader:
                if cells:
                    yield {
                        **dict.fromkeys(header[len(cells) :]),
                        **dict(zip(header, map(decode, cells), strict=False)),
                    }
        except (UnicodeDecodeError, csv.Error) as error:
            msg = f"{path}, line {reader.line_num + 1}, is no row of a CSV table in UTF-8 ({error}); mend or remove it"
            raise TableError(msg) from error


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines without NUL characters, which the csv module of Python 3.10 refuses; a crash leaves runs of them."""
    for line in lines:
        yield line.replace("\0", "") if "\0" in line else line


@contextlib.contextmanager
def cells_of_any_length() -> Iterator[None]:
    """Let the csv module read cells of more than its 128 KiB meanwhile."""
    before = csv.field_size_limit(_ANY_LENGTH)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def format_rows(rows: Iterable[Iterable[Any]], *, longest: int | None = None) -> bytes:
    """Return rows of values as CSV lines, in UTF-8.

    Args:
        rows: The rows.
        longest: Characters that a cell may have; what is longer is cut. None for any length.
    """
    lines: Iterable[list[str]] = ([encode(value) for value in row] for row in rows)
    if longest is not None:
        lines = ([cell if len(cell) <= longest else f"{cell[: longest - 3]}..." for cell in line] for line in lines)
    return _format(lines)


def format_header(columns: Iterable[str]) -> bytes:
    """Return the first line of a CSV file, in UTF-8."""
    return _format([[encode_name(str(column)) for column in columns]])


def _format(rows: Iterable[Iterable[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode("utf-8", errors="backslashreplace")


def _is_whole(line: bytes, n_columns: int) -> bool:
    with cells_of_any_length():
        cells = next(csv.reader([line.decode(errors="replace").replace("\0", "")]), [])
    return len(cells) == n_columns and line.count(b'"') % 2 == 0


def _rewrite(path: Path, file: OpenFile, columns: list[str], lines: bytes) -> None:
    """Replace the file by one with more columns and the new lines; the older rows are empty there."""
    with replacing(path, keep_mode=True) as temporary, path.open(encoding="utf-8-sig", newline="") as old:
        with cells_of_any_length(), temporary.open("wb") as new:
            text = io.TextIOWrapper(new, encoding="utf-8", newline="", write_through=True)
            writer = csv.writer(text, lineterminator="\n")
            reader = csv.reader(_without_nul(old))
            n_old = len(next(reader))
            new.write(format_header(columns))
            for row in reader:
                writer.writerow([*row, *[""] * (len(columns) - len(row))] if len(row) >= n_old else row)
            text.detach()
            new.write(lines)
        old.close()
        file.before_replacing()
