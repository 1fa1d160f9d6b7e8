"""What if samples are taken more often than a figure is worth reading?"""

from __future__ import annotations

import math
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any

    from hydra_callbacks.monitor.meter import Meter, Span


class Held:
    """A `meter.Meter` that gives the last numbers of another one, and reads them anew only now and then.

    Args:
        meter: The other one.
        hold_s: For how many seconds its numbers hold good.
        now: The clock, in seconds.
    """

    def __init__(self, meter: Meter, hold_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._meter = meter
        self._hold_s = hold_s
        self._now = now
        self._read_s = -math.inf
        self._values: Sequence[float] = ()

    @property
    def columns(self) -> Sequence[str]:
        """Those of the other one."""
        return self._meter.columns

    @property
    def absent(self) -> Mapping[str, str]:
        """Those of the other one."""
        return self._meter.absent

    def read(self, pids: Collection[int]) -> Sequence[float]:
        """Return its numbers; see `meter.Meter`."""
        now_s = self._now()
        if now_s - self._read_s >= self._hold_s:
            self._read_s, self._values = now_s, self._meter.read(pids)
        return self._values

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """See `meter.Meter`."""
        return self._meter.summary(spans)

    def close(self) -> None:
        """Close the other one."""
        self._meter.close()
