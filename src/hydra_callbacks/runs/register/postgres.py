"""A register in a PostgreSQL database: one for all machines of a group.

The table `hydra_callbacks_runs` has a row as JSON text, which keeps every type, and its number in the order of
registration. The password comes from where PostgreSQL's own programs find it: PGPASSWORD, ~/.pgpass, a service file.
"""

from __future__ import annotations

import contextlib
import json
import re
from itertools import count
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs import query
from hydra_callbacks.runs.register.row import OPEN, key_of, replaces, settled
from hydra_callbacks.support.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hydra_callbacks.runs.query import Query
    from hydra_callbacks.runs.register.row import Row

SCHEMA = 1
_TIMEOUT_S = 5  # to reach the server
_STATEMENT_TIMEOUT_S = 30
_AT_ONCE = 2000  # rows
_MARK = "hydra_callbacks register, schema "
_LOCK = 0x48794362  # of those who make the table: "HyCb"
_TABLE = """
    CREATE TABLE IF NOT EXISTS hydra_callbacks_runs
        (key text PRIMARY KEY, number bigserial NOT NULL UNIQUE, "row" json NOT NULL)
"""
_ADD = 'INSERT INTO hydra_callbacks_runs (key, "row") VALUES (%s, %s) ON CONFLICT (key) DO '
_PUT = _ADD + 'UPDATE SET number = excluded.number, "row" = excluded."row"'

# PostgreSQL's functions for JSON stop at a NUL, which a value may well hold; in a name, its picture is shown.
_NAMES = r"""
    SELECT name, min(number) FROM hydra_callbacks_runs,
        json_object_keys(replace("row"::text, '\u0000', '\u2400')::json) AS name
    GROUP BY name ORDER BY 2
"""
_serial = count()


class PostgresRegister:
    """See `Register` for what each method promises.

    Args:
        url: `postgresql://user@host:port/database`, with options as libpq knows them, and without a password.
    """

    def __init__(self, url: str) -> None:
        self.location = url
        self._address = "postgresql" + url[url.index(":") :]  # libpq knows no capitals there
        self._psycopg: Any = None
        self._open: Any = None
        self._has_table = False

    def add(self, row: Row) -> None:
        """Insert or replace a row."""
        with self._errors():
            self._writing().execute(_PUT, [key_of(row), json.dumps(row)])

    def merge(self, rows: Collection[Row], *, prune: bool = False) -> None:
        """Insert or replace many rows, in one transaction."""
        with self._errors():
            connection = self._writing()
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
                if prune:
                    cursor.execute("DELETE FROM hydra_callbacks_runs")
                for row in rows:
                    cursor.execute('SELECT "row" FROM hydra_callbacks_runs WHERE key = %s FOR UPDATE', [key_of(row)])
                    older = cursor.fetchone()
                    if older and not replaces(row, older[0]):
                        continue
                    if row.get("run-id"):  # from before it had one
                        cursor.execute("DELETE FROM hydra_callbacks_runs WHERE key = %s", [row["run-dir"]])
                    # What its job may have told meanwhile knows better.
                    put = _PUT if older or row.get("run-status") not in OPEN else _ADD + "NOTHING"
                    cursor.execute(put, [key_of(row), json.dumps(row)])

    def columns(self) -> list[str]:
        """Let the server look at every row."""
        with self._errors():
            connection = self._reading()
            return [name for name, _ in connection.execute(_NAMES)] if connection else []

    def select(self, asked: Query) -> list[Row]:
        """Look at every row; the server sends them in parts."""
        return query.select(self.rows(), asked)

    def rows(self) -> Iterator[Row]:
        """Yield the rows as they were added."""
        with self._errors():
            connection = self._reading()
            if connection is None:
                return
            # The cursor is held, so that there is no transaction which what is added meanwhile would be a part of.
            with connection.cursor(name=f"rows{next(_serial)}", withhold=True) as cursor:
                cursor.itersize = _AT_ONCE
                cursor.execute('SELECT "row" FROM hydra_callbacks_runs ORDER BY number')
                for (row,) in cursor:
                    yield settled(row)

    def close(self) -> None:
        """Close the connection."""
        if self._open is not None:
            self._open.close()
            self._open, self._has_table = None, False

    def _reading(self) -> Any:
        """Return a connection to read with, for as long as it takes; None when there is no table yet."""
        connection = self._connect()
        connection.execute("SET statement_timeout = 0")
        return connection if self._is_there(connection) else None

    def _writing(self) -> Any:
        """Return a connection to add rows with; the table is made when it is missing."""
        connection = self._connect()
        if not self._is_there(connection):
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
                connection.execute(_TABLE)
                connection.execute(f"COMMENT ON TABLE hydra_callbacks_runs IS '{_MARK}{SCHEMA}'")
            self._has_table = True
        return connection

    def _connect(self) -> Any:
        if self._open is None:
            ours = {"connect_timeout": _TIMEOUT_S, "application_name": "hydra-callbacks"}
            asked = self._psycopg.conninfo.conninfo_to_dict(self._address)
            connection = self._psycopg.connect(**{**ours, **asked}, autocommit=True)
            connection.execute(f"SET statement_timeout = '{_STATEMENT_TIMEOUT_S}s'")
            self._open = connection
        return self._open

    def _is_there(self, connection: Any) -> bool:
        """Tell whether there is a table; raise an error when it is not ours."""
        if self._has_table:
            return True
        found = "SELECT oid, obj_description(oid, 'pg_class') FROM pg_class WHERE oid = to_regclass(%s)"
        table = connection.execute(found, ["hydra_callbacks_runs"]).fetchone()
        if table is None:
            return False
        schema = re.fullmatch(rf"{_MARK}(\d+)", table[1] or "")
        if schema is None:
            msg = f"the table hydra_callbacks_runs of {self.location} is another program's; name another database"
            raise RegisterError(msg)
        if int(schema[1]) > SCHEMA:
            msg = f"{self.location} has schema {schema[1]}, this version reads up to {SCHEMA}"
            msg += ": pip install -U hydra-callbacks"
            raise RegisterError(msg)
        self._has_table = True
        return True

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn PostgreSQL's errors into one that says where, and what to do."""
        self._psycopg = import_extra("psycopg", "psycopg", "postgres", "A PostgreSQL register")
        try:
            yield
        except self._psycopg.Error as error:
            is_reached = self._open is not None and not self._open.closed
            self.close()
            msg = f"{self.location}: {_told(error)}"
            if isinstance(error, self._psycopg.OperationalError) and not is_reached:
                msg = f"{self.location} cannot be reached: {_told(error)}"
                msg += "; check address, server, and password (PGPASSWORD)"
            raise RegisterError(msg) from error


def _told(error: Exception) -> str:
    return " ".join(str(error).split())
