"""`hydra-callbacks sql`: any question to any register, and nothing is ever changed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from typing import TYPE_CHECKING

import pytest
from commands import called, lines, program
from run_dirs import GONE, failed, job, make_hydra_run, make_run, running, write

from hydra_callbacks.cli import sql
from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.register.row import OF_A_PROCESS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

FORMS = ["register.csv", "register.jsonl", "register.db", "multirun"]
STATES = 'SELECT "run-status" AS status, count(*) AS n, avg("result.accuracy") AS mean FROM runs GROUP BY 1 ORDER BY 1'


@pytest.fixture
def sweep(here: Path) -> Path:
    """A sweep, and a register of each form beside it."""
    sweep = here / "multirun" / "10-00-00"
    accuracies = {0: 0.9, 1: 0.8}
    for number, accuracy in accuracies.items():
        told = {"config": {"opt": {"lr": number / 10, "on": True, "betas": [1, 2]}, "size": 1}, "cwd": str(here)}
        make_run(sweep / str(number), number, job=job(number), result={"accuracy": accuracy}, **told)
    make_run(sweep / "2", 2, job=job(2), **failed(cwd=str(here)))
    make_run(sweep / "3", 3, job=job(3), **running(os.getpid(), cwd=str(here)))
    make_run(sweep / "4", 4, job=job(4), **running(GONE, cwd=str(here)))
    make_hydra_run(sweep / "5", "seed: 1\n", num=5)
    for name in FORMS[:-1]:
        index(here / "multirun", here / name)
    return sweep


def answered(question: str, where: str | None = None) -> list[list[str]]:
    done = called("sql", question, "--format", "csv", *(["--from", where] if where else []))
    assert done.code == 0, done.err
    return list(csv.reader(io.StringIO(done.out)))[1:]


def state_of(folder: Path) -> dict[str, str]:
    """Return a digest of every file in a folder and below."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("width", [80, 160])
def test_a_table_with_the_answer(sweep: Path, width: int) -> None:
    with sql.database("register.csv") as connection:
        out = io.StringIO()
        sql.run(connection, STATES, "table", out, width=width)
    assert lines(out.getvalue()) == (
        "\n"
        "  status      n   mean\n"
        " ──────────────────────\n"
        "  completed   2   0.85\n"
        "  failed      1\n"
        "  lost        1\n"
        "  running     1\n"
        "  unknown     1\n"
    )


@pytest.mark.parametrize("where", [*FORMS, None])
def test_every_form_gives_the_same_answer(sweep: Path, where: str | None) -> None:
    assert answered(STATES, where) == [
        ["completed", "2", "0.8500000000000001"],
        ["failed", "1", ""],
        ["lost", "1", ""],
        ["running", "1", ""],
        ["unknown", "1", ""],
    ]
    nested = 'SELECT "opt.lr", "opt.on", value FROM runs, json_each("opt.betas") WHERE "opt.lr" > 0'
    assert answered(nested, where) == [["0.1", "1", "1"], ["0.1", "1", "2"]]
    assert answered("SELECT count(*) FROM runs WHERE \"run-started\" >= '2026-11-22T09:03'", where) == [["3"]]


@pytest.mark.parametrize("where", FORMS)
def test_all_columns_are_those_that_a_listing_has_too(sweep: Path, where: str) -> None:
    done = called("sql", "SELECT * FROM runs", "--from", where, "--format", "json")
    columns = {*json.loads(called("list", where, "--format", "json").out)[0], *(f"run-{key}" for key in OF_A_PROCESS)}
    assert set(json.loads(done.out)[0]) - columns == set(), "none that is for our own use"


def test_a_column_that_differs_in_case_only_is_found_in_run_more(sweep: Path) -> None:
    make_run(sweep / "6", 6, config={"Size": 7, "size": 8})
    question = """SELECT "size", json_extract("run-more", '$.Size') FROM runs WHERE "run-id" LIKE '019a0006%'"""
    assert answered(question, "multirun") == [["8", "7"]]


def test_several_registers_are_one_table(here: Path) -> None:
    for number, name in enumerate(["a.csv", "b.jsonl", "c.db"]):
        make_run(here / name[0] / "run", number)
        index(here / name[0], here / name[0] / name)
    make_run(here / "a" / "late", 9)
    index(here / "a", here / "a" / "again.csv")
    assert answered("SELECT count(*) FROM runs") == [["4"]], "a run in two registers is one"
    assert answered("SELECT count(*) FROM runs", "a/a.csv") == [["1"]]


@pytest.mark.parametrize("where", FORMS)
@pytest.mark.parametrize(
    "question",
    [
        "UPDATE runs SET size = 2",
        "UPDATE main.runs SET size = 2",
        "DELETE FROM runs",
        "DELETE FROM main.runs",
        "DROP TABLE runs",
        "DROP TABLE main.runs",
        "DROP VIEW runs",
        "INSERT INTO main.runs (size) VALUES (2)",
        "REPLACE INTO main.runs (size) VALUES (2)",
        "ALTER TABLE main.runs ADD COLUMN x",
        "CREATE TABLE x (y)",
        "CREATE TEMPORARY TABLE x (y)",
        "ATTACH 'other.db' AS other",
        "VACUUM",
        "VACUUM INTO 'other.db'",
        "PRAGMA query_only = 0",
        "PRAGMA user_version = 7",
        "PRAGMA journal_mode = DELETE",
        "BEGIN EXCLUSIVE",
        "SELECT load_extension('evil')",
        "SELECT 1; DELETE FROM main.runs",
        "WITH x AS (SELECT 1) DELETE FROM main.runs",
    ],
)
def test_nothing_can_be_changed(sweep: Path, question: str, where: str) -> None:
    here = sweep.parents[1]
    before = state_of(here)
    done = called("sql", question, "--from", where)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: SQLite says: ")
    if ";" not in question:
        assert done.err.endswith("only SELECT is allowed here\n")
    assert state_of(here) == before


@pytest.mark.parametrize("where", FORMS)
def test_files_are_the_same_after_a_question_to_the_byte(sweep: Path, where: str) -> None:
    here = sweep.parents[1]
    before = state_of(here)
    assert len(answered("SELECT * FROM runs", where)) == 6
    assert state_of(here) == before


def test_what_sqlite_does_not_understand_is_told_plainly(sweep: Path) -> None:
    def error(question: str) -> str:
        done = called("sql", question)
        assert (done.code, done.out) == (2, "")
        return done.err

    assert error("SELEC 1") == 'Error: SQLite says: near "SELEC": syntax error\n'
    assert error("SELECT nope FROM runs") == "Error: SQLite says: no such column: nope\n"
    assert error("SELECT * FROM jobs") == "Error: SQLite says: no such table: jobs\n"
    assert error("SELECT 1; SELECT 2") == "Error: SQLite says: You can only execute one statement at a time.\n"
    assert error("SELECT abs(-9223372036854775808)") == "Error: SQLite says: integer overflow\n"


def test_a_mistyped_column_is_not_taken_for_a_text(sweep: Path) -> None:
    """As SQLite does with what stands in double quotes: `"result.acuracy" > 0.98` would then fit every run."""
    done = called("sql", 'SELECT "run-dir" FROM runs WHERE "result.accurac" > 0.98')
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith('Error: there is no column "result.accurac"; nearest: result.accuracy')
    for question in (
        'SELECT count(*) AS "n of all" FROM runs ORDER BY "n of all"',
        """SELECT count(*) FROM runs WHERE '"no column"' != "run-dir" """,
        'WITH "some" AS (SELECT * FROM runs) SELECT count(*) FROM "some"',
    ):
        assert called("sql", question).code == 0, question


def test_a_question_without_an_answer(sweep: Path) -> None:
    done = called("sql", "SELECT 1 WHERE 0")
    assert (done.code, done.out, done.err) == (0, "", "No row answers this\n")
    assert called("sql", "SELECT 1 WHERE 0", "--format", "json").out == "[]\n"


def test_odd_answers(sweep: Path) -> None:
    question = "SELECT 1 AS a, 2 AS a, x'00ff' AS raw, NULL AS missing, '=1+1' AS formula, 1e999 AS huge"
    assert called("sql", question, "--format", "csv").out == "a,a (2),raw,missing,formula,huge\n1,2,00ff,,'=1+1,inf\n"
    (told,) = json.loads(called("sql", question, "--format", "json").out)
    assert (told["missing"], told["huge"]) == (None, "inf"), "JSON knows no infinity"


def test_damaged_records_are_named(sweep: Path) -> None:
    write(sweep / "7" / ".hydra" / "run.json", "{")
    done = called("sql", "SELECT count(*) AS n FROM runs", "--from", "multirun", "--format", "csv")
    assert (done.code, done.out) == (0, "n\n6\n")
    assert done.err.startswith("Passed over: multirun/10-00-00/7/.hydra/run.json is no whole run record")


def test_no_copy_stays_behind(sweep: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    called("sql", "SELECT count(*) FROM runs", TMPDIR=str(temporary))
    assert list(temporary.iterdir()) == []


def test_a_real_sweep_is_asked_about(app: App) -> None:
    register = {"_target_": "hydra_callbacks.RegisterRun", "register_file": "register.db"}
    app.callbacks(register, {"_target_": "hydra_callbacks.RunRecord"})
    assert app.run("-m", "x=1,2,3", "fail_at=2", "opt.lr=0.1,0.2").code == 1
    question = (
        'SELECT "opt.lr" AS lr, count(*) AS n, avg("result.double") AS mean FROM runs WHERE "job_success" GROUP BY 1'
    )
    for where in ("multiruns/register.db", "multirun"):
        done = program("sql", question, "--from", where, "--format", "csv", cwd=app.directory)
        assert (done.code, done.out, done.err) == (0, "lr,n,mean\n0.1,2,4.0\n0.2,2,4.0\n", "")


def test_a_directory_without_runs_has_an_empty_table(here: Path) -> None:
    assert answered("SELECT count(*) FROM runs") == [["0"]]
