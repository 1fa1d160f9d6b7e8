"""Which jobs of a sweep must run (again), under which numbers and in which directories?"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RecordError, SweepError
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.runs.overrides import parse
from hydra_callbacks.runs.sweep_job import NOT_STARTED, job_of
from hydra_callbacks.support.redact import REDACTED, Redactor, overrides

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hydra_callbacks.runs.sweep import Sweep
    from hydra_callbacks.runs.sweep_job import SweepJob


@dataclass(frozen=True, slots=True)
class Todo:
    """A job that is to run.

    Attributes:
        num: Its number.
        why: Its status so far, or "new".
        words: Its overrides.
        directory: Its directory, relative to the sweep's; None when it has none yet.
    """

    num: int
    why: str
    words: list[str]
    directory: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of the jobs.

    Attributes:
        todo: Those that are to run, in the order of their numbers.
        left: Those that are left alone.
    """

    todo: list[Todo]
    left: list[SweepJob]

    def counts(self) -> Counter[str]:
        """Return how many jobs are left alone, by status."""
        return Counter(job.status for job in self.left)


def choose(
    sweep: Sweep, wanted: Sequence[list[str]] | None, *, also: Collection[str] = (), result_file: str = "results.json"
) -> Choice:
    """Return which jobs are to run.

    Args:
        sweep: The sweep.
        wanted: The overrides of each job that the sweep is to have; None for those that it has.
        also: Statuses of jobs that are run again, too: completed, running.
        result_file: Name of the file that marks a job without a record as completed.

    Raises:
        SweepError: The overrides of a job that must run hold a secret, which was not kept.
    """
    jobs = [_certain(job, sweep, result_file) for job in sweep.jobs]
    pairs = [(job, job.overrides) for job in jobs] if wanted is None else _matched(jobs, wanted)
    next_num = max((job.num for job in jobs if job.num is not None), default=-1) + 1
    todo, left = [], []
    for job, words in pairs:
        if job is None:
            todo.append(Todo(next_num, "new", words))
            next_num += 1
        elif job.num is None or job.status in {"completed", "running"} - set(also):
            left.append(job)
        elif any(REDACTED in word for word in words):
            msg = f"job {job.num} has a secret in its overrides, which was not kept ({' '.join(words)})"
            msg += "; give the overrides of the sweep again"
            raise SweepError(msg)
        else:
            place = None if job.status in NOT_STARTED else job.place
            todo.append(Todo(job.num, job.status, words, place))
    return Choice(sorted(todo, key=lambda each: each.num), left)


def _certain(job: SweepJob, sweep: Sweep, result_file: str) -> SweepJob:
    """Return a job as its own directory tells, which is the truth; it may have been removed to have it run again."""
    if job.status in NOT_STARTED:
        return job
    directory = job.directory(sweep.directory)
    run = run_in(directory)
    if run is None and not directory.is_dir():
        return job.but(status="missing")
    if job.status == "unknown":
        return job.but(status="completed") if (directory / result_file).is_file() else job
    try:
        told = job_of(run, sweep.directory) if run else job
    except RecordError:
        told = job
    return told.but(num=job.num) if job.status == "completed" and told.status not in {"completed", "unknown"} else job


def _matched(jobs: Sequence[SweepJob], wanted: Sequence[list[str]]) -> list[tuple[SweepJob | None, list[str]]]:
    """Return each of the wanted jobs, with the one that it already is; the same overrides twice are two jobs."""
    known: dict[Any, list[SweepJob]] = defaultdict(list)
    for job in reversed(jobs):
        known[_key(job.overrides)].append(job)
    redactor = Redactor()
    pairs: list[tuple[SweepJob | None, list[str]]] = []
    for words in wanted:
        fitting = known[_key(overrides(words, redactor))]
        pairs.append((fitting.pop() if fitting else None, words))
    return pairs


def _key(words: Sequence[str]) -> Any:
    return frozenset((key, repr(value)) for key, value in map(parse, words))
