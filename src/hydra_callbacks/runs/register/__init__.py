"""Which runs were ever made? Tables with a row for each job: a CSV, JSONL or SQLite file, or a PostgreSQL database.

All are used alike (`Register`), and each can be rebuilt from the run records, which are the truth.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from hydra_callbacks.errors import MissingExtraError, RegisterError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hydra_callbacks.runs.query import Query
    from hydra_callbacks.runs.register.row import Row

FORMS = "a file that ends in .csv, .jsonl, .db or .sqlite, or postgresql://user@host/database"
"""What names a register, in words."""
_ROOMS = {
    ".csv": "csv_file.CsvRegister",
    ".jsonl": "jsonl_file.JsonlRegister",
    ".db": "sqlite_file.SqliteRegister",
    ".sqlite": "sqlite_file.SqliteRegister",
}
_URL = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
# Behind a colon that does not begin a port, whatever odd letters it has, or as an option.
_CREDENTIALS = r"(?i)://[^/@?\[]*:(?!\d*(?:[/?,]|$))[^@]*@|[?&](?:ssl)?password="


class Register(Protocol):
    """A table of jobs that many processes fill at once; for `contextlib.closing`.

    A job is one row, its last state, however often it is added; see `row.key_of`.
    """

    location: str
    """What it was opened by: a path or a URL."""

    def add(self, row: Row) -> None:
        """Add the row of a job, or put it in the place of that job's earlier one: as a whole, or not at all.

        Raises:
            RegisterError: It cannot be written, or is something else; what was there stays.
            OSError: As above, from the file system.
        """

    def merge(self, rows: Collection[Row], *, prune: bool = False) -> None:
        """Add many rows in one step; one that says `running` or `lost` does not replace one that says how it ended.

        Args:
            rows: The rows, each of another job; gone through more than once.
            prune: Take away the rows of all other jobs.

        Raises:
            RegisterError: As in `add`.
            OSError: As in `add`.
        """

    def columns(self) -> list[str]:
        """Return the names of all columns; none when there is no such register yet.

        Raises:
            RegisterError: It cannot be read, or is something else.
        """

    def select(self, query: Query) -> list[Row]:
        """Return the rows that a query asks for, as readers should see them (`row.settled`).

        Raises:
            RegisterError: It cannot be read, or is something else.
        """

    def rows(self) -> Iterator[Row]:
        """Yield all rows, in the order in which they were registered, without keeping them in memory.

        Raises:
            RegisterError: It cannot be read, or is something else.
        """

    def close(self) -> None:
        """Let go of what is open."""


def is_url(location: str) -> bool:
    """Tell whether a register is a database rather than a file."""
    return _URL.match(location) is not None


def complaint(location: str) -> str | None:
    """Return what is wrong with the name of a register; None when nothing is.

    Raises:
        MissingExtraError: It needs an extra that is not installed.
    """
    if is_url(location):
        if re.search(_CREDENTIALS, location):
            return (
                "an address without a password, which would be written into every run: give it by PGPASSWORD, "
                "~/.pgpass, or a service file"
            )
        if importlib.util.find_spec("psycopg") is None:
            msg = "A PostgreSQL register needs psycopg: pip install 'hydra-callbacks[postgres]'"
            raise MissingExtraError(msg)
        return None
    return None if Path(location).suffix.lower() in _ROOMS else FORMS


def caveat(path: Path) -> str | None:
    """Return what to know before a file is used as a register; None when there is nothing."""
    if path.suffix.lower() not in {".db", ".sqlite"}:
        return None
    from hydra_callbacks.support.disks import file_system  # noqa: PLC0415  (the others need no look)

    kind = file_system(path)
    if kind is None:
        return None
    return (
        f"{path} is on a network file system ({kind}), where SQLite's locks are not safe when several machines write; "
        "a .jsonl or .csv register, or postgresql://user@host/database, is"
    )


def open_register(location: str | Path) -> Register:
    """Open a register by its name; nothing is read or written yet.

    Args:
        location: A file (`.csv`, `.jsonl`, `.db`, `.sqlite`), or `postgresql://user@host/database`.

    Raises:
        MissingExtraError: It needs an extra that is not installed.
        RegisterError: The name is of no form that is known.
    """
    text = str(location)
    wrong = complaint(text)
    if wrong:
        shown = _URL.match(text)[0] + "..." if is_url(text) else repr(text)  # type: ignore[index]
        msg = f"a register must be {wrong}; got {shown}"
        raise RegisterError(msg)
    home = "postgres.PostgresRegister" if is_url(text) else _ROOMS[Path(text).suffix.lower()]
    module, _, name = home.partition(".")
    make = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return cast("Register", make(text if is_url(text) else Path(text)))
