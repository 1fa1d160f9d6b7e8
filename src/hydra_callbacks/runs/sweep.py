"""How does a sweep fare, job by job, whether it runs, has ended, or died?

The journal tells, where there is one; the records in the jobs' directories tell of those whose end it does not know,
and of all jobs where there is none. A job is a mapping as `runs.journal` describes it, with a settled status:
completed, failed, interrupted, running, lost (its process is gone), pending (planned, and its turn may come), missing
(planned, and nobody is left to start it), or unknown (there is no record, only Hydra's own files).
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import SweepError
from hydra_callbacks.runs import journal, record
from hydra_callbacks.runs.find import run_in, runs_below
from hydra_callbacks.support.process import is_gone, is_running_here

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_callbacks.runs.find import Run
    from hydra_callbacks.runs.journal import Event

NOT_STARTED = {"pending", "missing"}


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
    jobs: list[Event]
    older: list[Event] = field(default_factory=list)
    launch: Event | None = None
    origin: Event | None = None
    is_alive: bool = False
    ended: str | None = None
    ended_at: str | None = None
    problems: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """Return how many jobs there are of each status."""
        return Counter(job["status"] for job in self.jobs)


class SweepReader:
    """Reads a sweep again and again; of the journal, only what is new.

    Args:
        directory: The sweep's directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / journal.FILE_NAME
        self._offset = 0
        self._inode: int | None = None
        self._start_anew()

    def _start_anew(self) -> None:
        self._jobs: dict[bytes, Event] = {}
        self._older: dict[bytes, Event] = {}
        self._plan: dict[int, list[str]] = {}
        self._launch: Event | None = None
        self._origin: Event | None = None
        self._end: Event | None = None

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
        for index in [index for index, job in enumerate(jobs) if job["status"] == "running"]:
            jobs[index] = _settled(jobs[index], self.directory)
        problems: list[str] = []
        older = list(self._older.values())
        self._add_unlisted(jobs, older, problems)
        _add_planned(jobs, self._plan, "pending" if is_alive else "missing")
        _sort(jobs)
        end = self._end or {}
        return Sweep(
            directory=self.directory,
            jobs=jobs,
            older=older,
            launch=launch,
            origin=self._origin,
            is_alive=is_alive,
            ended=end.get("status"),
            ended_at=end.get("at"),
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
        for offset, block in journal.events(self._path, self._offset) if size > self._offset else ():
            self._offset = offset
            jobs = dict(block)
            for key in [key for key, event in block if "job" not in event or "status" not in event]:
                self._take_launch(jobs.pop(key))
            self._jobs |= jobs
        if self._older:
            self._older = {key: job for key, job in self._older.items() if key not in self._jobs}

    def _take_launch(self, event: Event) -> None:
        if event.get("launch") != "started":
            if event.get("launch") == "ended" and self._launch and event.get("id") == self._launch.get("id"):
                self._end = event
            return
        if not event.get("resumes"):
            self._origin = event
            self._older |= self._jobs
            self._jobs, self._plan = {}, {}
        self._launch, self._end = event, None
        plan = event.get("plan") or []
        self._plan |= zip(event.get("nums") or range(len(plan)), plan, strict=False)

    def _add_unlisted(self, jobs: list[Event], older: list[Event], problems: list[str]) -> None:
        """Add the jobs that are there, and whose lines could not be written; all of them where there is no journal."""
        found: Iterable[Run | None]
        if self._launch is None and not jobs:
            found = runs_below(self.directory)
        else:
            known = {job.get("dir") or str(job["job"]) for job in (*jobs, *self._older.values())}
            unknown = set(os.listdir(self.directory)).difference(known)  # noqa: PTH208  (many)
            found = (run_in(self.directory / name) for name in sorted(unknown) if name[0] != ".")
        begun_at = str((self._origin or {}).get("at") or "")
        for run in found:
            if run is None:
                continue
            if run.problem:
                problems.append(run.problem)
                continue
            event = event_of(run, self.directory)
            if event["status"] == "unknown" and event["job"] in self._plan:
                continue  # Hydra had made its directory, but it was not to start any more
            is_older = bool(begun_at) and str(event.get("started_at") or "") < begun_at
            (older if is_older else jobs).append(event)


def read_sweep(directory: Path, *, is_over: bool = False) -> Sweep:
    """Return how a sweep fares now; see `SweepReader.read`."""
    return SweepReader(directory).read(is_over=is_over)


def _sort(jobs: list[Event]) -> None:
    """Sort jobs by number, and those without one after them."""
    try:
        jobs.sort(key=itemgetter("job"))
    except (KeyError, TypeError):
        jobs.sort(key=lambda job: (job.get("job") is None, job.get("job") or 0, job.get("dir") or ""))


def directory_of(job: Event, sweep_dir: Path) -> Path:
    """Return a job's output directory."""
    return sweep_dir / (job.get("dir") or str(job["job"]))


def event_of(run: Run, sweep_dir: Path) -> Event:
    """Return the job of a run that was found below the sweep's directory."""
    data = run.record
    section = data.get("job") or {}
    resources = data.get("resources")
    event = {
        "job": section.get("num"),
        "dir": _relative(run.place, sweep_dir),
        "status": record.status(data),
        "peak_rss_bytes": resources.get("peak_rss_bytes") if isinstance(resources, dict) else None,
    }
    told = ("id", "attempt", "overrides", "started_at", "duration_s", "result", "result_file", "error", "host")
    if event["status"] == "unknown":
        event["result_file"] = ""  # nobody has looked for it
    return event | {key: data[key] for key in told if key in data}


def _relative(place: str, sweep_dir: Path) -> str:
    above = f"{sweep_dir}/"
    return place[len(above) :] if place.startswith(above) else Path(os.path.relpath(place, sweep_dir)).as_posix()


def _settled(job: Event, sweep_dir: Path) -> Event:
    """Return a job that was running, with what its record knows."""
    run = run_in(directory_of(job, sweep_dir))
    known = run.record if run and not run.problem else {}
    if len({known.get("id"), job.get("id")} - {None}) > 1:  # another run's, of an earlier sweep here
        known = {}
    if (
        run
        and known.get("status") not in {None, "running", "unknown"}
        and known.get("attempt", 1) >= job.get("attempt", 1)
    ):
        return event_of(run, sweep_dir)
    return {**job, "status": "lost"} if is_gone(job.get("host") or {}) else job


def _add_planned(jobs: list[Event], plan: dict[int, list[str]], status: str) -> None:
    started: set[Any] = {job.get("job") for job in jobs}
    jobs += [{"job": num, "status": status, "overrides": words} for num, words in plan.items() if num not in started]
    if not plan and set(map(type, started)) == {int}:
        gaps = set(range(max(started))) - started
        jobs += [{"job": num, "status": status, "overrides": []} for num in gaps]


def _may_run(launch: Event) -> bool:
    host: dict[str, Any] = launch.get("host") or {}
    return is_running_here(host) or not is_gone(host)
