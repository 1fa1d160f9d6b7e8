"""`hydra-callbacks sql "SELECT ..."`: any question at all, in SQL, to any register."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.runs.register.sqlite_file import SqliteRegister
from hydra_callbacks.runs.sources import Records, sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_callbacks.runs.register import Register

_ALLOWED = {
    *(sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION),
    getattr(sqlite3, "SQLITE_RECURSIVE", 33),
}


@click.command("sql")
@click.argument("question", metavar="SELECT")
@options.where_option
@options.format_option
def command(question: str, where: str | None, form: render.Format) -> None:
    """Answer a question in SQL about all runs.

    They are the table `runs`, and nothing can be changed. The SQL is SQLite's, whatever the register is. Columns with
    dots or dashes stand in double quotes: SELECT "run-dir", max("result.accuracy") FROM runs GROUP BY "model.C".
    Booleans are 1 and 0; a list is JSON text, for json_each and its like.
    """
    with _database(where) as connection:
        run(connection, question, form, sys.stdout)


def run(
    connection: sqlite3.Connection, question: str, form: render.Format, out: IO[str], *, width: int | None = None
) -> None:
    """Print the answer.

    Args:
        connection: To a database with a table `runs`.
        question: In SQL.
        form: "table", "csv", "json" or "parquet".
        out: Where it is printed.
        width: Of the table, in characters; that of the terminal when None.

    Raises:
        Failure: It is no question, or SQLite does not understand it.
    """
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
    try:
        found = connection.execute(question)
        names = [name for name, *_ in found.description or ()]
        rows = [dict(zip(names, map(_plain, cells), strict=True)) for cells in found]
    except (sqlite3.Error, sqlite3.Warning) as error:
        hint = "; only SELECT is allowed here" if "not authorized" in str(error) else ""
        msg = f"SQLite says: {error}{hint}"
        raise Failure(msg) from error
    if form != "table":
        render.write(rows, form, out)
    elif rows:
        onto = render.console(out, width)
        render.table([{name: render.shown(value) for name, value in row.items()} for row in rows], onto)
    else:
        click.echo("No row answers this", err=True)


@contextlib.contextmanager
def _database(where: str | None) -> Iterator[sqlite3.Connection]:
    """Give a connection to what is asked: a SQLite register itself; for all else, a copy on the disk meanwhile."""
    opened = sources(where)
    if len(opened) == 1 and isinstance(opened[0], SqliteRegister):
        with opened[0].reader() as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="hydra-callbacks-") as folder:
        copy = SqliteRegister(Path(folder, "runs.db"))
        with contextlib.closing(copy):
            for source in opened:
                _copy(source, copy)
        with copy.reader() as connection:
            yield connection


def _copy(source: Register | Records, copy: SqliteRegister) -> None:
    if isinstance(source, Records):
        copy.merge(list(source.rows()))
        options.warn_of(source.problems)
        return
    with contextlib.closing(source):
        copy.merge(list(source.rows()))


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
