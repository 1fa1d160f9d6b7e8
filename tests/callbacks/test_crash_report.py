"""A task that fails leaves a report; one that was killed is explained by the next reader."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import wait_for

from hydra_callbacks import CrashReport
from hydra_callbacks.errors import SettingError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

RECORD = {"_target_": "hydra_callbacks.RunRecord"}
CRASH = {"_target_": "hydra_callbacks.CrashReport"}
REGISTER = {"_target_": "hydra_callbacks.RegisterRun"}
JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
posix = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")

# Does what `how` says; the names of what it holds are those that people give.
APP = """
import faulthandler, logging, os, signal, subprocess, sys, time
from dataclasses import dataclass
from pathlib import Path
import hydra

main_args = {} if hydra.__version__ >= "1.4" else {"version_base": None}
log = logging.getLogger("app")
SERVICE_TOKEN = "tok-module-000001"

@dataclass
class Connection:
    host: str
    password: str

class Trap:
    def __repr__(self):
        time.sleep(1000)

def step(batch, count):
    connection = Connection("db", "pw-dataclass-000002")
    headers = {"user": "me", "auth": {"api_key": "key-nested-000003"}}
    url = "https://me:pw-url-000004@host/x"
    db_password = "pw-local-000005"  # the line is shown, too
    trap = Trap()
    log.info("connecting with %s to %s", db_password, url)
    if count == 0:
        raise ZeroDivisionError(f"{count} of {db_password} {SERVICE_TOKEN} {headers} {connection}")
    return batch / count

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    how = cfg.get("how", "fail") if cfg.x != 1 or "how" in cfg else "return"
    try:
        if how == "return":
            return
        if how == "fail":
            log.info("starting")
            step([1] * 1000, 0)
        if how == "exit":
            sys.exit(3)
        if how == "exit well":
            sys.exit()
        if how == "interrupt":
            raise KeyboardInterrupt
        if how == "abort":
            os.abort()
        if how == "own fault handler":
            faulthandler.disable()
            os.abort()
        if how == "fork":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
            forked = os.fork()
            if not forked:
                time.sleep(100)
                os._exit(0)
            child.terminate()
            os.kill(forked, signal.SIGTERM)
            Path("children").write_text(f"{child.wait()} {os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1])}")
        if how == "own handler":
            signal.signal(signal.SIGTERM, lambda *_: Path("heard").touch() or sys.exit(0))
        if how in ("wait", "own handler"):
            Path("waits").touch()
            time.sleep(100)
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
    finally:
        Path(f"left-{cfg.x}").touch()

if __name__ == "__main__":
    main()
"""
SECRETS = [
    *("tok-module-000001", "pw-dataclass-000002", "key-nested-000003", "pw-url-000004", "pw-local-000005"),
    *("pw-config-000006", "pw-env-000007", "pw-cmdline-000008"),
]
ENVIRONMENT = {"MY_SECRET": "pw-env-000007"}


def prepare(app: App, *entries: dict[str, Any]) -> None:
    app.write("app.py", APP)
    app.callbacks(*(entries or (RECORD, CRASH)), more="db: {user: me, password: pw-config-000006}\n")


def show(directory: Path) -> str:
    command = [sys.executable, "-m", "hydra_callbacks", "show", str(directory)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, stdin=subprocess.DEVNULL)
    return done.stdout


def test_a_task_that_fails_leaves_a_report_for_people(app: App) -> None:
    prepare(app)
    done = app.run("x=3", env={**ENVIRONMENT, "PYTHONPATH": "src:my lib"})
    assert done.code == 1, done.text
    output_dir = app.one("outputs/*/*")
    text = (output_dir / "crash.txt").read_text(encoding="utf-8")
    assert text.startswith(
        "Crash report: ZeroDivisionError in app\n  app        app\n  overrides  x=3\n  started    20"
    )
    for told in (
        "\nTo run it again:\n",
        "\n  PYTHONPATH='src:my lib' python app.py x=3\n",
        "ZeroDivisionError: 0 of <redacted> <redacted> {",
        "\n\nWhere ZeroDivisionError came from, the innermost line last:\n\n  app.py:",
        " in main\n",
        " in step\n",
        "\n  >    28 |         raise ZeroDivisionError(",
        "\n    batch       = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ... 990 more]\n",
        "\n    count       = 0\n",
        "\n    connection  = Connection(host='db', password=<redacted>)\n",
        "\n    db_password = <redacted>\n",
        "\n    trap        = <Trap>\n",
        "\n\nThe last 2 lines of the log:\n  [20",
        "][app][INFO] - connecting with <redacted> to https://<redacted>@host/x\n",
        "\n\nThe configuration:\n  x: 3\n",
        "\n  db:\n    user: me\n    password: <redacted>\n",
    ):
        assert told in text, told
    assert (
        max(map(len, re.sub(r"(?m)^  (ZeroDiv|directory|python|PYTHONPATH|cd ).*$|.*File .*", "", text).splitlines()))
        <= 120
    )
    crash = app.record()["crash"]
    assert crash["at"] == "app.py:28 in step"
    assert crash["file"] == "crash.txt"
    assert crash["locals"]["headers"] == "{'user': 'me', 'auth': {'api_key': <redacted>}}"
    assert crash["log"][-1].endswith("connecting with <redacted> to https://<redacted>@host/x")
    assert "evidence" not in app.record()
    assert not list(output_dir.glob(".hydra/fault*"))
    told = show(output_dir)
    assert "\ncrash\n  at                  app.py:28 in step\n" in told
    assert "\n  locals.count        0\n" in told
    assert "connecting with" not in told


@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("args", [(), ("-m",), ("-m", *JOBLIB)], ids=["run", "sweep", "joblib"])
def test_no_secret_is_in_anything_that_we_write(app: App, args: tuple[str, ...], order: str) -> None:
    others = (RECORD, {**CRASH, "log_lines": 3})
    prepare(app, REGISTER, *(others if order == "last" else reversed(others)))
    done = app.run(*args, "x=3", "+login.password=pw-cmdline-000008", env=ENVIRONMENT)
    assert done.code == 1, done.text
    hydras_own = {"config.yaml", "hydra.yaml", "overrides.yaml", "multirun.yaml", "app.log"}
    files = [path for path in app.directory.glob("[om]u*/**/*") if path.is_file() and path.name not in hydras_own]
    assert {"crash.txt", "run.json", "register.csv"} <= {path.name for path in files}
    for path in files:
        text = path.read_text(encoding="utf-8")
        found = [secret for secret in SECRETS if any(secret[n : n + 8] in text for n in range(len(secret) - 7))]
        assert not found, path


@pytest.mark.parametrize("launcher", [(), JOBLIB], ids=["basic", "joblib"])
def test_in_a_sweep_the_job_that_fails_has_one(app: App, launcher: tuple[str, ...]) -> None:
    prepare(app)
    done = app.run("-m", "x=1,3", *launcher)
    assert done.code == 1, done.text
    report = app.one("multirun/*/*/*/crash.txt")
    assert report.parent.name == "1"
    text = report.read_text(encoding="utf-8")
    assert f"\n  job        1 of the sweep in {report.parents[1]}\n" in text
    assert "\n  python app.py x=3\n" in text
    assert f'hydra-callbacks resume "{report.parents[1]}"' in text
    assert "starting" in text
    assert app.record("multirun/*/*/1")["crash"]["at"] == "app.py:28 in step"
    assert "crash" not in app.record("multirun/*/*/0")


@pytest.mark.parametrize(
    ("how", "code", "status"),
    [
        ("return", 0, "completed"),
        ("exit", 3, "failed"),
        ("exit well", 0, "completed"),
        ("interrupt", 130, "interrupted"),
    ],
)
def test_what_is_a_crash_and_what_is_none(app: App, how: str, code: int, status: str) -> None:
    prepare(app)
    done = app.run(f"+how='{how}'")
    assert done.code in {code, -signal.SIGINT if code == 130 else code}, done.text
    assert app.record()["status"] == status
    assert len(list(app.directory.glob("outputs/*/*/crash.txt"))) == (status == "failed")
    assert ("crash" in app.record()) == (status == "failed")
    assert "evidence" not in app.record()
    assert not list(app.directory.glob("outputs/*/*/.hydra/fault.log"))


def test_a_run_that_another_callback_refused_has_not_crashed(app: App) -> None:
    prepare(app, CRASH, {"_target_": "hydra_callbacks.GitInfo", "clean": True})
    assert app.run().code == 1
    assert not list(app.directory.glob("**/crash.txt"))


def test_disabled_or_asked_for_less_it_tells_less(app: App) -> None:
    prepare(app, RECORD, {**CRASH, "enabled": False})
    assert app.run("x=3", "hydra.run.dir=off").code == 1
    assert "crash" not in app.record("off")
    assert not list(app.directory.glob("off/**/*crash*"))
    prepare(app, RECORD, {**CRASH, "locals": False, "log_lines": 0})
    assert app.run("x=3", "hydra.run.dir=less").code == 1
    assert app.record("less")["crash"] == {"at": "app.py:28 in step", "file": "crash.txt"}
    text = (app.directory / "less" / "crash.txt").read_text(encoding="utf-8")
    assert "raise ZeroDivisionError" in text
    assert "lines of the log" not in text
    assert " = 0\n" not in text


def test_the_report_of_an_earlier_attempt_goes_and_a_file_of_the_users_own_stays(app: App) -> None:
    prepare(app)
    report = app.directory / "out" / "crash.txt"
    assert app.run("x=3", "hydra.run.dir=out").code == 1
    assert report.exists()
    assert app.run("x=1", "hydra.run.dir=out").code == 0
    assert not report.exists()
    assert "crash" not in app.record("out")
    report.write_text("my own crash test")
    assert app.run("x=1", "hydra.run.dir=out").code == 0
    assert report.read_text() == "my own crash test"


def test_a_report_that_cannot_be_written_costs_nothing_else(app: App) -> None:
    prepare(app)
    (app.directory / "out" / "crash.txt").mkdir(parents=True)
    done = app.run("x=3", "hydra.run.dir=out")
    assert done.code == 1
    assert done.out.count("CrashReport.job_started failed; the run goes on") <= 1
    assert done.out.count("CrashReport.job_ended failed; the run goes on") == 1
    seen = app.record("out")
    assert (seen["status"], seen["error"]["type"]) == ("failed", "ZeroDivisionError")
    assert "file" not in seen["crash"]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"locals": "no"}, "locals must be true or false, got 'no'"),
        ({"log_lines": -1}, "log_lines must be a whole number, at least 0, got -1"),
        ({"log_lines": True}, "log_lines must be a whole number, at least 0, got True"),
        ({"on_sigterm": 15}, "on_sigterm must be true or false, got 15"),
    ],
)
def test_a_wrong_setting_is_named(setting: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        CrashReport(**setting)


# What is killed


@posix
def test_a_fault_in_compiled_code_is_shown_by_the_next_reader(app: App) -> None:
    prepare(app)
    assert app.run("+how=abort").code == -signal.SIGABRT
    output_dir = app.one("outputs/*/*")
    assert app.record()["status"] == "running"
    told = show(output_dir)
    assert "\n  Its process is gone: it died of a fault in compiled code (Fatal Python error: Aborted)\n" in told
    assert '  File "' in told.partition("most recent call first")[2]


@posix
def test_a_process_that_was_killed_is_explained_by_the_next_reader(app: App) -> None:
    prepare(app)
    assert app.run("-m", "+how=kill").code == -signal.SIGKILL
    sweep = app.one("multirun/*/*")
    assert "\n  Its process is gone: it was killed by a signal (SIGKILL" in show(sweep / "0")
    command = [sys.executable, "-m", "hydra_callbacks", "watch", str(sweep), "--once"]
    environment = app.environment({"COLUMNS": "200"})
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=environment)
    assert "job 0: lost: it was killed by a signal (SIGKILL" in done.stdout


def terminate(app: App, *args: str, n_times: int = 1) -> tuple[int, str]:
    """Run it, and tell it to end once it waits; return its exit status and what it printed."""
    process = app.start(*args)
    wait_for(lambda: (app.directory / "waits").exists() or process.poll() is not None)
    for _ in range(n_times):
        process.terminate()
    out, err = process.communicate(timeout=30)
    return process.returncode, out + err


@posix
@pytest.mark.parametrize("n_times", [1, 3])
@pytest.mark.parametrize("args", [(), ("-m",)], ids=["run", "sweep"])
def test_sigterm_ends_a_run_in_order_and_then_the_process(app: App, args: tuple[str, ...], n_times: int) -> None:
    prepare(app, REGISTER, RECORD, CRASH)
    code, printed = terminate(app, *args, "+how=wait", n_times=n_times)
    assert code == -signal.SIGTERM, printed
    seen = app.record("multirun/*/*/0" if args else "outputs/*/*")
    assert (seen["status"], seen["error"]["type"], seen["error"]["message"]) == (
        *("interrupted", "Terminated"),
        "killed by SIGTERM",
    )
    assert (app.directory / "left-1").exists()
    assert printed.count("The process was told to end (SIGTERM)") == 1
    rows = app.one("multiruns/register.csv" if args else "outputs/register.csv").read_text().splitlines()
    assert len(rows) == 2
    assert "interrupted" in rows[1]
    if args:
        ends = app.one("multirun/*/*/jobs.jsonl").read_text().splitlines()[-2:]
        assert all('"status":"interrupted"' in end for end in ends)


@posix
def test_sigterm_ends_a_sweep_of_joblib_and_it_can_be_resumed(app: App) -> None:
    prepare(app)
    code, printed = terminate(app, "-m", "+how=wait", "x=1,2", *JOBLIB)
    assert code == -signal.SIGTERM, printed
    journal = app.one("multirun/*/*/jobs.jsonl").read_text().splitlines()
    assert '"launch":"ended"' in journal[-1]
    assert '"status":"interrupted"' in journal[-1]


@posix
def test_the_system_or_the_application_handles_sigterm_where_they_are_to(app: App) -> None:
    prepare(app, RECORD, {**CRASH, "on_sigterm": False})
    assert terminate(app, "+how=wait", "hydra.run.dir=off")[0] == -signal.SIGTERM
    assert app.record("off")["status"] == "running"
    assert not (app.directory / "left-1").exists()
    (app.directory / "waits").unlink()
    prepare(app)
    assert terminate(app, "+how='own handler'", "hydra.run.dir=own")[0] == 0
    assert (app.directory / "heard").exists()
    assert app.record("own")["status"] == "completed"


@posix
def test_children_of_the_task_die_of_sigterm_as_ever(app: App) -> None:
    prepare(app)
    done = app.run("+how=fork")
    assert done.code == 0, done.text
    assert (app.directory / "children").read_text() == f"{-signal.SIGTERM} {-signal.SIGTERM}"
    assert app.record()["status"] == "completed"


@posix
def test_after_the_run_sigterm_is_the_systems_again(app: App) -> None:
    after = "    import signal\n    print('default again:', signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)\n"
    app.write("app.py", APP.rstrip() + "\n" + after)
    app.callbacks(RECORD, CRASH)
    assert "default again: True" in app.run("+how=return").out
    assert "default again: True" in app.run("-m", "+how=return", "x=1,2").out
