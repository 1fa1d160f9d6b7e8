"""A register as a CSV file: the published form, which every spreadsheet and data frame opens."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from hydra_callbacks.errors import RegisterError, TableError
from hydra_callbacks.runs.register.file_register import FileRegister
from hydra_callbacks.support import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from hydra_callbacks.runs.register.row import Row
    from hydra_callbacks.support.files import OpenFile

_LONGEST_CELL = 32_767  # characters, the most that spreadsheet programs take
_OURS = {"run-dir", "job_success"}
_MOST_SHOWN = 60  # characters


class CsvRegister(FileRegister):
    """Columns as in `row.row_of`; a new one rewrites the file once. A cell too long for a spreadsheet is cut."""

    def columns(self) -> list[str]:
        """Return the header."""
        return list(self._header())

    def _header(self, fd: int | None = None) -> tuple[str, ...]:
        try:
            header = tables.read_header(self.path, fd)
        except TableError as error:
            raise RegisterError(str(error)) from error
        if header and not _OURS.issubset(header):
            raise RegisterError(self._complaint(header))
        return header

    def _complaint(self, header: tuple[str, ...]) -> str:
        shown = ", ".join(header)
        other = next((sign for sign in ";\t|" if sign in shown), None)
        if other and all(name in shown for name in _OURS):
            return f"{self.path} has {other!r} between its columns, expected commas; save it as comma-separated again"
        shown = shown if len(shown) <= _MOST_SHOWN else shown[:_MOST_SHOWN] + "..."
        return (
            f"{self.path} is no register: it lacks the columns run-dir and job_success (it has {shown}); "
            "name another register_file, or move it away"
        )

    def check(self) -> None:
        """Look at the header."""
        self._header()

    def _append(self, path: Path, file: OpenFile, rows: list[Row]) -> None:
        tables.add_rows(path, file, self._header(file.fd), rows, longest=_LONGEST_CELL)

    def _read(self) -> Iterator[Row]:
        try:
            yield from tables.read_rows(self.path)
        except TableError as error:
            raise RegisterError(str(error)) from error

    def _id_in(self, line: bytes) -> str | None:
        with tables.cells_of_any_length():
            cells = next(csv.reader([line.decode(errors="replace")]), [])
        header = self._header()
        return dict(zip(header, cells, strict=True)).get("run-id") if len(cells) == len(header) else None

    def _write(self, path: Path, columns: Collection[str], rows: Iterable[Row]) -> None:
        with path.open("wb") as file:
            file.write(tables.format_header(columns) if columns else b"")
            for row in rows:
                file.write(tables.format_rows([[row.get(column) for column in columns]], longest=_LONGEST_CELL))
