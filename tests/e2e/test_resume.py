"""A sweep that failed or died goes on, and ends with the table of one that was never disturbed."""

from __future__ import annotations

import json
import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest
from conftest import wait_for
from mendable import SWEEP, all_columns, command, make_mendable, states, table, undisturbed

if TYPE_CHECKING:
    from conftest import App

JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")


@pytest.fixture
def mendable(app: App) -> App:
    """An application whose jobs x=2 and x=3 fail until there is a file `mended` where it was started."""
    return make_mendable(app)


@pytest.mark.parametrize("launcher", [(), JOBLIB], ids=["basic", "joblib"])
@pytest.mark.parametrize("resumed_by", [("hydra/launcher=basic",), JOBLIB], ids=["by basic", "by joblib"])
def test_failed_jobs_and_those_that_never_started_run_again(
    mendable: App, launcher: tuple[str, ...], resumed_by: tuple[str, ...]
) -> None:
    done = mendable.run(*SWEEP, "x=range(6)", *launcher)
    assert done.code != 0
    looked = command(mendable, "watch", "multirun/s", "--once")
    assert looked.code == 1
    assert "✗ job 3: SystemExit: 7" in looked.out
    if not launcher:  # joblib may have killed job 2 when job 3 left, or never started it
        assert "✗ job 2: ValueError: x must not be 2" in looked.out
    completed = [num for num, status in states(mendable).items() if status == "completed"]
    mendable.write("mended", "")
    done = command(mendable, "resume", "multirun/s", *resumed_by)
    assert done.code == 0, done.text
    assert table(mendable) == undisturbed(range(6))
    assert [record(mendable, num)["attempt"] for num in completed] == [1] * len(completed), "completed jobs ran again"
    if not launcher:
        assert record(mendable, 2)["attempt"] == 2
    assert command(mendable, "watch", "multirun/s", "--once").code == 0


def record(app: App, num: int) -> dict[str, Any]:
    return app.record(f"multirun/s/{num}")


@pytest.mark.parametrize("launcher", [(), JOBLIB], ids=["basic", "joblib"])
def test_a_sweep_whose_launching_process_was_killed_goes_on(mendable: App, launcher: tuple[str, ...]) -> None:
    process = mendable.start(*SWEEP, "x=range(5)", "+slow=true", *launcher)
    wait_for(lambda: list(mendable.directory.glob("multirun/s/*/at-work")))
    live = command(mendable, "resume", "multirun/s")
    assert live.code == 1
    assert f"another launch (process {process.pid}, since " in live.out
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    looked = command(mendable, "watch", "multirun/s", "--once")
    assert looked.code == 1
    assert "its launching process was killed" in looked.out
    assert "lost" in looked.out
    assert "missing" in looked.out
    gathered = command(mendable, "gather", "multirun/s")
    assert gathered.code == 0, gathered.text
    assert {row["run-status"] for row in all_columns(mendable)} <= {"lost", "missing", "failed"}
    assert len(all_columns(mendable)) == 5
    mendable.write("mended", "")
    done = command(mendable, "resume", "multirun/s")
    assert done.code == 0, done.text
    assert table(mendable) == undisturbed(range(5))


def test_only_new_values_run(app: App) -> None:
    assert app.run(*SWEEP, "x=0,1", "opt.lr=0.5").code == 0
    done = command(app, "resume", "multirun/s", "x=0,1,2")
    assert done.code == 0, done.text
    assert "1 job to run (new); left alone 2 completed" in done.out
    assert table(app) == undisturbed(range(3))
    assert record(app, 2)["overrides"] == ["opt.lr=0.5", "x=2"]


def test_a_job_whose_directory_was_removed_runs_again(app: App) -> None:
    assert app.run(*SWEEP, "x=range(3)").code == 0
    shutil.rmtree(app.directory / "multirun/s/1")
    done = command(app, "resume", "multirun/s")
    assert "1 job to run (missing); left alone 2 completed" in done.out
    assert table(app) == undisturbed(range(3))


def test_completed_jobs_run_again_when_asked(app: App) -> None:
    assert app.run(*SWEEP, "x=0,1").code == 0
    assert "nothing to run; left alone 2 completed" in command(app, "resume", "multirun/s").out
    done = command(app, "resume", "multirun/s", "--also", "completed")
    assert done.code == 0, done.text
    assert record(app, 1)["attempt"] == 2


def test_a_changed_configuration_is_told_and_refused(mendable: App) -> None:
    mendable.run(*SWEEP, "x=0,2")
    mendable.write("mended", "")
    config = (mendable.directory / "conf/config.yaml").read_text()
    mendable.write("conf/config.yaml", config.replace("lr: 0.1", "lr: 0.3"))
    done = command(mendable, "resume", "multirun/s")
    assert done.code == 1
    assert "Changed since: opt.lr: 0.1 -> 0.3" in done.out
    assert "--allow-changes" in done.out
    assert states(mendable) == {0: "completed", 1: "failed"}
    assert command(mendable, "resume", "multirun/s", "--allow-changes").code == 0
    assert states(mendable) == {0: "completed", 1: "completed"}


def test_changed_code_is_told_and_refused(mendable: App) -> None:
    sha = mendable.commit()
    mendable.run(*SWEEP, "x=0,2")
    mendable.write("app.py", (mendable.directory / "app.py").read_text() + "# mended\n")
    done = command(mendable, "resume", "multirun/s")
    assert (done.code, "Changed since: uncommitted code: app.py" in done.out) == (1, True)
    mendable.git("commit", "-qam", "mended")
    now = mendable.git("rev-parse", "HEAD")
    done = command(mendable, "resume", "multirun/s")
    assert (done.code, f"the commit: {sha[:8]} -> {now[:8]} (1 commit between)" in done.out) == (1, True)
    mendable.write("mended", "")
    assert command(mendable, "resume", "multirun/s", "--allow-changes").code == 0


def test_uncommitted_code_is_compared_by_its_patch(mendable: App) -> None:
    mendable.write(".gitignore", "multirun\nmended\n__pycache__\n")
    mendable.commit()
    text = (mendable.directory / "app.py").read_text()
    mendable.write("app.py", f"{text}# not committed\n")
    mendable.write("helper.py", "x = 1\n")
    mendable.run(*SWEEP, "x=0,2")
    mendable.write("mended", "")
    mendable.write("data.json", "a new file of data is no code")
    os.utime(mendable.directory / "app.py", (2e9, 2e9))
    assert command(mendable, "resume", "multirun/s", "--dry-run").code == 0
    mendable.write("app.py", f"{text}# not committed either\n")
    mendable.write("helper.py", "x = 2\n")
    mendable.write("other.py", "")
    done = command(mendable, "resume", "multirun/s")
    assert (done.code, "Changed since: uncommitted code: app.py, helper.py, other.py" in done.out) == (1, True)
    mendable.write("app.py", f"{text}# not committed\n")
    mendable.write("helper.py", "x = 1\n")
    (mendable.directory / "other.py").unlink()
    assert command(mendable, "resume", "multirun/s").code == 0


def test_uncommitted_code_is_compared_by_the_times_of_its_files_where_there_is_no_patch(mendable: App) -> None:
    sha = mendable.commit()
    app_file = mendable.directory / "app.py"
    text = app_file.read_text()
    mendable.write("app.py", f"{text}# not committed\n")
    mendable.run(*SWEEP, "x=0,2", "hydra.callbacks.git_info.patch=false")
    mendable.write("mended", "")
    os.utime(app_file, (2e9, 2e9))
    done = command(mendable, "resume", "multirun/s")
    assert (done.code, "Changed since: uncommitted code: app.py" in done.out) == (1, True)
    mendable.write("app.py", text)
    done = command(mendable, "resume", "multirun/s")
    assert (done.code, f"the code on commit {sha[:8]}: without uncommitted changes now" in done.out) == (1, True)
    mendable.write("app.py", f"{text}# not committed\n")
    os.utime(app_file, (1e9, 1e9))
    assert command(mendable, "resume", "multirun/s").code == 0


def test_a_rehearsal_lists_the_jobs_and_writes_nothing(mendable: App) -> None:
    mendable.run(*SWEEP, "x=0,2,4")
    files = {file: file.stat().st_mtime_ns for file in mendable.directory.rglob("*") if file.is_file()}
    done = command(mendable, "resume", "multirun/s", "--dry-run")
    assert done.code == 0, done.text
    assert "#1 (failed) : x=2" in done.out
    now = {file: file.stat().st_mtime_ns for file in mendable.directory.rglob("*") if file.is_file()}
    assert {str(file) for file, _ in now.items() ^ files.items() if "__pycache__" not in str(file)} == set()


def test_directories_of_any_name_stay(mendable: App) -> None:
    subdir = "hydra.sweep.subdir='it''s ${now:%f} ${hydra.job.num}'".replace("''", "\\'")
    mendable.run(*SWEEP, "x=0,2", subdir)
    before = sorted(path.name for path in (mendable.directory / "multirun/s").iterdir() if path.is_dir())
    mendable.write("mended", "")
    done = command(mendable, "resume", "multirun/s")
    assert done.code == 0, done.text
    after = sorted(path.name for path in (mendable.directory / "multirun/s").iterdir() if path.is_dir())
    assert after == before
    assert states(mendable) == {0: "completed", 1: "completed"}


def test_a_secret_of_the_command_line_is_asked_for_again(mendable: App) -> None:
    mendable.run(*SWEEP, "x=0,2", "+api_key=abcdefgh")
    mendable.write("mended", "")
    done = command(mendable, "resume", "multirun/s")
    assert (done.code, "abcdefgh" in done.text) == (1, False)
    done = command(mendable, "resume", "multirun/s", "x=0,2", "+api_key=abcdefgh")
    assert done.code == 0, done.text
    assert states(mendable) == {0: "completed", 1: "completed"}
    assert "abcdefgh" not in (mendable.directory / "multirun/s/jobs.jsonl").read_text()


def test_a_sweep_from_before_the_library_goes_on_too(mendable: App) -> None:
    mendable.run("-m", "hydra.sweep.dir=multirun/s", "x=0,2,4")
    assert not (mendable.directory / "multirun/s/jobs.jsonl").exists()
    told = command(mendable, "resume", "multirun/s")
    assert (told.code, "python your_app.py -m hydra/sweeper=resume hydra.sweep.dir=" in told.err) == (2, True)
    mendable.write("mended", "")
    done = mendable.run(*SWEEP, "hydra/sweeper=resume")
    assert done.code == 0, done.text
    assert "1 job to run (unknown); left alone 2 completed" in done.out
    assert command(mendable, "gather", "multirun/s").code == 0
    assert [row["double"] for row in all_columns(mendable)] == ["0", "4", "8"]


@pytest.mark.parametrize("place", ["nowhere", "conf"])
def test_what_is_no_sweep_is_told(app: App, place: str) -> None:
    done = command(app, "resume", place)
    assert done.code == 2
    assert "Traceback" not in done.text
    done = app.run(*SWEEP[:2], "hydra/sweeper=resume", f"hydra.sweep.dir={place}")
    assert done.code == 1
    assert "Traceback" not in done.text


def test_a_second_launch_in_the_same_directory_is_refused(mendable: App) -> None:
    process = mendable.start(*SWEEP, "x=0,1", "+slow=true")
    wait_for(lambda: list(mendable.directory.glob("multirun/s/*/at-work")))
    lines = (mendable.directory / "multirun/s/jobs.jsonl").read_text()
    done = mendable.run(*SWEEP, "x=5")
    assert done.code == 1
    assert f"another launch (process {process.pid}, since " in done.out
    assert (mendable.directory / "multirun/s/jobs.jsonl").read_text() == lines
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert mendable.run(*SWEEP, "x=5").code == 0, "a dead launch is no obstacle"


@pytest.mark.parametrize("version", ["1.3.8", "1.4.0rc3"])
def test_on_either_hydra(mendable: App, python_with_hydra: Any, version: str) -> None:
    mendable.python = python_with_hydra(version)
    assert mendable.run(*SWEEP, "x=range(5)", *JOBLIB).code != 0
    mendable.write("mended", "")
    done = command(mendable, "resume", "multirun/s")
    assert done.code == 0, done.text
    assert table(mendable) == undisturbed(range(5))
    lines = (mendable.directory / "multirun/s/jobs.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["plan"] == [[f"x={x}"] for x in range(5)]
