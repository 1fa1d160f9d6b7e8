"""What is a meter, and what becomes of the numbers that it reads?

A meter reads a few numbers whenever it is asked. Those of a process tree, of GPUs and of the machine around are such;
the sampler puts their numbers side by side, and asks each at the end what its own come to.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any, Protocol

    class Meter(Protocol):
        """Reads the same numbers again and again; opened in the process that samples."""

        @property
        def columns(self) -> Sequence[str]:
            """Names of the numbers, with their units."""

        @property
        def absent(self) -> Mapping[str, str]:
            """What could have been measured, and is not: its name to the reason, in a line."""

        def read(self, pids: Collection[int]) -> Sequence[float]:
            """Return a number for each column; NaN where it is not told.

            Args:
                pids: The processes of the job.
            """

        def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
            """Return what the numbers come to, for the record.

            Args:
                spans: Column to what was read there.
            """

        def close(self) -> None:
            """Give back what it has open."""


class Span:
    """What the readings of one column come to; those that were not told do not count.

    Attributes:
        first: The first one; NaN without any, as below.
        last: The last one.
        low: The lowest.
        high: The highest.
    """

    __slots__ = ("_sum", "_weight_s", "first", "high", "last", "low")

    def __init__(self) -> None:
        self.first = self.last = self.low = self.high = math.nan
        self._sum = self._weight_s = 0.0

    def add(self, value: float, lasted_s: float) -> None:
        """Take a reading in.

        Args:
            value: The reading.
            lasted_s: Seconds since the one before.
        """
        if value != value:  # noqa: PLR0124  (NaN)
            return
        if self.first != self.first:
            self.first = self.low = self.high = value
        elif value > self.high:
            self.high = value
        elif value < self.low:
            self.low = value
        self.last = value
        self._sum += value * lasted_s
        self._weight_s += lasted_s

    @property
    def mean(self) -> float:
        """The mean over time: each reading stands for the time since the one before."""
        return self._sum / self._weight_s if self._weight_s > 0 else self.last

    @property
    def grown(self) -> float:
        """How much a counter has grown from the first reading to the last."""
        return self.last - self.first


def absence_lines(absent: Mapping[str, str]) -> list[str]:
    """Return a line for each reason: `gpu0_usage, gpu1_usage: Not Supported`."""
    names: dict[str, list[str]] = {}
    for name, reason in absent.items():
        names.setdefault(reason, []).append(name)
    return [f"{', '.join(columns)}: {reason}" for reason, columns in names.items()]
