"""Where does a listing get its rows from? From the registers that are near, or from the run records themselves."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs import query, record
from hydra_callbacks.runs.find import Run, as_typed, runs_below
from hydra_callbacks.runs.register import is_url, open_register
from hydra_callbacks.runs.register.file_register import MARKS
from hydra_callbacks.runs.register.row import directory_of, row_of
from hydra_callbacks.support.lines import first_line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_callbacks.runs.query import Query
    from hydra_callbacks.runs.register import Register
    from hydra_callbacks.runs.register.row import Row

_log = logging.getLogger("hydra.callbacks")
VARIABLE = "HYDRA_CALLBACKS_REGISTER"
"""Environment variable that names the register where none is named."""
_DEEPEST_BELOW = 2  # folders: outputs/register.csv, of this project or of those in it
_RESULT = "result."
_SQLITE = b"SQLite format 3\0"


class Records:
    """The run records below a directory, read like a register.

    Only what a query needs is made of each record, and a whole row of those that it asks for.

    Args:
        directory: Where they are looked for.

    Attributes:
        problems: The runs that were found damaged, once the records have been read.
    """

    def __init__(self, directory: Path) -> None:
        self.location = str(directory)
        self.problems: list[Run] = []
        self._directory = directory
        self._views: list[_View] | None = None
        self._columns: list[str] | None = None

    def rows(self) -> Iterator[Row]:
        """Yield a row for each run; damaged ones are put aside."""
        return (view.row for view in self._read())

    def columns(self) -> list[str]:
        """Return the names of all columns."""
        if self._columns is None:
            of_each_shape = {_shape(view.data): view for view in self._read()}
            self._columns = list(dict.fromkeys(column for view in of_each_shape.values() for column in view.row))
        return self._columns

    def select(self, asked: Query) -> list[Row]:
        """Return the rows that a query asks for."""
        return [view.row for view in query.select(self._read(), asked)]

    def close(self) -> None:
        """Nothing is kept open."""

    def _read(self) -> list[_View]:
        if self._views is None:
            runs = list(runs_below(self._directory))
            self.problems = [run for run in runs if run.problem]
            self._views = [_View(run) for run in runs if not run.problem]
        return self._views


class _View:
    """A record that is asked for the columns of its row one by one; the row is made when there is no other way."""

    __slots__ = ("_row", "data", "place")

    def __init__(self, run: Run) -> None:
        self.data = run.record
        self.place = run.place
        self._row: Row | None = None

    @property
    def row(self) -> Row:
        if self._row is None:
            self._row = row_of_run(Run(self.place, self.data))
        return self._row

    def get(self, column: str) -> Any:
        if column == "run-status":
            return record.status(self.data)
        if column == "run-started":
            return self.data.get("started_at")
        if column.startswith(("run-", "git.", "job_")) or "result" in (self.data.get("config") or ()):
            return self.row.get(column)
        if column.startswith(_RESULT) and column not in (self.data.get("config") or ()):
            return self._inside("result", column[len(_RESULT) :], column)
        return self._inside("config", column, column)

    def _inside(self, section: str, path: str, column: str) -> Any:
        value = self.data.get(section)
        for key in path.split("."):
            if not isinstance(value, dict):
                return None
            if key not in value:  # it is not there, or has a dot in its name
                return self.row.get(column)
            value = value[key]
        return value if not isinstance(value, dict) else self.row.get(column)


def _shape(data: dict[str, Any]) -> tuple[Any, ...]:
    """Return what two records have in common whose rows have the same columns: the keys, of nested sections, too."""
    sections = [data.get("config"), data.get("result"), data.get("git")]
    keys: list[Any] = [data.get("status") == "running"]
    for section in sections:  # which grows meanwhile
        if type(section) is dict:
            keys += section
            nested = {key: value for key, value in section.items() if type(value) is dict}
            if nested:
                keys += (None, *nested)
                sections += nested.values()
        keys.append(None)
    return tuple(keys)


def row_of_run(run: Run, *, seen_from: Path | None = None) -> Row:
    """Return the row of a run that was found, with the directory where it is now; the tree may have been moved.

    Args:
        run: The run; not a damaged one.
        seen_from: As in `row_of`.
    """
    place = os.path.abspath(run.place)  # noqa: PTH100  (links stay)
    return row_of({**run.record, "output_dir": place}, seen_from=seen_from)


@contextlib.contextmanager
def opened(where: str | None) -> Iterator[list[Register | Records]]:
    """Give what is to be read, and close it afterwards; see `sources`."""
    found = sources(where)
    try:
        yield found
    finally:
        for source in found:
            source.close()


def with_places(rows: list[Row], source: Register | Records) -> list[Row]:
    """Return rows of a source with their `run-dir` as it can be typed here, where the directory is still there."""
    places = ((row, directory_of(row, getattr(source, "path", None))) for row in rows)
    return [{**row, "run-dir": as_typed(place)} if place else row for row, place in places]


def sources(where: str | None) -> list[Register | Records]:
    """Return what is to be read.

    Args:
        where: A register's file or URL; a directory, whose run records are read; or None: the register that the
            variable HYDRA_CALLBACKS_REGISTER names, else the registers in the working directory and below, else the
            nearest above it (see `registers_near`), else the records below it.

    Raises:
        RegisterError: There is no such file or directory, or it is no register.
    """
    named = where or os.environ.get(VARIABLE)
    if not named:
        near = registers_near(Path.cwd())
        return [open_register(path) for path in near] or [Records(Path.cwd())]
    if is_url(named):
        return [open_register(named)]
    path = Path(os.path.expanduser(named))  # noqa: PTH111  (leaves the name of an unknown user as it is)
    if path.is_dir():
        return [Records(path)]
    if not path.exists() and not path.with_name(f".{path.name}{MARKS}").is_dir():
        msg = f"there is no file or directory {named!r}; name a register, a directory with runs, or nothing"
        raise RegisterError(msg)
    return [open_register(path)]


def registers_near(directory: Path) -> list[Path]:
    """Return the registers in a directory and two levels below; when there are none, the nearest above it.

    Those above are of the same project: the search ends with the folder of a git repository, and before one that
    strangers share, such as /tmp.
    """
    directory = directory.absolute()
    unreadable: list[OSError] = []
    found = registers_below(directory, unreadable=unreadable)
    for error in unreadable if found else ():
        _log.warning("Left out: %s cannot be read: %s", error.filename, error.strerror)
    for folder in (directory, *directory.parents) if not found else ():
        if folder != directory:
            found = registers_below(folder, 1)
        if found or (folder / ".git").exists() or _is_shared(folder.parent):
            break
    return [path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path for path in found]


def registers_below(
    directory: Path, levels: int = _DEEPEST_BELOW, unreadable: list[OSError] | None = None
) -> list[Path]:
    """Return the registers in a directory and so many levels below it.

    Args:
        directory: The directory.
        levels: How many.
        unreadable: Gets the errors of what may not be read.
    """
    unreadable = [] if unreadable is None else unreadable
    try:
        with os.scandir(directory) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except PermissionError as error:
        unreadable.append(error)
        return []
    except OSError:  # it has just been removed
        return []
    if any(entry.name == ".hydra" for entry in entries) and levels < _DEEPEST_BELOW:
        return []  # what a job keeps in its directory is its own
    files = [Path(entry.path) for entry in entries if entry.is_file()]
    found = [path for path in files if is_register(path, unreadable)]
    with_marks = {path for entry in entries if (path := _register_of_marks(Path(entry.path)))}
    found += sorted(path for path in with_marks.difference(found) if not path.exists() or not path.stat().st_size)
    if levels:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                found += registers_below(Path(entry.path), levels - 1, unreadable)
    return found


def _register_of_marks(folder: Path) -> Path | None:
    """Return the register whose running jobs are noted in a folder; it need not be there before the first one ends."""
    name = folder.name.removeprefix(".").removesuffix(MARKS)
    is_one = folder.name == f".{name}{MARKS}" and name.endswith((".csv", ".jsonl")) and folder.is_dir()
    return folder.with_name(name) if is_one else None


def _is_shared(folder: Path) -> bool:
    """Tell whether anybody may make files in a folder, but remove their own only: the sticky bit says so."""
    try:
        return bool(folder.stat().st_mode & stat.S_ISVTX)
    except OSError:
        return False


def is_register(path: Path, unreadable: list[OSError] | None = None) -> bool:
    """Tell whether a file is a register, from its name and its first bytes; note what may not be read."""
    suffix = path.suffix.lower()
    try:
        if suffix in {".db", ".sqlite"}:
            with path.open("rb") as file:
                head = file.read(72)
            return head.startswith(_SQLITE) and head[68:72] == b"HyCb"  # the file format: sqlite.org/fileformat2.html
        if suffix in {".csv", ".jsonl"}:
            line = first_line_of(path)
            return b"run-dir" in line and b"job_success" in line
    except PermissionError as error:
        if unreadable is not None:
            unreadable.append(error)
    except OSError:  # it has just been removed
        pass
    return False
