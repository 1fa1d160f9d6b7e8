"""What stands in a sweep's journal (`runs.journal`), read quickly, and again only where it is new?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hydra_callbacks.runs.job_lines import JobLines
from hydra_callbacks.runs.sweep_job import NOTHING
from hydra_callbacks.support.fast_json import Reader
from hydra_callbacks.support.process import is_running_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hydra_callbacks.runs.sweep_job import SweepJob

Key = str | int | None
"""What identifies a job in its sweep: its directory, or its number where that is the directory's name."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """The first or the last line of a launch.

    Attributes:
        launch: "started" or "ended".
        id: The same in both.
        at: When it started, or ended; UTC, as text.
        status: How it ended: "completed", "failed" or "interrupted"; None in the first line.
        app: Name of the application.
        cwd: Where it was started.
        command: Its words after `python`.
        python: The interpreter.
        host: Where it runs, as `support.process.host_facts` tells it.
        plan_told: The overrides of each job, as JSON; `plan` parses it, which few need.
        n_planned: How many they are; None where that was not told.
        nums: The jobs' numbers where they are not 0, 1, 2, ...
        resumes: Whether it goes on with what is there.
    """

    launch: Literal["started", "ended"]
    id: str
    at: str = ""
    status: str | None = None
    app: str = ""
    cwd: str = ""
    command: list[str] = []
    python: str = ""
    host: dict[str, Any] = {}
    plan_told: msgspec.Raw = msgspec.field(default=NOTHING, name="plan")
    n_planned: int | None = None
    nums: list[int] | None = None
    resumes: bool = False

    @property
    def planned(self) -> Sequence[int]:
        """The numbers of the jobs that were planned, as far as that is known."""
        return self.nums or range(len(self._words()) if self.n_planned is None else self.n_planned)

    def plan(self) -> dict[int, list[str]]:
        """Return the overrides of each job that was planned, by number."""
        return dict(zip(self.planned, self._words(), strict=False))

    def _words(self) -> list[list[str]]:
        return msgspec.json.decode(self.plan_told) or []


_BLOCK_BYTES = 1 << 16  # small enough for the memory to be used again, block by block
_LAUNCH = b'{"launch":'
_launches = Reader(Launch)


def parts(path: Path, offset: int = 0) -> Iterator[tuple[int, Launch | None, dict[Key, SweepJob]]]:
    """Yield the whole lines of a journal, part by part; what is no line of a job or a launch is passed over.

    Args:
        path: The journal.
        offset: Where to begin, as it was yielded before; in bytes.

    Yields:
        The offset behind what has been read, a launch's line or None, and the jobs after it as their latest line in
        this part tells.

    Raises:
        OSError: It cannot be read.
    """
    reader = JobLines()
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(_BLOCK_BYTES):
            if block[-1:] != b"\n":
                block += file.readline()
            whole = block.rfind(b"\n") + 1
            offset += whole
            for launch, jobs in _read(block[:whole], reader):
                yield offset, launch, jobs
            if whole < len(block):  # the rest of the line is still being written
                return


def _read(text: bytes, reader: JobLines) -> Iterator[tuple[Launch | None, dict[Key, SweepJob]]]:
    """Yield what lines tell: a launch, and the jobs after it; the first jobs may have none."""
    jobs = {} if text.startswith(_LAUNCH) else _by_key(reader.every(text) or [])
    if jobs and None not in jobs:  # most lines are of jobs alone, and a launch has no key
        yield None, jobs
        return
    begin = 0
    while begin < len(text):
        head = text.find(b"\n", begin) + 1 if text.startswith(_LAUNCH, begin) else begin
        end = text.find(b"\n" + _LAUNCH, max(head - 1, 0)) + 1 or len(text)
        jobs = _by_key(reader.each(text[head:end]))
        jobs.pop(None, None)
        yield _launches.line(text[begin:head]) if head > begin else None, jobs
        begin = end


def at_work(path: Path) -> tuple[list[Launch], list[SweepJob]]:
    """Return the launches and the jobs of a journal which other processes of this machine are at.

    Whether one on another machine still runs, nobody here can tell.

    Raises:
        OSError: It cannot be read.
    """
    launches: dict[str, Launch] = {}
    running: dict[Key, SweepJob] = {}
    for _, launch, jobs in parts(path):
        if launch and launch.launch == "started":
            launches[launch.id] = launch
        elif launch:
            launches.pop(launch.id, None)
        for key, job in jobs.items():
            if job.status == "running":
                running[key] = job
            else:
                running.pop(key, None)
    return (
        [launch for launch in launches.values() if _is_other(launch.host)],
        [job for job in running.values() if _is_other(job.host)],
    )


def _is_other(host: dict[str, Any]) -> bool:
    return host.get("pid") != os.getpid() and is_running_here(host)


def _by_key(jobs: list[SweepJob]) -> dict[Key, SweepJob]:
    return {job.dir or job.num: job for job in jobs}
