"""What a job prints is in its console.log and on the terminal, however it is printed and however the job ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import wait_for

from hydra_callbacks import ConsoleCapture
from hydra_callbacks.errors import SettingError

if TYPE_CHECKING:
    from conftest import App

CONSOLE = {"_target_": "hydra_callbacks.ConsoleCapture"}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
LOG = "outputs/*/*/console.log"
QUIET = "hydra/job_logging=disabled"

# The task is what a test writes in the place of TASK.
APP = """
import ctypes, json, multiprocessing, os, signal, subprocess, sys, time
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig

main_args = {} if hydra.__version__ >= "1.4" else {"version_base": None}
if hydra.__version__ >= "1.4":
    main_args["execution_whitelist"] = ["hydra_callbacks.*"]

def say(text):
    print(text, flush=True)

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    TASK

if __name__ == "__main__":
    main()
"""
CRASHES = {
    "exit": ("os._exit(3)", 3),
    "segfault": ("ctypes.string_at(0)", -11),
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", -9),
}


def write(app: App, task: str, *entries: dict[str, Any], more: str = "", **settings: Any) -> None:
    app.write("app.py", APP.replace("TASK", task.strip().replace("\n", "\n    ")))
    app.callbacks({**CONSOLE, **settings}, *(entries or (RECORD,)), more=more)


def run_merged(app: App, *args: str) -> tuple[int, str]:
    """Run it with stdout and stderr in one pipe, as `2>&1 |` does."""
    done = subprocess.run(
        app.command(QUIET, *args),
        cwd=app.directory,
        env=app.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def read(app: App, pattern: str = LOG) -> str:
    return app.one(pattern).read_text(encoding="utf-8")


def is_held(path: Path) -> bool:
    """Tell whether a process has a file open."""
    return any(target(link) == path for link in Path("/proc").glob("[0-9]*/fd/*"))


def target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:  # its process has ended, or is another user's
        return None


def wait_for_relay(app: App, pattern: str = LOG) -> str:
    """Return what a killed job has printed, once nobody writes the file any more."""
    wait_for(lambda: not is_held(app.one(pattern).resolve()))
    return read(app, pattern)


def test_all_that_is_printed_is_there_in_its_order(app: App) -> None:
    write(
        app,
        """
say("print")
os.write(2, b"os.write\\n")
subprocess.run(["sh", "-c", "echo child; echo child-err >&2"])
print("stderr", file=sys.stderr, flush=True)
ctypes.CDLL(None).printf(b"printf\\n")
""",
    )
    code, out = run_merged(app)
    said = "print\nos.write\nchild\nchild-err\nstderr\nprintf\n"
    assert (code, out) == (0, said)
    assert read(app) == said
    assert app.record()["console"] == {"file": "console.log", "bytes": len(said), "lines": 6}


def test_the_two_streams_go_where_they_went(app: App) -> None:
    write(app, 'say("out"); print("err", file=sys.stderr)')
    ran = app.run()
    assert (ran.code, ran.out, ran.err) == (0, "out\n", "err\n")
    assert sorted(read(app).splitlines()) == ["err", "out"]


def test_the_log_is_in_it(app: App) -> None:
    app.callbacks(CONSOLE)
    ran = app.run()
    assert read(app) == ran.out
    assert "[app][INFO] - x is 1" in ran.out


def test_a_progress_bar_is_one_line_and_colours_are_left_out(app: App) -> None:
    write(app, 'for n in range(10_001): print(f"\\r\\x1b[32m{n}/10000\\x1b[0m", end="", flush=True)\nsay("\\nend")')
    code, out = run_merged(app)
    assert (code, out.count("\r")) == (0, 10_001)
    assert read(app) == "10000/10000\nend\n"


def test_of_unlimited_output_the_beginning_and_the_end_are_kept(app: App) -> None:
    write(app, 'for n in range(500_000): print(f"{n:099}")', max_mb=2)
    code, out = run_merged(app)
    assert (code, len(out)) == (0, 50_000_000)
    text = read(app)
    assert len(text) <= 2_000_000
    head, tail = text.split("... 48.0 MB left out ...\n")
    assert out.startswith(head)
    assert out.endswith(tail)
    assert min(len(head), len(tail)) > 990_000
    assert app.record()["console"] == {"file": "console.log", "bytes": 50_000_000, "lines": 500_000, "is_cut": True}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="tells by /proc whether a file is open")
@pytest.mark.parametrize("cause", CRASHES)
def test_a_crash_loses_nothing_that_was_written(app: App, cause: str) -> None:
    crash, code = CRASHES[cause]
    write(app, f'for n in range(20_000): print(n)\nprint("the last", end="", flush=True)\n{crash}')
    ended, out = run_merged(app)
    assert ended == code
    text = wait_for_relay(app)
    assert text == "".join(f"{n}\n" for n in range(20_000)) + "the last\n"
    assert out == text.rstrip()
    assert app.record()["console"] == {"file": "console.log"}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="tells by /proc whether a file is open")
def test_a_job_whose_process_group_is_killed_loses_nothing_either(app: App) -> None:
    write(app, 'say("before")\nPath("ready").touch()\ntime.sleep(60)')
    process = app.start()
    wait_for((app.directory / "ready").exists)
    os.killpg(process.pid, 9)
    out, _ = process.communicate()
    assert (process.returncode, out) == (-9, "before\n")
    assert wait_for_relay(app) == "before\n"


def test_a_child_that_outlives_the_job_is_not_waited_for_and_still_shown(app: App) -> None:
    write(
        app,
        """
say("before")
wait = "while [ ! -e go ]; do sleep 0.05; done; echo late; touch said"
subprocess.Popen(["sh", "-c", wait], start_new_session=True)
""",
    )
    with (app.directory / "out.txt").open("wb") as out:
        subprocess.run(app.command(), cwd=app.directory, env=app.environment(), stdout=out, stderr=out, check=True)
    assert app.record()["console"] == {"file": "console.log", "bytes": 7, "lines": 1}
    (app.directory / "go").touch()
    wait_for((app.directory / "said").exists)
    wait_for(lambda: (app.directory / "out.txt").read_text().endswith("late\n"))
    assert (app.directory / "out.txt").read_text() == "before\nlate\n"
    assert read(app) == "before\n"


def test_ctrl_c_ends_the_job_and_not_what_writes_its_output(app: App) -> None:
    write(
        app,
        """
say("before")
Path(HydraConfig.get().runtime.output_dir, "ready").touch()
try:
    time.sleep(60)
finally:
    say("cleaned up")
""",
    )
    ran = app.interrupt(when="outputs/*/*/ready")
    assert "cleaned up\n" in ran.out
    assert read(app) == "before\ncleaned up\n"
    assert app.record()["status"] == "interrupted"
    assert app.record()["console"]["lines"] == 2


def test_forked_children_print_into_it(app: App) -> None:
    write(
        app,
        """
say("parent")
child = multiprocessing.get_context("fork").Process(target=say, args=("child",))
child.start()
child.join()
say("parent again")
""",
    )
    assert run_merged(app) == (0, "parent\nchild\nparent again\n")
    assert read(app) == "parent\nchild\nparent again\n"


def test_the_application_meets_no_child_that_it_did_not_start(app: App) -> None:
    write(app, "try:\n    say(os.waitpid(-1, 0))\nexcept ChildProcessError:\n    say('none')")
    assert run_merged(app) == (0, "none\n")


def in_terminal(app: App, *args: str) -> str:
    """Run it in a terminal of 101 columns, type "Ada" at its prompt, and return what the terminal was sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    process = subprocess.Popen(
        app.command(QUIET, *args),
        cwd=app.directory,
        env=app.environment({"PYTHONUNBUFFERED": ""}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen, is_asked = b"", False
    deadline = time.monotonic() + 60
    while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # how Linux tells the end of a terminal
            break
        if not part:
            break
        seen += part
        if seen.endswith(b"Name? ") and not is_asked:
            is_asked = True
            fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 88, 0, 0))
            os.write(ours, b"Ada\n")
    os.close(ours)
    assert process.wait() == 0
    return seen.decode()


def test_a_terminal_shows_the_same_byte_for_byte(app: App) -> None:
    write(
        app,
        """
size = os.get_terminal_size()
say([sys.stdout.isatty(), sys.stderr.isatty(), sys.stdin.isatty(), tuple(size), sys.stdout.line_buffering])
print("\\x1b[31mred\\x1b[0m\\ttab")
for n in range(101): print(f"\\r{n:3} %", end="", file=sys.stderr, flush=True)
print(file=sys.stderr)
subprocess.run(["sh", "-c", "test -t 1 && echo child has a terminal; printf 'no end'"])
name = input("\\nName? ")
while os.get_terminal_size() == size: time.sleep(0.01)
say(f"Hello {name}, {tuple(os.get_terminal_size())}")
for n in range(2000): print("many", n)
""",
    )
    with_it = in_terminal(app)
    assert with_it == in_terminal(app, "+hydra.callbacks.c0.enabled=false")
    assert with_it.startswith("[True, True, True, (101, 33), True]\r\n\x1b[31mred\x1b[0m\ttab\r\n\r  0 %\r  1 %")
    assert "\r100 %\r\nchild has a terminal\r\nno end\r\nName? Ada\r\nHello Ada, (88, 44)\r\n" in with_it
    head = "[True, True, True, (101, 33), True]\nred\ttab\n100 %\nchild has a terminal\nno end\nName? Hello Ada"
    assert read(app).startswith(head)
    assert read(app).endswith("many 1999\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_stays_closed(app: App, closed: str) -> None:
    write(app, 'print("out"); sys.stderr and print("err", file=sys.stderr); Path("done").touch()')
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", *app.command(QUIET)]
    done = subprocess.run(command, cwd=app.directory, env=app.environment(), capture_output=True, text=True, check=True)
    said = {">&-": ("", "err\n"), "2>&-": ("out\n", ""), "<&- >&- 2>&-": ("", "")}[closed]
    assert (done.stdout, done.stderr) == said
    assert (app.directory / "done").exists()
    assert read(app) == "".join(said)


def test_who_has_seen_enough_does_not_end_the_job(app: App) -> None:
    write(app, 'for n in range(100_000): print(n)\nPath("done").touch()')
    process = app.start(QUIET)
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 0
    assert read(app).endswith("\n99999\n")


def test_a_full_disk_costs_the_rest_of_the_file_and_nothing_else(app: App) -> None:
    write(app, 'for n in range(50_000): print(f"{n:9}")')
    limited = app.directory.joinpath("app.py").read_text(encoding="utf-8")
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
    app.write("app.py", limit + limited)
    ran = app.run("hydra/job_logging=stdout")
    assert ran.code == 0
    assert ran.out.startswith("".join(f"{n:9}\n" for n in range(50_000)))
    assert ran.out.count("console.log is not complete: File too large") == 1
    assert read(app) == "".join(f"{n:9}\n" for n in range(10_000))
    assert app.record()["console"] == {"file": "console.log", "bytes": 500_000, "lines": 50_000}


@pytest.mark.parametrize(
    "launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]], ids=["basic", "joblib"]
)
def test_each_job_of_a_sweep_has_its_own(app: App, launcher: list[str]) -> None:
    if launcher:
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    write(app, 'subprocess.run(["echo", f"job {cfg.x}"])')
    ran = app.run("-m", "x=1,2,3", *launcher)
    assert ran.code == 0, ran.text
    for number in range(3):
        text = read(app, f"multirun/*/*/{number}/console.log")
        assert text == f"job {number + 1}\n"
        assert app.record(f"multirun/*/*/{number}")["console"]["lines"] == 1
        assert f"job {number + 1}\n" in ran.out
    assert "Launching" in ran.out


def test_secrets_are_shown_and_not_written(app: App) -> None:
    write(
        app,
        """
say(f"password {cfg.db.password}")
print("half of it sword", end="", flush=True)
time.sleep(0.1)
say("fish, and " + os.environ["MY_TOKEN"])
os.environ["LATE_TOKEN"] = "learned-late"
say("learned-late")
raise ValueError(cfg.db.password)
""",
        more="db: {password: swordfish}\n",
    )
    ran = app.run(QUIET, env={"MY_TOKEN": "from-the-environment"})
    assert ran.code == 1
    said = "password {}\nhalf of it {}, and {}\n{}\n"
    assert ran.out == said.format("swordfish", "swordfish", "from-the-environment", "learned-late")
    text = read(app)
    assert text.startswith(said.format(*["<redacted>"] * 4) + "Traceback (most recent call last):\n")
    assert text.endswith("ValueError: <redacted>\n")


def test_what_an_earlier_attempt_printed_is_kept(app: App) -> None:
    write(app, 'say(f"attempt {len(list(Path().glob(\'*.seen\'))) + 1}")\nPath(f"{time.time()}.seen").touch()\n1 / 0')
    for _ in range(2):
        assert app.run(QUIET, "hydra.run.dir=here").code == 1
    assert read(app, "here/console.1.log").startswith("attempt 1\nTraceback")
    assert read(app, "here/console.log").startswith("attempt 2\nTraceback")


def test_a_stream_without_descriptor_is_heard_too(app: App) -> None:
    """As those of a notebook."""
    write(app, 'print("to the notebook"); subprocess.run(["echo", "child"]); print("again")')
    stream = """
import sys
class Notebook:
    def write(self, text):
        with open("notebook.txt", "a") as file:
            return file.write(text)
    def flush(self):
        pass
sys.stdout = Notebook()
"""
    app.write("app.py", stream + app.directory.joinpath("app.py").read_text(encoding="utf-8"))
    ran = app.run(QUIET)
    assert (ran.code, ran.out, ran.err) == (0, "child\n", "")
    assert (app.directory / "notebook.txt").read_text() == "to the notebook\nagain\n"
    assert sorted(read(app).splitlines()) == ["again", "child", "to the notebook"]


def test_without_a_shell_python_streams_are_heard(app: App) -> None:
    write(app, 'print("print"); print("err", file=sys.stderr); subprocess.run(["echo", "child"]); 1 / 0')
    first = "import hydra_callbacks.support.companion as d\nd._SHELL = '/no/shell'\n"
    app.write("app.py", first + app.directory.joinpath("app.py").read_text(encoding="utf-8"))
    ran = app.run(QUIET)
    assert ran.code == 1
    assert sorted(ran.out.split()) == ["child", "print"]
    assert read(app).startswith("print\nerr\nTraceback")
    assert app.record()["console"] == {"file": "console.log", "bytes": 10, "lines": 2}


@pytest.mark.parametrize(("on_error", "code"), [("warn", 0), ("abort", 1)])
def test_a_file_that_cannot_be_made(app: App, on_error: str, code: int) -> None:
    write(app, 'say("the task")', on_error=on_error)
    (app.directory / "here" / "console.log").mkdir(parents=True)
    ran = app.run("hydra.run.dir=here", "hydra/job_logging=stdout")
    assert ran.code == code
    assert ran.text.count("ConsoleCapture.job_started failed") == 1
    assert ("the task\n" in ran.out) is (code == 0)
    assert "console" not in json.loads((app.directory / "here/.hydra/run.json").read_text()) if code == 0 else True


def test_disabled_it_does_nothing(app: App) -> None:
    write(app, "print(*sorted(name for name in sys.modules if '.console' in name))", enabled=False)
    ran = app.run(QUIET)
    assert (ran.code, ran.out) == (0, "hydra_callbacks.callbacks.console_capture\n")
    assert not list(app.directory.glob(LOG))


def test_the_end_of_a_lost_run_is_shown(app: App) -> None:
    write(app, f'for n in range(20): print(f"step {{n}} \\x1b[31mred\\x1b[0m", flush=True)\n{CRASHES["kill"][0]}')
    assert run_merged(app)[0] == -9
    wait_for(lambda: "step 19" in read(app))
    shown = subprocess.run(
        [app.python, "-m", "hydra_callbacks", "show", str(app.one(LOG).parent)],
        cwd=app.directory,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    lines = "".join(f"  step {n} red\n" for n in range(10, 20))
    assert f"\nprinted last\n{lines}" in shown
    assert "step 9 " not in shown


@pytest.mark.parametrize("value", [0, -1, "20", True, float("nan"), float("inf"), None])
def test_a_wrong_limit_is_told(value: Any) -> None:
    with pytest.raises(SettingError, match=re.escape(f"max_mb must be a number of MB, at least 0.001, got {value!r}")):
        ConsoleCapture(max_mb=value)


def test_a_task_that_closes_or_replaces_descriptors_is_left_alone(app: App) -> None:
    write(
        app,
        """
os.closerange(3, 256)
say("closed")
os.dup2(os.open("elsewhere.txt", os.O_WRONLY | os.O_CREAT), 1)
say("elsewhere")
print("err", file=sys.stderr)
""",
        {"_target_": "hydra_callbacks.LogJobReturn"},
    )
    app.write("app.py", app.directory.joinpath("app.py").read_text(encoding="utf-8") + '    say("after")\n')
    ran = app.run(QUIET)
    assert (ran.code, ran.out) == (0, "closed\n")
    assert (app.directory / "elsewhere.txt").read_text() == "elsewhere\nafter\n"
    wait_for(lambda: sorted(read(app).splitlines())[:2] == ["closed", "err"])
