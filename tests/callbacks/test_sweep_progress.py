"""SweepProgress: how a sweep fares, in a terminal and without one, and when it stops."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks import SweepProgress
from hydra_callbacks.errors import SettingError
from hydra_callbacks.runs.sweep import read_sweep

if TYPE_CHECKING:
    from conftest import App

PROGRESS: dict[str, Any] = {"_target_": "hydra_callbacks.SweepProgress"}
RECORD: dict[str, Any] = {"_target_": "hydra_callbacks.RunRecord"}
JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")


@pytest.mark.parametrize(
    "setting",
    [{"fail_fast": 0}, {"fail_fast": True}, {"fail_fast": 1.5}, {"direction": "up"}, {"metric": 1}, {"interval": 0.01}],
)
def test_wrong_settings_are_told(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(setting))):
        SweepProgress(**setting)


def test_it_can_be_sent_to_the_jobs_while_it_looks() -> None:
    callback = SweepProgress()
    callback._follower = object()  # type: ignore[assignment]  # what cannot be pickled
    assert pickle.loads(pickle.dumps(callback))._follower is None  # noqa: S301


@pytest.mark.parametrize("launcher", [(), JOBLIB], ids=["basic", "joblib"])
def test_without_a_terminal_a_line_on_stderr_tells_the_end(app: App, launcher: tuple[str, ...]) -> None:
    app.callbacks({**PROGRESS, "metric": "double"}, RECORD)
    done = app.run("-m", "x=range(4)", "fail_at=2", *launcher)
    (line,) = [line for line in done.err.splitlines() if line.startswith("Sweep: ")]
    assert line == "Sweep: 4 of 4 jobs ended (3 completed, 1 failed), best double 6, job 3: x=3 fail_at=2"
    assert "\x1b" not in done.text


def test_lines_follow_while_jobs_run(app: App) -> None:
    app.callbacks({**PROGRESS, "line_interval": 0.1})
    text = (app.directory / "app.py").read_text()
    waits = "    import time; time.sleep(0.5)\n    return cfg.x"  # longer than from line to line
    app.write("app.py", text.replace("    return cfg.x", waits))
    lines = [line for line in app.run("-m", "x=1,2").err.splitlines() if line.startswith("Sweep: ")]
    assert any("1 running" in line for line in lines)
    assert lines[-1].startswith("Sweep: 2 of 2 jobs ended (2 completed)")


def test_no_line_of_it_reaches_a_log_file(app: App) -> None:
    app.callbacks({**PROGRESS, "line_interval": 0.1})
    app.run("-m", "x=1,2")
    logs = [path.read_text() for path in app.directory.glob("multirun/*/*/*/app.log")]
    assert len(logs) == 2
    assert not any("Sweep" in text for text in logs)


def test_a_single_run_has_no_progress(app: App) -> None:
    app.callbacks(PROGRESS)
    done = app.run()
    assert (done.code, "Sweep:" in done.text) == (0, False)


@pytest.mark.parametrize(("fail_fast", "n_failed"), [(1, 1), (2, 2)])
def test_a_number_of_failures_stops_the_sweep(app: App, fail_fast: int, n_failed: int) -> None:
    app.callbacks(RECORD, {**PROGRESS, "fail_fast": fail_fast})
    app.write("app.py", (app.directory / "app.py").read_text().replace("cfg.x == cfg.fail_at", "cfg.x % 2"))
    done = app.run("-m", "x=range(20)")
    assert done.code == 1
    told = "a job has failed" if n_failed == 1 else f"{n_failed} jobs have failed"
    assert f"The sweep stops: {told} (fail_fast: {fail_fast}). To go on with it: hydra-callbacks resume" in done.out
    counts = read_sweep(app.one("multirun/*/*")).counts()
    assert counts == {"completed": n_failed, "failed": n_failed, "missing": 20 - 2 * n_failed}
    assert len(list(app.directory.glob("multirun/*/*/*/.hydra/run.json"))) == 2 * n_failed, "a job that never ran"


def test_jobs_that_run_when_the_sweep_stops_come_to_their_end(app: App) -> None:
    app.callbacks(RECORD, {**PROGRESS, "fail_fast": 1})
    text = (app.directory / "app.py").read_text()
    begins = (
        "    import time\n"
        "    begun, stop = Path('begun'), Path(HydraConfig.get().runtime.output_dir).parent / '.jobs.stop'\n"
        "    if cfg.x == 0: begun.touch()\n"
        "    while cfg.x == 0 and not stop.exists(): time.sleep(0.01)\n"  # it runs when the sweep is told to stop
        "    while cfg.x == 1 and not begun.exists(): time.sleep(0.01)\n"
    )
    app.write("app.py", text.replace("    logging.getLogger", f"{begins}    logging.getLogger"))
    done = app.run("-m", "x=range(12)", "fail_at=1", *JOBLIB)
    assert done.code == 1
    sweep = read_sweep(app.one("multirun/*/*"))
    states = {job.num: job.status for job in sweep.jobs}
    assert (states[0], states[1]) == ("completed", "failed")
    assert set(states.values()) == {"completed", "failed", "missing"}, "no job was killed"


@pytest.mark.skipif(os.name != "posix", reason="there are no pseudo-terminals")
def test_in_a_terminal_the_panel_stands_below_what_is_printed(app: App) -> None:
    import fcntl  # noqa: PLC0415  (not everywhere)
    import struct  # noqa: PLC0415  (as above)
    import termios  # noqa: PLC0415  (as above)

    app.callbacks({**PROGRESS, "interval": 0.1})
    text = (app.directory / "app.py").read_text()
    prints = "    import time\n    for k in range(6): print('step', cfg.x, k, flush=True); time.sleep(0.1)\n"
    app.write("app.py", text.replace("    return cfg.x", f"{prints}    return cfg.x"))
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**app.environment(), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        app.command("-m", "x=1,2"), cwd=app.directory, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # all have closed it
        pass
    assert process.wait() == 0
    text = shown.decode()
    margins = re.findall(r"\x1b\[1;(\d+)r", text)
    assert set(margins) == {"22"}, "the last two lines are the panel's"
    assert "1/2" in text
    assert text.rfind("\x1b[r") > text.rfind("\x1b[1;22r"), "the terminal has all of its lines again"
    plain = re.sub(r"\x1b7.*?\x1b8|\x1b\[\d+A", "", text, flags=re.DOTALL)
    steps = re.findall(r"^step (\d) (\d)\r$", plain, flags=re.MULTILINE)
    assert steps == [(str(x), str(k)) for x in (1, 2) for k in range(6)], "what the jobs print is whole"
    assert "Sweep: 2 of 2 jobs ended (2 completed)" in plain
