"""Where does a listing get its rows from? From the registers that are near, or from the run records themselves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs import query
from hydra_callbacks.runs.find import Run, runs_below
from hydra_callbacks.runs.register import is_url, open_register
from hydra_callbacks.runs.register.row import row_of
from hydra_callbacks.support.lines import first_line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hydra_callbacks.runs.query import Query
    from hydra_callbacks.runs.register import Register
    from hydra_callbacks.runs.register.row import Row

VARIABLE = "HYDRA_CALLBACKS_REGISTER"
"""Environment variable that names the register where none is named."""
_DEEPEST_BELOW = 2  # folders: outputs/register.csv, of this project or of those in it
_SQLITE = b"SQLite format 3\0"


class Records:
    """The run records below a directory, read like a register.

    Args:
        directory: Where they are looked for.

    Attributes:
        problems: The runs that were found damaged, once the rows have been read.
    """

    def __init__(self, directory: Path) -> None:
        self.location = str(directory)
        self.problems: list[Run] = []
        self._directory = directory
        self._rows: list[Row] | None = None

    def rows(self) -> Iterator[Row]:
        """Yield a row for each run; damaged ones are put aside."""
        if self._rows is None:
            self._rows = list(rows_of(runs_below(self._directory), self.problems))
        yield from self._rows

    def columns(self) -> list[str]:
        """Return the names of all columns."""
        return list(dict.fromkeys(column for row in self.rows() for column in row))

    def select(self, asked: Query) -> list[Row]:
        """Return the rows that a query asks for."""
        return query.select(self.rows(), asked)


def rows_of(runs: Iterable[Run], problems: list[Run], *, seen_from: Path | None = None) -> Iterator[Row]:
    """Yield the rows of runs that were found.

    Args:
        runs: The runs.
        problems: Gets those that are damaged; they have no row.
        seen_from: As in `row_of`.
    """
    for run in runs:
        if run.problem:
            problems.append(run)
        else:
            place = os.path.abspath(run.directory)  # noqa: PTH100  (links stay; the tree may have been moved)
            yield row_of({**run.record, "output_dir": place}, seen_from=seen_from)


def sources(where: str | None) -> list[Register | Records]:
    """Return what is to be read.

    Args:
        where: A register's file or URL; a directory, whose run records are read; or None: the register that the
            variable HYDRA_CALLBACKS_REGISTER names, else the registers in the working directory and below, else the
            nearest above it, else the records below it.

    Raises:
        RegisterError: There is no such file or directory, or it is no register.
    """
    named = where or os.environ.get(VARIABLE)
    if not named:
        near = registers_near(Path.cwd())
        return [open_register(path) for path in near] or [Records(Path.cwd())]
    if is_url(named):
        return [open_register(named)]
    path = Path(named).expanduser()
    if path.is_dir():
        return [Records(path)]
    if not path.exists():
        msg = f"there is no file or directory {named!r}; name a register, a directory with runs, or nothing"
        raise RegisterError(msg)
    return [open_register(path)]


def registers_near(directory: Path) -> list[Path]:
    """Return the registers in a directory and two levels below; when there are none, the nearest above it."""
    directory = directory.absolute()
    found = _registers_below(directory, _DEEPEST_BELOW)
    for parent in directory.parents if not found else ():
        found = _registers_below(parent, 1)
        if found:
            break
    return [path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path for path in found]


def _registers_below(directory: Path, levels: int) -> list[Path]:
    try:
        with os.scandir(directory) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except OSError:
        return []
    if any(entry.name == ".hydra" for entry in entries) and levels < _DEEPEST_BELOW:
        return []  # what a job keeps in its directory is its own
    found = [Path(entry.path) for entry in entries if entry.is_file() and is_register(Path(entry.path))]
    if levels:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                found += _registers_below(Path(entry.path), levels - 1)
    return found


def is_register(path: Path) -> bool:
    """Tell whether a file is a register, from its name and its first bytes."""
    suffix = path.suffix.lower()
    try:
        if suffix in {".db", ".sqlite"}:
            with path.open("rb") as file:
                head = file.read(72)
            return head.startswith(_SQLITE) and head[68:72] == b"HyCb"  # the file format: sqlite.org/fileformat2.html
        if suffix in {".csv", ".jsonl"}:
            line = first_line_of(path)
            return b"run-dir" in line and b"job_success" in line
    except OSError:
        return False
    return False
