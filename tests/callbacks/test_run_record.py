"""RunRecord: what happened in each job can still be told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import PLAIN_APP, wait_for

from hydra_callbacks.runs import record

if TYPE_CHECKING:
    from conftest import App

RECORD = {"_target_": "hydra_callbacks.RunRecord"}


def test_a_single_run_is_recorded_in_full(app: App) -> None:
    app.callbacks(
        RECORD, more="run_note: null\nmissing: ???\nbroken: ${nowhere}\nsame: ${opt.lr}\ndb: {password: swordfish}\n"
    )
    done = app.run("x=3", "+where=mysql://me:pass@host/db")
    assert done.code == 0, done.text
    seen = app.record()
    output_dir = app.one("outputs/*/*")
    assert seen["schema"] == 1
    assert (seen["app"], seen["config_name"], seen["status"], seen["attempt"]) == ("app", "config", "completed", 1)
    assert seen["started_at"] <= seen["ended_at"]
    assert 0 <= seen["duration_s"] < 60
    assert seen["job"] == {"num": 0, "id": "app", "sweep": False}
    assert seen["overrides"] == ["x=3", "+where=mysql://<redacted>@host/db"]
    assert seen["command"] == ["app.py", "x=3", "+where=mysql://<redacted>@host/db"]
    assert seen["config"]["opt"] == {"lr": 0.1, "name": "adam"}
    assert seen["config"]["same"] == 0.1
    assert (seen["config"]["missing"], seen["config"]["broken"]) == ("???", "${nowhere}")
    assert seen["config"]["db"] == {"password": "<redacted>"}
    assert (seen["cwd"], seen["output_dir"]) == (str(app.directory), str(output_dir))
    assert "sweep_dir" not in seen
    assert seen["host"]["pid"] > 0
    assert seen["result"] == {"double": 6, "deep": {"er": "é"}}
    assert "error" not in seen
    assert "swordfish" not in (output_dir / ".hydra" / "run.json").read_text()


@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]])
def test_each_job_of_a_sweep_has_its_own(app: App, launcher: list[str]) -> None:
    app.callbacks(RECORD)
    done = app.run("-m", "x=1,2,3", "fail_at=2", *launcher)
    assert done.code == 1, done.text
    seen = {number: app.record(f"multirun/*/*/{number}") for number in range(3)}
    assert [seen[number]["status"] for number in range(3)] == ["completed", "failed", "completed"]
    assert [seen[number]["job"]["num"] for number in range(3)] == [0, 1, 2]
    assert len({one["id"] for one in seen.values()}) == 3
    assert seen[1]["error"]["type"] == "ValueError"
    assert seen[1]["error"]["message"] == "x must not be 2"
    assert 'raise ValueError(f"x must not be' in seen[1]["error"]["traceback"]
    assert "result" not in seen[1]
    assert seen[2]["sweep_dir"] == str(app.one("multirun/*/*"))
    assert seen[2]["command"][:3] == ["app.py", "-m", "x=1,2,3"], "a worker's own command line is of no use"


def test_what_the_task_returns_is_the_result_without_a_file(app: App) -> None:
    app.callbacks({**RECORD, "result_file": "other.json"})
    assert app.run("x=5").code == 0
    assert app.record()["result"] == {"return_value": 5}


def test_odd_values_are_recorded(app: App) -> None:
    app.write(
        "app.py",
        "import enum, hydra\nfrom dataclasses import dataclass, field\nfrom pathlib import Path\n"
        "from hydra.core.config_store import ConfigStore\nfrom omegaconf import OmegaConf\n"
        "OmegaConf.register_new_resolver('twice', lambda x: 2 * x)\n"
        "OmegaConf.register_new_resolver('bad', lambda: 1 / 0)\n"
        "class Kind(enum.Enum):\n    A = 1\n"
        "@dataclass\nclass Config:\n    kind: Kind = Kind.A\n    path: Path = Path('a')\n    x: int = 2\n"
        "    double: int = '${twice:${x}}'\n    bad: str = '${bad:}'\n"
        "    keys: dict = field(default_factory=lambda: {1: 2})\n"
        "    mixed: list = field(default_factory=lambda: ['${bad:}', '${x}', float('inf')])\n"
        "    raw: bytes = b'\\xff'\n"
        "ConfigStore.instance().store('odd', Config)\n"
        "@hydra.main(version_base=None, config_name='odd')\n"
        "def main(cfg):\n    return {'nan': float('nan'), 'object': object}\n"
        "main()\n",
    )
    done = app.run("+hydra.callbacks.c._target_=hydra_callbacks.RunRecord")
    assert done.code == 0, done.text
    seen = app.record()
    assert seen["config"] == {
        "kind": "A",
        "path": "a",
        "x": 2,
        "double": 4,
        "bad": "${bad:}",
        "keys": {"1": 2},
        "mixed": ["${bad:}", 2, "inf"],
        "raw": "b'\\xff'",
    }
    assert seen["result"] == {"nan": "nan", "object": "<class 'object'>"}


def test_an_error_that_cannot_say_what_it_is(app: App) -> None:
    app.callbacks(RECORD, {"_target_": "hydra_callbacks.RegisterRun"}, {"_target_": "hydra_callbacks.LogJobReturn"})
    rude = "    class Rude(Exception):\n        def __str__(self): raise RuntimeError\n    raise Rude\n"
    app.write("app.py", (app.directory / "app.py").read_text().replace("    return cfg.x\n", rude))
    done = app.run()
    assert done.code == 1
    assert "failed; the run goes on" not in done.out
    assert app.record()["error"]["type"] == "Rude"
    assert app.record()["status"] == "failed"


def test_the_result_of_an_earlier_attempt_is_not_taken_for_this_ones(app: App) -> None:
    app.callbacks(RECORD)
    assert app.run("hydra.run.dir=here").code == 0
    assert app.record("here")["result"]["double"] == 2
    assert app.run("hydra.run.dir=here", "fail_at=1").code == 1
    assert "result" not in app.record("here")


BREAKABLE = '    if Path("broken").exists(): raise ValueError("broken")\n    if cfg.x =='
"""Put in place of `    if cfg.x ==` in the application: it fails while there is a file called broken."""


def test_starting_again_in_the_same_directory_counts_the_attempt(app: App) -> None:
    app.callbacks(RECORD)
    app.write("app.py", (app.directory / "app.py").read_text().replace("    if cfg.x ==", BREAKABLE))
    broken = app.write("broken", "")
    first = app.run("hydra.run.dir=here")
    failed = app.record("here")
    broken.unlink()
    second = app.run("hydra.run.dir=here")
    assert (first.code, second.code) == (1, 0)
    seen = app.record("here")
    assert (failed["status"], seen["status"]) == ("failed", "completed")
    assert (failed["attempt"], seen["attempt"]) == (1, 2)
    assert failed["id"] == seen["id"]
    assert "error" not in seen


@pytest.mark.parametrize("second", [["x=2"], []], ids=["other overrides", "it had completed"])
def test_a_new_run_in_the_same_directory_is_no_second_attempt(app: App, second: list[str]) -> None:
    """As with `hydra.run.dir=.`, which many use: each run is a run of its own in the register."""
    app.callbacks(RECORD, {"_target_": "hydra_callbacks.RegisterRun"})
    assert app.run("hydra.run.dir=here").code == 0
    before = app.record("here")
    assert app.run("hydra.run.dir=here", *second).code == 0
    seen = app.record("here")
    assert seen["id"] != before["id"]
    assert seen["attempt"] == 1
    assert len((app.directory / "outputs/register.csv").read_text().splitlines()) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_job_leaves_a_record_that_says_lost(app: App) -> None:
    app.callbacks(RECORD)
    app.write(
        "app.py",
        (app.directory / "app.py")
        .read_text()
        .replace("    if cfg.x ==", "    import time; time.sleep(100)\n    if cfg.x =="),
    )
    process = app.start()
    wait_for(lambda: list(app.directory.glob("outputs/*/*/.hydra/run.json")))
    seen = app.record()
    assert (seen["status"], record.status(seen)) == ("running", "running")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert record.status(app.record()) == "lost"


@pytest.mark.parametrize(("earlier_s", "is_told"), [(0.5, True), (60.0, False)])
def test_a_run_that_is_given_the_directory_of_one_a_moment_ago_says_so(
    app: App, earlier_s: float, is_told: bool
) -> None:
    app.callbacks(RECORD)
    app.write("app.py", f"import time\ntime.time = lambda now=time.time() - {earlier_s}: now\n{PLAIN_APP}")
    app.run("x=2", "hydra.run.dir=outputs/same")
    then = record.seconds(app.record("outputs/same")["started_at"])
    app.write("app.py", f"import time\ntime.time = lambda: {then + earlier_s}\n{PLAIN_APP}")
    again = app.run("x=3", "hydra.run.dir=outputs/same")
    assert again.code == 0
    told = "was another run's a moment ago (x=2), and its record is replaced: hydra.run.dir="
    assert (told in again.text) is is_told


@pytest.mark.parametrize(
    ("where", "guard", "code"), [("outputs/same", True, 1), ("outputs/same", False, 0), (".", True, 0)]
)
def test_a_run_does_not_start_where_another_one_is_at_work(app: App, where: str, guard: bool, code: int) -> None:
    app.callbacks({**RECORD, "guard": guard})
    waits = "    import time\n    while cfg.x == 1 and not Path('over').exists(): time.sleep(0.01)\n    if cfg.x =="
    app.write("app.py", (app.directory / "app.py").read_text().replace("    if cfg.x ==", waits))
    first = app.start(f"hydra.run.dir={where}")
    file = app.directory / where / ".hydra/run.json"
    wait_for(file.exists)
    second = app.run(f"hydra.run.dir={where}", "x=2")
    told = f"nother process ({first.pid}) is at work in {app.directory / where}"
    assert (second.code, told in second.text) == (code, True)
    if code:
        assert "give this one another hydra.run.dir" in second.text
        seen = json.loads(file.read_text())
        assert (seen["status"], seen["config"]["x"]) == ("running", 1), "the other's record stays as it was"
    app.write("over", "")
    first.communicate()
    assert json.loads(file.read_text())["status"] == "completed"


def test_without_hydras_own_folder_it_lies_in_the_output_directory(app: App) -> None:
    app.callbacks(RECORD)
    assert app.run("hydra.output_subdir=null").code == 0
    assert json.loads(app.one("outputs/*/*/run.json").read_text())["status"] == "completed"


def test_a_record_that_cannot_be_written_costs_nothing(app: App) -> None:
    app.callbacks(RECORD)
    (app.directory / "here" / ".hydra" / "run.json").mkdir(parents=True)
    done = app.run("hydra.run.dir=here")
    assert done.code == 0
    assert "RunRecord.job_started failed; the run goes on" in done.out
    assert (app.directory / "here" / "results.json").exists()


def test_an_application_that_is_a_module_is_recorded_as_one(app: App) -> None:
    app.callbacks(RECORD)
    app.write("my/__init__.py", "")
    text = (app.directory / "app.py").read_text(encoding="utf-8").replace('"conf"', '"../conf"')
    app.write("my/app.py", text)
    done = subprocess.run(
        [app.python, "-m", "my.app", "x=3"], cwd=app.directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert app.record()["command"] == ["-m", "my.app", "x=3"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_disk_that_is_full_at_the_end_is_nobody_elses_failure(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.LatestRunLink"}, RECORD)
    full = (
        "import resource\n    resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))\n    return cfg.x"
    )
    app.write("app.py", PLAIN_APP.replace("return cfg.x", full))
    ran = app.run("hydra.run.dir=one", "hydra/job_logging=stdout")
    assert ran.code == 0
    assert ran.out.count("The end could not be written into the record: ") == 1
    assert "LatestRunLink.job_ended failed" not in ran.text
    assert app.record("one")["status"] == "running"
