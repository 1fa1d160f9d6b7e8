"""When is the next sample due, and what do all of them come to?

Sample k is due k intervals after the beginning, so that what a sample costs never adds up to a drift; one that is late
is left out, and the next ones keep to the beat. When samples are merged because there are too many, the interval
doubles.
"""

from __future__ import annotations

import math
import time

from hydra_callbacks.monitor.meter import Span
from hydra_callbacks.monitor.samples import Samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from hydra_callbacks.monitor.meter import Meter
    from hydra_callbacks.monitor.processes.tree import TreeMeter

PUBLISHED = ("time", "cpus", "rss_GiB", "vms_GiB")


class Sampler:
    """Takes samples of a process tree, and of more meters, into one table.

    Args:
        tree: The meter of the process tree.
        meters: More of them.
        interval_s: Seconds from sample to sample.
        max_samples: As many as are kept.
        began_s: When it begins, on the clock `now`.
        began_at: The same in seconds since the epoch.
        now: The clock that sets the beat, in seconds.

    Attributes:
        samples: What was sampled.
        interval_s: Seconds from sample to sample now.
    """

    def __init__(  # noqa: PLR0913  (all by keyword, and one is for tests)
        self,
        tree: TreeMeter,
        meters: Sequence[Meter] = (),
        *,
        interval_s: float,
        max_samples: int,
        began_s: float,
        began_at: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tree = tree
        self._meters = meters
        self._now = now
        self._began_s = self._latest_s = began_s
        self._began_at = began_at
        self._beat = 0
        self._cpu_s = 0.0
        self.interval_s = interval_s
        columns = [*PUBLISHED, *tree.columns[2:], *(name for meter in meters for name in meter.columns)]
        self.samples = Samples(columns, max_samples)
        self._spans = [Span() for _ in columns]

    def until_due_s(self) -> float:
        """Return how many seconds are left until the next sample is due."""
        return max(0.0, self._began_s + self._beat * self.interval_s - self._now())

    def sample(self) -> None:
        """Take a sample.

        Raises:
            ProcessLookupError: The root of the tree has ended.
        """
        now_s = self._now()
        self.take(now_s, self._tree.read(), [meter.read(self._tree.pids) for meter in self._meters])

    def take(self, now_s: float, of_tree: Sequence[float], of_meters: Sequence[Sequence[float]] = ()) -> None:
        """Take a sample that was read already.

        Args:
            now_s: When, on this sampler's clock.
            of_tree: What the tree's meter has read.
            of_meters: What the others have; without any, nothing is told in their columns.
        """
        elapsed_s, self._latest_s = now_s - self._latest_s, now_s
        rss, vms, cpu_s, *rest = of_tree
        cpu_percent = percent(cpu_s - self._cpu_s, elapsed_s)
        self._cpu_s = cpu_s
        row = [self._began_at + now_s - self._began_s, cpu_percent, rss, vms, cpu_s, *rest]
        for values in of_meters:
            row += values
        row += [math.nan] * (len(self._spans) - len(row))
        for span, value in zip(self._spans, row):  # noqa: B905  (they are equally many, and this is done often)
            span.add(value, elapsed_s)
        if self.samples.add(row):
            self.interval_s *= 2
            self._beat //= 2  # of the longer ones, half as many have passed
        self._beat = max(self._beat + 1, int((now_s - self._began_s) / self.interval_s) + 1)

    def findings(self) -> dict[str, Any]:
        """Return what was found, as plain data.

        Returns:
            `columns`, their names; `values`, all rows as bytes; `published`, names of the meters' columns that stand
            with the older ones; `summary`, the record's section; `absent`, what could not be measured, its name to the
            reason.
        """
        spans = dict(zip(self.samples.names, self._spans))  # noqa: B905  (as above)
        summary = self._tree.summary(spans)
        absent = dict(self._tree.absent)
        for meter in self._meters:
            summary |= meter.summary(spans)
            absent |= meter.absent
        summary["mean_cpu_percent"] = round(percent(self._cpu_s, self._latest_s - self._began_s), 2)
        summary["n_samples"] = len(self.samples)
        summary["interval_s"] = self.interval_s
        return {
            "columns": list(self.samples.names),
            "values": bytes(self.samples),
            "published": [name for meter in self._meters for name in getattr(meter, "published", ())],
            "summary": summary,
            "absent": absent,
        }

    def close(self) -> None:
        """Close all meters."""
        self._tree.close()
        for meter in self._meters:
            meter.close()


def percent(cpu_s: float, elapsed_s: float) -> float:
    """Return processor time as a share of the time that has passed; 100 is one core."""
    return 100 * cpu_s / elapsed_s if elapsed_s > 0 else 0.0
