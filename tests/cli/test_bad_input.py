"""What is wrong is told in a line or two, with what to do, by every command that meets it; exit status 2."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from commands import called, program_of_nobody
from run_dirs import make_run, write

from hydra_callbacks.runs.index import index

if TYPE_CHECKING:
    from pathlib import Path


def error(*words: str) -> str:
    """Return what is said of bad input, which is all that happens."""
    done = called(*words)
    assert (done.code, done.out) == (2, "")
    return done.err


@pytest.fixture
def runs(here: Path) -> Path:
    for number, rate in enumerate([0.1, 0.01]):
        config = {"opt": {"lr": rate, "name": "adam"}, "net": {"lr": rate}, "seed": 1}
        make_run(here / "outputs" / str(number), number, config=config, result={"accuracy": 0.5}, cwd=str(here))
    return here


COMMANDS = {
    "list": ("list", "{}"),
    "show": ("show", "latest", "--from", "{}"),
    "diff": ("diff", "latest", "latest", "--from", "{}"),
    "best": ("best", "accuracy", "{}"),
    "sql": ("sql", "SELECT 1", "--from", "{}"),
    "index": ("index", "--register", "{}"),
}
FOREIGN = {
    "other.csv": ("a,b\n1,2\n", "is no register: it lacks the columns run-dir and job_success (it has a, b)"),
    "semicolons.csv": ("run-dir;job_success;lr\nx;True;1\n", "has ';' between its columns, expected commas"),
    "twice.csv": ("run-dir,job_success,lr,lr\n", "names columns twice in its first line (lr)"),
    "latin.csv": ("run-dir,job_success,caf\udce9\n", "is no CSV table in UTF-8"),
    "other.jsonl": ('{"a": 1}\n', "is no register: its first line is no JSON object with the key run-dir"),
    "text.db": ("not a database, though it is long enough to look like one" * 20, "it is no SQLite database"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(("name", "text", "told"), [(name, *each) for name, each in FOREIGN.items()], ids=FOREIGN)
def test_what_is_no_register_is_told_and_left_as_it_is(
    runs: Path, name: str, text: str, told: str, words: tuple[str, ...]
) -> None:
    file = runs / name
    file.write_bytes(text.encode(errors="surrogateescape"))
    said = error(*(word.format(name) for word in words))
    assert said.startswith(f"Error: {name}")
    assert told in said
    assert file.read_bytes() == text.encode(errors="surrogateescape")


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_database_of_another_program_or_of_a_newer_version_is_told(runs: Path, words: tuple[str, ...]) -> None:
    with contextlib.closing(sqlite3.connect(runs / "other.db")) as connection:
        connection.execute("CREATE TABLE runs (a)")
    assert error(*(word.format("other.db") for word in words)) == (
        "Error: other.db is a database of another program; name another register_file\n"
    )
    index(runs, runs / "newer.db")
    with contextlib.closing(sqlite3.connect(runs / "newer.db")) as connection:
        connection.execute("PRAGMA user_version = 2")
    assert error(*(word.format("newer.db") for word in words)) == (
        "Error: newer.db has schema 2, this version reads up to 1: pip install -U hydra-callbacks\n"
    )


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_an_address_that_cannot_be_read_is_told_without_its_password(runs: Path, words: tuple[str, ...]) -> None:
    said = error(*(word.format("postgresql://me:swordfish@localhost/db") for word in words))
    assert said.startswith("Error: a register must be an address without a password")
    assert "PGPASSWORD" in said
    assert "swordfish" not in said
    if importlib.util.find_spec("psycopg"):
        said = error(*(word.format("postgresql://me@localhost:1/db") for word in words))
        assert said.startswith("Error: postgresql://me@localhost:1/db cannot be reached: ")
        assert said.endswith("; check address, server, and password (PGPASSWORD)\n")


@pytest.mark.parametrize("where", ["nowhere", "nowhere.csv", "mysql://me@localhost/db", "~nobody-of-that-name/a.csv"])
def test_a_place_that_is_not_there_is_told(runs: Path, where: str) -> None:
    told = f"Error: there is no file or directory {where!r}; name a register, a directory with runs, or nothing\n"
    for name in ("list", "show", "diff", "best", "sql"):
        assert error(*(word.format(where) for word in COMMANDS[name])) == told


def test_a_file_that_can_be_no_register_is_told(runs: Path) -> None:
    write(runs / "notes.txt", "")
    assert error("list", "notes.txt").startswith("Error: a register must be a file that ends in .csv, .jsonl, .db or")


@pytest.mark.parametrize(
    ("filter_", "told", "at"),
    [
        ("seed=", "the filter cannot be read: expected a value, got the end", 5),
        ("seed=1 and", "the filter cannot be read: expected a column or a value, got the end", 10),
        ("seed=1 sed=2", "the filter cannot be read: expected and, or, or the end, got 'sed'", 7),
        ("(seed=1", "the filter cannot be read: expected and, or, or ), got the end", 7),
        ("name='ad", "the filter cannot be read: this quote is not closed", 5),
        ("seed=1 and sed=2", "there is no column 'sed'; nearest: seed, started", 11),
        ("opt.nmae=adam", "there is no column 'opt.nmae'; nearest: opt.name, opt.lr", 0),
        ("lr<1", "several columns end in 'lr': net.lr, opt.lr; name one", 0),
        ("seed=`sed`", "there is no column 'sed'; nearest: seed, started", 5),
        ("acuracy>0.5", "there is no column 'acuracy'; nearest: result.accuracy", 0),
        ("§§§=1", "there is no column '§§§'; --columns all shows them", 0),
    ],
)
def test_a_filter_that_is_wrong_is_pointed_at(runs: Path, filter_: str, told: str, at: int) -> None:
    expected = f"Error: {told}\n  {filter_}\n  {' ' * at}^\n"
    assert error("list", "--filter", filter_) == expected
    assert error("best", "accuracy", "--filter", filter_) == expected


@pytest.mark.parametrize("name", ["register.csv", "register.jsonl", "register.db", None])
def test_a_column_that_does_not_exist_is_answered_with_the_nearest(runs: Path, name: str | None) -> None:
    if name:
        index(runs, runs / name)
    told = "Error: there is no column 'acuracy'; nearest: result.accuracy\n"
    assert error("list", "--sort", "-acuracy") == told
    assert error("list", "--columns", "run,acuracy") == told
    assert error("best", "acuracy") == told
    assert error("list", "--columns", "lr") == "Error: several columns end in 'lr': net.lr, opt.lr; name one\n"


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--limit", "-1"),
        ("list", "--limit", "many"),
        ("list", "--format", "xml"),
        ("list", "a", "b"),
        ("show",),
        ("best",),
        ("diff",),
        ("sql",),
        ("index", "a", "b"),
        ("clean", "--state", "done"),
        ("completion",),
    ],
)
def test_bad_usage_has_status_2_and_says_how_it_is_used(runs: Path, words: tuple[str, ...]) -> None:
    assert error(*words).startswith(f"Usage: hydra-callbacks {words[0]} [OPTIONS]")


# Rights

rights = pytest.mark.skipif(os.name == "nt", reason="rights as in POSIX")


@rights
def test_a_directory_that_may_not_be_read_is_named(open_path: Path) -> None:
    make_run(open_path / "good", 1)
    make_run(open_path / "secret" / "run", 2)
    (open_path / "secret").chmod(0o311)
    done = program_of_nobody("list", cwd=open_path)
    assert (done.code, done.err) == (0, f"Passed over: {open_path}/secret cannot be read: Permission denied\n")
    assert "1 run: 1 completed" in done.out
    done = program_of_nobody("list", "secret", cwd=open_path)
    assert done.err == "Passed over: secret cannot be read: Permission denied\nNo run in secret\n"
    (open_path / "secret").chmod(0o300)
    done = program_of_nobody("list", "secret", cwd=open_path)
    assert done.err.startswith("Passed over: secret/.hydra/run.json cannot be read: Permission denied\n")
    done = program_of_nobody("show", "secret/run", cwd=open_path)
    assert (done.code, done.out) == (2, "")
    assert "Permission denied" in done.err


@rights
@pytest.mark.parametrize("name", ["register.csv", "register.jsonl", "register.db"])
def test_a_register_that_may_not_be_read_or_written_is_named(open_path: Path, name: str) -> None:
    make_run(open_path / "run", 1)
    index(open_path, open_path / name)
    (open_path / name).chmod(0o444)
    assert "1 run: 1 completed" in program_of_nobody("list", name, cwd=open_path).out
    done = program_of_nobody("index", "--register", name, cwd=open_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Error: {name}: ")
    assert "Permission denied" in done.err or "it may not be written; change its rights" in done.err
    (open_path / name).chmod(0)
    for words in (("list", name), ("show", "latest", "--from", name), ("sql", "SELECT 1", "--from", name)):
        done = program_of_nobody(*words, cwd=open_path)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"Error: {name}: ")
        assert len(done.err.splitlines()) == 1
    shutil.rmtree(open_path / "run")
