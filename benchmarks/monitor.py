"""What does it cost to sample a job, and is what it tells true? Beside psutil, and the job alone."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from cases import Row
from timing import Cost, compare, process, rounds

from hydra_callbacks.monitor import ResourceMonitorService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_PROGRAMS = Path(__file__).parent / "apps" / "monitor"
_MOST_SAMPLE_US = {0: 100.0, 200: 10_000.0}
_MOST_OF_A_SCAN = {0: 1 / 20}
_MOST_OF_A_THREAD = {1: 0.2, 20: 0.2, 200: 0.33}
_MOST_SHARE_PERCENT = {1.0: 0.05, 0.01: 3.0}
_MOST_MB = 10.0
_MOST_ENDS_MS = 20.0
_INTERVALS_S = (0.01, 1.0, 60.0)
_N_PEAKS = 40
_PEAK_TOLERANCE = 0.01
_RATE_INTERVAL_S = 0.1


def sample(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001  (it writes nothing)
    """One sample, as the process beside the job takes it, against a scan of the tree with psutil."""
    rows = []
    for n_children in (0, 20, 200):
        n_times = 200 // (n_children + 1) + 5
        with _job(n_children) as pid, _sampler(pid) as (take, take_anew):
            variants = {
                "working": _repeated(take_anew, n_times),
                "waiting": _repeated(take, n_times),
                "psutil": _repeated(lambda pid=pid: _scan(pid), max(2, n_times // 20)),  # type: ignore[misc]  # mypy knows no defaults of a lambda
            }
            costs = rounds(f"sample, {n_children} children", variants, 7 if quick else 61)
            n_processes = len(psutil.pids())
        for kind, limits in (("working", (_MOST_SAMPLE_US, _MOST_OF_A_SCAN)), ("waiting", ({}, {}))):
            name = f"a sample of {kind} processes: a job with {n_children or 'no'} children"
            found_us = statistics.median(cost.cpu_s for cost in costs[kind]) * 1e6
            rows.append(_figure("monitor-sample", f"{name}, CPU in us", found_us, ".0f", limits[0].get(n_children)))
            compared = f"{name} / a scan with psutil, of {n_processes} processes on the machine"
            ratio = compare(costs[kind], costs["psutil"], "cpu")
            rows.append(Row("monitor-sample", compared, "cpu", ratio, limit=limits[1].get(n_children)))
    return rows


def thread(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001  (it writes nothing)
    """A sample of a steady series, ten of them a second, against one of a thread that takes them with psutil."""
    lasted_s, n_rounds = (2.0, 2) if quick else (5.0, 7)
    rows = []
    for n_children, limit in _MOST_OF_A_THREAD.items():
        with _job(n_children) as pid:
            variants: dict[str, Callable[[], Cost]] = {
                "beside": lambda pid=pid: _beside(pid, 0.1, lasted_s),  # type: ignore[misc]  # mypy knows no defaults of a lambda
                "thread": lambda pid=pid: _in_thread(pid, 0.1, lasted_s),  # type: ignore[misc]  # mypy knows no defaults of a lambda
            }
            costs = rounds(f"thread, {n_children} children", variants, n_rounds)
        compared = f"a sample of a job with {n_children} children, from beside / by a thread with psutil"
        rows.append(
            Row("monitor-thread", compared, "cpu", compare(costs["beside"], costs["thread"], "cpu"), limit=limit)
        )
    return rows


def share(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001  (it writes nothing)
    """How much of a core the process beside the job takes once it is there, and how much to get there."""
    rows = []
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each would compile what it needs
    with _job(0, is_busy=True) as pid:
        for interval_s, most in _MOST_SHARE_PERCENT.items():
            cost = _beside(pid, interval_s, 20 * interval_s if quick and interval_s >= 1 else 4.0 if quick else 60.0)
            what = f"of a core at an interval of {interval_s:g} s, in percent"
            rows.append(_figure("monitor-share", what, 100 * cost.cpu_s / interval_s, ".4f", most))
    starts = [_start_cpu_s() for _ in range(5 if quick else 21)]
    what = "CPU of the process beside a job, from its start to its first sample, in ms"
    return [*rows, _figure("monitor-share", what, statistics.median(starts) * 1e3, ".1f")]


def slowdown(folder: Path, *, quick: bool) -> list[Row]:  # noqa: ARG001  (it writes nothing)
    """A job that does nothing but compute, sampled each second; beside it what two such jobs differ by chance."""

    def monitored() -> Cost:
        with ResourceMonitorService(interval=1.0):
            return _compute()

    variants = {"alone": _compute, "monitored": monitored, "alone again": _compute}
    alone, sampled, again = rounds("slowdown", variants, 3 if quick else 15).values()
    rows = []
    for measure in ("cpu", "wall"):
        noise = compare(again, alone, measure)
        rows += [
            Row("monitor-slowdown", "a job that computes, alone / alone: the noise", measure, noise),
            Row(
                "monitor-slowdown",
                "the same, sampled each second / alone; limit: the noise's upper quartile",
                measure,
                compare(sampled, alone, measure),
                limit=noise.high,
            ),
        ]
    return rows


def memory(folder: Path, *, quick: bool) -> list[Row]:
    """How much more memory there is in use while a job is sampled."""
    found = [_told("memory.py", folder) for _ in range(3 if quick else 11)]
    return [
        _figure("monitor-memory", f"{what}, in MB", statistics.median(each[key] for each in found) / 1e6, ".1f", most)
        for key, what, most in (
            ("pss_bytes", "the process beside the job, what it shares in parts", _MOST_MB),
            ("rss_bytes", "the process beside the job, all that it shares", _MOST_MB),
            ("job_bytes", "the job itself, how much it grows", None),
            ("extra_bytes", "both together, what is shared in parts", _MOST_MB),
        )
    ]


def ends(folder: Path, *, quick: bool) -> list[Row]:
    """How long `start` and `stop` keep a job, which has loaded nothing of the monitor before."""
    rows = []
    for interval_s in _INTERVALS_S:
        told = [_told("ends.py", folder, str(interval_s)) for _ in range(5 if quick else 31)]
        for key in ("start", "start again", "stop"):
            for measure in ("cpu", "wall"):
                name = f"{key} at an interval of {interval_s:g} s, {measure} in ms"
                found_ms = statistics.median(each[f"{key}, {measure}"] for each in told) * 1e3
                rows.append(_figure("monitor-ends", name, found_ms, ".1f", _MOST_ENDS_MS))
    return rows


def peak(folder: Path, *, quick: bool) -> list[Row]:
    """500 MB that a job has for 50 ms, sampled each second; the truth is what the job sees of itself meanwhile."""
    chance = random.Random(40)  # noqa: S311  (the same moments in each run of the benchmark)
    n_jobs = 8 if quick else _N_PEAKS
    found = [_told("peak.py", folder, str(chance.uniform(0.0, 1.0))) for _ in range(n_jobs)]
    off = sorted(abs(each["peak_bytes"] / each["truth_bytes"] - 1) for each in found)
    n_true = sum(each <= _PEAK_TOLERANCE for each in off)
    n_sampled = sum(abs(each["sampled_bytes"] / each["truth_bytes"] - 1) <= _PEAK_TOLERANCE for each in found)
    return [
        Row(
            "monitor-peak",
            f"of {n_jobs} jobs, those whose peak is within 1 % of the truth (by the samples alone; the worst error)",
            "count",
            found=(f"{n_true} ({n_sampled}; {off[-1]:.2%})",),
            is_over=n_true < n_jobs,
        )
    ]


def rate(folder: Path, *, quick: bool) -> list[Row]:
    """How many samples there are when one is due every tenth of a second, also while Python's lock is held."""
    lasted_s = 6 if quick else 60
    expected = round(lasted_s / _RATE_INTERVAL_S)
    rows = []
    for kind, what in (("python", "computes in Python"), ("locked", "holds Python's lock in C")):
        print(f"rate: {lasted_s} s of a job that {what}", file=sys.stderr, flush=True)
        told = _told("rate.py", folder, kind, str(_RATE_INTERVAL_S), str(lasted_s))
        name = f"samples in {lasted_s} s at {_RATE_INTERVAL_S} s, of a job that {what} (the latest one, in ms)"
        is_over = abs(told["n_samples"] - expected) > 1
        text = f"{told['n_samples']} ({told['latest_s'] * 1e3:.1f})"
        rows.append(Row("monitor-rate", name, "count", found=(text,), is_over=is_over))
    return rows


@contextlib.contextmanager
def _job(n_children: int, *, is_busy: bool = False) -> Iterator[int]:
    """Start a job with so many children, and yield its pid."""
    command = [sys.executable, str(_PROGRAMS / "job.py"), str(n_children), "busy" if is_busy else "idle"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as job:
        assert job.stdout is not None  # noqa: S101  (a pipe was asked for)
        job.stdout.readline()
        try:
            yield job.pid
        finally:
            job.communicate()


@contextlib.contextmanager
def _sampler(pid: int) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Yield what takes a sample with all that the process beside a job reads, and what does so as if all had worked."""
    from hydra_callbacks.monitor.order import sampler_for  # noqa: PLC0415  (Linux has it so; the others take a thread)
    from hydra_callbacks.monitor.processes.tree import TreeMeter  # noqa: PLC0415  (as above)

    tree = TreeMeter(pid)
    first = tree.read()
    order = {"pid": pid, "is_own": False, "interval_s": 1.0, "max_samples": 10_000, "first": first, "leave": None}
    order |= {"began_s": time.monotonic(), "began_at": time.time(), "baseline": tree.baseline()}
    sampler = sampler_for(order | {"gpu_monit": False, "gpu_devices": None})
    sampler.sample()
    processes: Any = sampler._tree._processes  # noqa: SLF001  (of no use to anybody else)

    def take_anew() -> None:
        for each in processes._known.values():  # noqa: SLF001  (as above)
            each._read_s, each._n_faults = -math.inf, []  # noqa: SLF001  (as above)
        sampler.sample()

    try:
        yield sampler.sample, take_anew
    finally:
        tree.close()
        sampler.close()


def _scan(pid: int) -> tuple[float, int]:
    """Look at a tree with psutil, as the older library does."""
    root = psutil.Process(pid)
    cpu_percent, rss_bytes = 0.0, 0
    for each in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.Error), each.oneshot():
            cpu_percent += each.cpu_percent()
            rss_bytes += each.memory_info().rss
    return cpu_percent, rss_bytes


def _repeated(act: Callable[[], Any], n_times: int) -> Callable[[], Cost]:
    """Return what tells the cost of doing something once, by doing it several times."""

    def run() -> Cost:
        begun, begun_cpu = time.perf_counter(), time.process_time()
        for _ in range(n_times):
            act()
        cpu_s, wall_s = time.process_time() - begun_cpu, time.perf_counter() - begun
        return Cost(cpu_s=cpu_s / n_times, wall_s=wall_s / n_times)

    return run


def _beside(pid: int, interval_s: float, lasted_s: float) -> Cost:
    """Return what a sample costs the process beside a job, while it does nothing but sample."""
    with ResourceMonitorService(pid, interval_s) as service:
        helper = _helper_of(service)
        n_before = len(service.columns()["time"])
        begun, begun_cpu = time.perf_counter(), _cpu_s(helper)
        time.sleep(lasted_s)
        cpu_s, wall_s = _cpu_s(helper) - begun_cpu, time.perf_counter() - begun
        n_samples = len(service.columns()["time"]) - n_before
    return Cost(cpu_s=cpu_s / n_samples, wall_s=wall_s / n_samples)


def _in_thread(pid: int, interval_s: float, lasted_s: float) -> Cost:
    """Return what a sample costs a thread that takes them with psutil, at the same beat."""
    costs: list[Cost] = []

    def keep_scanning() -> None:
        begun, begun_cpu, n_samples = time.perf_counter(), time.thread_time(), 0
        while time.perf_counter() < begun + lasted_s:
            _scan(pid)
            n_samples += 1
            time.sleep(max(0.0, begun + n_samples * interval_s - time.perf_counter()))
        cpu_s, wall_s = time.thread_time() - begun_cpu, time.perf_counter() - begun
        costs.append(Cost(cpu_s=cpu_s / n_samples, wall_s=wall_s / n_samples))

    one = threading.Thread(target=keep_scanning)
    one.start()
    one.join()
    return costs[0]


def _start_cpu_s() -> float:
    """Return what the process beside a job takes until it has taken its first sample there."""
    with ResourceMonitorService(interval=0.2) as service:
        return _cpu_s(_helper_of(service))


def _helper_of(service: ResourceMonitorService) -> int:
    """Wait until the process beside the job samples, and return its pid."""
    deadline_s = time.monotonic() + 30.0
    while len(service.columns()["time"]) < 2:  # noqa: PLR2004  (the first one is the job's own)
        if time.monotonic() > deadline_s:
            msg = "nothing samples beside the job"
            raise RuntimeError(msg)
        time.sleep(0.01)
    group = service._watch._group  # type: ignore[union-attr]  # noqa: SLF001  (which process that is, is nobody's business else)
    (pid,) = (each for each in psutil.pids() if _group_of(each) == group)
    return pid


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _cpu_s(pid: int) -> float:
    """Return the CPU time of a process so far, by its clock, which has this number (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def _compute() -> Cost:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    total = 0
    for number in range(100_000_000):
        total ^= number
    return Cost(cpu_s=time.process_time() - begun_cpu, wall_s=time.perf_counter() - begun)


def _told(program: str, folder: Path, *words: str) -> dict[str, Any]:
    """Run a program of `apps/monitor`, and return what it prints."""
    log = folder / "told.log"
    process([sys.executable, str(_PROGRAMS / program), *words], cwd=folder, log=log)
    told: dict[str, Any] = json.loads(log.read_text(encoding="utf-8"))
    return told


def _figure(name: str, what: str, found: float, form: str, most: float | None = None) -> Row:
    limit = "" if most is None else f"; limit {most:g}"
    return Row(name, what, "count", found=(f"{found:{form}}{limit}",), is_over=most is not None and found > most)


CASES: dict[str, Callable[..., Sequence[Row]]] = {
    "monitor-sample": sample,
    "monitor-thread": thread,
    "monitor-share": share,
    "monitor-slowdown": slowdown,
    "monitor-memory": memory,
    "monitor-ends": ends,
    "monitor-peak": peak,
    "monitor-rate": rate,
}
