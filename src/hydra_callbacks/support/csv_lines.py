"""How are CSV lines read back, torn and odd ones included? Adding rows (`support.tables`) needs none of it."""

from __future__ import annotations

import contextlib
import csv
from typing import TYPE_CHECKING, BinaryIO

from hydra_callbacks.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ANY_LENGTH = 2**31 - 1  # characters, the most that every system takes


def rows_in(path: Path, file: BinaryIO) -> Iterator[list[str]]:
    """Yield the cells of each row, the header first; not those of a torn last one, which may be being written now."""
    number, row, n_columns = 0, list[bytes](), 0

    def lines() -> Iterator[str]:
        nonlocal number
        for number, line in enumerate(file, start=1):
            row.append(line)
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            yield text.replace("\0", "")  # which the csv module of Python 3.10 refuses; a crash leaves runs of them

    csv.field_size_limit(_ANY_LENGTH)  # not set back: other tables may be read meanwhile
    try:
        for cells in csv.reader(lines()):
            n_columns = n_columns or len(cells)
            if cells and (row[-1].endswith(b"\n") or is_whole(b"".join(row), n_columns)):
                yield cells
            row.clear()
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}, line {number}, is no row of a CSV table in UTF-8 ({error}); mend or remove it"
        raise TableError(msg) from error


@contextlib.contextmanager
def cells_of_any_length() -> Iterator[None]:
    """Let the csv module read cells of more than its 128 KiB meanwhile."""
    before = csv.field_size_limit(_ANY_LENGTH)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def cells_in(line: bytes) -> list[str]:
    """Return the cells of a line that is looked at alone; none when it is no row."""
    with cells_of_any_length(), contextlib.suppress(csv.Error):
        return next(csv.reader([line.decode(errors="replace").replace("\0", "")]), [])
    return []


def is_whole(line: bytes, n_columns: int) -> bool:
    """Tell whether a last line without a line break is a row all the same."""
    return len(cells_in(line)) == n_columns and line.count(b'"') % 2 == 0
