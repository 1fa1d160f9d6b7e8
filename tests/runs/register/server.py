"""A real PostgreSQL server, of these tests' own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

_TRUSTED = "trusted"
_RULES = """
host all asked 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""


def programs() -> Path | None:
    """Return where PostgreSQL's programs are; Debian does not put them on the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if debian or not on_path:
        return debian[-1].parent if debian else None
    return Path(on_path).resolve().parent


class Server:
    """A server on a free port of this machine, in a directory of its own.

    Args:
        programs: Where PostgreSQL's programs are.

    Attributes:
        asked: A user who is asked for the password; all others are trusted.
        password: That password.
    """

    asked = "asked"
    password = "sword:fish/é 1"  # noqa: S105  (of a server that ends with the tests)

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._names = count()
        self._as: dict[str, Any] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # pytest's own only root may enter
        if os.geteuid() == 0:  # PostgreSQL refuses to be run by root
            import pwd  # noqa: PLC0415  (which Windows does not have)

            user = pwd.getpwnam("nobody")
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._data = self.folder / "data"
        how = ["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=trust", f"--username={_TRUSTED}"]
        self._run("initdb", *how, "-D", str(self._data))
        (self._data / "pg_hba.conf").write_text(_RULES, encoding="utf-8")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.start()
        with self.connect() as connection:
            create = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}")
            connection.execute(create.format(sql.Identifier(self.asked), sql.Literal(self.password)))

    def _run(self, program: str, *options: str) -> None:
        done = subprocess.run(
            [self._programs / program, *options],
            cwd=self.folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
            **self._as,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start it, as nobody's child: other tests count the processes below this one."""
        options = f"-p {self.port} -k {self.folder}"
        self._run("pg_ctl", "start", "--wait", "-D", str(self._data), "-l", str(self.folder / "log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """End it and all connections."""
        self._run("pg_ctl", "stop", "--wait", "-D", str(self._data), "-m", mode)

    def remove(self) -> None:
        """End it for good: nothing is kept."""
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def connect(self, database: str = "postgres") -> Any:
        return psycopg.connect(host="127.0.0.1", port=self.port, user=_TRUSTED, dbname=database, autocommit=True)

    def url(self, database: str = "postgres", user: str = _TRUSTED) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{quote(database)}"

    def new_database(self) -> str:
        """Make a database with an odd name, and return that."""
        name = f"été № {next(self._names)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name
