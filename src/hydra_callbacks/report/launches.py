"""When was a sweep at work, and in which process did each job start? What its journal tells.

A sweep that is resumed has several launches, and days may lie between them. Its own time leaves those out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from hydra_callbacks.runs import record
from hydra_callbacks.runs.journal import FILE_NAME
from hydra_callbacks.support.fast_json import Reader

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK_BYTES = 1 << 20


class Host(msgspec.Struct, frozen=True):
    """A process: its machine, its number there, and when it began, since numbers are given again."""

    name: str = ""
    pid: int | None = None
    pid_started: float | None = None


class _Line(msgspec.Struct, frozen=True):
    """What a line of the journal tells; that of a job that ends tells no host."""

    job: int | None = None
    dir: str = ""
    host: Host | None = None
    started_at: str = ""
    duration_s: float | None = None
    launch: str | None = None
    at: str = ""
    resumes: bool = False


_lines = Reader(_Line)


@dataclass(slots=True)
class Launches:
    """The launches of a sweep.

    Attributes:
        hosts: Where the latest start of each job was, by the job's directory.
        spans: When each launch began, and when something was last heard of it; in seconds since the epoch.
        begun_s: When the sweep began; 0 when nobody knows.
    """

    hosts: dict[str, Host] = field(default_factory=dict)
    spans: list[list[float]] = field(default_factory=list)
    begun_s: float = 0.0

    def own_s(self, moment_s: float) -> float:
        """Return a time, in seconds since the epoch, as the seconds of the sweep's own time since its start."""
        idle = sum(min(max(moment_s - begin, 0.0), end - begin) for begin, end in self._gaps())
        return round(max(moment_s - self.begun_s - idle, 0.0), 3)

    def told(self) -> dict[str, list[float] | float]:
        """Return for a page when the launches began, in the sweep's own time, and how long it stood still."""
        return {
            "launches_s": [self.own_s(begin) for begin, _ in self.spans],
            "idle_s": round(sum(end - begin for begin, end in self._gaps()), 3),
        }

    def _gaps(self) -> list[tuple[float, float]]:
        return [(before[1], after[0]) for before, after in pairwise(self.spans) if after[0] > before[1]]

    def take(self, line: _Line) -> None:
        """Take in what a line of the journal tells."""
        moment_s = record.seconds(line.at or line.started_at)
        if line.launch == "started" and moment_s:
            self.spans = self.spans if line.resumes else []
            self.spans.append([moment_s, max([moment_s, *(end for _, end in self.spans)])])
        elif self.spans and moment_s:
            self.spans[-1][1] = max(self.spans[-1][1], moment_s + (line.duration_s or 0.0))
        if line.host is not None and line.launch is None:
            self.hosts[line.dir or str(line.job)] = line.host


def launches_of(sweep_dir: Path) -> Launches:
    """Return the launches of a sweep; none where it has no journal."""
    found = Launches()
    try:
        with (sweep_dir / FILE_NAME).open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                for line in _lines.lines(block + file.readline()):
                    found.take(line)
    except OSError:
        return Launches()
    return found
