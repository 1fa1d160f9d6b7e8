"""`hydra-callbacks top`: what the running jobs use, read from their processes."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, lines, program, ran
from conftest import wait_for
from run_dirs import GONE, failed, host, job, make_run, run_id, running, write

from hydra_callbacks.cli.top.running import Running, Use, Watched, totals
from hydra_callbacks.runs.journal import append
from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.support.files import write_whole
from hydra_callbacks.support.process import host_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import App

MIB = 2**20
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="as Linux tells it")
WORKER = """
import sys, time
kept = bytearray({kept} * 2**20)
del kept
kept = bytearray(60 * 2**20)
print("ready", flush=True)
while True:
    sum(range(1000))
    {pause}
"""


@pytest.fixture(autouse=True)
def no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of this machine would have a column of their own."""
    monkeypatch.setattr("hydra_callbacks.cli.top._gpus", lambda: None)


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[str]]:
    """A process that keeps a core busy, has 60 MiB, and had 160."""
    yield from started(WORKER.format(kept=160, pause="pass"))


@pytest.fixture
def idler() -> Iterator[subprocess.Popen[str]]:
    """A process that sleeps, and has 60 MiB."""
    yield from started(WORKER.format(kept=1, pause="time.sleep(0.5)"))


def started(code: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def launched(sweep: Path, n_jobs: int, pid: int) -> None:
    sweep.mkdir(parents=True, exist_ok=True)
    plan = [[f"lr={number}"] for number in range(n_jobs)]
    told = {"at": timestamp(time.time()), "host": {**host_facts(), **host(pid)}, "plan": plan, "n_planned": n_jobs}
    append(sweep, {"launch": "started", "schema": 1, "id": run_id(0), **told, "app": "train"})


def line(sweep: Path, number: int, status: str = "running", **facts: Any) -> None:
    told = {"job": number, "status": status, "overrides": [f"lr={number}"], "started_at": timestamp(time.time() - 65)}
    append(sweep, told | facts)


def rows(*words: str) -> list[dict[str, Any]]:
    done = called("top", *words, "--format", "json")
    assert done.code == 0, done.text
    found: list[dict[str, Any]] = json.loads(done.out)
    return found


def test_of_a_run_that_runs_it_tells_what_its_process_uses(here: Path, worker: subprocess.Popen[str]) -> None:
    make_run(
        here / "outputs" / "a", overrides=["lr=0.1"], **running(worker.pid), started_at=timestamp(time.time() - 65)
    )
    (row,) = rows("outputs/a")
    assert (row["run-dir"], row["overrides"], row["pid"], row["note"]) == ("outputs/a", ["lr=0.1"], worker.pid, None)
    assert row["elapsed_s"] == pytest.approx(65, abs=5)
    assert row["cpu_percent"] > 5
    assert 60 * MIB < row["rss_bytes"] < 110 * MIB
    assert (row["processes"], row["threads"]) == (1, 1)


@on_linux
def test_the_peak_is_the_kernels_though_it_was_before_the_first_look(here: Path, worker: subprocess.Popen[str]) -> None:
    make_run(here / "a", **running(worker.pid))
    assert 160 * MIB < rows("a")[0]["peak_rss_bytes"] < 200 * MIB


def test_the_table_fits_and_leaves_out_what_does_not(here: Path, worker: subprocess.Popen[str]) -> None:
    make_run(here / "a", overrides=["model.name=resnet50_with_a_long_name", "lr=0.1"], **running(worker.pid))
    done = called("top", "a", "--once")
    assert done.code == 0
    head, _, names, row = done.out.splitlines()
    assert head.startswith("a")
    assert names.split()[:1] == ["overrides"]
    assert max(map(len, done.out.splitlines())) <= 80
    assert row.startswith("model.name=res")
    assert "…" in row
    wide = called("top", "a", "--once", COLUMNS="160")
    assert "model.name=resnet50_with_a_long_name lr=0.1" in wide.out
    of_disks = [] if sys.platform == "darwin" else ["read/s", "written/s"]  # there, nothing tells them
    named = ["overrides", "host", "pid", "time", "CPU", "%", "memory", "peak", "processes", "threads", *of_disks]
    assert wide.out.splitlines()[2].split() == named


def test_a_terminal_without_unicode_is_shown_points(here: Path, worker: subprocess.Popen[str]) -> None:
    make_run(here / "a", overrides=["model.name=resnet50_with_a_long_name" * 3], **running(worker.pid))
    done = program("top", "a", "--once", cwd=here, PYTHONIOENCODING="ascii", COLUMNS="80")
    assert (done.code, done.err) == (0, "")
    assert "..." in done.out
    assert "\\u" not in done.out


def test_of_a_sweep_only_what_runs_is_told_with_totals(
    here: Path, worker: subprocess.Popen[str], idler: subprocess.Popen[str]
) -> None:
    sweep = here / "multirun" / "s"
    launched(sweep, 5, os.getpid())
    line(sweep, 0, "completed", duration_s=1.0)
    line(sweep, 1, host=host(worker.pid))
    line(sweep, 2, host=host(idler.pid))
    done = called("top", "s", "--once", COLUMNS="120")
    assert done.code == 0
    head, total, _, names, *jobs = done.out.splitlines()
    assert head.startswith("multirun/s  1 of 5 jobs ended (1 completed), 2 running")
    assert re.match(r"in all: CPU \d+ %, memory 1\d\d.\d MiB, 2 processes, 2 threads", total)
    assert names.split()[:2] == ["job", "overrides"]
    assert [each.split()[:3] for each in jobs] == [["1", "lr=1", str(worker.pid)], ["2", "lr=2", str(idler.pid)]]
    assert " 1:0" in jobs[0], "65 seconds"


def test_jobs_in_one_process_are_told_once(here: Path, worker: subprocess.Popen[str]) -> None:
    sweep = here / "s"
    launched(sweep, 2, worker.pid)
    for number in (0, 1):
        line(sweep, number, host=host(worker.pid))
    first, second = rows("s")
    assert first["rss_bytes"] > 60 * MIB
    assert (second["rss_bytes"], second["cpu_percent"], second["note"]) == (None, None, "in the process of job 0")
    assert "(in the process of job 0)" in called("top", "s", "--once").out


def test_jobs_elsewhere_are_named_with_their_host(here: Path, worker: subprocess.Popen[str]) -> None:
    sweep = here / "s"
    launched(sweep, 2, worker.pid)
    line(sweep, 0, host={**host(7), "name": "node17", "boot_id": "other"})
    line(sweep, 1, host=host(worker.pid))
    assert [row["note"] for row in rows("s")] == ["on node17", None]
    assert re.search(r"^ +0  lr=0 +7 +1:0\d.*\(on node17\)$", called("top", "s", "--once").out, re.MULTILINE)


def test_csv_has_a_row_for_each_job(here: Path, worker: subprocess.Popen[str]) -> None:
    sweep = here / "s"
    launched(sweep, 1, worker.pid)
    line(sweep, 0, host=host(worker.pid))
    (row,) = csv.DictReader(io.StringIO(called("top", "s", "--format", "csv").out))
    assert (row["job"], row["run-dir"], row["overrides"]) == ("0", "s/0", '["lr=0"]')
    assert float(row["written_bytes_per_s"]) >= 0


def test_any_other_folder_stands_for_the_runs_below_it(here: Path, worker: subprocess.Popen[str]) -> None:
    make_run(here / "outputs" / "a", **running(worker.pid))
    make_run(here / "outputs" / "b", 1)
    assert [row["run-dir"] for row in rows(".")] == ["outputs/a"]
    assert "outputs/a" in called("top", ".", "--once").out
    worker.kill()
    worker.wait()
    assert called("top", ".").out == f"{here}: no job runs; 2 runs below it\n"


def test_a_finished_run_tells_what_it_has_used(here: Path) -> None:
    resources = {
        "cpu_s": 11.8,
        "user_s": 11.0,
        "system_s": 0.8,
        "peak_rss_bytes": 512 * MIB,
        "mean_rss_bytes": 300 * MIB,
        "max_processes": 3,
        "max_threads": 12,
        "read_bytes": MIB,
        "mean_cpu_percent": 94.4,
        "requested": {"cpus": 4, "memory_bytes": 2**30, "by": "slurm"},
        "used_share": {"cpus": 0.25, "memory": 0.5},
        "gpus": [
            {
                "index": 0,
                "name": "A100",
                "peak_job_memory_bytes": 4 * 2**30,
                "mean_usage_percent": 71.2,
                "energy_j": 1e4,
            }
        ],
    }
    make_run(here / "a", resources=resources)
    done = called("top", "a")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "✓ completed   a, took 12.5 s\n"
        "  processor  11.8 s (user 11.0 s, system 0.80 s), 94 % of one core\n"
        "  memory     peak 512.0 MiB, mean 300.0 MiB\n"
        "  processes  3 seen at a time, 12 threads\n"
        "  disk       read 1.0 MiB\n"
        "  GPU 0      A100, peak memory 4.0 GiB, busy 71 % of the time, 10.0 kJ\n"
        "  limits     used 25 % of 4 requested cores, 50 % of 1.0 GiB (slurm)\n"
    )
    assert called("top", "a", "--format", "json").out == "[]\n"
    assert called("top", "a", "--format", "json").err == "No job runs.\n"


@pytest.mark.parametrize(
    ("changes", "told"),
    [({}, "✓ completed"), (failed(), "✗ failed"), (running(GONE), "? lost")],
    ids=["ok", "bad", "lost"],
)
def test_a_finished_run_without_a_monitor_says_so(here: Path, changes: dict[str, Any], told: str) -> None:
    make_run(here / "a", **changes)
    done = called("top", "a")
    assert done.code == 0
    assert done.out.startswith(told)
    assert done.out.endswith("  What it has used was not recorded; ResourceMonitor does that.\n")


def test_a_finished_sweep_says_how_it_ended_and_which_job_took_most(here: Path) -> None:
    sweep = here / "s"
    launched(sweep, 2, os.getpid())
    line(sweep, 0, "completed", duration_s=1.0, peak_rss_bytes=100 * MIB)
    line(sweep, 1, "failed", duration_s=1.0, peak_rss_bytes=200 * MIB, error={"type": "ValueError", "message": "no"})
    append(sweep, {"launch": "ended", "id": run_id(0), "at": timestamp(time.time()), "status": "completed"})
    done = called("top", "s")
    assert done.code == 0
    assert "s · ended, not all well" in done.out
    assert lines(done.out).endswith("most memory: 200.0 MiB, job 1: lr=1")


def test_a_name_that_is_no_run_is_told(here: Path) -> None:
    (here / "empty").mkdir()
    done = called("top", "empty")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: empty holds no jobs; name a run's or a sweep's directory, as in multirun/")
    assert called("top", "nothing").code == 2


def test_what_is_told_of_ten_thousand_jobs_is_read_from_two(
    here: Path, worker: subprocess.Popen[str], idler: subprocess.Popen[str]
) -> None:
    sweep = here / "s"
    launched(sweep, 10_002, os.getpid())
    done = (
        json.dumps({"job": number, "status": "completed", "duration_s": 1.0, "started_at": "2026-11-22T09:00:00.000Z"})
        for number in range(10_000)
    )
    with (sweep / "jobs.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(f"{each}\n" for each in done)
    line(sweep, 10_000, host=host(worker.pid))
    line(sweep, 10_001, host=host(idler.pid))
    watched = Watched(sweep, is_run=False, now=lambda: 0.0)  # each look seems to cost nothing, so none is left out
    costs_s = []
    for _ in range(6):
        began_s = time.process_time()
        look = watched.look()
        costs_s.append(time.process_time() - began_s)
        assert [each.job.num for each in look.running] == [10_000, 10_001]
    assert min(costs_s[1:]) < costs_s[0] / 3, "the first one alone reads all lines"


def test_a_job_that_ended_since_the_running_ones_were_looked_for_is_told_so(
    here: Path, worker: subprocess.Popen[str]
) -> None:
    make_run(here / "a", **running(worker.pid))
    watched = Watched(here / "a", is_run=True, now=itertools.count().__next__)  # every reading takes a second
    assert watched.look().running[0].note == ""
    worker.kill()
    worker.wait()
    assert watched.look().running[0].note == "just ended"


class TwoGpus:
    """Stands for a driver that tells what each process has."""

    columns = ("gpu0_mem_GiB", "gpu0_job_mem_GiB", "gpu1_mem_GiB", "gpu1_job_mem_GiB")

    def read(self, pids: list[int]) -> list[float]:
        return [9.0, 0.5 * len(pids), 9.0, 0.25]


def test_the_memory_on_gpus_is_that_of_the_job(here: Path, worker: subprocess.Popen[str]) -> None:
    make_run(here / "a", **running(worker.pid))
    watched = Watched(here / "a", is_run=True, gpus=TwoGpus())  # type: ignore[arg-type]  # a stand-in of ours
    (found,) = watched.look().running
    assert found.use is not None
    assert found.use.gpu_memory_bytes == 0.75 * 2**30


def test_totals_are_over_the_jobs_that_tell_them() -> None:
    use = Use(50.0, 10, 20, 1, 2, None, 5.0, None)
    other = Use(None, 1, 2, 3, 4, None, 1.0, None)
    jobs = [Running(None, 0.0, each) for each in (use, other, None)]  # type: ignore[arg-type]  # a stand-in of ours
    assert totals(jobs) == {
        "cpu_percent": 50.0,
        "rss_bytes": 11,
        "peak_rss_bytes": 22,
        "processes": 4,
        "threads": 6,
        "written_bytes_per_s": 6.0,
    }


def ends(directory: Path) -> None:
    """Have a run completed, as far as its record tells."""
    path = directory / ".hydra" / "run.json"
    ended = json.loads(path.read_text(encoding="utf-8")) | {"status": "completed", "duration_s": 2.5}
    write_whole(path, json.dumps(ended).encode())


def test_without_a_terminal_each_look_is_printed_until_the_end(here: Path, idler: subprocess.Popen[str]) -> None:
    make_run(here / "a", **running(idler.pid))
    command = [sys.executable, "-m", "hydra_callbacks", "top", "a", "--interval", "0.1"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        shown = ""
        for line in process.stdout:
            shown += line
            if shown.count("CPU %") == 2:
                ends(here / "a")
    assert process.returncode == 0
    assert shown.count("CPU %") >= 2
    assert "✓ completed   a, took 2.50 s" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
class TestOnATerminal:
    """Its screen is the terminal's other one, which is left behind."""

    ENTERS, LEAVES = "\x1b[?1049h", "\x1b[?1049l"

    def test_all_that_runs_is_shown_until_the_end(self, here: Path, idler: subprocess.Popen[str]) -> None:
        from commands import shown_on_terminal  # noqa: PLC0415  (for these alone)

        def end_it(shown: str) -> None:
            if shown.count("lr=0.1") >= 2:
                ends(here / "a")

        make_run(here / "a", overrides=["lr=0.1"], **running(idler.pid))
        shown = shown_on_terminal("top", "a", "--interval", "0.1", meanwhile=end_it)
        before, _, rest = shown.partition(self.ENTERS)
        screen, _, after = rest.partition(self.LEAVES)
        assert before == ""
        assert "lr=0.1" in screen
        assert str(idler.pid) in screen
        assert "completed" in after

    def test_control_c_leaves_the_terminal_as_it_was(self, here: Path, worker: subprocess.Popen[str]) -> None:
        assert sys.platform != "win32"
        make_run(here / "a", **running(worker.pid))
        ours, its = os.openpty()
        command = [sys.executable, "-m", "hydra_callbacks", "top", "a", "--interval", "0.2"]
        environment = {**os.environ, "TERM": "xterm-256color"}
        with subprocess.Popen(
            command, cwd=here, env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True
        ) as process:
            os.close(its)
            shown = b""
            while str(worker.pid).encode() not in shown:
                shown += os.read(ours, 4096)
            process.send_signal(signal.SIGINT)
            while True:
                try:
                    part = os.read(ours, 4096)
                except OSError:
                    break
                if not part:
                    break
                shown += part
            assert process.wait(30) == 0
        os.close(ours)
        text = shown.decode()
        assert text.rpartition(self.LEAVES)[2].strip("\r\n\x1b[?25h") == ""
        assert "Aborted" not in text
        assert "\x1b[?25h" in text, "the cursor is shown again"


def test_jobs_of_a_real_sweep_are_seen_at_work(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.RunRecord"})
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    busy = "    import time\n    end = time.time() + 120\n    while time.time() < end and not Path('/stop').exists():\n"
    busy += "        Path(HydraConfig.get().runtime.output_dir, 'at-work').touch()\n        sum(range(10**5))\n"
    busy += "        if Path(HydraConfig.get().runtime.output_dir, 'stop').exists(): break\n"
    app.write("app.py", text.replace("    return cfg.x", busy + "    return cfg.x"))
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.sweep.dir=multirun/s")
    process = app.start("-m", "x=1,2", *launcher)
    try:
        wait_for(lambda: len(list(app.directory.glob("multirun/s/*/at-work"))) == 2)
        command = [sys.executable, "-m", "hydra_callbacks", "top", "multirun/s", "--format", "json"]
        found = json.loads(ran(command, cwd=app.directory).out)
        assert [row["overrides"] for row in found] == [["x=1"], ["x=2"]]
        assert len({row["pid"] for row in found}) == 2
        assert all(row["cpu_percent"] > 5 for row in found)
    finally:
        for number in (0, 1):
            write(app.directory / "multirun" / "s" / str(number) / "stop", "")
        process.communicate(timeout=60)
    done = ran([sys.executable, "-m", "hydra_callbacks", "top", "multirun/s"], cwd=app.directory)
    assert (done.code, "all completed" in done.out) == (0, True)


def test_a_job_of_a_sweep_is_watched_by_itself(here: Path, worker: subprocess.Popen[str]) -> None:
    sweep = here / "s"
    launched(sweep, 2, os.getpid())
    make_run(sweep / "1", job=job(1), sweep_dir=str(sweep), **running(worker.pid))
    line(sweep, 1, host=host(worker.pid))
    assert [row["run-dir"] for row in rows("s/1")] == ["s/1"]
