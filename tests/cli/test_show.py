"""`hydra-callbacks show`: everything about a run, exact to the letter, whatever is left of it."""

from __future__ import annotations

import io
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, lines, program
from conftest import PLAIN_CONFIG
from run_dirs import GONE, failed, host, job, make_hydra_run, make_run, record, run_id, running, write

from hydra_callbacks.cli import show
from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.resolve import find_run

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

HOST = host(7)["name"]
EVERYTHING: dict[str, Any] = {
    "attempt": 2,
    "job": job(3),
    "overrides": ["lr=0.1", "opt.name='a b'"],
    "config": {"lr": 0.1, "warmup_s": 90, "opt": {"name": "a b", "betas": [0.9, 0.999]}, "note": None},
    "command": ["train.py", "-m", "lr=0.1,1", "opt.name='a b'"],
    "host": {**host(7), "slurm_job_id": "4711"},
    "git": {"sha": "1234567890" * 4, "branch": "main", "is_dirty": True, "remote": "git@example.org:me/project.git"},
    "environment": {"python": "3.11.7", "packages": "packages.txt"},
    "resources": {"cpu_s": 81.5, "peak_rss_bytes": 512 * 2**20, "mean_cpu_percent": 99.6},
    "timers": {"load": 0.25},
    "result": {"accuracy": 0.9123456789, "epochs": 12, "deep": {"er": "é"}},
    "later": {"key": [1]},
}
LONG = "the learning rate must lie between 0 and 1, and not be what was given, which is 1\nsecond line"


def shown(name: str, *, width: int = 80, where: str | None = None) -> str:
    out = io.StringIO()
    show.run(find_run(name, where), out, width=width)
    return lines(out.getvalue())


@pytest.mark.parametrize("width", [80, 160])
def test_everything_about_a_run(here: Path, width: int) -> None:
    make_run(here / "run", 1, **EVERYTHING)
    assert shown("run", width=width) == (
        "✓ completed   run\n"
        "\n"
        "  app        train, job 3 of its sweep, attempt 2\n"
        "  started    2026-11-22 10:01:00, took 12.5 s\n"
        "  id         019a0001-0000-7000-8000-000000000000\n"
        "  overrides  lr=0.1 \"opt.name='a b'\"\n"
        "  command    train.py -m lr=0.1,1 \"opt.name='a b'\"\n"
        "  in         /home/me/project\n"
        "  git        1234567890123456789012345678901234567890, main, dirty\n"
        f"  host       {HOST}, process 7, user me, Slurm job 4711\n"
        "\n"
        "result\n"
        "  accuracy  0.912346\n"
        "  epochs    12\n"
        "  deep.er   é\n"
        "\n"
        "config\n"
        "  lr         0.1\n"
        "  warmup_s   90\n"
        "  opt.name   a b\n"
        "  opt.betas  [0.9, 0.999]\n"
        "  note       null\n"
        "\n"
        "environment\n"
        "  python    3.11.7\n"
        "  packages  packages.txt\n"
        "\n"
        "git\n"
        "  remote  git@example.org:me/project.git\n"
        "\n"
        "later\n"
        "  key  [1]\n"
        "\n"
        "resources\n"
        "  processor  1 min 21 s, 100 % of one core\n"
        "  memory     peak 512.0 MiB\n"
        "\n"
        "timers\n"
        "  load  0.25 s"
    )


def test_what_a_job_used_is_told_in_lines_by_phase_too(here: Path) -> None:
    phases = {"load": {"n_times": 1, "duration_s": 2.5, "cpu_s": 2.0, "peak_rss_bytes": 2**30}, "odd": 7}
    make_run(
        here / "outputs" / "a", 1, resources={"cpu_s": 3.0, "phases": phases, "absent": {"cpu_energy": "none here"}}
    )
    told = shown("outputs/a")
    assert "resources\n  processor   3.00 s\n  phase load  2.50 s, processor 2.00 s, memory 1.0 GiB" in told
    assert "none here" not in told


def test_what_a_patch_lacks_is_told_line_by_line(here: Path) -> None:
    left_out = [{"file": "data.bin", "why": "it has 4.0 MB"}, {"file": ".env", "why": "it may hold a secret"}, "x"]
    make_run(here / "run", 1, git={**EVERYTHING["git"], "left_out": left_out})
    assert "  left_out  data.bin: it has 4.0 MB\n            .env: it may hold a secret\n            x" in shown("run")


AFTER_THE_ERROR = (
    "\n"
    "  app      train\n"
    "  started  2026-11-22 10:02:00, took 12.5 s\n"
    "  id       019a0002-0000-7000-8000-000000000000\n"
    "  command  train.py\n"
    "  in       /home/me/project\n"
    f"  host     {HOST}, process 7, user me\n"
    "\n"
    "config\n"
    "  lr        0.1\n"
    "  opt.name  adam\n"
    "\n"
    "Traceback (most recent call last):\n"
    '  File "train.py", line 7, in main\n'
    "    raise ValueError\n"
    "ValueError: lr must not be 1"
)


@pytest.mark.parametrize("width", [80, 160])
def test_a_failed_run_with_its_traceback(here: Path, width: int) -> None:
    make_run(here / "run", 2, **failed(error={**failed()["error"], "message": LONG}))
    assert shown("run", width=width) == (
        "✗ failed   run\n"
        "  ValueError: the learning rate must lie between 0 and 1, and not be what was given, which is 1\n"
        "  second line\n" + AFTER_THE_ERROR
    )


def test_what_may_be_copied_is_never_broken(here: Path) -> None:
    place = f"/home/me/{'very/' * 30}long.py"
    error = {"type": "E", "message": "m", "traceback": f"Traceback\n  {place}\nE: m\n"}
    make_run(here / "run", **failed(error=error, cwd=place, config={"place": place, "text": "one\ntwo"}))
    told = shown("run").splitlines()
    assert {f"  {place}", f"  in       {place}", f"  place  {place}"} <= set(told)
    assert told[told.index("  text   one") + 1] == "         two"


def test_a_running_a_lost_and_an_interrupted_run(here: Path) -> None:
    make_run(here / "running", **running(os.getpid()))
    make_run(here / "lost", **running(GONE))
    make_run(here / "stopped", status="interrupted", error={"type": "KeyboardInterrupt", "message": ""})
    assert shown("running").splitlines()[:2] == ["▶ running   running", ""]
    assert shown("lost").splitlines()[:3] == [
        "? lost   lost",
        "  Its process is gone: it was killed, perhaps out of memory",
        "",
    ]
    assert shown("stopped").splitlines()[:2] == ["■ interrupted   stopped", "  KeyboardInterrupt:"]


def test_a_crash_in_short_and_a_fault_in_compiled_code(here: Path) -> None:
    crash = {"at": "train.py:7 in main", "locals": {"lr": "1", "batch": "[1, 2]"}, "log": ["a"], "file": "crash.txt"}
    make_run(here / "crashed", 2, **failed(crash=crash))
    told = shown("crashed")
    assert (
        "\n\ncrash\n"
        "  at            train.py:7 in main\n"
        "  locals.lr     1\n"
        "  locals.batch  [1, 2]\n"
        "  file          crash.txt\n\nTraceback"
    ) in told
    evidence = {"fault_log": ".hydra/fault.log", "oom_kills": 0, "machine_oom_kills": 0}
    make_run(here / "lost", **running(GONE, evidence=evidence))
    (here / "lost/.hydra/fault.log").write_text('Fatal Python error: Aborted\n\n  File "train.py", line 7 in main\n')
    told = shown("lost")
    assert told.splitlines()[1] == (
        "  Its process is gone: it died of a fault in compiled code (Fatal Python error: Aborted)"
    )
    assert told.endswith('\n\nFatal Python error: Aborted\n\n  File "train.py", line 7 in main')
    assert "oom_kills" not in told


def test_a_directory_with_hydras_own_files_only(here: Path) -> None:
    make_hydra_run(here / "old", "lr: 0.1\ndb: {password: swordfish}\n", num=2, cwd=f"/home/me/{'long name/' * 10}x")
    os.utime(here / "old/.hydra/config.yaml", (1_795_338_000, 1_795_338_000))
    assert shown("old", width=160) == (
        "· unknown   old\n"
        "  It has no run record: this is what Hydra's own files tell.\n"
        "\n"
        "  app        train, job 2 of its sweep\n"
        "  started    2026-11-22 10:00:00\n"
        "  overrides  lr=0.1\n"
        f"  in         /home/me/{'long name/' * 10}x\n"
        "\n"
        "config\n"
        "  lr           0.1\n"
        "  db.password  <redacted>"
    )


@pytest.mark.parametrize("name", ["register.csv", "register.jsonl", "register.db"])
def test_a_run_whose_directory_is_gone_is_shown_as_the_register_knows_it(here: Path, name: str) -> None:
    told = failed(result={"accuracy": 0.5}, git={"sha": "abc", "is_dirty": False}, cwd=str(here))
    make_run(here / "outputs" / "run", 1, **told)
    index(here / "outputs", here / "outputs" / name)
    shutil.rmtree(here / "outputs" / "run")
    assert shown("019a0001") == (
        "✗ failed   outputs/run\n"
        "  ValueError: lr must not be 1\n"
        "  Its directory is gone: this is what the register tells.\n"
        "\n"
        "  app      train\n"
        "  started  2026-11-22 10:01:00, took 12.5 s\n"
        "  id       019a0001-0000-7000-8000-000000000000\n"
        "  git      abc\n"
        f"  host     {HOST}\n"
        "\n"
        "result\n"
        "  accuracy  0.5\n"
        "\n"
        "config\n"
        "  lr        0.1\n"
        "  opt.name  adam"
    )


def test_the_record_as_it_is(here: Path) -> None:
    make_run(here / "run", 1, **EVERYTHING)
    done = called("show", "run", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == record(1, output_dir=str(here / "run"), **EVERYTHING)


def test_what_has_no_record_in_its_directory_is_told_by_the_register_too(app: App) -> None:
    """The published configuration has RegisterRun only."""
    app.callbacks({"_target_": "hydra_callbacks.RegisterRun"})
    assert app.run("fail_at=1").code == 1
    done = program("show", "latest", cwd=app.directory)
    assert done.out.startswith("✗ failed   outputs")
    assert "ValueError: x must not be 1" in done.out
    assert "\n  opt.name  adam" in done.out


def test_a_real_run_with_everything_that_the_default_preset_records(app: App) -> None:
    app.write("conf/config.yaml", f"defaults: [{{override hydra/callbacks: default}}]\n{PLAIN_CONFIG}")
    sha = app.commit()
    assert app.run("-m", "x=1,2,3", "fail_at=2", "opt.name='a \"b\" é'").code == 1
    done = program("show", "multirun/latest/1", cwd=app.directory)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("✗ failed   multirun/latest/1\n  ValueError: x must not be 2\n")
    for told in (
        f"git        {sha}, main",
        "  memory     peak ",
        "Traceback (most recent call last)",
        'raise ValueError(f"x',
    ):
        assert told in done.out
    for name in ("latest/2", "latest"):
        assert "  double   6\n" in program("show", name, cwd=app.directory).out
    assert program("show", run_id(1), cwd=app.directory).code == 2


def test_what_a_terminal_would_obey_is_spelled_out(here: Path) -> None:
    evil = "a\x1b]0;owned\x07\x1b[31mb\u202e"
    error = {"type": evil, "message": evil, "traceback": f"Traceback\n  {evil}\n"}
    told = {"config": {evil: evil}, "app": evil, "overrides": [evil], "command": [evil], "cwd": evil}
    make_run(here / "run", **failed(error=error, git={"branch": evil}, result=["é", evil], **told))
    text = shown("run")
    assert text.count(r"a\x1b]0;owned\x07\x1b[31mb\u202e") == 10
    assert r'["é", "a\u001b]0;owned\u0007\u001b[31mb\u202e"]' in text
    assert not set(text) & set(evil[1:2] + "\x07\u202e")


@pytest.mark.parametrize("state", ["failed", "lost", "completed"])
def test_the_end_of_the_console_of_a_run_that_failed_or_was_lost(here: Path, state: str) -> None:
    told = {"failed": failed(), "lost": running(GONE), "completed": {}}[state]
    directory = make_run(here / "run", **told, console={"file": "console.log"})
    trace = failed()["error"]["traceback"]
    printed = "".join(f"step {number}\x1b[2J\n" for number in range(12))
    write(directory / "console.log", printed + (trace if state == "failed" else ""))
    text = shown("run")
    end = "\n\nprinted last\n" + "\n".join(rf"  step {number}\x1b[2J" for number in range(2, 12))
    if state == "failed":
        assert text.endswith(f"{end}\n\n{trace.rstrip()}")
    else:
        assert text.endswith(end) is (state == "lost")
    assert ("printed last" in text) is (state != "completed")


def test_a_console_that_is_not_there_or_elsewhere_is_not_shown(here: Path) -> None:
    write(here / "secret.txt", "secret\n")
    make_run(here / "run", **failed(console={"file": "../secret.txt"}))
    make_run(here / "other", **failed(console="odd"))
    assert "printed last" not in shown("run") + shown("other")
