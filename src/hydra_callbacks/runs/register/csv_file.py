"""A register as a CSV file: the published form, which every spreadsheet and data frame opens."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hydra_callbacks.errors import RegisterError, TableError
from hydra_callbacks.runs.register.file_register import FileRegister
from hydra_callbacks.support import tables
from hydra_callbacks.support.cells import decode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from hydra_callbacks.runs.register.row import Row
    from hydra_callbacks.support.locks import OpenFile

_LONGEST_CELL = 32_767  # characters, the most that spreadsheet programs take
_OURS = {"run-dir", "job_success"}
_MOST_SHOWN = 60  # characters


class CsvRegister(FileRegister):
    """Columns as in `row.row_of`; a new one rewrites the file once. A cell too long for a spreadsheet is cut."""

    def columns(self) -> list[str]:
        """Return the header, and what jobs under way have besides."""
        return list(dict.fromkeys([*self._header(), *(name for row in self._marked() for name in row)]))

    def _header(self, fd: int | None = None) -> tuple[str, ...]:
        with _errors():
            header = tables.read_header(self.path, fd)
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

    def _mend(self, file: OpenFile) -> tuple[str, ...]:
        header = self._header(file.fd)
        tables.mend(self.path, file, header)
        return header

    def _append(self, path: Path, file: OpenFile, header: tuple[str, ...], row: Row) -> None:
        with _errors():
            tables.add_rows(path, file, header, [row], longest=_LONGEST_CELL)

    def _read(self) -> Iterator[Row]:
        with _errors():
            yield from tables.read_rows(self.path)

    def _written(self, job: str) -> bytes:
        return tables.format_rows([[job]]).rstrip(b"\n")

    def _id_in(self, line: bytes) -> str | None:
        from hydra_callbacks.support.csv_lines import cells_in  # noqa: PLC0415  (only who starts again looks)

        cells, header = cells_in(line), self._header()
        return decode(dict(zip(header, cells, strict=False)).get("run-id", "")) if len(cells) == len(header) else None

    def _write(self, path: Path, columns: Collection[str], rows: Iterable[Row]) -> None:
        with path.open("wb") as file:
            file.write(tables.format_header(columns) if columns else b"")
            for row in rows:
                file.write(tables.format_rows([[row.get(column) for column in columns]], longest=_LONGEST_CELL))


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except TableError as error:
        raise RegisterError(str(error)) from error
