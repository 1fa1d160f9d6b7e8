"""`hydra-callbacks sql "SELECT ..."`: any question at all, in SQL, to any register."""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.runs.register.sqlite_query import PROCESS, quoted
from hydra_callbacks.runs.sources import Records, opened
from hydra_callbacks.support import texts
from hydra_callbacks.support.plain import plain

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_MOST_NEAREST = 4
_NAME = re.compile(r"""'(?:[^']|'')*'|(?P<as_>\bAS\s+|\bWITH\s+)?"(?P<name>(?:[^"]|"")*)\"""", re.IGNORECASE)
_RECURSIVE = 33  # SQLITE_RECURSIVE, which the module does not name in every version


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
    with database(where) as connection:
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
    import sqlite3  # noqa: PLC0415  (the list of commands needs none of it)

    allowed = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, _RECURSIVE}
    connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')")  # whose first use makes more than is allowed
    _check_names(connection, question)
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY)
    try:
        found = connection.execute(question)
        names = _unique([name for name, *_ in found.description or ()])
        rows = [dict(zip(names, map(_plain, cells), strict=True)) for cells in found]
    except (sqlite3.Error, sqlite3.Warning) as error:
        is_refused = any(word in str(error) for word in ("not authorized", "authorization denied", "is a view"))
        hint = "; only SELECT is allowed here" if is_refused else ""
        msg = f"SQLite says: {error}{hint}"
        raise Failure(msg) from error
    if form != "table":
        render.write(rows, form, out)
    elif rows:
        onto = render.console(out, width)
        render.table([{name: texts.shown(value) for name, value in row.items()} for row in rows], onto, whole=True)
    else:
        render.tell("No row answers this")


def _check_names(connection: sqlite3.Connection, question: str) -> None:
    """Raise an error for a name in double quotes that is none: SQLite would take it for a text, and go on."""
    names = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info('runs')")]
    told = [(match["name"].replace('""', '"'), match["as_"]) for match in _NAME.finditer(question) if match["name"]]
    known = {name.lower() for name in (*names, "runs", "rowid", *(name for name, is_new in told if is_new))}
    for name, _ in told:
        if name.lower() not in known:
            nearest = difflib.get_close_matches(name, names, n=_MOST_NEAREST, cutoff=0.5)
            hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
            msg = f'there is no column "{name}"{hint} (a text stands in single quotes)'
            raise Failure(msg)


@contextlib.contextmanager
def database(where: str | None) -> Iterator[sqlite3.Connection]:
    """Give a connection to what is asked: a SQLite register itself; for all else, a copy on the disk meanwhile."""
    from hydra_callbacks.runs.register.sqlite_file import SqliteRegister  # noqa: PLC0415  (as above)

    with tempfile.TemporaryDirectory(prefix="hydra-callbacks-") as folder, opened(where) as sources:
        database = sources[0]
        if len(sources) > 1 or not isinstance(database, SqliteRegister):
            with contextlib.closing(SqliteRegister(Path(folder, "runs.db"))) as database:
                for source in sources:
                    database.merge(list(source.rows()))
                    if isinstance(source, Records):
                        options.tell_problems("Passed over", source.problems)
        with database.reader() as connection:
            _make_view(connection)
            yield connection


def _make_view(connection: sqlite3.Connection) -> None:
    """Let `runs` be what readers should see: no columns for our own use, and jobs whose process is gone as lost."""
    is_more = connection.execute('SELECT 1 FROM runs WHERE "run-more" IS NOT NULL LIMIT 1').fetchone()
    ours = {"run-key", "run-types"} if is_more else {"run-key", "run-types", "run-more"}
    names = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info('runs')") if name not in ours]
    told = {name: quoted(name) for name in names}
    process = ", ".join(quoted(name) if name in names else "NULL" for name in PROCESS)
    told["run-status"] = f"""CASE "run-status" WHEN 'running' THEN state_of({process}) ELSE "run-status" END"""
    columns = ", ".join(f"{text} AS {quoted(name)}" for name, text in told.items())
    connection.execute("PRAGMA query_only = 0")  # of which also what is made for this connection alone counts
    connection.execute(f"CREATE TEMPORARY VIEW runs AS SELECT {columns} FROM main.runs")  # noqa: S608  (quoted)
    connection.execute("PRAGMA query_only = 1")


def _unique(names: list[str]) -> list[str]:
    """Return names of which those that come again are numbered, as in `SELECT a.x, b.x`."""
    before = [names[:index].count(name) for index, name in enumerate(names)]
    return [f"{name} ({n + 1})" if n else name for name, n in zip(names, before, strict=True)]


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else plain(value)
