"""The total runtime is logged once; each job's record has what its own timers took."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from jobs import make_job

from hydra_callbacks import Outcome, PerfLogger, RuntimePerformance

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

PERFORMANCE = {"_target_": "hydra_callbacks.RuntimePerformance"}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
DONE = Outcome(status="completed")

TIMED_APP = """
import logging
import hydra
from hydra_callbacks import PerfLogger

main_args = {} if hydra.__version__ >= "1.4" else {"version_base": None}
log = logging.getLogger("app")

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    with PerfLogger(log, name="train"), PerfLogger(log, name=f"step{cfg.x}"):
        pass
    if cfg.x == cfg.fail_at:
        raise ValueError("no")

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("args", [[], ["-m", "x=1,2"], ["fail_at=1"], ["-m", "x=1,2", "fail_at=2"]])
def test_the_total_runtime_is_logged_once(app: App, args: list[str]) -> None:
    app.callbacks(PERFORMANCE)
    ran = app.run(*args)
    assert ran.code == (1 if "fail_at" in " ".join(args) else 0), ran.text
    assert len(re.findall(r"\] (?:- )?Total runtime: \d+\.\d\d seconds\n", ran.out)) == 1


def test_disabled_it_says_nothing(app: App) -> None:
    app.callbacks({**PERFORMANCE, "enabled": False})
    ran = app.run()
    assert ran.code == 0, ran.text
    assert "runtime" not in ran.text


def test_each_job_records_its_own_timers_only(app: App) -> None:
    app.write("app.py", TIMED_APP)
    app.callbacks(RECORD, PERFORMANCE)
    ran = app.run("-m", "x=1,2")
    assert ran.code == 0, ran.text
    for num, step in enumerate(["train/step1", "train/step2"]):
        timers = app.record(f"multirun/*/*/{num}")["timers"]
        assert timers.keys() == {"train", step}
        assert timers["train"] >= timers[step] > 0


def test_a_failed_job_records_its_timers_too(app: App) -> None:
    app.write("app.py", TIMED_APP)
    app.callbacks(RECORD, PERFORMANCE)
    ran = app.run("fail_at=1")
    assert ran.code == 1
    assert app.record()["timers"].keys() == {"train", "train/step1"}


def test_uses_of_a_timer_add_up_also_across_a_reset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 5.0, 10.0, 11.5, 20.0, 22.25])
    monkeypatch.setattr("hydra_callbacks.timing.time.perf_counter", lambda: next(now))
    timer = PerfLogger(str, name="added up")
    with timer:
        pass
    callback, job = RuntimePerformance(), make_job(tmp_path)
    callback.job_started(job)
    with timer:
        pass
    PerfLogger.reset()
    with timer:
        pass
    callback.job_ended(job, DONE)
    assert job.record.data["timers"] == {"added up": 3.75}


def test_a_job_without_timers_has_no_section(tmp_path: Path) -> None:
    callback, job = RuntimePerformance(), make_job(tmp_path)
    callback.job_started(job)
    callback.job_ended(job, DONE)
    assert "timers" not in job.record.data


def test_the_timers_are_imported_by_the_application_or_not_at_all(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from hydra_callbacks import RuntimePerformance, Outcome\n"
        "callback = RuntimePerformance()\n"
        "callback.job_started(None)\n"
        "callback.job_ended(None, Outcome(status='completed'))\n"
        "sys.exit('hydra_callbacks.timing' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
