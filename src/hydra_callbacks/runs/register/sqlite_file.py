"""A register as a SQLite database: for millions of runs, and for questions in SQL.

The table `runs` has a column for each of a row's, without a declared type, so that numbers and texts stay what they
are. SQLite knows no booleans and lists: they are 1 or 0 and JSON text, and `run-types` says which. `run-more` is a JSON
object with what finds no column: SQLite takes names that differ in case for one, and allows no more than 2000.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs.filters import comparable
from hydra_callbacks.runs.register import sqlite_query
from hydra_callbacks.runs.register.row import key_of, replaces, settled
from hydra_callbacks.runs.register.sqlite_query import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from hydra_callbacks.runs.query import Query
    from hydra_callbacks.runs.register.row import Row

SCHEMA = 1
APPLICATION_ID = 0x48794362  # "HyCb"
_BUSY_S = 30.0
_MOST_COLUMNS = 1900  # SQLite's own limit is 2000
_OWN = ("run-key", "run-types", "run-more")
_NO_COLUMNS = {*_OWN, "", "rowid"}  # the last one is SQLite's own name for the order of registration
_FIRST = (*_OWN, "run-dir", "job_success", "run-id", "run-status", "run-started", "run-duration_s", "run-error")
_ALL = "SELECT * FROM runs"
_WITH_MORE = '"run-more" IS NOT NULL'
_MORE = f"""
    SELECT DISTINCT more.key FROM runs, json_each("run-more") AS more WHERE {_WITH_MORE}
"""  # noqa: S608  (no word from outside)
# In one question: another process may make the tables in between two.
_HEAD = """
    SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)
    FROM pragma_application_id, pragma_user_version
"""
_REMEDIES = {
    "locked": "another program keeps it locked; end that one",
    "full": "make room on the disk",
    "readonly": "it may not be written; change its rights, or name another register_file",
    "unable to open": "its folder cannot be read or written; change its rights, or name another register_file",
    "not a database": "it is no SQLite database; move it away, and `hydra-callbacks index` makes a new one",
    "malformed": "it is damaged; move it away, and `hydra-callbacks index` makes a new one",
}


class SqliteRegister:
    """See `Register` for what each method promises.

    Durability is that of SQLite's WAL mode with `synchronous=NORMAL`: a killed process loses nothing that was added, a
    power cut may cost the last rows, but not the database.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.location = str(path)
        self._writer: sqlite3.Connection | None = None
        self._known: dict[str, str] = {}  # lower case to column

    def add(self, row: Row) -> None:
        """Insert or replace a row, in a transaction of its own."""
        with self._errors(), self._transaction() as connection:
            self._put(connection, row)

    def merge(self, rows: Collection[Row], *, prune: bool = False) -> None:
        """Insert or replace many rows, in one transaction."""
        with self._errors(), self._transaction() as connection:
            if prune:
                connection.execute("DELETE FROM runs")
            for row in rows:
                older = next(iter(_rows(connection.execute(f'{_ALL} WHERE "run-key" = ?', [key_of(row)]))), None)
                if older and not replaces(row, older):
                    continue
                if row.get("run-id"):  # from before it had one
                    connection.execute('DELETE FROM runs WHERE "run-key" = ?', [row["run-dir"]])
                self._put(connection, row)

    def columns(self) -> list[str]:
        """Return the columns of the table, and the keys in `run-more`."""
        with self._reading() as connection:
            if connection is None:
                return []
            return [*_columns(connection), *(name for (name,) in connection.execute(_MORE))]

    def select(self, asked: Query) -> list[Row]:
        """Let SQLite look for the rows."""
        with self._reading() as connection:
            if connection is None:
                return []
            words, values = sqlite_query.words(asked, _columns(connection))
            return list(map(settled, _rows(connection.execute(f"{_ALL} {words}", values))))

    def rows(self) -> Iterator[Row]:
        """Yield the rows as they were added."""
        with self._reading() as connection:
            if connection is not None:
                yield from map(settled, _rows(connection.execute(f"{_ALL} ORDER BY rowid")))

    def close(self) -> None:
        """Close the connection that wrote."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextlib.contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that can only read, to a database that is known to be a register.

        Raises:
            RegisterError: It is something else, or cannot be read.
        """
        with self._reading() as connection:
            if connection is None:
                msg = f"{self.path} is no register yet: it has no table of runs"
                raise RegisterError(msg)
            yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Give a connection as `reader` does; None where no job has been registered yet."""
        if not self.path.exists():
            yield None
            return
        with self._errors(), contextlib.closing(self._open_to_read()) as connection:
            sqlite_query.add_functions(connection)
            yield connection if self._version(connection) else None

    def _open_to_read(self) -> sqlite3.Connection:
        address = self.path.absolute().as_uri()
        try:
            return _opened(f"{address}?mode=rw")  # for `ro` would leave SQLite's own files beside it
        except sqlite3.OperationalError as error:
            rest = self.path.with_name(f"{self.path.name}-wal")  # rows that a killed writer left there
            if "locked" in str(error) or (rest.exists() and rest.stat().st_size):
                raise
            return _opened(f"{address}?immutable=1")  # where not even SQLite's own files may be made beside it

    def _connection(self) -> sqlite3.Connection:
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)
            try:
                if self._version(connection) == 0:
                    _create(connection)
                connection.execute("PRAGMA synchronous = NORMAL")
                self._known = {name.lower(): name for name in _columns(connection)}
            except BaseException:
                connection.close()
                raise
            self._writer = connection
        return self._writer

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._known = {name.lower(): name for name in _columns(connection)}
            raise

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the version of the tables, 0 for an empty database; raise an error when it is not ours."""
        ((owner, version, n_tables),) = connection.execute(_HEAD)
        if owner == APPLICATION_ID:
            if version > SCHEMA:
                msg = f"{self.path} has schema {version}, this version reads up to {SCHEMA}"
                msg += ": pip install -U hydra-callbacks"
                raise RegisterError(msg)
            return int(version)
        if owner or version or n_tables:
            msg = f"{self.path} is a database of another program; name another register_file"
            raise RegisterError(msg)
        return 0

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ones that say what to do."""
        try:
            yield
        except sqlite3.Error as error:
            remedy = next((remedy for word, remedy in _REMEDIES.items() if word in str(error)), None)
            msg = f"{self.path}: {error}" + (f"; {remedy}" if remedy else "")
            raise RegisterError(msg) from error

    def _put(self, connection: sqlite3.Connection, row: Row) -> None:
        if not all(self._known.get(name.lower()) == name for name in row):
            self._make_columns(connection, row)
        own: Row = {"run-key": key_of(row)}
        more, types = {}, {}
        for name, value in row.items():
            if self._known.get(name.lower()) != name:
                more[name] = value
                continue
            stored = own[name] = comparable(value)
            if stored is not value and type(stored) is not type(value):
                types[name] = "bool" if isinstance(value, bool) else "json"
        own["run-types"] = json.dumps(types) if types else None
        own["run-more"] = json.dumps(more) if more else None
        connection.execute(_insert(tuple(own)), list(own.values()))

    def _make_columns(self, connection: sqlite3.Connection, row: Row) -> None:
        self._known = {name.lower(): name for name in _columns(connection)}  # others may have made some
        for name in row:
            lower = name.lower()
            if lower in self._known or lower in _NO_COLUMNS or "\0" in name or len(self._known) >= _MOST_COLUMNS:
                continue
            connection.execute(f"ALTER TABLE runs ADD COLUMN {quoted(name)}")
            self._known[lower] = name


@lru_cache(maxsize=64)
def _insert(names: tuple[str, ...]) -> str:
    columns = ", ".join(map(quoted, names))
    return f"INSERT OR REPLACE INTO runs ({columns}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  (quoted)


def _opened(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("SELECT 1 FROM sqlite_master")
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    """Make the table, unless another process has done so meanwhile."""
    with contextlib.suppress(sqlite3.OperationalError):  # another one does it right now, or the file system cannot
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
            own, *others = map(quoted, _FIRST)
            connection.execute(f"CREATE TABLE runs ({own} TEXT PRIMARY KEY, {', '.join(others)})")
            connection.execute('CREATE INDEX runs_by_start ON runs ("run-started")')
            # Partial, so that the few rows that are asked for at every reading are found without looking at all.
            connection.execute(f"CREATE INDEX runs_with_more ON runs ({own}) WHERE {_WITH_MORE}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _columns(connection: sqlite3.Connection) -> list[str]:
    """Return the columns that hold a row's."""
    names = connection.execute("SELECT name FROM pragma_table_info('runs')")
    return [name for (name,) in names if name not in _OWN]


def _rows(found: sqlite3.Cursor) -> Iterable[Row]:
    """Yield rows as they were before they were stored."""
    names = [name for name, *_ in found.description]
    n_own = len(_OWN)
    for cells in found:
        _, types, more, *values = cells
        row: dict[str, Any] = {
            name: value for name, value in zip(names[n_own:], values, strict=True) if value is not None
        }
        for name, kind in json.loads(types).items() if types else ():
            row[name] = bool(row[name]) if kind == "bool" else json.loads(row[name])
        yield row | json.loads(more) if more else row
