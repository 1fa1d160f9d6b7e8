"""How do many processes add rows to one CSV file, with columns that change from row to row?

Each row is one line, appended in one write while no other process writes, so a process that is killed costs at most its
own, unacknowledged row. A new column rewrites the file once, in one step; any other append reads only the header and
the last byte, whatever the file's length. What stands in a cell: `support.cells`.
"""

from __future__ import annotations

import io
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import TableError
from hydra_callbacks.support.cells import decode, decode_name, encode, encode_name
from hydra_callbacks.support.files import replacing
from hydra_callbacks.support.lines import append_lines, begin, first_line, first_line_of, mend_last
from hydra_callbacks.support.locks import alone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hydra_callbacks.support.locks import OpenFile

_MANY = 1000  # values of a column
_BOM = b"\xef\xbb\xbf"  # of UTF-8, which spreadsheets put in front


def append_rows(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    known_by: str | None = None,
    timeout_s: float = 60.0,
) -> None:
    """Add rows to a CSV file, all of them or none; make it, with its header and folder, when missing.

    Args:
        path: The file.
        rows: One mapping for each row, column to value. A column that the file lacks is added at its end, and is
            empty in the older rows.
        known_by: A column that the file must have, if there is one: without it, it is somebody else's.
        timeout_s: How long to wait while another process writes, in seconds.

    Raises:
        FileLockTimeoutError: Another process keeps the file for longer than that.
        OSError: The folder cannot be written, or the disk is full; the file is as it was.
        TableError: The file is there, and its first line is no header, or not ours.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path, timeout_s=timeout_s) as file:
        header = read_header(path, file.fd)
        check_known(path, header, known_by)
        mend(path, file, header)
        add_rows(path, file, header, rows)


def append_columns(
    path: Path, columns: Mapping[str, Sequence[Any]], *, known_by: str | None = None, timeout_s: float = 60.0
) -> None:
    """Add rows that are given by columns: many numbers take a fifth of the time.

    Args:
        path: As in `append_rows`, as all that follows.
        columns: Column to its values, one for each row; of an `array`, NaN is an empty cell.
        known_by: A column that the file must have, if there is one: without it, it is somebody else's.
        timeout_s: In seconds.

    Raises:
        FileLockTimeoutError: As in `append_rows`.
        OSError: Likewise.
        TableError: Likewise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path, timeout_s=timeout_s) as file:
        header = read_header(path, file.fd)
        check_known(path, header, known_by)
        mend(path, file, header)
        n_rows = len(next(iter(columns.values()), ()))
        whole = {**dict.fromkeys(header, [None] * n_rows), **columns}
        _add_lines(path, file, header, list(whole), format_columns(whole))


def check_known(path: Path, header: Sequence[str], known_by: str | None) -> None:
    """Make sure that a file is one of ours.

    Raises:
        TableError: It has a header without that column.
    """
    if header and known_by is not None and known_by not in header:
        msg = f"{path} is there already, and another program's: it has no column {known_by!r}; it stays as it is"
        raise TableError(msg)


def mend(path: Path, file: OpenFile, header: Sequence[str]) -> None:
    """Take away a torn last row; see `add_rows` for what is given.

    Raises:
        OSError: As in `append_rows`.
    """

    def is_whole(last: bytes) -> bool:
        from hydra_callbacks.support import csv_lines  # noqa: PLC0415  (only a torn row is looked at)

        return csv_lines.is_whole(last, len(header))

    mend_last(path, file.fd, is_whole=is_whole)


def add_rows(
    path: Path,
    file: OpenFile,
    header: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    longest: int | None = None,
) -> None:
    """Add rows to a file with this header, and without a torn last row.

    Args:
        path: What the file is called.
        file: The file, as `alone` gives it.
        header: Its columns, as `read_header` gives them.
        rows: As in `append_rows`.
        longest: Characters that a cell may have; what is longer is cut. None for any length.

    Raises:
        OSError: As in `append_rows`.
    """
    columns = dict.fromkeys(header)
    for row in rows:
        columns.update(dict.fromkeys(row))
    lines = format_rows(([row.get(column) for column in columns] for row in rows), longest=longest)
    _add_lines(path, file, header, columns, lines)


def _add_lines(path: Path, file: OpenFile, header: Sequence[str], columns: Collection[str], lines: bytes) -> None:
    """Add lines with these columns, of which the first are those of the header."""
    if not header:
        begin(path, file, format_header(columns) + lines)
    elif len(columns) > len(header):
        _rewrite(path, file, columns, lines)
    else:
        append_lines(file.fd, lines)


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
    except ValueError as error:
        msg = f"{path} is no CSV table in UTF-8 ({error}); move it away, and a new one is made"
        raise TableError(msg) from error
    if not header and line.endswith(b"\n"):
        msg = f"{path} begins with an empty line, expected the names of its columns; remove it, or move the file away"
        raise TableError(msg)
    if len(set(header)) != len(header):
        twice = sorted({column for column in header if header.count(column) > 1})
        msg = f"{path} names columns twice in its first line ({', '.join(twice)}); mend it, or move the file away"
        raise TableError(msg)
    return header


@lru_cache(maxsize=16)  # the jobs of a sweep meet the same header again and again
def _names_in(line: bytes) -> tuple[str, ...]:
    text = line.removeprefix(_BOM).decode()
    if not text.strip():
        return ()
    if '"' not in text:
        return tuple(map(decode_name, text.rstrip("\r\n").split(",")))
    from hydra_callbacks.support.csv_lines import cells_in  # noqa: PLC0415  (few have such names)

    return tuple(map(decode_name, cells_in(line.removeprefix(_BOM))))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file, column to value; a cell that is empty or missing is None.

    Raises:
        OSError: It cannot be read.
        TableError: It is no CSV table in UTF-8; the message names the line.
    """
    from hydra_callbacks.support import csv_lines  # noqa: PLC0415  (who adds a row does not read)

    with path.open("rb") as file:  # once: the next time another one may have taken its place
        header = read_header(path, file.fileno())
        file.seek(0)
        rows = csv_lines.rows_in(path, file)
        next(rows, None)
        for cells in rows:
            yield {
                **dict.fromkeys(header[len(cells) :]),
                **dict(zip(header, map(decode, cells), strict=False)),
            }


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


def format_columns(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return rows that are given by columns as CSV lines, in UTF-8; see `append_columns`."""
    rows = zip(*map(_cells, columns.values()))  # noqa: B905  (they are equally many)
    return b"".join([b",".join(row) + b"\n" for row in rows])


def _cells(values: Sequence[Any]) -> list[bytes]:
    """Return the cells of a column."""
    if isinstance(values, array):
        if len(values) < _MANY:
            return [b"" if value != value else b"%r" % value for value in values]  # noqa: PLR0124  (NaN)
        import msgspec  # noqa: PLC0415  (writes numbers many times faster, and takes some milliseconds to load)

        return msgspec.json.encode(values.tolist())[1:-1].replace(b"null", b"").split(b",")
    cells = {value: cell if _is_bare(cell := encode(value)) else _quoted(cell) for value in set(values)}
    return [cells[value].encode("utf-8", errors="backslashreplace") for value in values]


def format_header(columns: Iterable[str]) -> bytes:
    """Return the first line of a CSV file, in UTF-8."""
    return _format([[encode_name(str(column)) for column in columns]])


def _format(rows: Iterable[Iterable[str]]) -> bytes:
    """Return cells without line breaks as lines (RFC 4180, 2); the csv module takes longer to import than all else."""
    lines = [",".join([cell if _is_bare(cell) else _quoted(cell) for cell in row]) or '""' for row in rows]
    return "".join([f"{line}\n" for line in lines]).encode("utf-8", errors="backslashreplace")


def _is_bare(cell: str) -> bool:
    return "," not in cell and '"' not in cell


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _rewrite(path: Path, file: OpenFile, columns: Collection[str], lines: bytes) -> None:
    """Replace the file by one with more columns and the new lines; the older rows are empty there."""
    import csv  # noqa: PLC0415  (a row without new columns needs none of it)

    from hydra_callbacks.support import csv_lines  # noqa: PLC0415  (as above)

    with replacing(path, keep_mode=True) as temporary:
        with path.open("rb") as old, temporary.open("wb") as new:
            text = io.TextIOWrapper(new, encoding="utf-8", newline="", write_through=True)
            writer = csv.writer(text, lineterminator="\n")
            rows = csv_lines.rows_in(path, old)
            n_old = len(next(rows))
            new.write(format_header(columns))
            for row in rows:
                writer.writerow([*row, *[""] * (len(columns) - len(row))] if len(row) >= n_old else row)
            text.detach()
            new.write(lines)
        file.before_replacing()
