"""Where runs are found, and what Hydra's own files tell of those that have no record."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from run_dirs import job, make_hydra_run, make_run, record, run_id, write

from hydra_callbacks.runs.find import Run, is_sweep, run_in, runs_below, sweep_of

if TYPE_CHECKING:
    from conftest import App


def places(directory: Path | str = ".") -> list[str]:
    return [run.place.replace("\\", "/") for run in runs_below(Path(directory))]


def found(directory: Path | str) -> Run:
    run = run_in(directory)
    assert run is not None
    return run


def test_runs_come_in_the_order_of_their_numbers_and_names(here: Path) -> None:
    for name in ("multirun/day/10", "multirun/day/9", "multirun/day/a", "outputs/b", "outputs/a", "1"):
        make_run(here / name)
    assert places() == ["1", "multirun/day/9", "multirun/day/10", "multirun/day/a", "outputs/a", "outputs/b"]
    assert places("multirun") == ["multirun/day/9", "multirun/day/10", "multirun/day/a"]
    assert places(here / "outputs") == [str(here / "outputs" / name).replace("\\", "/") for name in "ab"]


def test_what_lies_below_a_run_is_its_own_unless_the_search_begins_there(here: Path) -> None:
    make_run(here / "outer", 1)
    make_run(here / "outer" / "artifacts" / "inner", 2)
    assert places() == ["outer"]
    assert places("outer") == ["outer", "outer/artifacts/inner"]
    make_run(here, 3)
    assert places() == [".", "outer"], "the directory of a project whose runs are made where it is"


def test_hidden_folders_and_links_are_passed_over(here: Path) -> None:
    make_run(here / ".cache" / "copy")
    make_run(here / "real")
    if os.name != "nt":
        (here / "latest").symlink_to("real")
        (here / "round").symlink_to(".")
    assert places() == ["real"]


def test_a_directory_that_is_not_there_is_told(here: Path) -> None:
    with pytest.raises(NotADirectoryError, match="there is no such directory: 'nowhere'"):
        list(runs_below(Path("nowhere")))
    write(here / "file", "")
    with pytest.raises(NotADirectoryError):
        list(runs_below(Path("file")))


def test_what_is_no_run_is_none(here: Path) -> None:
    write(here / "sweep" / "multirun.yaml", "hydra: {}\n")
    write(here / "foreign" / "run.json", '{"schema": 1, "of": "another program"}')
    write(here / "odd" / ".hydra" / "config.yaml", "x: 1\n")
    assert [run_in(name) for name in ("sweep", "foreign", "odd", "nowhere", "sweep/multirun.yaml")] == [None] * 5
    assert places() == []


@pytest.mark.parametrize("subdir", [".notes", "notes", "null"])
def test_the_record_is_found_whatever_hydras_own_folder_is_called(app: App, subdir: str) -> None:
    app.callbacks({"_target_": "hydra_callbacks.RunRecord"})
    assert app.run("hydra.run.dir=outputs/run", f"hydra.output_subdir={subdir}").code == 0
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=multirun/s", f"hydra.output_subdir={subdir}").code == 0
    runs = list(runs_below(app.directory))
    assert [Path(run.place).relative_to(app.directory).parts for run in runs] == [
        ("multirun", "s", "0"),
        ("multirun", "s", "1"),
        ("outputs", "run"),
    ]
    assert [run.record["config"]["x"] for run in runs] == [1, 2, 1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no whole run record"),
        ('{"schema": 1, "id', "is no whole run record"),
        ("[]", "is no run record: expected a JSON object, got list"),
        ('{"schema": 2}', "has schema 2, this version reads up to 1"),
    ],
)
def test_a_damaged_record_is_a_run_with_a_problem(here: Path, text: str, told: str) -> None:
    write(here / "run" / ".hydra" / "run.json", text)
    (run,) = runs_below(Path())
    assert (run.place, run.record) == ("run", {})
    assert run.problem is not None
    assert told in run.problem
    assert "run/.hydra/run.json" in run.problem


def test_a_record_longer_than_a_step_of_reading_is_read_whole(here: Path) -> None:
    long = "é" * (1 << 15)
    make_run(here / "run", config={"long": long})
    assert found("run").record["config"] == {"long": long}


def test_a_run_that_is_removed_while_others_are_read_does_no_harm(here: Path) -> None:
    for name in "abc":
        make_run(here / "runs" / name)
    runs = runs_below(Path("runs"))
    assert next(runs).place == "runs/a"
    shutil.rmtree(here / "runs")
    assert list(runs) == []


# Without a record


def test_hydras_own_files_tell_what_a_record_would(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.RunRecord"}, more="db: {password: swordfish, url: 'ftp://me:pw@h/'}\n")
    assert app.run("opt.name='a, \"b\" é'", "+db.token=sesame").code == 0
    assert app.run("-m", "x=1,2", "hydra.sweep.subdir=lr is ${x}").code == 0
    for run in runs_below(app.directory):
        Path(run.place, ".hydra", "run.json").unlink()
        told = found(run.place).record
        assert told["status"] == "unknown"
        for key in ("app", "config", "overrides", "cwd", "output_dir"):
            assert told[key] == run.record[key], key
        assert told["job"] == {key: run.record["job"][key] for key in ("num", "sweep")}
        assert "swordfish" not in json.dumps(told)
        assert told["started_at"][:10] == run.record["started_at"][:10]
        assert abs(int(told["started_at"][17:19]) - int(run.record["started_at"][17:19])) in {0, 1, 59}


def test_a_long_working_directory_that_yaml_breaks_in_two_is_read_whole(app: App) -> None:
    app.directory = app.directory.rename(app.directory.with_name("a long name " * 12 + "it's: #1"))
    assert app.run("hydra.run.dir=outputs/run").code == 0
    told = found(app.directory / "outputs" / "run").record
    assert (told["cwd"], told["output_dir"]) == (str(app.directory), str(app.directory / "outputs" / "run"))


def test_hydras_own_files_that_are_damaged_are_told(here: Path) -> None:
    make_hydra_run(here / "a", config="x: [1\n")
    make_hydra_run(here / "b")
    (here / "b" / ".hydra" / "config.yaml").unlink()
    first, second = (str(found(name).problem) for name in "ab")
    assert first.startswith("a/.hydra is damaged: while parsing a flow sequence")
    assert "\n" not in first
    assert second.startswith("b/.hydra is damaged: ")
    assert "No such file" in second


def test_hydras_own_files_may_be_sparse(here: Path) -> None:
    """As of Hydra 1.0, or with an empty configuration."""
    make_hydra_run(here / "a", config="")
    write(here / "a" / ".hydra" / "hydra.yaml", "hydra: {}\n")
    write(here / "a" / ".hydra" / "overrides.yaml", "[]\n")
    told = found("a").record
    assert (told["config"], told["overrides"], told["cwd"], told["app"]) == ({}, [], None, None)
    assert told["output_dir"] == str(here / "a")


def test_a_directory_is_absolute_or_relative_as_what_it_was_found_below(here: Path) -> None:
    make_run(here / "run", 4)
    assert found("run").place == "run"
    assert found(here / "run").directory == here / "run"
    assert found("run").record == record(4, output_dir=str(here / "run"))
    assert found("run").record["id"] == run_id(4)


def test_a_job_tells_its_sweep_wherever_both_are_now(here: Path) -> None:
    recorded = {"job": job(0), "sweep_dir": "/then/sweep"}
    make_run(here / "a" / "0", output_dir="/then/sweep/0", **recorded)
    make_run(here / "b" / "lr=1" / "seed=2", output_dir="/then/sweep/lr=1/seed=2", **recorded)
    make_run(here / "c", output_dir="/then/sweep", **recorded)
    make_run(here / "d" / "x" / "0", job=job(0))
    write(here / "d" / "multirun.yaml", "")
    make_run(here / "e")
    assert [sweep_of(found(here / name)) for name in ("a/0", "b/lr=1/seed=2", "c", "d/x/0", "e")] == [
        *(here / name for name in "abcd"),
        None,
    ]


def test_a_sweep_is_known_by_its_files_or_its_first_job(here: Path) -> None:
    write(here / "with journal" / "jobs.jsonl", "")
    write(here / "of Hydra" / "multirun.yaml", "")
    make_run(here / "of jobs" / "0", job=job(0), sweep_dir=str(here / "of jobs"))
    make_run(here / "of runs" / "a")
    (here / "empty").mkdir()
    names = ("with journal", "of Hydra", "of jobs", "of jobs/0", "of runs", "empty", "nothing")
    assert [name for name in names if is_sweep(Path(name))] == ["with journal", "of Hydra", "of jobs"]
