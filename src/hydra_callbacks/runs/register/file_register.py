"""How does a plain file serve as a register? A line for each job that has ended; beside it, a mark for each that runs.

The marks, small files in a hidden folder, let a reader see jobs that are under way and those that were killed, without
a line that would have to be changed at the end. A line is replaced only when a job has been started again.
"""

from __future__ import annotations

import contextlib
import json
import os
from abc import ABC, abstractmethod
from itertools import chain
from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.register.row import attempt_of, key_of, replaces, settled
from hydra_callbacks.support.files import replacing
from hydra_callbacks.support.locks import alone

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from hydra_callbacks.runs.query import Query
    from hydra_callbacks.runs.register.row import Row
    from hydra_callbacks.support.locks import OpenFile


MARKS = ".running"
"""What the name of the folder with the marks ends in, after a dot and the name of the file."""


class FileRegister(ABC):
    """What the registers in files have in common; see `Register` for what each method promises.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.location = str(path)
        self._marks = path.with_name(f".{path.name}{MARKS}")

    # What differs

    @abstractmethod
    def check(self) -> None:
        """Raise a RegisterError when the file is something else; missing or empty, it is a register yet to be."""

    @abstractmethod
    def columns(self) -> list[str]:
        """Return the names of all columns."""

    def _header(self) -> tuple[str, ...]:
        """Return the columns that each row of the file has a place for."""
        return ()

    @abstractmethod
    def _mend(self, file: OpenFile) -> tuple[str, ...]:
        """Take away a torn last line, unless the file is something else; return the header."""

    @abstractmethod
    def _append(self, path: Path, file: OpenFile, header: tuple[str, ...], row: Row) -> None:
        """Add a row to a file of this kind with this header."""

    @abstractmethod
    def _read(self) -> Iterator[Row]:
        """Yield the rows of the file."""

    @abstractmethod
    def _written(self, job: str) -> bytes:
        """Return how the id of a job stands in the file."""

    @abstractmethod
    def _id_in(self, line: bytes) -> str | None:
        """Return the id of the job that a line of the file is about."""

    @abstractmethod
    def _write(self, path: Path, columns: Collection[str], rows: Iterable[Row]) -> None:
        """Make a file of this kind."""

    # What they have in common

    def add(self, row: Row) -> None:
        """Add a row, or replace the one of an earlier attempt."""
        if row.get("run-status") == "running":
            self._mark(row)
            return
        try:
            self._put(row)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._put(row)
        self._unmark(row)

    def _put(self, row: Row) -> None:
        with alone(self.path) as file:
            header = self._mend(file)
            place = self._place_of(row["run-id"]) if attempt_of(row) > 1 else None
            if place is None:
                self._append(self.path, file, header, row)
                return
            with replacing(self.path, keep_mode=True) as temporary:
                self._copy_without(*place, temporary)
                with alone(temporary) as copy:
                    self._append(temporary, copy, header, row)
                file.before_replacing()

    def merge(self, rows: Collection[Row], *, prune: bool = False) -> None:
        """Replace the file by one that has these rows, too, and those of jobs with a mark whose process is gone."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with alone(self.path) as file:
            self.check()
            marked = list(map(settled, self._marked()))
            lost = [row for row in marked if row.get("run-status") == "lost"]
            columns = dict.fromkeys(() if prune else self._header())
            for row in chain(rows, () if prune else lost):
                if row.get("run-status") != "running":
                    columns.update(dict.fromkeys(row))
            with replacing(self.path, keep_mode=True) as temporary:
                self._write(temporary, columns, _merged(rows, () if prune else self._with(marked)))
                file.before_replacing()
            for row in lost:
                self._unmark(row)
            for row in rows:
                if row.get("run-status") == "running":
                    self._mark(row)

    def select(self, asked: Query) -> list[Row]:
        """Look at every row."""
        from hydra_callbacks.runs import query  # noqa: PLC0415  (only readers need it)

        return query.select(self.rows(), asked)

    def rows(self) -> Iterator[Row]:
        """Yield the rows of the file, then those of jobs that have a mark only."""
        yield from self._with(self._marked())

    def _with(self, marked: list[Row]) -> Iterator[Row]:
        marks = {key_of(row): row for row in marked}
        if self.path.exists():
            self.check()
            for row in self._read():
                mark = marks.get(row.get("run-id") or "")
                if mark is None or attempt_of(mark) <= attempt_of(row):
                    marks.pop(row.get("run-id") or "", None)
                    yield settled(row)
        yield from map(settled, marks.values())

    def close(self) -> None:  # noqa: B027  (files have nothing to close, and need not say so)
        """Nothing is kept open."""

    def _place_of(self, job: str) -> tuple[int, int] | None:
        """Return where the line of a job begins and ends; None when there is none."""
        if not self.path.stat().st_size:
            return None
        import mmap  # noqa: PLC0415  (only who starts again needs it)

        sought = self._written(job)
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.rfind(sought)
            while at >= 0:
                start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at) + 1
                if self._id_in(data[start:end]) == job:
                    return start, end
                at = data.rfind(sought, 0, start)
        return None

    def _copy_without(self, start: int, end: int, path: Path) -> None:
        with self.path.open("rb") as old, path.open("wb") as new:
            _copy(old, new, start)
            old.seek(end)
            _copy(old, new, os.fstat(old.fileno()).st_size - end)

    def _mark(self, row: Row) -> None:
        data = json.dumps(row).encode()
        while True:
            self._marks.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # the last job that ended has just removed the folder
                (self._marks / _mark_of(row)).write_bytes(data)
                return

    def _unmark(self, row: Row) -> None:
        try:
            os.unlink(f"{self._marks}/{_mark_of(row)}")  # noqa: PTH108  (in each job's way: half the time of Path)
            os.rmdir(self._marks)  # noqa: PTH106  (as above)
        except OSError:  # there is none, or others are left in the folder
            pass

    def _marked(self) -> list[Row]:
        """Return the rows of the jobs that have a mark."""
        found: list[Any] = []
        for path in sorted(self._marks.glob("*.json")):
            with contextlib.suppress(OSError, ValueError):  # it has just ended, or its writer was killed
                found.append(json.loads(path.read_bytes()))
        return [row for row in found if isinstance(row, dict) and row.get("run-id")]


def _mark_of(row: Row) -> str:
    name = str(row["run-id"])
    if not name.replace("-", "").isalnum():  # an id of ours is; a foreign one may have signs that no file may have
        name = "".join(sign if sign.isalnum() else "_" for sign in name)
    return f"{name}.json"


def _merged(rows: Collection[Row], older: Iterable[Row]) -> Iterator[Row]:
    """Yield the older rows that stay, and those that come; jobs under way have no line."""
    new = {key_of(row): {name: row.get(name) for name in ("run-status", "run-attempt")} for row in rows}
    directories = {row["run-dir"] for row in rows}
    without_line = {key for key, row in new.items() if row.get("run-status") == "running"}
    for row in older:
        key = key_of(row)
        if row.get("run-status") == "running":
            continue
        if key in new and not replaces(new[key], row):
            without_line.add(key)
            yield row
        elif key not in new and (row.get("run-id") or row.get("run-dir") not in directories):
            yield row
    yield from (row for row in rows if key_of(row) not in without_line)


def _copy(old: BinaryIO, new: BinaryIO, n_bytes: int) -> None:
    while n_bytes:
        part = old.read(min(n_bytes, 1 << 20))
        new.write(part)
        n_bytes -= len(part)
