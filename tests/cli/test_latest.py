"""`latest` is the run that started last, to every command, whatever links lie in the folders where Hydra keeps runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import called, program
from conftest import PLAIN_APP
from run_dirs import job, make_run, write

from hydra_callbacks.support.tables import append_rows

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

FILE = "resource_monitoring.csv"


@pytest.fixture
def runs(here: Path) -> Path:
    """A sweep and a single run; the older one of them has a link called `latest`, as the newer one will have."""
    sweep = here / "multirun" / "old"
    write(sweep / "jobs.jsonl", "")
    for number in range(2):
        facts = {"job": job(number), "sweep_dir": str(sweep), "overrides": [f"x={number}"]}
        make_run(sweep / str(number), number, **facts)
        append_rows(sweep / FILE, [{"": 0, "time": 1.0, "cpus": 1.0, "rss_GiB": 1.0, "job_id": number}])
    (here / "multirun" / "latest").symlink_to(sweep)
    run = make_run(here / "outputs" / "old", 2, overrides=["x=2"])
    append_rows(run / FILE, [{"": 0, "time": 1.0, "cpus": 1.0, "rss_GiB": 1.0}])
    (here / "outputs" / "latest").symlink_to(run)
    return here


def of_sweep(runs: Path, number: int) -> None:
    """Let a job of the sweep be what started last."""
    sweep = runs / "multirun" / "old"
    make_run(sweep / "1", number, job=job(1), sweep_dir=str(sweep), overrides=["x=1"])


def test_a_newer_single_run_beside_an_older_sweep(runs: Path) -> None:
    assert "outputs/old" in called("show", "latest").out
    assert "outputs/old  x=2  1 sample" in called("plot", "latest").out
    assert "outputs/old" in called("top", "latest", "--once").out
    assert "outputs/old" in called("reproduce", "latest", "--print").err


def test_a_newer_sweep_beside_an_older_single_run(runs: Path) -> None:
    of_sweep(runs, 9)
    assert "multirun/old/1" in called("show", "latest").out
    assert "multirun/old/1  x=1  1 sample" in called("plot", "latest").out
    assert "multirun/old/0  x=0  1 sample" in called("plot", "latest", "--job", "0").out
    assert "multirun/old" in called("top", "latest", "--once").out
    assert "2 runs below it" in called("top", "latest", "--once").out
    assert "multirun/old/1" in called("reproduce", "latest", "--print").err


def test_the_samples_are_found_by_whatever_name_they_were_given(app: App) -> None:
    monitor = {"_target_": "hydra_callbacks.ResourceMonitor", "monitoring_file": "load.csv"}
    app.callbacks({"_target_": "hydra_callbacks.RunRecord"}, monitor)
    app.run("hydra.run.dir=one")
    app.run("--multirun", "x=1,2", "hydra.sweep.dir=many")
    assert app.record("one")["resources"]["samples_file"] == "load.csv"
    for words, told in ((["one"], "one"), (["many/1"], "many/1"), (["many", "--job", "0"], "many/0")):
        assert program("plot", *words, cwd=app.directory).out.startswith(f"{told}  ")
    assert "load.csv has the samples of 2 jobs" in program("plot", "many", cwd=app.directory).err


def test_runs_with_one_file_for_all_are_drawn_each_by_itself(app: App) -> None:
    monitor = {"_target_": "hydra_callbacks.ResourceMonitor", "sample_interval": 0.05}
    app.callbacks({"_target_": "hydra_callbacks.RunRecord"}, {**monitor, "monitoring_file": f"{app.directory}/all.csv"})
    # The tasks last 0.6 and 0.1 s, so that one has more samples.
    slow = PLAIN_APP.replace("    if cfg.x", "    time.sleep(cfg.x / 10)\n    if cfg.x")
    app.write("app.py", f"import time\n{slow}")
    for x in (6, 1):
        assert app.run(f"x={x}", f"hydra.run.dir=run-{x}").code == 0
    heads = {x: program("plot", f"run-{x}", cwd=app.directory).out.splitlines()[0].split() for x in (6, 1)}
    assert {x: words[1] for x, words in heads.items()} == {6: "x=6", 1: "x=1"}
    assert int(heads[6][2]) > int(heads[1][2]), "samples"


def test_a_file_that_is_no_samples_is_left_as_it_is(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.ResourceMonitor", "monitoring_file": "results.json"})
    ran = app.run("hydra.run.dir=one", "hydra/job_logging=stdout")
    assert ran.code == 0
    assert "results.json is there already, and another program's: it has no column 'rss_GiB'" in ran.out
    assert "Writing monitoring data" not in ran.out
    assert app.one("one/results.json").read_text(encoding="utf-8").startswith('{"double"')
