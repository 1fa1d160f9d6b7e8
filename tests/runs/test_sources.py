"""Where a listing gets its rows from: registers that are near, or records that are read like one."""

from __future__ import annotations

import contextlib
import os
import platform
import sqlite3
from pathlib import Path

import pytest
from run_dirs import GONE, failed, job, make_hydra_run, make_run, running, write

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs import query
from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.register import open_register
from hydra_callbacks.runs.sources import Records, is_register, opened, registers_below, registers_near, sources

HEADER = "lr,run-dir,job_success\n"


def near() -> list[str]:
    return [path.as_posix() for path in registers_near(Path.cwd())]


def test_registers_are_found_here_and_two_levels_below(here: Path) -> None:
    for name in ("a.csv", "outputs/b.csv", "project/outputs/c.csv", "too/deep/for/d.csv", ".venv/e.csv"):
        write(here / name, HEADER)
    assert near() == ["a.csv", "outputs/b.csv", "project/outputs/c.csv"]


def test_what_lies_in_a_jobs_directory_is_its_own(here: Path) -> None:
    make_run(here / "outputs" / "run")
    write(here / "outputs" / "run" / "copy.csv", HEADER)
    assert near() == []
    make_run(here)
    write(here / "register.csv", HEADER)
    assert near() == ["register.csv"], "the directory of a project whose runs are made where it is"


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_links_to_folders_are_not_followed(here: Path) -> None:
    write(here / "outputs" / "register.csv", HEADER)
    (here / "again").symlink_to("outputs")
    assert near() == ["outputs/register.csv"]


def test_above_the_nearest_register_is_taken(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here / "outputs" / "register.csv", HEADER)
    inside = here / "project" / "src" / "deep"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert near() == [(here / "outputs" / "register.csv").as_posix()]
    write(here / "project" / "outputs" / "register.jsonl", '{"run-dir": "x", "job_success": true}\n')
    assert near() == [(here / "project" / "outputs" / "register.jsonl").as_posix()]
    write(inside / "own.csv", HEADER)
    assert near() == ["own.csv"]


def test_the_search_ends_with_the_repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here / "register.csv", HEADER)
    inside = here / "project" / "src"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert near() == [(here / "register.csv").as_posix()]
    (here / "project" / ".git").mkdir()
    assert near() == []
    write(here / "project" / "register.csv", HEADER)
    assert near() == [(here / "project" / "register.csv").as_posix()]


@pytest.mark.skipif(os.name == "nt", reason="rights as in POSIX")
def test_the_search_ends_before_a_folder_that_strangers_share(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = here / "tmp"
    mine = shared / "mine"
    mine.mkdir(parents=True)
    write(shared / "register.csv", HEADER)
    write(shared / "theirs" / "register.csv", HEADER)
    monkeypatch.chdir(mine)
    assert near() == [(shared / "register.csv").as_posix(), (shared / "theirs" / "register.csv").as_posix()]
    shared.chmod(0o1777)
    assert near() == []


def test_a_register_is_known_by_its_name_and_first_bytes(here: Path) -> None:
    make_run(here / "run")
    index(here, here / "ours.db")
    with contextlib.closing(sqlite3.connect(here / "other.db")) as connection:
        connection.execute("CREATE TABLE runs (a)")
    files = {
        "ours.csv": HEADER,
        "ours.CSV": HEADER,
        "ours.jsonl": '{"lr": 1, "run-dir": "x", "job_success": true}\n',
        "other.csv": "a,b\n",
        "other.jsonl": '{"a": 1}\n',
        "empty.csv": "",
        "empty.db": "",
        "short.db": "SQLite format 3\0",
        "notes.txt": HEADER,
    }
    for name, text in files.items():
        write(here / name, text)
    known = {name for name in [*files, "ours.db", "other.db"] if is_register(here / name)}
    assert {name.lower() for name in known} == {"ours.csv", "ours.jsonl", "ours.db"}
    assert not is_register(here / "gone.csv")
    (here / "folder.csv").mkdir()
    assert not is_register(here / "folder.csv")
    assert {path.name for path in registers_below(here)} >= {"ours.csv", "ours.db", "ours.jsonl"}


def test_what_is_named_comes_before_the_variable_and_that_before_what_is_near(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locations(where: str | None = None) -> list[str]:
        with opened(where) as found:
            return [source.location for source in found]

    assert locations() == [str(here)], "there are only records, if any"
    for name in ("a.csv", "b.csv", "c.csv"):
        write(here / name, HEADER)
    (here / "folder").mkdir()
    assert locations() == ["a.csv", "b.csv", "c.csv"]
    monkeypatch.setenv("HYDRA_CALLBACKS_REGISTER", "b.csv")
    assert locations() == ["b.csv"]
    assert locations("c.csv") == ["c.csv"]
    assert locations("folder") == ["folder"]
    monkeypatch.setenv("HOME", str(here))
    assert locations("~/c.csv") == [str(here / "c.csv")]
    with pytest.raises(RegisterError, match="there is no file or directory '~nobody-of-that-name/c"):
        sources("~nobody-of-that-name/c.csv")


@pytest.fixture
def records(here: Path) -> Records:
    """Records of every kind, read like a register."""
    make_run(here / "a", 1, config={"lr": 0.1, "opt": {"name": "adam", "betas": [1, 2]}}, result={"accuracy": 0.9})
    make_run(here / "b", 2, **failed(config={"lr": "x", "opt": {}, "a.b": 3, "run-dir": "mine", "job_x": 4}))
    make_run(
        here / "c", 3, config={"result": {"accuracy": 7}, "git": {"sha": "mine"}}, git={"sha": "1", "is_dirty": True}
    )
    make_run(here / "d", 4, **running(os.getpid(), job=job(4)))
    make_run(here / "e", 5, **running(GONE), result={"deep": {"er": [1]}, "a.b": 1})
    make_run(here / "f", 6, config={"result.accuracy": 5, "lr": None}, result={"accuracy": 6})
    make_hydra_run(here / "g", num=3)
    write(here / "h" / ".hydra" / "run.json", "{")
    return Records(here)


def test_records_have_the_columns_of_their_rows(records: Records) -> None:
    rows = list(records.rows())
    assert len(rows) == 7
    assert set(records.columns()) == {column for row in rows for column in row}
    assert len(records.columns()) == len(set(records.columns()))
    assert [Path(run.place).name for run in records.problems] == ["h"]


@pytest.mark.parametrize(
    "filter_",
    [
        "lr<1",
        "lr=x",
        "lr=null",
        "opt.name=adam",
        "opt=null",
        "'1' in opt.betas or 1 in opt.betas",
        "`a.b`>1",
        "run-dir!=null",
        "job_x=4",
        "job_success",
        "result.accuracy>0.5",
        "`result.accuracy`=5",
        "`result.deep.er`!=null",
        "`result.a.b`=1",
        "git.sha=1",
        "git.is_dirty",
        "status in (lost, running)",
        "status!=completed",
        "num=4 or num=3",
        "duration>1",
        "started>='2026-11-22T09:03'",
        "'must not' in error",
        "host!=null and attempt=1",
        "not (lr<1 or result.accuracy>1)",
    ],
)
def test_records_answer_as_their_rows_do(records: Records, filter_: str) -> None:
    """A record is asked for its columns without making a row of it, where that is possible."""
    rows = list(records.rows())
    for sort in ("-started", "lr", "-result.accuracy,dir", "status,-num"):
        asked = query.ask(records.columns(), where=filter_, sort=sort)
        assert records.select(asked) == query.select(rows, asked), sort
        fresh = Records(Path(records.location))
        assert fresh.select(asked) == query.select(rows, asked), "asked before any row was made"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_register_is_there_from_the_start_of_its_first_job(here: Path, form: str) -> None:
    path = here / "outputs" / f"register.{form}"
    row = {"run-dir": "outputs/1", "run-id": "a", "run-status": "running", "run-pid": GONE, "run-host": platform.node()}
    with contextlib.closing(open_register(path)) as register:
        register.add(row)
    assert not path.exists()
    assert registers_near(here) == [path.relative_to(here)]
    for where in (None, str(path)):
        with opened(where) as (source,):
            assert [row["run-status"] for row in source.rows()] == ["lost"]
