"""Each form of a register, under one name; and the server that one of them needs."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .server import Server

FILES = ["csv", "jsonl", "db"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; one for each process of tests."""
    if os.name == "nt":
        pytest.skip("the server is started as on POSIX")
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg: pip install 'psycopg[binary]'")
    from . import server  # noqa: PLC0415  (needs psycopg)

    programs = server.programs()
    if programs is None:
        missing("PostgreSQL's server (Debian: apt-get install postgresql)")
    made = server.Server(programs)
    yield made
    made.remove()


def missing(what: str) -> None:
    """Skip the tests that need something; where CI is set, nothing may be missing."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"this test needs {what}")


@pytest.fixture
def database(postgres: Server) -> str:
    """The name of a new database."""
    return postgres.new_database()


@pytest.fixture(params=[*FILES, "postgres"])
def place(request: pytest.FixtureRequest, odd_path: Path) -> str:
    """The name of a register that is not there yet, of each form."""
    if request.param == "postgres":
        server, database = (request.getfixturevalue(name) for name in ("postgres", "database"))
        return server.url(database)
    return str(odd_path / "outputs" / f"register.{request.param}")


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, odd_path: Path) -> Path:
    """The path of a register that is not there yet, of each form that is a file."""
    return odd_path / f"register.{request.param}"
