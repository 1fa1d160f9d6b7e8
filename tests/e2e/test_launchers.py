"""Under every launcher and sweeper, a disturbed sweep is watched, gathered and resumed to the undisturbed table."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from conftest import wait_for
from mendable import SWEEP, all_columns, command, make_mendable, states, table, undisturbed

from hydra_callbacks.runs.sweep import read_sweep

if TYPE_CHECKING:
    from conftest import App, Ran

    from hydra_callbacks.runs.sweep_job import SweepJob

JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
JOBLIB_OF_8 = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=8")
SUBMITIT = ("hydra/launcher=submitit_local",)
RAY = ("hydra/launcher=ray",)
OPTUNA = (
    "hydra/sweeper=optuna",
    "hydra.sweeper.n_trials=6",
    "hydra.sweeper.n_jobs=2",
    "hydra.sweeper.direction=maximize",
    "hydra.sweeper.sampler.seed=1",
)
ZEN_APP = """
import json, sys
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
from hydra_zen import launch, make_config

def task(cfg):
    if cfg.x == 2 and not Path(FLAG).exists(): raise ValueError("x must not be 2")
    output_dir = Path(HydraConfig.get().runtime.output_dir)
    output_dir.joinpath("results.json").write_text(json.dumps({"double": 2 * cfg.x, "deep": {"er": "é"}}))
    return cfg.x

if __name__ == "__main__":
    launch(make_config(x=0), task, overrides=sys.argv[1:], multirun=True, version_base="1.3")
"""


@pytest.fixture
def mendable(app: App, python_with_launchers: str) -> App:
    """An application whose jobs x=2 and x=3 fail until there is a file `mended` where it was started."""
    app.python = python_with_launchers
    return make_mendable(app)


def watched(app: App) -> Ran:
    return command(app, "watch", "multirun/s", "--once")


def gathered(app: App) -> dict[int, str]:
    """Gather what there is, and return the statuses in the table."""
    done = command(app, "gather", "multirun/s")
    assert done.code == 0, done.text
    return {int(row[""]): row["run-status"] for row in all_columns(app)}


def resume(app: App) -> Ran:
    """Mend the application and resume its sweep."""
    app.write("mended", "")
    done = command(app, "resume", "multirun/s")
    assert done.code == 0, done.text
    looked = watched(app)
    assert looked.code == 0, looked.text
    return done


def jobs(app: App) -> list[SweepJob]:
    return read_sweep(app.directory / "multirun/s").jobs


def kill_job(app: App, num: int) -> None:
    """Kill the process of a job that is at work."""
    (job,) = (job for job in jobs(app) if job.num == num)
    assert job.status == "running"
    os.kill(job.host["pid"], signal.SIGKILL)


def states_so_far(app: App) -> dict[int, str]:
    return states(app) if (app.directory / "multirun/s").is_dir() else {}


def is_at_work(app: App, num: int) -> bool:
    return (app.directory / f"multirun/s/{num}/at-work").exists()


@pytest.mark.parametrize(
    ("launcher", "xs"),
    [(SUBMITIT, [0, 1, 2, 4]), (JOBLIB_OF_8, list(range(20))), (RAY, [0, 1, 2, 4])],
    ids=["submitit", "joblib", "ray"],
)
def test_failed_jobs_run_again(mendable: App, launcher: tuple[str, ...], xs: list[int]) -> None:
    done = mendable.run(*SWEEP, f"x={','.join(map(str, xs))}", *launcher)
    assert done.code != 0, done.text
    looked = watched(mendable)
    assert looked.code == 1
    assert " job 2: " in looked.out
    before = gathered(mendable)
    assert before == states(mendable)
    assert list(before) == list(range(len(xs)))
    assert before[0] == "completed"
    assert before[2] != "completed"
    resumed = resume(mendable)
    assert f"left alone {list(before.values()).count('completed')} completed" in resumed.out
    assert table(mendable) == undisturbed(xs)


def test_a_killed_loky_worker_costs_what_was_at_work(mendable: App) -> None:
    process = mendable.start(*SWEEP, "x=range(4,12)", "+slow=5", *JOBLIB)
    wait_for(lambda: is_at_work(mendable, 1) and "completed" in states(mendable).values())
    kill_job(mendable, 1)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    looked = watched(mendable)
    assert looked.code == 1
    assert "job 1: " in looked.out
    before = gathered(mendable)
    assert before[1] == "lost"
    assert list(before) == list(range(8))
    assert set(before.values()) <= {"lost", "missing", "completed"}
    resume(mendable)
    assert table(mendable) == undisturbed(range(4, 12))


def test_a_killed_submitit_job_costs_itself(mendable: App) -> None:
    process = mendable.start(*SWEEP, "x=0,4,5", "+slow=4", *SUBMITIT)
    wait_for(lambda: is_at_work(mendable, 1))
    kill_job(mendable, 1)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert watched(mendable).code == 1
    assert gathered(mendable) == {0: "completed", 1: "lost", 2: "completed"}
    assert "1 job to run (lost); left alone 2 completed" in resume(mendable).out
    assert table(mendable) == undisturbed([0, 4, 5])


def test_ctrl_c_under_joblib(mendable: App) -> None:
    mendable.interrupt(*SWEEP, "x=range(4,12)", "+slow=5", *JOBLIB, when="multirun/s/1/at-work")
    assert watched(mendable).code == 1
    before = gathered(mendable)
    assert list(before) == list(range(8))
    assert before[1] in {"interrupted", "lost"}
    resume(mendable)
    assert table(mendable) == undisturbed(range(4, 12))


def test_ctrl_c_under_submitit(mendable: App) -> None:
    mendable.interrupt(*SWEEP, "x=0,2,4", "+slow=4", *SUBMITIT, when="multirun/s/2/at-work")
    wait_for(lambda: "running" not in states(mendable).values())
    assert watched(mendable).code == 1
    assert gathered(mendable)[2] == "interrupted"
    resume(mendable)
    assert table(mendable) == undisturbed([0, 2, 4])


def test_submitit_jobs_that_outlive_the_launching_process_are_left_alone(mendable: App) -> None:
    process = mendable.start(*SWEEP, "x=0,2,4", "+slow=4", *SUBMITIT)
    wait_for(lambda: states_so_far(mendable) == {0: "completed", 1: "failed", 2: "running"})
    process.kill()
    process.wait()
    assert gathered(mendable) == states(mendable)
    rehearsed = command(mendable, "resume", "multirun/s", "--dry-run")
    assert "1 job to run (failed); left alone 1 completed, 1 running" in rehearsed.out, rehearsed.text
    mendable.write("mended", "")
    wait_for(lambda: states(mendable)[2] == "completed")
    resume(mendable)
    assert table(mendable) == undisturbed([0, 2, 4])
    assert mendable.record("multirun/s/2")["attempt"] == 1
    process.communicate()


def test_trials_of_optuna_that_failed_run_again(mendable: App) -> None:
    done = mendable.run(*SWEEP, "x=choice(0,1,2)", *OPTUNA, "hydra.sweeper.max_failure_rate=1")
    assert done.code == 0, done.text  # Optuna goes on and is content
    assert watched(mendable).code == 1
    before = gathered(mendable)
    assert set(before.values()) == {"completed", "failed"}
    trials = [job.overrides for job in jobs(mendable)]
    assert len(trials) == 6
    resume(mendable)
    assert [job.overrides for job in jobs(mendable)] == trials
    assert table(mendable) == undisturbed(int(words[0].partition("=")[2]) for words in trials)


def test_ctrl_c_under_optuna(mendable: App) -> None:
    mendable.interrupt(*SWEEP, "x=choice(0,4)", "+slow=0", *OPTUNA, when="multirun/s/*/at-work")
    assert watched(mendable).code == 1
    before = gathered(mendable)
    assert list(before.values()) == ["completed"] * (len(before) - 1) + ["interrupted"]
    trials = [job.overrides for job in jobs(mendable)]
    resume(mendable)
    assert [job.overrides for job in jobs(mendable)] == trials
    assert {row["run-status"] for row in table(mendable)} == {"completed"}


@pytest.mark.parametrize("python", ["python_with_launchers", "next_python_with_launchers"])
def test_jobs_that_failed_under_hydra_zen_run_again(app: App, request: pytest.FixtureRequest, python: str) -> None:
    app.python = request.getfixturevalue(python)
    app.write("app.py", ZEN_APP.replace("FLAG", repr(str(app.directory / "mended"))))
    assert app.run(*SWEEP[1:], "x=range(4)").code == 1
    looked = watched(app)
    assert looked.code == 1
    assert "✗ job 2: ValueError: x must not be 2 (x=2)" in looked.out
    assert list(gathered(app).values()) == ["completed", "completed", "failed", "completed"]
    app.write("mended", "")
    done = app.run(*SWEEP[1:], "hydra/sweeper=resume")
    assert done.code == 0, done.text
    assert "1 job to run (failed); left alone 3 completed" in done.out
    assert watched(app).code == 0
    assert table(app) == undisturbed(range(4))


@pytest.mark.parametrize("launcher", [SUBMITIT, JOBLIB_OF_8], ids=["submitit", "joblib"])
def test_failed_jobs_run_again_on_the_next_hydra(
    mendable: App, next_python_with_launchers: str, launcher: tuple[str, ...]
) -> None:
    mendable.python = next_python_with_launchers
    test_failed_jobs_run_again(mendable, launcher, [0, 1, 2, 4])
