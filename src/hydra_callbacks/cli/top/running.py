"""Which jobs run now, and what does each of them use?

The journal or the record tells which run; what they use is read from their processes, so a job needs no callback for
it. Only the jobs that run are looked at, however many there are.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.processes.figures import FIGURES
from hydra_callbacks.monitor.processes.tree import GIB, TreeMeter
from hydra_callbacks.monitor.sampler import percent
from hydra_callbacks.runs import record
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.runs.sweep import SweepReader
from hydra_callbacks.runs.sweep_job import SweepJob, job_of
from hydra_callbacks.support.process import is_gone, is_running_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hydra_callbacks.monitor.gpus.gpu import GpuMeter
    from hydra_callbacks.runs.sweep import Sweep

_MARK = 2 + FIGURES.index("peak_rss_bytes")  # in what `TreeMeter.baseline` returns for a process
_REST = 9  # times as long as finding the running jobs took, they are not looked for again

_PAUSE_S = 10.0
"""Of a folder with runs, which has no journal to tell whether more are to come: that lies between two jobs."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a process and all below it use; None where it is not told.

    Attributes:
        cpu_percent: Since the look before; 100 is one core. None at the first look, like the rates below.
        rss_bytes: Resident memory.
        peak_rss_bytes: Its highest that is known: the highest look, or the kernel's mark of the largest process.
        processes: Processes.
        threads: Threads.
        read_bytes_per_s: Read from disks, since the look before.
        written_bytes_per_s: Written to them.
        gpu_memory_bytes: Its own memory on all GPUs.
    """

    cpu_percent: float | None
    rss_bytes: int
    peak_rss_bytes: int
    processes: int
    threads: int
    read_bytes_per_s: float | None
    written_bytes_per_s: float | None
    gpu_memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Running:
    """A job that runs.

    Attributes:
        job: The job.
        elapsed_s: Seconds since it started.
        use: What it uses; None when that cannot be told here.
        note: Why not.
    """

    job: SweepJob
    elapsed_s: float
    use: Use | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look has found.

    Attributes:
        running: The jobs that run.
        is_over: Whether none runs, and none is to come.
        sweep: The sweep they belong to; None for a single run.
    """

    running: list[Running] = field(default_factory=list)
    is_over: bool = False
    sweep: Sweep | None = None


class Watched:
    """The running jobs of a run, or of a sweep or any other folder with runs.

    Args:
        directory: The run's or sweep's directory.
        is_run: Whether it is that of one run.
        gpus: Reads the memory of the jobs on GPUs; None for none.
        now: The clock, in seconds.
    """

    def __init__(
        self, directory: Path, *, is_run: bool, gpus: GpuMeter | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.directory = directory
        self.is_run = is_run
        self._gpus = gpus
        self._now = now
        self._reader = SweepReader(directory)
        self._meters: dict[tuple[int, str, int], _ProcessMeter] = {}
        self._found: tuple[list[SweepJob], Sweep | None] = ([], None)
        self._due_s = self._ran_s = -math.inf
        _allow_many_files()

    def look(self) -> Look:
        """Return what runs now, and what it has used since the look before."""
        began_s = self._now()
        if began_s >= self._due_s:
            self._found = self._find()
            self._due_s = self._now() + _REST * (self._now() - began_s)
        jobs, sweep = self._found
        self._ran_s = began_s if jobs else self._ran_s
        is_pause = sweep is not None and sweep.launch is None and began_s - self._ran_s < _PAUSE_S
        is_over = not jobs and not is_pause and not (sweep and sweep.is_alive)
        before, self._meters = self._meters, {}
        first_of: dict[int, SweepJob] = {}
        running = [self._running(job, first_of, before) for job in jobs]
        for meter in before.values():
            meter.close()
        return Look(running, is_over, sweep)

    def _find(self) -> tuple[list[SweepJob], Sweep | None]:
        """Return the jobs that run, and their sweep."""
        if not self.is_run:
            sweep = self._reader.read()
            return [job for job in sweep.jobs if job.status == "running"], sweep
        run = run_in(self.directory)
        job = job_of(run, self.directory.parent) if run else None
        return [job] if job and job.status == "running" else [], None

    def _running(
        self, job: SweepJob, first_of: dict[int, SweepJob], before: dict[tuple[int, str, int], _ProcessMeter]
    ) -> Running:
        host = job.host
        elapsed_s = max(0.0, time.time() - record.seconds(job.started_at)) if job.started_at else math.nan
        if is_gone(host):  # the next search for running jobs tells what became of it
            return Running(job, elapsed_s, None, "just ended")
        if not is_running_here(host):
            return Running(job, elapsed_s, None, f"on {host.get('name') or 'an unknown host'}")
        pid = host["pid"]
        first = first_of.setdefault(pid, job)
        if first is not job:
            return Running(job, elapsed_s, None, f"in the process of {called(first, self._found[1])}")
        key = (pid, job.place, job.attempt)
        try:
            meter = before.pop(key, None) or _ProcessMeter(pid, self._gpus, self._now)
            use = meter.read()
        except ProcessLookupError:
            return Running(job, elapsed_s, None, "its process cannot be read")
        self._meters[key] = meter
        return Running(job, elapsed_s, use)


class _ProcessMeter:
    """Reads a process tree again and again, and tells what it used meanwhile.

    Args:
        pid: The process at its root.
        gpus: As in `Watched`.
        now: The clock, in seconds.

    Raises:
        ProcessLookupError: There is none.
    """

    def __init__(self, pid: int, gpus: GpuMeter | None, now: Callable[[], float]) -> None:
        self._tree = TreeMeter(pid)
        self._gpus = gpus
        self._now = now
        self._before: tuple[float, dict[str, float]] | None = None

    def read(self) -> Use:
        """Return what it uses.

        Raises:
            ProcessLookupError: It has ended.
        """
        now_s = self._now()
        told = dict(zip(TreeMeter.columns, self._tree.read(), strict=True))
        elapsed_s, then = (now_s - self._before[0], self._before[1]) if self._before else (0.0, told)
        self._before = (now_s, told)

        def rate(column: str) -> float | None:
            grown = told[column] - then[column]
            return None if math.isnan(grown) or elapsed_s <= 0 else grown / elapsed_s

        cpu_cores, read, written = map(rate, ("cpu_s", "read_GiB", "written_GiB"))
        return Use(
            cpu_percent=None if cpu_cores is None else percent(cpu_cores, 1.0),
            rss_bytes=round(told["rss_GiB"] * GIB),
            peak_rss_bytes=max(self._tree.peak_rss_bytes, _largest_mark(self._tree)),
            processes=round(told["processes"]),
            threads=round(told["threads"]),
            read_bytes_per_s=None if read is None else read * GIB,
            written_bytes_per_s=None if written is None else written * GIB,
            gpu_memory_bytes=_gpu_memory_bytes(self._gpus, self._tree.pids) if self._gpus else None,
        )

    def close(self) -> None:
        """Close all files."""
        self._tree.close()


def called(job: SweepJob, sweep: Sweep | None) -> str:
    """Return what a job is called: `job 3`; its directory, where it is none of a sweep with a journal."""
    return f"job {job.num}" if sweep and sweep.launch and job.num is not None else job.place


def totals(running: Sequence[Running]) -> Mapping[str, float]:
    """Return the sum of each figure over the jobs that tell it; without those that none tells."""
    sums: dict[str, float] = {}
    for each in running:
        for name in Use.__slots__ if each.use else ():
            value: Any = getattr(each.use, name)
            if value is not None:
                sums[name] = sums.get(name, 0) + value
    return sums


def _largest_mark(tree: TreeMeter) -> int:
    """Return the highest that one of the processes has had since it began, or since its mark was set back."""
    marks = (figures[_MARK] for figures in tree.baseline())
    return max(marks, default=0)


def _gpu_memory_bytes(gpus: GpuMeter, pids: Sequence[int]) -> int | None:
    values = zip(gpus.columns, gpus.read(pids), strict=True)
    told = [value for column, value in values if column.endswith("_job_mem_GiB") and not math.isnan(value)]
    return round(sum(told) * GIB) if told else None


def _allow_many_files() -> None:
    """Let this process open as many files as it may: it keeps some open for every process that it looks at."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  (not on Windows)

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS says "unlimited", and means less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
