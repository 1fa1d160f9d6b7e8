"""EnvironmentInfo: each job's record leads to what its environment was, and no secret gets there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from conftest import PLAIN_APP, wait_for

from hydra_callbacks import EnvironmentInfo
from hydra_callbacks.errors import SettingError

if TYPE_CHECKING:
    from conftest import App

INFO: dict[str, Any] = {"_target_": "hydra_callbacks.EnvironmentInfo"}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
PASSWORD = "correct-horse-battery-staple"  # noqa: S105  (a test's, as those below)
TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"  # noqa: S105  (made up)
KEY = "sk-proj-4f3a9b8c7d6e5f40"
AT_WORK = "    Path('at-work').touch()\n    import time\n    time.sleep(600)\n"


def environment(app: App, job: str = "outputs/*/*") -> dict[str, Any]:
    """Return the file that a job's record names."""
    directory = app.one(f"{job}/.hydra").parent
    told: dict[str, Any] = json.loads((directory / app.record(job)["environment"]["file"]).read_text(encoding="utf-8"))
    return told


def reader(app: App, *words: str) -> str:
    """Run `hydra-callbacks` where the application is, and return what it prints."""
    command = [sys.executable, "-m", "hydra_callbacks", *words]
    env = app.environment({"PYTHONIOENCODING": "utf-8"})
    done = subprocess.run(command, cwd=app.directory, env=env, capture_output=True, encoding="utf-8", check=True)
    return done.stdout


def files(app: App) -> list[str]:
    """Return the names of the files that the jobs of a sweep share."""
    return sorted(path.name for path in app.directory.glob("multirun/*/*/.provenance/*"))


def text_of_all_written(app: App) -> bytes:
    """Return what is in every file but Hydra's own, which are YAML, and the application's log."""
    found = [path for folder in ("outputs", "multirun") for path in app.directory.glob(f"{folder}/**/*")]
    ours = [path for path in found if path.is_file() and path.suffix not in {".yaml", ".log"}]
    assert any(path.name == "environment.json" for path in ours)
    return b"\n".join(path.read_bytes() for path in ours)


def test_a_single_run_keeps_it_beside_its_record(app: App) -> None:
    app.callbacks(INFO, RECORD)
    app.write("requirements.txt", "numpy==2.0.0\n")
    done = app.run("x=3", env={"OMP_NUM_THREADS": "4", "CUDA_VISIBLE_DEVICES": "1", "SLURM_JOB_ID": "7"})
    assert done.code == 0, done.text
    section = app.record()["environment"]
    assert section["python"] == sys.version.split()[0]
    assert section["hydra"] == version("hydra-core")
    assert section["file"] == ".hydra/environment.json"
    assert section["variables"] | {"OMP_NUM_THREADS": "4", "CUDA_VISIBLE_DEVICES": "1"} == section["variables"]
    assert section["slurm"] == {"job_id": "7"}
    told = environment(app)
    assert told["packages"]["hydra-core"] == version("hydra-core")
    assert told["origins"]["hydra-callbacks"]["editable"] is True
    assert told["argv"] == ["app.py", "x=3"]
    assert told["command"][1:] == ["app.py", "x=3"]
    assert [lock["file"] for lock in told["lock_files"]] == ["requirements.txt"]
    assert told["python"]["executable"] == sys.executable
    assert {"os", "cpu", "memory", "host", "variables", "captured_at"} <= told.keys()
    assert "problems" not in told
    assert len(list(app.directory.rglob("environment*.json"))) == 1


def test_it_is_beside_the_record_also_when_hydra_keeps_no_folder(app: App) -> None:
    app.callbacks(INFO, RECORD)
    assert app.run("hydra.output_subdir=null", "hydra.run.dir=outputs/a/b").code == 0
    record = json.loads((app.directory / "outputs/a/b/run.json").read_text(encoding="utf-8"))
    assert record["environment"]["file"] == "environment.json"
    assert json.loads((app.directory / "outputs/a/b/environment.json").read_text(encoding="utf-8"))["packages"]


@pytest.mark.parametrize("launcher", [[], JOBLIB], ids=["basic", "joblib"])
@pytest.mark.parametrize("subdir", ["${hydra.job.num}", "deep/${x}"])
def test_a_sweep_has_one_file_and_each_job_leads_to_it(app: App, launcher: list[str], subdir: str) -> None:
    app.callbacks(RECORD, INFO)
    done = app.run("-m", "x=1,2,3", *launcher, f"hydra.sweep.subdir={subdir}", env={"SLURM_JOB_ID": "7"})
    assert done.code == 0, done.text
    assert files(app) == ["environment.json"]
    jobs = [path.parent.parent for path in app.directory.glob("multirun/*/*/**/.hydra/run.json")]
    assert len(jobs) == 3
    for job in jobs:
        section = json.loads((job / ".hydra/run.json").read_text(encoding="utf-8"))["environment"]
        assert (job / section["file"]).resolve() == app.one("multirun/*/*/.provenance/environment.json").resolve()
        assert section["slurm"] == {"job_id": "7"}
        assert "packages" not in section
    told = json.loads(app.one("multirun/*/*/.provenance/environment.json").read_text(encoding="utf-8"))
    assert told["argv"][:3] == ["app.py", "-m", "x=1,2,3"], "of the launching process"


def test_jobs_with_another_python_have_a_file_of_their_own(app: App) -> None:
    app.write("recorder.py", "")
    elsewhere = (
        "import os, sys\nfrom hydra_callbacks import RunCallback\n"
        "class Elsewhere(RunCallback):\n"
        "    def launch_started(self, launch): self.pid = os.getpid()\n"
        "    def job_started(self, job):\n"
        "        if os.getpid() != self.pid: sys.prefix = '/elsewhere'\n"
    )
    app.write("recorder.py", elsewhere)
    app.callbacks({"_target_": "recorder.Elsewhere"}, INFO, RECORD)
    done = app.run("-m", "x=1,2,3,4", *JOBLIB, env={"PYTHONPATH": "."})
    assert done.code == 0, done.text
    first, other = sorted(files(app), key=len)
    assert first == "environment.json"
    assert other.startswith("environment-")
    for number in range(4):
        assert app.record(f"multirun/*/*/{number}")["environment"]["file"] == f"../.provenance/{other}"
        assert environment(app, f"multirun/*/*/{number}")["python"]["prefix"] == "/elsewhere"


def test_a_sweep_that_is_resumed_leaves_the_file_of_its_first_launch(app: App) -> None:
    app.callbacks(INFO, RECORD)
    words = ["hydra.sweep.dir=multirun/a/b", "hydra.sweep.subdir=x${x}"]
    assert app.run("-m", "x=1,2", *words).code == 0
    before = app.one("multirun/a/b/.provenance/environment.json").read_bytes()
    assert app.run("-m", "x=2,3", *words).code == 0
    assert files(app) == ["environment-2.json", "environment.json"]
    assert app.one("multirun/a/b/.provenance/environment.json").read_bytes() == before
    named = {x: app.record(f"multirun/a/b/x{x}")["environment"]["file"].rpartition("/")[2] for x in (1, 2, 3)}
    assert named == {1: "environment.json", 2: "environment-2.json", 3: "environment-2.json"}


@pytest.mark.parametrize("mode", [[], ["-m", "+y=1,2"], ["-m", "+y=1,2", *JOBLIB]], ids=["run", "sweep", "joblib"])
def test_secrets_are_in_no_file(app: App, mode: list[str]) -> None:
    app.callbacks({**INFO, "variables": ["*"]}, RECORD, more="db: {password: null}\nurl: ''\nnote: ''\n")
    secret = {
        "WANDB_API_KEY": KEY,
        "DATABASE": f"postgresql://me:{PASSWORD}@example.org:5432/db",
        "PIP_INDEX_URL": f"https://{TOKEN}@example.org/simple",
        "SETTINGS": f'{{"api_key": "{KEY}", "more": [1]}}',
        "COPY": f"as {KEY}",
    }
    words = [f"db.password={PASSWORD}", f"url=https://me:{TOKEN}@example.org", f"note={PASSWORD}"]
    done = app.run(*mode, *words, env=secret)
    assert done.code == 0, done.text
    written = text_of_all_written(app)
    for name, text in {"password": PASSWORD, "token": TOKEN, "key": KEY}.items():
        assert text.encode() not in written, name
    for name in secret:
        assert name.encode() in written


def test_secrets_among_the_values_of_a_sweep(app: App) -> None:
    app.callbacks(INFO, more="db: {password: null}\nnote: ''\n")
    done = app.run("-m", f"db.password={PASSWORD},{KEY}", f"note=see-{KEY}")
    assert done.code == 0, done.text
    told = json.loads(app.one("multirun/*/*/.provenance/environment.json").read_text(encoding="utf-8"))
    assert told["argv"][2:] == ["db.password=<redacted>", "note=see-<redacted>"]


@pytest.mark.skipif(sys.platform == "win32", reason="the signal is POSIX's")
@pytest.mark.parametrize("mode", [[], ["-m", "x=1,2"], ["-m", "x=1,2", *JOBLIB]], ids=["run", "sweep", "joblib"])
def test_a_job_that_is_killed_leaves_it(app: App, mode: list[str]) -> None:
    app.write("app.py", PLAIN_APP.replace("    if cfg.x ==", f"{AT_WORK}    if cfg.x =="))
    app.callbacks(INFO, RECORD)
    process = app.start(*mode)
    pattern = "multirun/*/*/.provenance/environment.json" if mode else "outputs/*/*/.hydra/environment.json"
    job = "multirun/*/*/0" if mode else "outputs/*/*"
    wait_for(lambda: all(map(list, map(app.directory.glob, ["at-work", pattern, f"{job}/.hydra/run.json"]))))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert app.record(job)["status"] == "running"
    assert environment(app, job)["packages"]["hydra-core"] == version("hydra-core")
    folder = app.one(f"{job}/.hydra").parent
    shown = reader(app, "show", str(folder))
    assert "n_packages" in shown


@pytest.mark.parametrize("mode", [[], ["-m", "x=1,2"], ["-m", "x=1,2", *JOBLIB]], ids=["run", "sweep", "joblib"])
def test_where_it_cannot_be_written_the_run_goes_on(app: App, mode: list[str]) -> None:
    app.callbacks(INFO, RECORD)
    for folder in ("outputs/a/.hydra/environment.json", "multirun/a/.provenance/environment.json"):
        if bool(mode) == folder.startswith("multirun"):
            app.write(f"{folder}/in/the/way", "") if not mode else app.write("multirun/a/.provenance", "in the way")
    done = app.run(*mode, "hydra.run.dir=outputs/a", "hydra.sweep.dir=multirun/a")
    assert done.code == 0, done.text
    event = "launch_ended" if mode else "job_ended"
    assert done.out.count(f"EnvironmentInfo.{event} failed; the run goes on") == 1
    assert app.record("multirun/a/1" if mode else "outputs/a")["status"] == "completed"
    app.callbacks({**INFO, "on_error": "abort"}, RECORD)
    assert app.run(*mode, "hydra.run.dir=outputs/a", "hydra.sweep.dir=multirun/a").code == 1


def test_a_launch_that_is_refused_leaves_no_half_written_file(app: App) -> None:
    app.callbacks(INFO, {"_target_": "hydra_callbacks.GitInfo", "clean": True})
    done = app.run("-m", "x=1,2")
    assert done.code == 1
    assert "No clean git repository" in done.out
    assert not list(app.directory.rglob(".*tmp"))


def test_without_packages_and_switched_off(app: App) -> None:
    app.callbacks({**INFO, "packages": False, "variables": []}, RECORD)
    assert app.run("hydra.run.dir=outputs/a/b").code == 0
    assert not {"packages", "origins", "variables"} & environment(app).keys()
    app.callbacks({**INFO, "enabled": False}, RECORD)
    assert app.run("hydra.run.dir=outputs/off").code == 0
    assert "environment" not in app.record("outputs/off")
    assert not list((app.directory / "outputs/off").rglob("environment*"))


def test_show_and_diff_read_it_wherever_the_runs_are_moved(app: App) -> None:
    app.callbacks(INFO, RECORD)
    app.write("uv.lock", "one")
    assert app.run("hydra.run.dir=outputs/first", env={"OMP_NUM_THREADS": "1", "SLURM_JOB_ID": "7"}).code == 0
    app.write("uv.lock", "other")
    site = app.write("site/made_up-1.5.dist-info/METADATA", "Name: made-up\nVersion: 1.5\n\n").parents[1]
    variables = {"OMP_NUM_THREADS": "8", "SLURM_JOB_ID": "8", "PYTHONPATH": str(site)}
    assert app.run("-m", "x=1", "hydra.sweep.dir=multirun/a", env=variables).code == 0
    (app.directory / "multirun").rename(app.directory / "moved")

    done = reader(app, "diff", "outputs/first", "moved/a/0", "--format", "json")
    rows = {(row["section"], row["key"]): [*row.values()][2:] for row in json.loads(done)}
    locks = rows.pop(("environment", "lock_files.uv.lock"))
    assert [len(digest) for digest in locks] == [12, 12]
    del rows["overrides", "x"]
    assert rows == {
        ("environment", "variables.OMP_NUM_THREADS"): ["1", "8"],
        ("environment", "variables.PYTHONPATH"): [None, str(site)],
        ("packages", "made-up"): [None, "1.5"],
    }
    shown = reader(app, "show", "moved/a/0")
    told = dict(line.split(maxsplit=1) for line in shown.partition("\nenvironment\n")[2].splitlines())
    assert told["variables.OMP_NUM_THREADS"] == told["slurm.job_id"] == "8"
    assert told["memory.total_bytes"].endswith("iB")
    assert int(told["n_packages"]) > len(told)


def test_wrong_settings_stop_the_run(app: App) -> None:
    with pytest.raises(SettingError, match="variables must be a list of names, got 'OMP_NUM_THREADS'"):
        EnvironmentInfo(variables="OMP_NUM_THREADS")
    with pytest.raises(SettingError, match="packages must be true or false, got 1"):
        EnvironmentInfo(packages=1)  # type: ignore[arg-type]
    app.callbacks({**INFO, "variables": [1]})
    done = app.run()
    assert done.code == 1
    assert "variables must be a list of names" in done.text


def test_jobs_of_ray_tell_which_they_are(app: App, python_with_launchers: str) -> None:
    app.python = python_with_launchers
    app.callbacks(INFO, RECORD)
    done = app.run("-m", "x=1,2", "hydra/launcher=ray")
    assert done.code == 0, done.text
    told = [app.record(f"multirun/*/*/{number}")["environment"]["ray"] for number in (0, 1)]
    assert all({"job_id", "node_id", "worker_id", "task_id"} == each.keys() for each in told)
    assert told[0]["task_id"] != told[1]["task_id"]
    assert environment(app, "multirun/*/*/0")["packages"]["ray"]
