"""`hydra-callbacks index`: a register that is lost, late or wrong is made again from the records."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, program, shown_on_terminal
from conftest import wait_for
from run_dirs import GONE, failed, job, make_hydra_run, make_run, record, run_id, running, write

from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.register import open_register

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

    from hydra_callbacks.runs.register.row import Row

FORMS = ["register.csv", "register.jsonl", "register.db"]
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
GIT = {"_target_": "hydra_callbacks.GitInfo"}


def register(name: str, **settings: Any) -> dict[str, Any]:
    return {
        "_target_": "hydra_callbacks.RegisterRun",
        "register_file": name,
        "multirun_base_dir": "multirun",
        **settings,
    }


def rows(path: Path) -> dict[str, Row]:
    """Return each run's row by its directory, without what is missing."""
    with contextlib.closing(open_register(path)) as opened:
        found = [{name: value for name, value in row.items() if value is not None} for row in opened.rows()]
    assert len({row["run-dir"] for row in found}) == len(found)
    return {row["run-dir"]: row for row in found}


def states(path: Path) -> dict[str, str]:
    return {os.path.basename(place): row["run-status"] for place, row in rows(path).items()}  # noqa: PTH119  (texts)


def test_registers_that_were_deleted_are_as_they_were(app: App) -> None:
    app.callbacks(*map(register, FORMS), RECORD, GIT)
    app.commit()
    assert app.run("opt.name='a, \"b\" é =1'", "hydra.run.dir=outputs/my/own/one").code == 0
    assert app.run("fail_at=1").code == 1
    assert app.run("-m", "x=1,2,3", "fail_at=2", "+new.key=[1, null]").code == 1
    counts = {f"multirun/{name}": 3 for name in sorted(FORMS)} | {f"outputs/{name}": 2 for name in sorted(FORMS)}
    before = [rows(app.directory / name) for name in counts]
    assert [len(each) for each in before] == list(counts.values())

    for name, count in counts.items():
        (app.directory / name).unlink()
        folder = name.partition("/")[0]
        done = program("index", folder, "--register", name, cwd=app.directory)
        assert (done.code, done.out, done.err) == (0, f"{name}: {count} runs from {folder}\n", "")
    assert [rows(app.directory / name) for name in counts] == before

    done = program("index", cwd=app.directory)
    assert done.out == "".join(f"{name}: {n} runs from {name.partition('/')[0]}\n" for name, n in counts.items())
    assert [rows(app.directory / name) for name in counts] == before, "doing it again changes nothing"
    moved = app.directory.rename(app.directory.with_name("moved"))
    assert program("index", cwd=moved).code == 0
    assert [rows(moved / name) for name in counts] == before, "the tree may be moved"


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_a_job_that_was_killed_becomes_a_row(app: App) -> None:
    app.callbacks(RECORD)
    app.write("app.py", (app.directory / "app.py").read_text().replace("return cfg.x", "import time; time.sleep(60)"))
    process = app.start()
    wait_for(lambda: list(app.directory.glob("outputs/*/*/results.json")) or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert program("index", cwd=app.directory).code == 0
    assert list(states(app.directory / "register.csv").values()) == ["lost"]


@pytest.mark.parametrize("name", FORMS)
def test_damaged_records_stay_and_are_named(here: Path, name: str) -> None:
    make_run(here / "good", 1)
    make_run(here / "torn", 2)
    index(here, here / name)
    torn = write(here / "torn" / ".hydra" / "run.json", '{"schema": 1, "id": "0')
    newer = write(here / "newer" / ".hydra" / "run.json", json.dumps({**record(3), "schema": 2}))
    done = called("index")
    assert (done.code, done.out) == (0, f"{name}: 1 run from {here}\n".replace(str(here), "."))
    first, second = done.err.splitlines()
    assert first.startswith("Not registered: newer/.hydra/run.json has schema 2, this version reads up to 1")
    assert second.startswith("Not registered: torn/.hydra/run.json is no whole run record")
    assert states(here / name) == {"good": "completed", "torn": "completed"}
    assert called("index", "--prune").code == 0
    assert states(here / name) == {"good": "completed", "torn": "completed"}, "it is there, though it cannot be read"
    assert torn.read_text() == '{"schema": 1, "id": "0'
    assert newer.is_file()


def test_many_damaged_records_are_counted(here: Path) -> None:
    for number in range(23):
        write(here / str(number) / ".hydra" / "run.json", "")
    told = called("index").err.splitlines()
    assert [line[:16] for line in told[:20]] == ["Not registered: "] * 20
    assert told[20] == "Not registered: 3 more"


def test_hydras_own_files_make_a_row_of_unknown_status_without_secrets(here: Path) -> None:
    config = "lr: 0.1\ndb: {password: swordfish, url: 'ftp://me:pw@h/'}\nnote: the word is swordfish\n"
    make_hydra_run(here / "multirun" / "3", config, num=3, cwd=str(here))
    write(here / "multirun/3/.hydra/overrides.yaml", "- lr=0.1\n- db.password=swordfish\n")
    done = called("index", "multirun", "--register", "multirun/register.csv")
    assert done.out == "multirun/register.csv: 1 run from multirun, 1 of them with Hydra's own files only\n"
    text = (here / "multirun/register.csv").read_text(encoding="utf-8")
    assert "swordfish" not in text
    assert "me:pw" not in text
    (row,) = rows(here / "multirun/register.csv").values()
    assert (row["run-status"], row["lr"], row["run-num"], row["db.password"]) == ("unknown", 0.1, 3, "<redacted>")
    assert row["run-overrides"] == ["lr=0.1", "db.password=<redacted>"]
    assert "job_success" not in row


def test_what_a_register_knows_better_than_hydras_own_files_stays(app: App) -> None:
    """The published configuration has RegisterRun, and no record."""
    app.callbacks(*map(register, FORMS))
    assert app.run("hydra.run.dir=outputs/a").code == 0
    assert app.run("hydra.run.dir=outputs/b", "fail_at=1").code == 1
    before = [rows(app.directory / "outputs" / name) for name in FORMS]
    for more in ((), ("--prune",)):
        done = program("index", *more, cwd=app.directory)
        assert done.out == "".join(f"outputs/{name}: 2 runs from outputs\n" for name in sorted(FORMS))
        assert [rows(app.directory / "outputs" / name) for name in FORMS] == before


def test_rows_of_an_older_register_stay(here: Path) -> None:
    make_hydra_run(here / "outputs" / "a", cwd=str(here))
    make_hydra_run(here / "outputs" / "b", cwd=str(here))
    old = write(
        here / "outputs" / "register.csv", "lr,run-dir,job_success\n0.1,outputs/a,True\n0.2,outputs/gone,False\n"
    )
    assert called("index").code == 0
    assert states(old) == {"a": "completed", "gone": "failed", "b": "unknown"}
    assert called("index", "--prune").code == 0
    assert states(old) == {"a": "completed", "b": "unknown"}


@pytest.mark.parametrize("name", FORMS)
def test_runs_whose_directory_is_gone_stay_unless_they_are_pruned(here: Path, name: str) -> None:
    for number in range(3):
        make_run(here / "outputs" / f"run{number}", number, cwd=str(here))
    index(here / "outputs", here / "outputs" / name)
    shutil.rmtree(here / "outputs" / "run1")
    make_run(here / "outputs" / "run2", 7, cwd=str(here), status="failed")
    assert called("index").code == 0
    known = {row["run-id"]: row["run-status"] for row in json.loads(called("list", "--format", "json").out)}
    assert known == {run_id(0): "completed", run_id(1): "completed", run_id(2): "completed", run_id(7): "failed"}
    assert called("index", "--prune").out == f"outputs/{name}: 2 runs from outputs\n"
    assert states(here / "outputs" / name) == {"run0": "completed", "run2": "failed"}


def test_pruning_leaves_runs_that_are_elsewhere(here: Path) -> None:
    """The published default keeps the register of sweeps in `multiruns`, and Hydra the sweeps in `multirun`."""
    make_run(here / "multirun" / "day" / "0", 0, job=job(0), cwd=str(here))
    index(here / "multirun", here / "multiruns.csv")
    (here / "multiruns").mkdir()
    target = (here / "multiruns.csv").rename(here / "multiruns" / "register.csv")
    before = rows(target)
    done = called("index", "--prune")
    assert (done.code, done.out) == (0, "multiruns/register.csv: 0 runs from multiruns\n")
    assert done.err == "If its runs are elsewhere: hydra-callbacks index DIR --register multiruns/register.csv\n"
    assert rows(target) == before


def test_a_copy_of_a_run_is_named_and_not_registered(here: Path) -> None:
    make_run(here / "a", 1)
    shutil.copytree(here / "a", here / "b")
    done = called("index")
    assert (done.code, done.out) == (0, "register.csv: 1 run from .\n")
    assert done.err == f"Not registered: b is a copy of a: both have the id {run_id(1)}\n"
    assert states(here / "register.csv") == {"a": "completed"}


def test_a_newer_state_replaces_an_older_one_and_never_the_reverse(here: Path) -> None:
    make_run(here / "a", 1, **running(os.getpid()))
    make_run(here / "b", 2, **running(GONE))
    index(here, here / "register.db")
    assert states(here / "register.db") == {"a": "running", "b": "lost"}
    make_run(here / "a", 1, **failed())
    make_run(here / "b", 2)
    assert called("index").code == 0
    assert states(here / "register.db") == {"a": "failed", "b": "completed"}


def test_which_register_is_made_or_mended(here: Path) -> None:
    make_run(here / "outputs" / "a", 1)
    make_run(here / "multirun" / "b", 2)
    assert called("index").out == "register.csv: 2 runs from .\n", "where there is none"
    (here / "register.csv").rename(here / "outputs" / "register.csv")
    assert called("index").out == "outputs/register.csv: 1 run from outputs\n", "each gets the runs in its folder"
    assert called("index", "multirun").out == "multirun/register.csv: 1 run from multirun\n", "not the one beside"
    named = called("index", HYDRA_CALLBACKS_REGISTER=str(here / "all.jsonl"))
    assert named.out == f"{here / 'all.jsonl'}: 2 runs from .\n"
    assert (
        called("index", "outputs", "--register", "new/folder/mine.db").out == "new/folder/mine.db: 1 run from outputs\n"
    )
    assert sorted(states(here / "new/folder/mine.db")) == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
def test_how_far_it_has_come_is_told_on_stderr(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        make_run(here / str(number), number)
    monkeypatch.setattr("hydra_callbacks.cli.index._EACH_S", 0)
    done = called("index")
    assert done.out == "register.csv: 3 runs from .\n"
    assert done.err == "1 runs ...\n2 runs ...\n3 runs ...\n"
    shown = shown_on_terminal("index")
    assert shown.endswith("\r\x1b[Kregister.csv: 3 runs from .\n"), "what was told before is wiped away"


def test_a_place_that_cannot_be_indexed_is_told_plainly(here: Path) -> None:
    done = called("index", "nowhere")
    assert (done.code, done.err) == (2, "Error: there is no directory 'nowhere'; name one that holds runs\n")
    done = called("index", "--register", "notes.txt")
    assert done.code == 2
    assert done.err.startswith("Error: a register must be a file that ends in .csv, .jsonl, .db or .sqlite")
    write(here / "other.csv", "a,b\n1,2\n")
    done = called("index", "--register", "other.csv")
    assert done.code == 2
    assert "other.csv is no register: it lacks the columns run-dir and job_success" in done.err
    assert (here / "other.csv").read_text() == "a,b\n1,2\n"


def test_a_run_in_the_directory_itself_is_indexed_too(here: Path) -> None:
    """hydra.run.dir=."""
    make_run(here, 1)
    make_run(here / "outputs" / "a", 2)
    done = called("index")
    assert (done.out, done.err) == ("register.csv: 2 runs from .\n", "")
