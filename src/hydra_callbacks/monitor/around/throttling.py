"""How long was the job held back, because its share of processor time was used up?

A group with a limit (`docker run --cpus 2`, a limit of Kubernetes, `CPUQuota=`) may run so long in each period of,
mostly, 100 ms; then it waits for the next one. The kernel counts these waits for each core that had work to do: with
many threads they add up to more than the time that has passed.
"""

from __future__ import annotations

import math

from hydra_callbacks.monitor.around.kept_file import KeptFile, counter, why_not
from hydra_callbacks.support import cgroups

TYPE_CHECKING = False  # as `typing` says it, without loading it
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from hydra_callbacks.monitor.meter import Span

_VERSIONS = ((b"throttled_usec", 1e-6), (b"throttled_time", 1e-9))  # of `cpu.stat`, in version 2 and in 1, in seconds


class Throttling:
    """Counts seconds of waiting since its first reading, as a `Meter` does.

    Args:
        root: Where `/proc` and what is mounted are found.
    """

    def __init__(self, root: str = "/") -> None:
        self.columns: Sequence[str] = ()
        self.absent: Mapping[str, str] = {}
        self._files: list[KeptFile] = []
        self._first_s = math.nan
        limits = list(cgroups.cpu_limits(root))
        self._limit = min((cores for _, cores in limits), default=None)
        if not limits:
            self.absent = {"throttled": "no limit of processor time is set"}
            return
        try:
            for group, _ in limits:  # each counts only the waits that its own limit has caused
                self._files.append(KeptFile(f"{group}/cpu.stat"))
            is_told = not math.isnan(_throttled_s(self._files))
        except OSError as error:
            self.absent = {"throttled": f"cpu.stat of the control group: {why_not(error)}"}
            self.close()
            return
        if is_told:
            self.columns = ("throttled_s",)
        else:
            self.absent = {"throttled": "the control group does not tell it"}
            self.close()

    def read(self, pids: Collection[int]) -> Sequence[float]:  # noqa: ARG002  (a meter's)
        """Return the seconds."""
        if not self._files:
            return ()
        try:
            now_s = _throttled_s(self._files)
        except OSError:
            return (math.nan,)
        if math.isnan(self._first_s):
            self._first_s = now_s
        return (now_s - self._first_s,)

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """Return the seconds, and the limit in cores, as `cgroup`."""
        told: dict[str, Any] = {} if self._limit is None else {"cpu_limit": self._limit}
        span = spans.get("throttled_s")
        if span is not None and not math.isnan(span.grown):
            told["throttled_s"] = round(span.grown, 6)
        return {"cgroup": told}

    def close(self) -> None:
        """Close the files."""
        while self._files:
            self._files.pop().close()


def _throttled_s(files: Sequence[KeptFile]) -> float:
    """Return the sum of all waits so far; NaN where a file does not tell it.

    Raises:
        OSError: A group is gone.
    """
    return sum([_throttled_s_of(file.read()) for file in files])


def _throttled_s_of(text: bytes) -> float:
    for name, unit_s in _VERSIONS:
        number = counter(text, name)
        if number is not None:
            return number * unit_s
    return math.nan
