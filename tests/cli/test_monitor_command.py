"""`hydra-callbacks monitor -- ANY COMMAND`: any program is run as it is, and what it used is told."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, program, ran
from conftest import wait_for
from patient import FOR_GPUS
from run_dirs import write

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither getrusage nor these signals")
TOLD = """
import json, resource, sys
own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
sys.stdout.write(json.dumps({
    "cpu_s": own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime,
    "peak": max(own.ru_maxrss, ended.ru_maxrss) * (1 if sys.platform == "darwin" else 1024),
}))
"""
SPENDS = "import time\nwhile time.process_time() < {s}: pass\n"
PROGRAMS = {  # each takes a second or more of a processor
    "computes": SPENDS.format(s=1),
    "allocates": "kept = bytearray(300 * 2**20); del kept\n" + SPENDS.format(s=1),
    "has threads": f"import threading\ncode = {SPENDS.format(s=1)!r}\n"
    "threads = [threading.Thread(target=lambda: exec(code)) for _ in range(4)]\n"
    "[each.start() for each in threads]; [each.join() for each in threads]\n",
    "has children": f"import subprocess, sys\ncode = 'kept = bytearray(150 * 2**20)\\n' + {SPENDS.format(s=0.4)!r}\n"
    "[subprocess.run([sys.executable, '-c', code]) for _ in range(3)]\n",
    "writes": "import tempfile\nwith tempfile.TemporaryFile() as file: [file.write(b'x' * 10**6) for _ in range(50)]\n"
    + SPENDS.format(s=1),
}


def monitored(*words: str, cwd: Path, answer: str = "") -> tuple[int, str, dict[str, Any]]:
    """Return the exit status, what was printed, and the summary."""
    done = program("monitor", "--format", "json", "--interval", "0.1", *words, cwd=cwd, answer=answer)
    return done.code, done.out, json.loads(done.err)


@not_on_windows
@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_it_agrees_with_what_the_kernel_tells_the_program(here: Path, code: str) -> None:
    status, out, told = monitored("--", sys.executable, "-c", code + TOLD, cwd=here)
    own = json.loads(out)
    resources = told["resources"]
    assert status == 0
    assert own["cpu_s"] > 1
    assert resources["cpu_s"] == pytest.approx(own["cpu_s"], rel=0.02), "it has still to end"
    assert resources["user_s"] + resources["system_s"] == pytest.approx(resources["cpu_s"], abs=1e-5)
    if own["peak"] > 40 * MIB:
        assert resources["peak_process_rss_bytes"] == pytest.approx(own["peak"], rel=0.02)
        assert resources["peak_rss_bytes"] >= own["peak"] * 0.98
    else:  # what the kernel tells the program is what it shared with us at first
        assert resources["peak_process_rss_below_bytes"] == pytest.approx(own["peak"], rel=0.02)
    assert told["duration_s"] > 0
    assert resources["mean_cpu_percent"] == pytest.approx(100 * resources["cpu_s"] / told["duration_s"], rel=0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts what a process shared before its exec")
def test_the_memory_of_a_small_program_is_not_that_of_this_one(here: Path) -> None:
    _, _, told = monitored("--", "sleep", "0.4", cwd=here)
    assert 0 < told["resources"]["mean_rss_bytes"] <= told["resources"]["peak_rss_bytes"] < 8 * MIB
    assert "peak_process_rss_bytes" not in told["resources"]
    assert told["resources"]["peak_process_rss_below_bytes"] < 60 * MIB
    done = program("monitor", "sleep", "0.4", cwd=here)
    assert " seen, no process above " in done.err


def test_what_was_over_before_it_was_seen_has_no_zeros_for_memory(here: Path) -> None:
    for _ in range(5):
        _, _, told = monitored("--", sys.executable, "-S", "-c", "pass", cwd=here)
        assert told["resources"].get("peak_rss_bytes", 1) > 0


def test_input_output_and_status_are_the_programs_own(here: Path) -> None:
    code = "import sys; print(sys.stdin.read().upper(), end=''); print('oops', file=sys.stderr); sys.exit(7)"
    done = program("monitor", "--", sys.executable, "-c", code, cwd=here, answer="hello é\n")
    assert (done.code, done.out) == (7, "HELLO É\n")
    said = done.err.splitlines()
    assert said[0] == "oops"
    assert " ended with exit status 7 after " in done.err
    assert "  processor  " in done.err


def test_options_after_the_command_are_the_commands(here: Path) -> None:
    code = "import sys; print(sys.argv[1:])"
    done = program("monitor", sys.executable, "-c", code, "--interval", "3", "-o", "x", "--", cwd=here)
    assert (done.code, done.out) == (0, "['--interval', '3', '-o', 'x', '--']\n")


@not_on_windows
def test_a_signal_that_ends_it_is_told_as_shells_do(here: Path) -> None:
    code, _, told = monitored("--", "sh", "-c", "kill -9 $$", cwd=here)
    assert (code, told["exit_status"], told["signal"]) == (137, 137, "SIGKILL")
    done = program("monitor", "sh", "-c", "kill -9 $$", cwd=here)
    assert " was killed by SIGKILL after " in done.err


def test_a_command_that_is_not_found(here: Path) -> None:
    done = program("monitor", "--", "no-such-command", "x", cwd=here)
    assert (done.code, done.out, done.err) == (127, "", "Error: no-such-command: command not found\n")


@not_on_windows
def test_a_file_that_cannot_be_run(here: Path) -> None:
    write(here / "data.txt", "x")
    done = program("monitor", "./data.txt", cwd=here)
    assert (done.code, done.out, done.err) == (126, "", "Error: ./data.txt: cannot be run: Permission denied\n")
    write(here / "script", "#!/no/such/interpreter\n").chmod(0o755)
    assert program("monitor", "./script", cwd=here).code == 126


@not_on_windows
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1"])
def test_signals_are_passed_on(here: Path, name: str) -> None:
    number = signal.Signals[name]
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("these tests run where it is ignored, as under nohup")
    code = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(5))\n"
        "pathlib.Path('ready').touch()\n"
        "time.sleep(60)"
    )
    with started("monitor", "--", sys.executable, "-c", code, cwd=here) as process:
        wait_for((here / "ready").exists)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 5
    assert "ended with exit status 5" in err


@not_on_windows
def test_control_c_is_the_programs_affair_and_the_summary_comes_all_the_same(here: Path) -> None:
    code = (
        "import pathlib, sys, time\n"
        "try:\n    pathlib.Path('ready').touch()\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('saved', flush=True)\n    sys.exit(3)"
    )
    with started("monitor", "--", sys.executable, "-c", code, cwd=here) as process:
        wait_for((here / "ready").exists)
        if sys.platform != "win32":  # as it is
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (3, "saved\n")
    assert "ended with exit status 3" in err
    assert "Traceback" not in err


def started(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hydra_callbacks", *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_samples_and_the_summary_go_into_files(here: Path) -> None:
    code = "import time; kept = bytearray(50 * 2**20); time.sleep(1)"
    words = ("--interval", "0.1", "-o", "s.csv", "-o", "s.json", "--", sys.executable, "-c", code)
    write(here / "s.csv", "of an earlier run\n")
    done = program("monitor", *words, cwd=here)
    assert (done.code, done.text) == (0, "")
    rows = list(csv.DictReader((here / "s.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) >= 3
    assert [row[""] for row in rows] == [str(number) for number in range(len(rows))]
    assert max(float(row["rss_GiB"]) for row in rows) > 50 / 1024
    told = json.loads((here / "s.json").read_text(encoding="utf-8"))
    assert told["command"] == [sys.executable, "-c", code]
    assert told["resources"]["max_processes"] >= 1
    drawn = program("plot", "s.csv", cwd=here)
    assert (drawn.code, drawn.err) == (0, "")


def test_a_file_that_cannot_be_written_is_told_before_the_program_runs(here: Path) -> None:
    touch = [sys.executable, "-c", "open('ran', 'w')"]
    for name, why in (("s.txt", "expected FILE.csv"), ("none/s.csv", "there is no folder 'none'")):
        done = called("monitor", "-o", name, "--", *touch)
        assert done.code == 2
        assert why in done.err
    assert not (here / "ran").exists()


def test_without_a_command_the_usage_is_told() -> None:
    done = called("monitor")
    assert done.code == 2
    assert "Missing argument" in done.err


def test_a_secret_among_the_words_is_not_repeated(here: Path) -> None:
    done = program("monitor", "--", sys.executable, "-c", "pass", "--password=hunter22", cwd=here)
    assert done.code == 0
    assert "hunter22" not in done.err


def test_gpus_that_are_not_there_are_told(here: Path) -> None:
    patient = f"{FOR_GPUS}from hydra_callbacks.cli import main\nmain(prog_name='hydra-callbacks')"
    command = [sys.executable, "-c", patient, "monitor", "--gpu", "--", sys.executable, "-c", "pass"]
    done = ran(command, cwd=here)
    assert done.code == 0
    assert "  not measured  gpu" in done.err or "  GPU " in done.err
