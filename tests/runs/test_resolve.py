"""Which run is meant by a directory, an id, `latest`, or a job's number; and what if it is none, or several."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from run_dirs import failed, job, make_hydra_run, make_run, run_id, write

from hydra_callbacks.errors import RegisterError, RunNotFoundError
from hydra_callbacks.runs.find import runs_below
from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.resolve import find_run

if TYPE_CHECKING:
    from conftest import App

SWEEP = "multirun/2026-11-22/10-00-00"


@pytest.fixture
def runs(here: Path) -> Path:
    """A single run, and a sweep of three jobs that began after it."""
    make_run(here / "outputs" / "2026-11-22" / "09-00-00", 1, cwd=str(here))
    for number in range(3):
        make_run(here / SWEEP / str(number), number + 2, job=job(number), cwd=str(here), sweep_dir=str(here / SWEEP))
    return here


def number_of(name: str, where: str | None = None) -> int:
    """Return the number that the id of the run has that is meant."""
    return int(find_run(name, where).record["id"][4:8], 16)


def complaint(name: str, where: str | None = None) -> list[str]:
    with pytest.raises(RunNotFoundError) as caught:
        find_run(name, where)
    return str(caught.value).replace("\\", "/").splitlines()


def test_a_directory(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert number_of("outputs/2026-11-22/09-00-00") == 1
    assert number_of("outputs/2026-11-22/09-00-00/") == 1
    assert number_of("./outputs/2026-11-22/../2026-11-22/09-00-00") == 1
    assert number_of(str(runs / "outputs/2026-11-22/09-00-00")) == 1
    assert number_of("2026-11-22/09-00-00") == 1, "`outputs` goes without saying"
    assert number_of("2026-11-22/10-00-00/2") == 4, "as `multirun` does"
    monkeypatch.chdir(runs / SWEEP / "1")
    assert number_of(".") == 3
    assert number_of("../0") == 2
    monkeypatch.setenv("HOME", str(runs))
    assert number_of("~/outputs/2026-11-22/09-00-00") == 1


def test_the_beginning_of_an_id(runs: Path) -> None:
    assert number_of("019a0003") == 3
    assert number_of("019A0003-00") == 3
    assert number_of(run_id(4)) == 4
    assert complaint("019a") == [
        "4 runs have an id that begins with '019a'; name more of it:",
        f"  {run_id(4)}  {SWEEP}/2",
        f"  {run_id(3)}  {SWEEP}/1",
        f"  {run_id(2)}  {SWEEP}/0",
        f"  {run_id(1)}  outputs/2026-11-22/09-00-00",
    ]
    assert complaint("019")[0].startswith("no run is called '019': expected "), "three characters are too few"


def test_latest(runs: Path) -> None:
    assert number_of("latest") == 4
    assert number_of("latest", "outputs") == 1
    make_run(runs / "outputs" / "new", 9)
    assert number_of("latest") == 9
    assert number_of("latest/1") == 3, "of the latest sweep"
    assert complaint("latest/7")[0].startswith("no run is called 'latest/7'")
    assert complaint("latest/0", "outputs") == ["no sweep is known in outputs, so none is the latest"]
    (runs / "empty").mkdir()
    assert complaint("latest", "empty") == ["no run is known in empty, so none is the latest"]


@pytest.mark.parametrize("name", ["register.csv", "register.jsonl", "register.db"])
def test_ids_and_latest_are_looked_up_in_registers(runs: Path, name: str) -> None:
    index(runs, runs / name)
    make_run(runs / "outputs" / "unregistered", 9)
    assert number_of("latest") == 4
    assert number_of("latest/0") == 2
    assert number_of("latest", "outputs") == 9
    assert number_of("019a0001") == 1
    assert complaint("019a00090")[0].startswith("no run is called '019a00090'")
    assert number_of("outputs/unregistered") == 9, "a directory needs no register"


def test_a_jobs_number_in_its_sweep(here: Path) -> None:
    """hydra.sweep.subdir may call directories anything, even the number of another job."""
    for number, name in enumerate(["lr=1", "deep/er", "0"]):
        make_run(here / SWEEP / name, number, job=job(number), sweep_dir=str(here / SWEEP))
    make_hydra_run(here / SWEEP / "late", num=3)
    assert number_of(f"{SWEEP}/1") == 1
    assert number_of("2026-11-22/10-00-00/1") == 1
    assert find_run(f"{SWEEP}/3").directory.name == "late"
    assert number_of(f"{SWEEP}/0") == 2, "a directory of that name comes first"
    assert complaint(f"{SWEEP}/4")[0].startswith(f"no run is called '{SWEEP}/4'")
    assert complaint(f"{SWEEP}/01")[0].startswith(f"no run is called '{SWEEP}/01'")


def test_a_number_without_its_sweep(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert number_of("1") == 3, "there is but one sweep"
    make_run(runs / "multirun/2026-11-23/10-00-00/1", 8, job=job(1))
    assert complaint("1") == [
        "several sweeps in . have a job 1; name one of them:",
        f"  {SWEEP}/1",
        "  multirun/2026-11-23/10-00-00/1",
    ]
    monkeypatch.chdir(runs / SWEEP)
    assert number_of("1") == 3


def test_a_directory_that_holds_several_runs_lists_them(runs: Path) -> None:
    assert complaint(SWEEP) == [
        f"{SWEEP} holds several runs; name one of them:",
        f"  {SWEEP}/0",
        f"  {SWEEP}/1",
        f"  {SWEEP}/2",
    ]
    for number in range(3, 20):
        make_run(runs / SWEEP / str(number), number, job=job(number))
    told = complaint(SWEEP)
    assert told[1:] == [*(f"  {SWEEP}/{number}" for number in range(8)), "  ..."]


def test_a_directory_that_holds_one_run_means_it(runs: Path) -> None:
    assert number_of("outputs") == 1
    assert number_of("2026-11-22") == 1, "`outputs` comes before `multirun`"


def test_an_unknown_name_is_answered_with_the_nearest(runs: Path) -> None:
    told = complaint("outputs/2026-11-22/09-00-01")
    assert told[0] == (
        "no run is called 'outputs/2026-11-22/09-00-01': expected a job's directory, the beginning of an id, or "
        "`latest`; nearest:"
    )
    assert told[1] == "  outputs/2026-11-22/09-00-00"
    assert complaint("019a00021")[1] == f"  {run_id(2)}"
    shutil.rmtree(runs / "outputs")
    shutil.rmtree(runs / "multirun")
    assert complaint("x") == [
        "no run is called 'x': expected a job's directory, the beginning of an id, or `latest`; no run is known here"
    ]


def test_a_damaged_run_is_told_as_such(here: Path) -> None:
    write(here / "run" / ".hydra" / "run.json", "{")
    assert "run/.hydra/run.json is no whole run record" in complaint("run")[0]


def test_a_place_that_cannot_be_read_is_told(runs: Path) -> None:
    with pytest.raises(RegisterError, match="there is no file or directory 'nowhere'"):
        find_run("latest", "nowhere")
    with pytest.raises(OSError, match="File name too long") if os.name == "posix" else pytest.raises(RunNotFoundError):
        find_run("x" * 5000)


def test_what_is_left_of_a_run_is_told_by_its_row(runs: Path) -> None:
    make_run(runs / "outputs" / "gone", 5, **failed(result={"deep": {"er": 1}}, cwd=str(runs)))
    index(runs, runs / "register.jsonl")
    shutil.rmtree(runs / "outputs" / "gone")
    run = find_run("019a0005")
    assert run.place == "outputs/gone"
    assert run.record["status"] == "failed"
    assert run.record["error"] == {"type": "ValueError", "message": "lr must not be 1"}
    assert run.record["config"] == {"lr": 0.1, "opt.name": "adam"}
    assert run.record["result"] == {"deep.er": 1}
    make_run(runs / "outputs" / "gone", 6)
    assert number_of("019a0005") == 5, "the run that is there now is another one"


def test_a_moved_tree_keeps_its_runs(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(runs, runs / "register.csv")
    moved = runs.rename(runs.with_name("moved"))
    monkeypatch.chdir(moved)
    assert number_of("latest") == 4
    assert Path(find_run("latest").place).is_dir()
    assert Path(find_run("latest/1").place).samefile(moved / SWEEP / "1")


def test_a_real_sweep_whose_directories_have_names(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    link = {"_target_": "hydra_callbacks.LatestRunLink"}
    app.callbacks({"_target_": "hydra_callbacks.RunRecord"}, link)
    assert app.run("-m", "x=3,2,1", "opt.lr=1,2", "hydra.sweep.subdir='${hydra.job.override_dirname}/x'").code == 0
    monkeypatch.chdir(app.directory)
    assert len(list(runs_below(Path("multirun")))) == 6
    for name in ("latest/3", "multirun/latest/3", "3"):
        assert find_run(name).record["config"]["x"] == 2, name
        assert find_run(name).record["config"]["opt"]["lr"] == 2, name
    (app.directory / "multirun" / "latest").unlink()
    assert find_run("latest/3").record["config"]["x"] == 2, "without the link, too"
