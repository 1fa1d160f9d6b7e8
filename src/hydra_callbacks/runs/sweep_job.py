"""What is known of one job of a sweep: from a line of the journal, from its run record, or from Hydra's own files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hydra_callbacks.errors import RecordError
from hydra_callbacks.runs import record
from hydra_callbacks.support.fast_json import Reader
from hydra_callbacks.support.process import is_gone

if TYPE_CHECKING:
    from hydra_callbacks.runs.find import Run

Status = Literal["completed", "failed", "interrupted", "running", "lost", "pending", "missing", "unknown"]
NOT_STARTED = {"pending", "missing"}
NOTHING = msgspec.Raw(b"null")
"""What a text that was not told stands for."""


class Error(msgspec.Struct, frozen=True):
    """What a job raised."""

    type: str = ""
    message: str = ""

    def __str__(self) -> str:
        """Return both, as a traceback ends."""
        return f"{self.type}: {self.message}"


class Found(msgspec.Struct, gc=False):
    """What a job found out, in slots: each kind of it has others, in the order of `names`."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the keys of the result."""
        return cls.__struct_encode_fields__

    def told(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return dict(zip(self.names(), msgspec.structs.astuple(self), strict=True))


class SweepJob(msgspec.Struct, kw_only=True, gc=False):
    """A job of a sweep; it is read quickly, since there may be a hundred thousand.

    Attributes:
        num: Its number; None when it is not known.
        status: completed, failed, interrupted, running, lost (its process is gone), pending (planned, and its turn may
            come), missing (planned, and nobody is left to start it), or unknown (there is no record, only Hydra's own
            files).
        dir: Its directory, relative to the sweep's where it lies below; empty where it is its number.
        overrides: Its overrides, without secrets.
        attempt: 1, or more when it was started again.
        started_at: When it started; UTC, as text.
        host_told: Where it runs, as JSON; `host` parses it, which few need.
        duration_s: Wall-clock seconds from start to end.
        found: What it found out, as it was read: `result` gives it as a dictionary where it is `Found`.
        result_file: Name of the file in which that was looked for; empty when it was not.
        is_cut: Whether the result is too large for the journal, and stands in the record only.
        error: What it raised.
        peak_rss_bytes: Its largest resident memory.
    """

    num: int | None = msgspec.field(default=None, name="job")
    status: Status
    dir: str = ""
    overrides: list[str] = []
    attempt: int = 1
    started_at: str = ""
    host_told: msgspec.Raw = msgspec.field(default=NOTHING, name="host")
    duration_s: float | None = None
    found: Any = msgspec.field(default=None, name="result")
    result_file: str = "results.json"
    is_cut: bool = False
    error: Error | None = None
    peak_rss_bytes: int | None = None

    @property
    def host(self) -> dict[str, Any]:
        """Where it runs, as `support.process.host_facts` tells it."""
        found = msgspec.json.decode(self.host_told)
        return found if isinstance(found, dict) else {}

    @property
    def result(self) -> Any:
        """What it found out, in most cases a dictionary."""
        return self.found.told() if isinstance(self.found, Found) else self.found

    @property
    def place(self) -> str:
        """Its directory, relative to the sweep's where it lies below."""
        return self.dir or str(self.num)

    def directory(self, sweep_dir: Path) -> Path:
        """Return its output directory."""
        return sweep_dir / self.place

    def but(self, **changes: Any) -> SweepJob:
        """Return the same job with some of its attributes changed."""
        return msgspec.structs.replace(self, **changes)


class _Section(msgspec.Struct, frozen=True, gc=False):
    num: int | None = None


class _Resources(msgspec.Struct, frozen=True, gc=False):
    peak_rss_bytes: int | None = None


class _Record(SweepJob, kw_only=True, gc=False):
    """What a run record tells of a job in its sweep; all else in it is passed over unread."""

    num: int | None = msgspec.field(default=None, name="")  # it stands in the section
    status: Status = "unknown"
    schema: int = record.SCHEMA
    section: _Section = msgspec.field(default=_Section(), name="job")
    resources: _Resources = _Resources()


_records = Reader(_Record)


def job_of(run: Run, sweep_dir: Path | str) -> SweepJob:
    """Return the job of a run that was found below the sweep's directory.

    Raises:
        RecordError: Its record cannot be read.
    """
    job = _told(run)
    job.num, job.peak_rss_bytes = job.section.num, job.resources.peak_rss_bytes
    job.dir = relative(run.place, sweep_dir)
    if job.status == "unknown":
        job.result_file = ""  # nobody has looked for it
    elif job.status == "running" and is_gone(job.host):
        job.status = "lost"
    job.host_told = job.host_told.copy() if job.status == "running" else NOTHING  # it keeps all of the record's text
    return job


def _told(run: Run) -> _Record:
    told = None if run.text is None else _records.quickly(run.text)
    if told is not None and told.schema <= record.SCHEMA:
        return told
    if run.is_of_hydra:
        from hydra_callbacks.runs import hydra_files  # noqa: PLC0415  (few have no record)

        data = hydra_files.job_of(run.place)
    elif run.problem:
        raise RecordError(run.problem)
    else:
        data = run.record
    return _records.leniently(data) or _Record()


def relative(place: str, sweep_dir: Path | str) -> str:
    """Return a directory as it is told of in the sweep: relative to the sweep's, with slashes."""
    above = f"{sweep_dir}/"
    return place[len(above) :] if place.startswith(above) else Path(os.path.relpath(place, sweep_dir)).as_posix()
