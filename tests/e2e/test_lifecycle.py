"""Every launch and job that started is ended exactly once, whatever happens, on every Hydra that we promise."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ODD_NAME, App

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VERSIONS = ["1.3.2", "1.3.8", "1.4.0rc3"]
MODES = {
    "run": [],
    "basic": ["-m", "x=0,1,2"],
    "joblib": ["-m", "x=0,1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
}
# When a worker leaves by sys.exit or Ctrl-C, joblib kills the others, which nobody can hear of: none may be at work.
ALONE = {**MODES, "joblib": ["-m", "x=0,1", *MODES["joblib"][2:], "after_job_0=true"]}
ONE_JOB = {**MODES, "joblib": ["-m", "x=0", *MODES["joblib"][2:]]}
ONE_THAT_WAITS = {**MODES, "joblib": ["-m", "x=1", *MODES["joblib"][2:]]}

RECORDER = '''
import json, os
from hydra_callbacks import RunAborted, RunCallback

class Recorder(RunCallback):
    """Writes down each event; raises in one of them when asked to."""

    def __init__(self, name, raise_in="", abort_in="", **kwargs):
        super().__init__(**kwargs)
        self.name, self.raise_in, self.abort_in = name, raise_in, abort_in

    def note(self, event, what, **more):
        line = json.dumps({"callback": self.name, "event": event, "what": what, **more}) + "\\n"
        fd = os.open(os.environ["EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(fd, line.encode())
        os.close(fd)
        if event == self.raise_in:
            raise RuntimeError(f"trouble in {event}")
        if event == self.abort_in:
            raise RunAborted("not today; come again tomorrow")

    def launch_started(self, launch):
        self.note("launch_started", "launch", app=launch.app, output_dir=str(launch.output_dir))

    def job_started(self, job):
        self.note("job_started", job.num, output_dir=str(job.output_dir), attempt=job.attempt)

    def job_ended(self, job, outcome):
        self.note("job_ended", job.num, status=outcome.status, error=repr(outcome.error), seconds=outcome.duration_s)

    def launch_ended(self, launch, outcome):
        self.note("launch_ended", "launch", status=outcome.status, error=repr(outcome.error),
                  output_dir=str(launch.output_dir), seconds=outcome.duration_s)
'''

TASK = """
import os, sys, time
from pathlib import Path
import hydra

main_args = {} if hydra.__version__ >= "1.4" else {"version_base": None}
if hydra.__version__ >= "1.4":
    main_args["execution_whitelist"] = ["hydra_callbacks.*", "recorder.*"]

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    if cfg.x != 1:
        return cfg.x
    if cfg.after_job_0:  # its worker is killed when this one leaves
        while '"first", "event": "job_ended", "what": 0' not in Path(os.environ["EVENTS"]).read_text():
            time.sleep(0.01)
    if cfg.how == "raise":
        raise ValueError("boo")
    if cfg.how == "exit0":
        sys.exit(0)
    if cfg.how == "exit3":
        sys.exit(3)
    if cfg.how == "wait":
        Path("waiting").touch()
        time.sleep(120)
    return cfg.x

if __name__ == "__main__":
    main()
"""


@pytest.fixture(params=VERSIONS)
def recorded(request: pytest.FixtureRequest, tmp_path: Path, python_with_hydra: Callable[[str], str]) -> App:
    return recorded_app(tmp_path, python_with_hydra(request.param))


def recorded_app(tmp_path: Path, python: str = sys.executable) -> App:
    app = App(tmp_path / ODD_NAME, python)
    app.write("app.py", TASK)
    app.write("recorder.py", RECORDER)
    with_two(app)
    return app


def with_two(app: App, **second: Any) -> None:
    recorders = [
        {"_target_": "recorder.Recorder", "name": "first"},
        {"_target_": "recorder.Recorder", "name": "second", **second},
        {"_target_": "recorder.Recorder", "name": "off", "enabled": False},
    ]
    app.callbacks(*recorders, more="how: return\nafter_job_0: false\n")


def events(app: App) -> list[dict[str, Any]]:
    path = app.directory / "events"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(app: App, mode: str, *args: str, flags: tuple[str, ...] = (), modes: dict[str, list[str]] = MODES) -> Any:
    return app.run(*modes[mode], *args, flags=flags, env={"EVENTS": str(app.directory / "events"), "PYTHONPATH": "."})


def assert_paired(seen: list[dict[str, Any]], callbacks: tuple[str, ...] = ("first", "second")) -> None:
    """Each callback saw each start, and exactly one end of it, in the order that Hydra's page promises."""
    for kind in ("launch", "job"):
        starts = Counter((e["callback"], e["what"]) for e in seen if e["event"] == f"{kind}_started")
        ends = Counter((e["callback"], e["what"]) for e in seen if e["event"] == f"{kind}_ended")
        assert starts == ends
        assert set(starts.values()) == {1}
        assert {name for name, _ in starts} == set(callbacks)
        for what in {what for _, what in starts}:
            order = [e["callback"] for e in seen if e["what"] == what and e["event"] == f"{kind}_started"]
            assert order == list(callbacks)
            order = [e["callback"] for e in seen if e["what"] == what and e["event"] == f"{kind}_ended"]
            assert order == list(reversed(callbacks))


def outcomes(seen: list[dict[str, Any]]) -> dict[Any, str]:
    """Return job number, or "launch", to status."""
    return {e["what"]: e["status"] for e in seen if e["event"].endswith("_ended")}


# how the task ends: exit status, job's status, launch's status in a run, launch's status in a sweep
TABLE = {
    "return": (0, "completed", "completed", "completed"),
    "raise": (1, "failed", "failed", "failed"),
    "exit0": (0, "completed", "completed", "interrupted"),
    "exit3": (3, "failed", "failed", "failed"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", TABLE)
def test_each_start_has_one_end(recorded: App, mode: str, how: str) -> None:
    code, job, single, sweep = TABLE[how]
    done = run(recorded, mode, f"how={how}", modes=ALONE if how.startswith("exit") else MODES)
    seen = events(recorded)
    assert done.code == code, done.text
    assert_paired(seen)
    assert outcomes(seen)["launch"] == (single if mode == "run" else sweep)
    assert outcomes(seen)[0 if mode == "run" else 1] == job
    if how in {"return", "raise"} and mode != "run":
        assert outcomes(seen) == {0: "completed", 1: job, 2: "completed", "launch": sweep}
    error = next(e["error"] for e in seen if e["event"] == "launch_ended")
    assert (
        error
        == {"return": "None", "raise": "ValueError('boo')", "exit0": "SystemExit(0)", "exit3": "SystemExit(3)"}[how]
    )
    assert all(e["seconds"] >= 0 for e in seen if e["event"].endswith("_ended"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to send SIGINT to")
@pytest.mark.parametrize("mode", MODES)
def test_ctrl_c_ends_what_started(recorded: App, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS", str(recorded.directory / "events"))
    monkeypatch.setenv("PYTHONPATH", ".")
    done = recorded.interrupt(*ONE_THAT_WAITS[mode], "how=wait", when="waiting")
    seen = events(recorded)
    assert done.code == -2, done.text
    assert outcomes(seen)["launch"] == "interrupted"
    if mode == "joblib":  # it kills its workers at once, which may be before both callbacks were told there
        ended = [(e["callback"], e["what"]) for e in seen if e["event"] == "job_ended"]
        assert ended in ([], [("second", 0)], [("second", 0), ("first", 0)])
        seen = [e for e in seen if e["what"] == "launch"]
        assert [(e["callback"], e["event"]) for e in seen] == [
            *(("first", "launch_started"), ("second", "launch_started")),
            *(("second", "launch_ended"), ("first", "launch_ended")),
        ]
        return
    assert_paired(seen)
    assert outcomes(seen)[1 if mode == "basic" else 0] == "interrupted"


@pytest.mark.parametrize("event", ["launch_started", "job_started", "job_ended", "launch_ended"])
@pytest.mark.parametrize("mode", MODES)
def test_a_failing_callback_costs_nothing_and_is_told_once(recorded: App, mode: str, event: str) -> None:
    with_two(recorded, raise_in=event)
    done = run(recorded, mode)
    seen = events(recorded)
    assert done.code == 0, done.text
    assert_paired(seen)
    assert set(outcomes(seen).values()) == {"completed"}
    logs = "".join(path.read_text() for path in recorded.directory.glob("**/app.log"))
    told = done.text if mode != "joblib" else done.text + logs
    times = 3 if event.startswith("job") and mode != "run" else 1
    assert done.text.count(f"Recorder.{event} failed; the run goes on") == times
    assert done.text.count(f"RuntimeError: trouble in {event}") == times
    assert "Traceback" in told
    assert "Callback Recorder." not in done.text, "Hydra's own one-line warning came too"


@pytest.mark.parametrize("event", ["launch_started", "job_ended"])
def test_a_failing_callback_is_told_once_when_warnings_are_errors(tmp_path: Path, event: str) -> None:
    app = recorded_app(tmp_path)
    with_two(app, raise_in=event)
    done = run(app, "run", flags=("-W", "error"))
    assert done.code == 0, done.text
    assert done.text.count(f"RuntimeError: trouble in {event}") == 1
    assert_paired(events(app))


@pytest.mark.parametrize("event", ["launch_started", "job_started"])
@pytest.mark.parametrize("mode", ["run", "basic"])
def test_aborting_a_start_says_why_and_runs_nothing(recorded: App, mode: str, event: str) -> None:
    with_two(recorded, abort_in=event)
    done = run(recorded, mode, "how=raise")
    assert done.code == 1
    assert done.err == ""
    assert "not today; come again tomorrow" in done.out
    assert done.out.count("not today") == 1
    assert "Traceback" not in done.out
    seen = events(recorded)
    assert not [e for e in seen if e["event"] == "job_ended" and e["callback"] == "second"]
    assert {e["what"]: e["status"] for e in seen if e["callback"] == "first" and e["event"].endswith("_ended")} == (
        {"launch": "failed"} if event == "launch_started" else {0: "failed", "launch": "failed"}
    )


@pytest.mark.parametrize("event", ["launch_started", "job_started", "job_ended", "launch_ended"])
@pytest.mark.parametrize("mode", MODES)
def test_on_error_abort_stops_with_status_1(tmp_path: Path, mode: str, event: str) -> None:
    app = recorded_app(tmp_path)
    with_two(app, raise_in=event, on_error="abort")
    done = run(app, mode, modes=ONE_JOB)
    assert done.code == 1, done.text
    assert done.text.count(f"Recorder.{event} failed") >= 1
    seen = [e for e in events(app) if e["callback"] == "first"]
    assert_paired(seen, ("first",)) if event != "launch_started" else None
    assert sum(e["event"] == "launch_ended" for e in seen) == 1
    if event.endswith("_started"):
        ended = event.replace("_started", "_ended")
        assert not [e for e in events(app) if e["callback"] == "second" and e["event"] == ended]


def test_on_error_abort_leaves_a_failed_run_its_own_error(tmp_path: Path) -> None:
    app = recorded_app(tmp_path)
    with_two(app, raise_in="job_ended", on_error="abort")
    done = run(app, "run", "how=raise")
    assert done.code == 1
    assert "ValueError: boo" in done.err, "the task's own error must still be shown"


def test_a_wrong_setting_stops_the_run_and_names_the_key(tmp_path: Path) -> None:
    app = recorded_app(tmp_path)
    with_two(app, on_error="ignore")
    done = run(app, "run")
    assert done.code == 1
    assert "on_error must be 'warn' or 'abort', got 'ignore'" in done.err
    assert "hydra.callbacks.c1" in done.err
    assert events(app) == []


def test_a_loop_of_ones_own_is_ended_when_the_interpreter_exits(tmp_path: Path) -> None:
    """Neither `hydra.main` nor `run_job` is there to be left: only the exit itself tells."""
    app = recorded_app(tmp_path)
    app.write(
        "app.py",
        "from omegaconf import OmegaConf, open_dict\n"
        "from hydra import compose, initialize\n"
        "from hydra._internal.callbacks import Callbacks\n"
        "with initialize(config_path='conf', version_base=None):\n"
        "    cfg = compose('config', return_hydra_config=True)\n"
        "callbacks = Callbacks(cfg)\n"
        "callbacks.on_multirun_start(config=cfg, config_name='config')\n"
        "raise SystemExit(5)\n",
    )
    done = run(app, "run")
    assert done.code == 5, done.text
    assert outcomes(events(app)) == {"launch": "interrupted"}


def test_a_task_may_clear_and_use_hydra_itself(tmp_path: Path) -> None:
    app = recorded_app(tmp_path)
    clearing = (
        "    from hydra import compose, initialize\n"
        "    from hydra.core.global_hydra import GlobalHydra\n"
        "    from hydra.core.hydra_config import HydraConfig\n"
        "    GlobalHydra.instance().clear()\n"
        "    with initialize(config_path='conf', **main_args if 'version_base' in main_args else {}):\n"
        "        HydraConfig.instance().set_config(compose('config', return_hydra_config=True))\n"
        "    Path('seen').write_text(Path(os.environ['EVENTS']).read_text())\n"
    )
    app.write("app.py", TASK.replace("    if cfg.x != 1:", clearing + "    if cfg.x != 1:"))
    done = run(app, "run")
    assert done.code == 0, done.text
    assert "_ended" not in (app.directory / "seen").read_text(), "the task was still at work"
    assert_paired(events(app))


@pytest.mark.parametrize("leave", ["sys.exit(7)", "raise ValueError('child')", "return 5"])
def test_a_forked_child_ends_nothing(tmp_path: Path, leave: str) -> None:
    app = recorded_app(tmp_path)
    forking = f"    if os.fork() == 0:\n        {leave}\n    os.wait()\n"
    app.write("app.py", TASK.replace("    if cfg.x != 1:", forking + "    if cfg.x != 1:"))
    done = run(app, "run")
    assert done.code == 0, done.text
    assert_paired(events(app))
    assert outcomes(events(app)) == {0: "completed", "launch": "completed"}


def test_an_exception_that_is_false_is_a_failure(tmp_path: Path) -> None:
    app = recorded_app(tmp_path)
    false = "    class False_(Exception):\n        def __len__(self): return 0\n    raise False_\n"
    app.write("app.py", TASK.replace("    if cfg.x != 1:", false + "    if cfg.x != 1:"))
    assert run(app, "run").code == 1
    assert outcomes(events(app)) == {0: "failed", "launch": "failed"}


def test_hydra_zens_launch_is_a_sweep_too_and_a_failed_one_ends_before_the_next(tmp_path: Path) -> None:
    app = recorded_app(tmp_path)
    app.write(
        "app.py",
        "from hydra_zen import launch, make_config\n"
        "def task(cfg):\n"
        "    if cfg.x == 1: raise ValueError('boo')\n"
        "    return cfg.x\n"
        "config = make_config(x=1, hydra={'callbacks': {'c': {'_target_': 'recorder.Recorder', 'name': 'first'}}})\n"
        "try:\n"
        "    launch(config, task, overrides=['x=0,1'], multirun=True, version_base=None)\n"
        "except ValueError: pass\n"
        "(jobs,) = launch(config, task, overrides=['x=4,5'], multirun=True, version_base=None)\n"
        "assert [job.return_value for job in jobs] == [4, 5]\n",
    )
    done = run(app, "run")
    assert done.code == 0, done.text
    seen = events(app)
    assert [(e["event"], e["what"]) for e in seen if e["what"] == "launch"] == [
        *(("launch_started", "launch"), ("launch_ended", "launch")) * 2
    ]
    assert [e["status"] for e in seen if e["event"] == "launch_ended"] == ["interrupted", "completed"]
    assert [e["what"] for e in seen if e["event"] == "job_ended"] == [0, 1, 0, 1]


@pytest.mark.parametrize("mode", MODES)
def test_switching_callbacks_on_changes_nothing_that_the_task_sees(tmp_path: Path, mode: str) -> None:
    """Resolvers that remember, count, draw or exit are called for the record, and the task must not notice."""
    app = App(tmp_path / ODD_NAME)
    app.write(
        "app.py",
        "import os, random, json, sys, hydra\nfrom pathlib import Path\nfrom omegaconf import OmegaConf\n"
        "def register():\n"
        "    add = OmegaConf.register_new_resolver\n"
        "    add('square', lambda x: x * x, use_cache=True, replace=True)\n"
        "    add('env_now', lambda: os.environ.get('SETTING'), use_cache=True, replace=True)\n"
        "    add('draw', lambda: random.random(), replace=True)\n"
        "    add('leave', lambda: sys.exit(9), replace=True)\n"
        "register()\n"
        "@hydra.main(version_base=None, config_path='conf', config_name='config')\n"
        "def main(cfg):\n"
        "    random.seed(cfg.x)\n"
        "    seen = [cfg.x, cfg.sq, cfg.setting, random.random(), cfg.drawn]\n"
        "    Path(f'saw-{cfg.x}-{os.environ[\"WHICH\"]}.json').write_text(json.dumps(seen))\n"
        "if __name__ == '__main__':\n"
        "    random.seed(5)\n"
        "    main()\n",
    )
    app.write(
        "conf/config.yaml",
        "x: 0\nsq: ${square:${x}}\nsetting: ${env_now:}\ndrawn: ${draw:}\nunread: {a: '${leave:}'}\n"
        "hydra: {job: {env_set: {SETTING: from_hydra}}}\n",
    )
    for which, more in (("without", []), ("with", ["hydra/callbacks=default"])):
        done = app.run(*MODES[mode], *more, env={"WHICH": which})
        assert done.code == 0, done.text
    for x in [0] if mode == "run" else [0, 1, 2]:
        without, with_ = (json.loads((app.directory / f"saw-{x}-{w}.json").read_text()) for w in ("without", "with"))
        assert with_ == without
        assert with_[1] == x * x


def test_two_applications_in_one_process_are_told_apart(tmp_path: Path) -> None:
    app = recorded_app(tmp_path)
    app.write("app.py", TASK.replace("    main()", "    main()\n    main()"))
    done = run(app, "run")
    assert done.code == 0, done.text
    seen = events(app)
    assert [e["event"] for e in seen if e["callback"] == "first"] == [
        *("launch_started", "job_started", "job_ended", "launch_ended")
    ] * 2
