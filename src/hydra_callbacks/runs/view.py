"""What does a look at a sweep show: how far it is, how fast, how long it will take, and what is best so far?"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs import record
from hydra_callbacks.runs.gather import best_of, table_of
from hydra_callbacks.runs.sweep_job import NOT_STARTED

if TYPE_CHECKING:
    from collections import Counter

    from hydra_callbacks.runs.sweep import Sweep
    from hydra_callbacks.runs.sweep_job import SweepJob

ENDED = {"completed", "failed", "interrupted", "lost", "unknown"}


@dataclass(frozen=True, slots=True)
class View:
    """A sweep at one moment, as people see it.

    Attributes:
        directory: The sweep's directory, as text.
        state: "running", "completed", "failed" (all jobs have ended, not all well), "stopped" (it ended before all jobs
            had started), "died" (the launching process was killed) or "unknown" (there is no journal).
        counts: Number of jobs of each status.
        n_jobs: Number of jobs that are known, planned ones included.
        elapsed_s: Seconds since the latest launch began, up to its end.
        rate_per_s: Jobs that ended per second, in the latest launch; None before the first.
        left_s: Seconds that what is planned will still take at this rate; None when that cannot be told.
        best: The best job so far, its number in the metric, and the metric's full name; None without.
        failed: The jobs that failed, were killed or interrupted, the latest first.
        running: The jobs that run, the oldest first.
    """

    directory: str
    state: str
    counts: Counter[str]
    n_jobs: int
    elapsed_s: float | None
    rate_per_s: float | None
    left_s: float | None
    best: tuple[SweepJob, float, str] | None
    failed: list[SweepJob]
    running: list[SweepJob]

    @property
    def n_ended(self) -> int:
        """Number of jobs that have ended, however."""
        return sum(self.counts[state] for state in ENDED)


def view_of(
    sweep: Sweep, metric: str | None = None, *, is_max: bool = True, is_over: bool = False, now: float | None = None
) -> View:
    """Return what a look at a sweep shows.

    Args:
        sweep: The sweep.
        metric: The result by which jobs are compared; None for no comparison.
        is_max: Whether the highest is best.
        is_over: Whether its last line is about to be written, by this very process.
        now: Seconds since the epoch; the clock's when None.
    """
    counts = sweep.counts()
    begun = record.seconds(sweep.launch.at) if sweep.launch else 0.0
    until = (
        (time.time() if now is None else now)
        if sweep.is_alive or not sweep.ended_at
        else record.seconds(sweep.ended_at)
    )
    elapsed_s = max(until - begun, 0.0) if begun and (sweep.is_alive or sweep.ended_at) else None
    n_new = sum(job.status in ENDED and record.seconds(job.started_at) >= begun for job in sweep.jobs)
    rate = n_new / elapsed_s if elapsed_s and n_new else None
    n_left = counts["pending"] + counts["running"]
    is_planned = bool(sweep.launch and sweep.launch.planned)
    return View(
        directory=os.fspath(sweep.directory),
        state=_state(sweep, counts, is_over=is_over),
        counts=counts,
        n_jobs=len(sweep.jobs),
        elapsed_s=elapsed_s,
        rate_per_s=rate,
        left_s=n_left / rate if rate and n_left and is_planned and sweep.is_alive else None,
        best=_best(sweep, metric, is_max=is_max) if metric else None,
        failed=sorted(
            (job for job in sweep.jobs if job.status in {"failed", "lost", "interrupted"}),
            key=attrgetter("started_at"),
            reverse=True,
        ),
        running=[job for job in sweep.jobs if job.status == "running"],
    )


def _state(sweep: Sweep, counts: Counter[str], *, is_over: bool) -> str:
    if sweep.is_alive:
        return "running"
    if sweep.launch is None:
        return "completed" if sweep.jobs and counts["completed"] == len(sweep.jobs) else "unknown"
    if sweep.ended is None and not is_over:
        return "died"
    if any(counts[state] for state in NOT_STARTED):
        return "stopped"
    return "completed" if counts["completed"] == len(sweep.jobs) else "failed"


def _best(sweep: Sweep, metric: str, *, is_max: bool) -> tuple[SweepJob, float, str] | None:
    done = [job for job in sweep.jobs if job.status == "completed"]
    table = table_of(done, sweep.directory, None)
    found = best_of(table, metric, is_max=is_max)
    if found is None:
        return None
    index, name = found
    value: Any = table.columns[name][index]
    return done[index], value, name
