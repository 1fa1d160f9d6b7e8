"""A server that is gone, slow, asks for a password, or holds somebody else's table."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from conftest import wait_for

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.query import Query
from hydra_callbacks.runs.register import open_register

from .stores import GONE, add, job, merge, read, running, states

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

    from hydra_callbacks.runs.register.row import Row

    from .server import Server

REMEDY = "check address, server, and password (PGPASSWORD)"


@pytest.fixture
def url(postgres: Server, database: str) -> str:
    return postgres.url(database)


def refusal(url: str) -> str:
    """Return what is said when a register cannot be used at all, however it is used."""
    said = set()
    with contextlib.closing(open_register(url)) as register:
        for use in (
            lambda: register.add(job()),
            lambda: register.merge([job()]),
            register.columns,
            lambda: list(register.rows()),
            lambda: register.select(Query()),
        ):
            with pytest.raises(RegisterError) as error:
                use()
            said.add(str(error.value))
    (complaint,) = said
    return complaint


# Not there


def test_a_connection_that_breaks_is_told_of_and_made_anew(postgres: Server, database: str) -> None:
    url = postgres.url(database)
    with contextlib.closing(open_register(url)) as register:
        register.add(job("a"))
        with postgres.connect() as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
        with pytest.raises(RegisterError) as error:
            register.add(job("b"))
        assert str(error.value).startswith(f"{url} cannot be reached: ")
        assert REMEDY in str(error.value)
        register.add(job("c"))
    assert list(states(url)) == ["a", "c"]


def test_a_server_that_stops_and_comes_back(postgres: Server, url: str) -> None:
    with contextlib.closing(open_register(url)) as register:
        register.add(job("a"))
        reading = register.rows()
        next(reading)
        postgres.stop()
        try:
            with pytest.raises(RegisterError, match="cannot be reached"):
                register.add(job("b"))
            said = refusal(url)
        finally:
            postgres.start()
    assert said.startswith(f"{url} cannot be reached: ")
    assert REMEDY in said
    add(url, job("c"))
    assert list(states(url)) == ["a", "c"]


def test_a_connection_that_breaks_while_rows_are_read_is_told_of(postgres: Server, database: str) -> None:
    url = postgres.url(database)
    with contextlib.closing(open_register(url)) as register:
        register.merge([job(str(number)) for number in range(2500)])
        reading = register.rows()
        next(reading)
        with postgres.connect() as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
        with pytest.raises(RegisterError, match="cannot be reached"):
            list(reading)
    assert len(states(url)) == 2500


def test_a_port_where_nobody_listens_is_told_of(postgres: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.monotonic()
    said = refusal(f"postgresql://me@127.0.0.1:{port}/runs")
    assert time.monotonic() - began < 5
    assert said.startswith(f"postgresql://me@127.0.0.1:{port}/runs cannot be reached: ")
    assert "Connection refused" in said
    assert REMEDY in said


@pytest.mark.parametrize(("option", "longest_s"), [("", 15), ("?connect_timeout=2", 4.5)])
def test_a_server_that_never_answers_is_given_up_within_seconds(
    postgres: Server, option: str, longest_s: float
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/runs{option}"
        began = time.monotonic()
        with contextlib.closing(open_register(url)) as register, pytest.raises(RegisterError) as error:
            register.add(job())
        assert time.monotonic() - began < longest_s
    assert "cannot be reached: " in str(error.value)
    assert "timeout" in str(error.value)
    assert REMEDY in str(error.value)


def test_a_database_that_is_not_there_is_named(postgres: Server) -> None:
    assert 'database "none" does not exist' in refusal(postgres.url("none"))


def test_an_address_that_cannot_be_read_is_told_of(postgres: Server) -> None:
    assert 'invalid URI query parameter: "odd"' in refusal(f"{postgres.url()}?odd=1")


# Somebody else's


def test_the_table_of_another_program_is_left_alone(postgres: Server, database: str) -> None:
    url = postgres.url(database)
    with postgres.connect(database) as connection:
        connection.execute("CREATE TABLE hydra_callbacks_runs (a int)")
        said = f"the table hydra_callbacks_runs of {url} is another program's; name another database"
        assert refusal(url) == said
        connection.execute("COMMENT ON TABLE hydra_callbacks_runs IS 'mine'")
        assert refusal(url) == said
        assert connection.execute("SELECT count(*) FROM hydra_callbacks_runs").fetchone() == (0,)


def test_a_register_of_a_newer_version_is_refused(postgres: Server, database: str) -> None:
    url = postgres.url(database)
    add(url, job("a"))
    with postgres.connect(database) as connection:
        connection.execute("COMMENT ON TABLE hydra_callbacks_runs IS 'hydra_callbacks register, schema 2'")
    assert refusal(url) == f"{url} has schema 2, this version reads up to 1: pip install -U hydra-callbacks"


def test_a_user_who_may_not_make_the_table_is_told_so(postgres: Server, database: str) -> None:
    url = postgres.url(database, user="guest")
    with postgres.connect(database) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute("GRANT USAGE ON SCHEMA public TO guest")
        with pytest.raises(RegisterError, match="permission denied for schema public"):
            add(url, job("a"))
        assert states(url) == {}, "who only reads need not make it"
        add(postgres.url(database), job("a"))
        connection.execute("GRANT SELECT ON hydra_callbacks_runs TO guest")
        assert list(states(url)) == ["a"]
        with pytest.raises(RegisterError, match="permission denied for table hydra_callbacks_runs"):
            add(url, job("b"))
        connection.execute("DROP OWNED BY guest")


def test_a_lock_that_stays_is_not_taken_for_a_server_that_is_gone(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hydra_callbacks.runs.register import postgres as room  # noqa: PLC0415  (`postgres` is the server here)

    monkeypatch.setattr(room, "_STATEMENT_TIMEOUT_S", 1)
    url = postgres.url(database)
    add(url, job("a"))
    with postgres.connect(database) as other, other.transaction():
        other.execute("LOCK TABLE hydra_callbacks_runs")
        with pytest.raises(RegisterError) as error:
            add(url, job("b"))
    assert str(error.value) == f"{url}: canceling statement due to statement timeout"
    add(url, job("c"))
    assert list(states(url)) == ["a", "c"]


@pytest.mark.parametrize("earlier", [[], [running("a", pid=GONE)]], ids=["not registered yet", "running"])
def test_a_job_that_ends_during_a_merge_is_not_set_back(postgres: Server, database: str, earlier: list[Row]) -> None:
    """The merge has rows from records that were read before."""
    url = postgres.url(database)
    add(url, *earlier, job("b"))
    put = """
        INSERT INTO hydra_callbacks_runs (key, "row") VALUES ('id-a', %s)
        ON CONFLICT (key) DO UPDATE SET "row" = excluded."row"
    """
    with postgres.connect(database) as other, postgres.connect() as onlooker:
        with other.transaction():
            other.execute(put, [json.dumps(job("a"))])
            merging = threading.Thread(target=merge, args=(url, [job("c"), running("a", pid=GONE)]))
            merging.start()
            waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
            wait_for(lambda: onlooker.execute(waits, [database]).fetchone() == (1,), timeout_s=10)
        merging.join()
    assert states(url) == {"a": "completed", "b": "completed", "c": "completed"}


# How it is reached


def test_what_the_address_asks_for_is_heeded(postgres: Server, database: str) -> None:
    with postgres.connect(database) as connection:
        connection.execute("CREATE SCHEMA group_a")
        url = f"{postgres.url(database)}?options=-csearch_path%3Dgroup_a&application_name=mine"
        with contextlib.closing(open_register(url)) as register:
            register.add(job("a"))
            names = "SELECT application_name FROM pg_stat_activity WHERE datname = %s AND pid != pg_backend_pid()"
            assert connection.execute(names, [database]).fetchall() == [("mine",)]
        assert connection.execute("SELECT count(*) FROM group_a.hydra_callbacks_runs").fetchone() == (1,)
    assert list(states(url)) == ["a"]
    assert list(states(postgres.url(database))) == []


@pytest.mark.parametrize("scheme", ["postgres", "PostgreSQL"])
def test_the_other_spellings_of_the_scheme_work(postgres: Server, url: str, scheme: str) -> None:
    other = url.replace("postgresql", scheme)
    add(other, job("a"))
    assert list(states(url)) == ["a"]


def test_rows_of_any_number_are_read_in_parts(url: str) -> None:
    with contextlib.closing(open_register(url)) as register:
        register.merge([job(str(number), number=number) for number in range(2500)])
    assert [row["number"] for row in read(url)] == list(range(2500))


def test_nothing_stays_open(postgres: Server, database: str) -> None:
    url = postgres.url(database)
    add(url, job("a"))
    read(url)
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    with postgres.connect() as connection:
        wait_for(lambda: connection.execute(asked, [database]).fetchone() == (0,), timeout_s=10)


# Passwords


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:swordfish@host/db",
        "postgres://me:sword@fish@host/db",
        "postgresql://me:sword/fish@host/db",
        "postgresql://me:sword?fish@host/db",
        "POSTGRESQL://me:swordfish@host:5432/db",
        "postgresql://me@host/db?password=swordfish",
        "postgresql://me@host/db?sslmode=require&password=swordfish",
        "postgresql://host/db?sslpassword=swordfish",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(RegisterError) as error:
        open_register(url)
    said = str(error.value)
    assert said.startswith("a register must be an address without a password, which would be written into every run")
    assert "PGPASSWORD" in said
    assert "sword" not in said.replace("password", "").replace("PGPASSWORD", "")
    assert "fish" not in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me@host:5432/db",
        "postgresql://host:5432/db?user=me@host",
        "postgresql://h1:5432,h2:5433/db?user=me@host",
        "postgresql://[::1]:5432/db?user=me@host",
        "postgresql:///db?passfile=/home/me/pass&host=/run/postgresql",
    ],
)
def test_an_address_without_a_password_is_taken(postgres: Server, url: str) -> None:
    assert open_register(url).location == url


def test_the_password_comes_from_the_environment(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    url = postgres.url(database, user=postgres.asked)
    add(url, job("a"))
    assert list(states(url)) == ["a"]


def test_the_password_comes_from_a_file(
    postgres: Server, database: str, odd_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    file = odd_path / "pgpass"
    escaped = postgres.password.replace(":", "\\:")
    file.write_text(f"127.0.0.1:{postgres.port}:*:{postgres.asked}:{escaped}\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    url = postgres.url(database, user=postgres.asked)
    add(url, job("a"))
    assert list(states(url)) == ["a"]


def test_a_wrong_password_is_told_of_and_not_repeated(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "swordfish")
    said = refusal(postgres.url(database, user=postgres.asked))
    assert 'password authentication failed for user "asked"' in said
    assert REMEDY in said
    assert "swordfish" not in said


def test_a_password_that_is_missing_is_asked_for_by_its_name(
    postgres: Server, database: str, odd_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(odd_path / "none"))
    said = refusal(postgres.url(database, user=postgres.asked))
    assert "no password supplied" in said
    assert REMEDY in said


# A real run


def test_a_server_that_goes_away_during_a_run_costs_nothing_and_index_makes_up_for_it(
    app: App, postgres: Server, database: str
) -> None:
    url = postgres.url(database)
    until_told = "    import time; Path('started').touch()\n    while not Path('go').exists(): time.sleep(0.01)\n"
    app.write(
        "app.py", (app.directory / "app.py").read_text().replace("    if cfg.x ==", f"{until_told}    if cfg.x ==")
    )
    register = {"_target_": "hydra_callbacks.RegisterRun", "register_file": url}
    app.callbacks(register, {"_target_": "hydra_callbacks.RunRecord"}, more="note: swordfish\n")
    process = app.start("x=7")
    wait_for((app.directory / "started").exists)
    assert list(states(url).values()) == ["running"]
    postgres.stop()
    try:
        app.write("go", "")
        out, err = process.communicate(timeout=60)
    finally:
        postgres.start()
    assert process.returncode == 0, err
    assert "RegisterRun.job_ended failed; the run goes on" in out
    assert f"`hydra-callbacks index --register {url}` adds it from its record" in out
    index(app.directory, url)
    (row,) = read(url)
    assert (row["x"], row["run-status"], row["note"]) == (7, "completed", "swordfish")
    assert app.run("x=8").code == 0
    assert sorted(states(url).values()) == ["completed", "completed"]
