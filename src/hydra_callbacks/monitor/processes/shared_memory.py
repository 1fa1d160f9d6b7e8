"""How much memory do the processes of a job hold, if what several of them share counts only once?

The proportional set size (proc_pid_smaps(5)) tells it, but the kernel walks all pages for it and holds the process's
memory map meanwhile. So it is read only where processes may share, and as seldom as it is expensive.
"""

from __future__ import annotations

import math
import time

from hydra_callbacks.monitor.processes.tree import GIB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any

    from hydra_callbacks.monitor.meter import Span

_PAUSE_PER_COST = 1000.0  # so at most a thousandth of the time goes into it
"""Seconds that pass after a reading, for each second that it took."""


class SharedMemory:
    """A `meter.Meter` of `pss_GiB`: of jobs with several processes, and when it costs little; else it is not told.

    Args:
        now: The clock, in seconds.
    """

    columns: Sequence[str] = ("pss_GiB",)

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.absent: Mapping[str, str] = {}
        self._now = now
        self._due_s = -math.inf
        self._before: Collection[int] = ()

    def read(self, pids: Collection[int]) -> Sequence[float]:
        """Return the number; see `meter.Meter`."""
        began_s = self._now()
        before, self._before = self._before, pids
        if len(pids) < 2 or self.absent or began_s < self._due_s:  # noqa: PLR2004  (one shares with nobody of the job)
            return (math.nan,)
        if before and not set(before).issuperset(pids):
            return (math.nan,)  # who was born since may still have its parent's memory, see `proc`
        try:
            pss_bytes = sum(map(_pss_bytes, pids))
        except OSError as error:
            self.absent = {"pss": f"memory without what is shared: {error.filename}: {error.strerror}"}
            return (math.nan,)
        ended_s = self._now()
        self._due_s = ended_s + _PAUSE_PER_COST * (ended_s - began_s)
        return (pss_bytes / GIB,)

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """See `meter.Meter`."""
        peak_gib = spans["pss_GiB"].high
        return {} if math.isnan(peak_gib) else {"peak_pss_bytes": round(peak_gib * GIB)}

    def close(self) -> None:
        """Have nothing open."""


def _pss_bytes(pid: int) -> int:
    """Return what a process holds; 0 when it has ended.

    Raises:
        OSError: It is not ours to look at, or this kernel does not tell (before Linux 4.14).
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb", buffering=0) as file:  # noqa: PTH123  (no pathlib here, see `proc`)
            text = file.read(1 << 14)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    _, _, rest = text.partition(b"\nPss:")
    return int(rest.split(None, 1)[0]) * 1024 if rest else 0
