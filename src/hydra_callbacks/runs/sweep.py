"""How does a sweep fare, job by job, whether it runs, has ended, or died?

The journal tells, where there is one; the records in the jobs' directories tell of those whose end it does not know,
and of all jobs where there is none.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RecordError, SweepError
from hydra_callbacks.runs.find import run_in, runs_below
from hydra_callbacks.runs.journal import FILE_NAME
from hydra_callbacks.runs.journal_lines import Key, Launch, parts
from hydra_callbacks.runs.sweep_job import Status, SweepJob, job_of, relative
from hydra_callbacks.support.process import is_gone, is_running_here

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hydra_callbacks.runs.find import Run


@dataclass(slots=True)
class Sweep:
    """A sweep as it stands at one moment.

    Attributes:
        directory: Its directory.
        jobs: Its jobs in the order of their numbers.
        older: What is left of the jobs of an earlier sweep in the same directory.
        launch: The first line of its latest launch; None where there is no journal.
        origin: That of the launch which began it, before any that resumed it.
        is_alive: Whether the launching process still runs, as far as can be told.
        ended: How the latest launch ended: "completed", "failed" or "interrupted"; None before, and when it was killed.
        ended_at: When it ended; None likewise.
        problems: What could not be read, in words.
    """

    directory: Path
    jobs: list[SweepJob]
    older: list[SweepJob] = field(default_factory=list)
    launch: Launch | None = None
    origin: Launch | None = None
    is_alive: bool = False
    ended: str | None = None
    ended_at: str | None = None
    problems: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """Return how many jobs there are of each status."""
        return Counter(job.status for job in self.jobs)


class SweepReader:
    """Reads a sweep again and again; of the journal, only what is new.

    Args:
        directory: The sweep's directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / FILE_NAME
        self._offset = 0
        self._inode: int | None = None
        self._start_anew()

    def _start_anew(self) -> None:
        self._jobs: dict[Key, SweepJob] = {}
        self._older: dict[Key, SweepJob] = {}
        self._plans: list[Launch] = []
        self._planned: set[int | None] = set()
        self._launch: Launch | None = None
        self._origin: Launch | None = None
        self._end: Launch | None = None

    @property
    def is_begun(self) -> bool:
        """Whether a launch has begun, as far as was read."""
        return self._launch is not None

    def read(self, *, is_over: bool = False) -> Sweep:
        """Return how the sweep fares now.

        Args:
            is_over: Whether no further job will start, although this very process has launched it.

        Raises:
            OSError: The journal cannot be read.
            SweepError: The directory is not there.
        """
        if not self.directory.is_dir():
            msg = f"there is no directory {str(self.directory)!r}; name a sweep's, as in multirun/2026-11-22/10-00-00"
            raise SweepError(msg)
        self._read_journal()
        launch = self._launch
        is_alive = launch is not None and self._end is None and not is_over and _may_run(launch)
        jobs = list(self._jobs.values())
        if "running" in map(attrgetter("status"), jobs):
            jobs = [_settled(job, self.directory) if job.status == "running" else job for job in jobs]
        problems: list[str] = []
        older = list(self._older.values())
        is_whole = self._origin and self._planned and self._planned.issubset(map(attrgetter("num"), jobs))
        if not is_whole:
            self._add_unlisted(jobs, older, problems, is_alive=is_alive)
            self._add_planned(jobs, "pending" if is_alive else "missing")
        _sort(jobs)
        return Sweep(
            directory=self.directory,
            jobs=jobs,
            older=older,
            launch=launch,
            origin=self._origin,
            is_alive=is_alive,
            ended=self._end.status if self._end else None,
            ended_at=self._end.at if self._end else None,
            problems=problems,
        )

    def _read_journal(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            stat = None
        size, inode = (stat.st_size, stat.st_ino) if stat else (0, None)
        if size < self._offset or inode != self._inode:  # it is another one, or gone
            self._offset, self._inode = 0, inode
            self._start_anew()
        for offset, launch, jobs in parts(self._path, self._offset) if size > self._offset else ():
            self._offset = offset
            if launch:
                self._take_launch(launch)
            self._jobs |= jobs
        if self._older:
            self._older = {key: job for key, job in self._older.items() if key not in self._jobs}

    def _take_launch(self, launch: Launch) -> None:
        if launch.launch == "ended":
            if self._launch and launch.id == self._launch.id:
                self._end = launch
            return
        if not launch.resumes:
            self._origin = launch
            self._older |= self._jobs
            self._jobs, self._plans, self._planned = {}, [], set()
        self._launch, self._end = launch, None
        self._plans.append(launch)
        self._planned.update(launch.planned)

    def _add_unlisted(
        self, jobs: list[SweepJob], older: list[SweepJob], problems: list[str], *, is_alive: bool
    ) -> None:
        """Add the jobs that are there, and whose lines could not be written; all of them where there is no journal."""
        found: Iterable[Run | None]
        known = {job.dir or str(job.num) for job in (*jobs, *older)}
        is_deep = not is_alive and any("/" in job.dir for job in jobs)  # a walk takes long for who looks every second
        if self._launch is None and not jobs:
            found = runs_below(self.directory)
        elif is_deep:
            found = (run for run in runs_below(self.directory) if relative(run.place, self.directory) not in known)
        else:
            unknown = set(os.listdir(self.directory)).difference(known)  # noqa: PTH208  (many)
            found = (run_in(self.directory / name) for name in sorted(unknown) if name[0] != ".")
        begun_at = self._origin.at if self._origin else ""
        sweep_dir = str(self.directory)
        for run in filter(None, found):
            try:
                job = job_of(run, sweep_dir)
            except RecordError as error:
                problems.append(str(error))
                continue
            if job.status == "unknown" and job.num in self._planned:
                continue  # Hydra had made its directory, but it was not to start any more
            (older if begun_at and job.started_at < begun_at else jobs).append(job)

    def _add_planned(self, jobs: list[SweepJob], status: Status) -> None:
        """Add the jobs that have not started; without a plan, what lies below the highest number has."""
        started: set[Any] = {job.num for job in jobs}
        plan = {num: words for launch in self._plans for num, words in launch.plan().items()}
        jobs += [SweepJob(num=num, status=status, overrides=plan[num]) for num in plan.keys() - started]
        if not plan and started and None not in started:
            jobs += [SweepJob(num=num, status=status) for num in set(range(max(started))) - started]


def read_sweep(directory: Path, *, is_over: bool = False) -> Sweep:
    """Return how a sweep fares now; see `SweepReader.read`."""
    return SweepReader(directory).read(is_over=is_over)


def _sort(jobs: list[SweepJob]) -> None:
    """Sort jobs by number, and those without one after them."""
    try:
        jobs.sort(key=attrgetter("num"))
    except TypeError:
        jobs.sort(key=lambda job: (job.num is None, job.num or 0, job.dir))


def _settled(job: SweepJob, sweep_dir: Path) -> SweepJob:
    """Return a job that was running, with what its record knows."""
    run = run_in(job.directory(sweep_dir))
    try:
        told = job_of(run, sweep_dir) if run else None
    except RecordError:
        told = None
    if told and told.started_at < job.started_at:
        told = None  # it is that of an earlier attempt, or of an earlier sweep here
    if told and told.status not in {"running", "lost", "unknown"}:
        return told
    peak_rss_bytes = told.peak_rss_bytes if told else None  # of a job that was killed, what sampled it wrote that
    return job.but(status="lost", peak_rss_bytes=peak_rss_bytes) if is_gone(job.host) else job


def _may_run(launch: Launch) -> bool:
    return is_running_here(launch.host) or not is_gone(launch.host)
