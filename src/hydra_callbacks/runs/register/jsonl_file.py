"""A register as a JSONL file: one JSON object for each job, with its own keys and exact types."""

from __future__ import annotations

import json
import logging
import os
from types import NoneType
from typing import TYPE_CHECKING

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs.register.file_register import FileRegister
from hydra_callbacks.support.lines import append_lines, begin, first_line, first_line_of, mend_last

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from hydra_callbacks.runs.register.row import Row
    from hydra_callbacks.support.locks import OpenFile

_TEXTS = ("run-id", "run-dir", "run-status", "run-started", "run-host")
_log = logging.getLogger("hydra.callbacks")


class JsonlRegister(FileRegister):
    """Each line is a row as `row.row_of` makes it."""

    def check(self) -> None:
        """Look at the first line."""
        self._check(first_line_of(self.path))

    def _check(self, line: bytes) -> None:
        if line and not (line.startswith(b"{") and b'"run-dir"' in line):
            msg = f"{self.path} is no register: its first line is no JSON object with the key run-dir"
            msg += "; name another register_file, or move it away"
            raise RegisterError(msg)

    def columns(self) -> list[str]:
        """Look at every line."""
        found: dict[str, None] = {}
        for row in self.rows():
            found.update(dict.fromkeys(row))
        return list(found)

    def _mend(self, file: OpenFile) -> tuple[str, ...]:
        self._check(first_line(file.fd))
        mend_last(self.path, file.fd, is_whole=lambda last: _parsed(last) is not None)
        return ()

    def _append(self, path: Path, file: OpenFile, header: tuple[str, ...], row: Row) -> None:  # noqa: ARG002  (as in CSV)
        if os.fstat(file.fd).st_size:
            append_lines(file.fd, _line(row))
        else:
            begin(path, file, _line(row))

    def _read(self) -> Iterator[Row]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                row = _parsed(line)
                if row is not None:
                    yield row
                elif line.endswith(b"\n"):  # else it is being written, or torn, and the next one to write mends it
                    _log.warning("%s, line %d is no JSON object, and is passed over; remove it", self.path, number)

    def _written(self, job: str) -> bytes:
        return _dumps(job).encode()

    def _id_in(self, line: bytes) -> str | None:
        row = _parsed(line)
        return row.get("run-id") if row else None

    def _write(self, path: Path, columns: Collection[str], rows: Iterable[Row]) -> None:  # noqa: ARG002  (as in CSV)
        with path.open("wb") as file:
            file.writelines(map(_line, rows))


_dumps = json.JSONEncoder(ensure_ascii=False).encode


def _line(row: Row) -> bytes:
    return _dumps(row).encode(errors="backslashreplace") + b"\n"


def _parsed(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_row = isinstance(row, dict) and all(isinstance(row.get(name), (str, NoneType)) for name in _TEXTS)
    return row if is_row else None
