"""Most jobs of a sweep find out the same things: how are their lines read into slots instead of dictionaries?"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from hydra_callbacks.runs.sweep_job import Found, SweepJob
from hydra_callbacks.support.fast_json import Reader

_MOST_KEYS = 100  # of a result: where they come in another order, each is looked for
_Flat = int | float | str | bool | None
_jobs = Reader(SweepJob)


class JobLines:
    """Reads lines of jobs; the keys that the first result has are expected in all others."""

    def __init__(self) -> None:
        self._likely: Reader[SweepJob] | None = None

    def every(self, text: bytes) -> list[SweepJob] | None:
        """Return the jobs in some lines; None when one of them is no job's, or takes a slower reader."""
        jobs = self._likely.every(text) if self._likely else None
        if jobs is not None:
            return jobs
        jobs = _jobs.every(text)
        if jobs and not self._likely:
            keys = next((tuple(job.found) for job in jobs if isinstance(job.found, dict)), ())
            self._likely = _reader_of(keys) if 0 < len(keys) <= _MOST_KEYS else None
            jobs = self._likely.every(text) or jobs if self._likely else jobs
        return jobs

    def each(self, text: bytes) -> list[SweepJob]:
        """Return the jobs in some lines; what is no job's line is passed over."""
        jobs = self.every(text)
        return _jobs.lines(text) if jobs is None else jobs


@lru_cache(maxsize=16)  # who looks again and again meets the same keys
def _reader_of(keys: tuple[str, ...]) -> Reader[SweepJob] | None:
    """Return what reads jobs whose results have these keys or are none, and refuses all others."""
    slots: list[tuple[str, Any, Any]] = [(f"_{n}", _Flat, msgspec.field(name=key)) for n, key in enumerate(keys)]
    try:
        found = msgspec.defstruct("_Found", slots, bases=(Found,), forbid_unknown_fields=True, gc=False)
    except (TypeError, ValueError):  # a key with a sign that msgspec looks for in vain
        return None
    result = ("found", found | None, msgspec.field(default=None, name="result"))
    kind: Any = msgspec.defstruct("_SweepJob", [result], bases=(SweepJob,), kw_only=True, gc=False)
    return Reader(kind)
