"""What did a process tree use from second to second, while something else had our attention?

On Linux, a process of our own samples from beside (`beside`): it keeps its rate while the job holds Python's lock,
takes nothing from the job's threads, and sees the job killed. Elsewhere, and where it cannot be started, a thread does.
The first and the last sample are taken here, so that a job that is over at once has figures, too. Nothing is written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.marks import KernelMarks
from hydra_callbacks.monitor.processes.figures import HAS_PROC
from hydra_callbacks.monitor.processes.tree import GIB, TreeMeter
from hydra_callbacks.monitor.rows import rows_of, samples_of, table_of
from hydra_callbacks.monitor.sampler import Sampler
from hydra_callbacks.support.settings import check, check_count, check_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Protocol

    from typing_extensions import Self

    class Watch(Protocol):
        """What samples until it is told to stop.

        Attributes:
            why: What has become of it, where it cannot tell what it has found; empty when it has hardly begun.
        """

        why: str

        def found(self) -> dict[str, Any] | None:
            """Return what was found until now; None when it cannot tell."""

        def stop(self) -> dict[str, Any] | None:
            """Take the last sample, end, and return what was found; None when it cannot tell."""


_LEAST_KEPT = 8
_LONGEST_BEGIN_S = 5.0
_log = logging.getLogger("hydra.callbacks")


class ResourceMonitorService:
    """Samples a process and all below it from `start` to `stop`, both ends included; also a context manager.

    Args:
        pid: The process at the root of the tree; None for this one.
        interval: Seconds from sample to sample, at least 0.01. A sample that is late is left out, and the next ones
            keep to the beat.
        base_name: Without effect: it named a trace file, and there is none any more.
        gpu_monit: Sample the GPUs too; where their driver does not answer, one warning says why and they are left out.
        gpu_devices: Numbers of the GPUs as the driver counts; None for those that this process may use.
        max_samples: As many as are kept, at least 8. When there are more, each four become two, the lowest and the
            highest of each column, and the interval doubles.
        leave: What becomes of the samples when this process is killed: the function `leave` of `module` is given this
            mapping, the rows, with what stands in `names`, and the summary. None for nothing.

    Raises:
        SettingError: An argument has a wrong value.
    """

    def __init__(  # noqa: PLR0913  (the published signature, and what is new by keyword)
        self,
        pid: int | None = None,
        interval: float = 1,
        base_name: str = "",  # noqa: ARG002  (published)
        gpu_monit: bool = False,
        gpu_devices: Sequence[int] | None = None,
        *,
        max_samples: int = 10_000,
        leave: Mapping[str, Any] | None = None,
    ) -> None:
        check("pid", pid, "the number of a process, or None", pid is None or (isinstance(pid, int) and pid > 0))
        check_seconds("interval", interval, at_least=0.01)
        check_count("max_samples", max_samples, at_least=_LEAST_KEPT)
        self.pid = pid
        self.interval = interval
        self.gpu_monit = gpu_monit
        self.gpu_devices = gpu_devices
        self.max_samples = max_samples
        self._leave = dict(leave) if leave else None
        self._watch: Watch | None = None
        self._findings: dict[str, Any] | None = None

    def start(self) -> None:
        """Take the first sample, and go on until `stop`; forgets earlier samples. Does nothing while it samples.

        Raises:
            ProcessLookupError: There is no such process.
        """
        if self._watch is not None:
            return
        self._marks = KernelMarks() if self.pid in {None, os.getpid()} else None
        try:
            tree = TreeMeter(self.pid or os.getpid())
            self._began_s, began_at = time.monotonic(), time.time()
            first = tree.read()
            tree.close()  # a job may close descriptors that are not its own
        except BaseException:
            if self._marks:
                self._marks.finish()
            raise
        order = {
            "pid": self.pid or os.getpid(),
            "is_own": self._marks is not None,
            "interval_s": self.interval,
            "max_samples": self.max_samples,
            "began_s": self._began_s,
            "began_at": began_at,
            "first": first,
            "baseline": tree.baseline(),
            "gpu_monit": self.gpu_monit,
            "gpu_devices": None if self.gpu_devices is None else list(self.gpu_devices),
            "leave": self._leave and {**self._leave, "absent": self._marks.absent if self._marks else {}},
        }
        self._own = Sampler(
            tree, interval_s=self.interval, max_samples=self.max_samples, began_s=self._began_s, began_at=began_at
        )
        self._own.take(self._began_s, first)
        self._findings = None
        self._starter = os.getpid()
        self._watch = self._open_watch(order)
        if self._marks:
            self._marks.forget_children()

    def stop(self) -> None:
        """Take the last sample and end, at once however long the interval is. Does nothing when it does not sample.

        In a forked child it ends nothing: who has started goes on.
        """
        if self._watch is None:
            return
        watch, self._watch = self._watch, None
        if os.getpid() != self._starter:
            self._findings = self._own.findings()
            return
        self._findings = watch.stop()
        if self._findings is None:
            self._findings = self._found_here(watch.why)
        elif self._findings["trouble"]:
            _log.error("sampling of process %s ended early: %s", self.pid or os.getpid(), self._findings["trouble"])
        self._own.close()
        self._add_marks()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def get_values(self) -> dict[str, Any]:
        """Return the samples so far, during the sampling and after it.

        Returns:
            Column to array of shape (n_samples,), dtype float64; without NumPy an `array.array("d")`. `time`: seconds
            since the epoch. `cpus`: percent since the sample before, over the tree (100 = one core). `rss_GiB`,
            `vms_GiB`: memory, summed over the tree. For each GPU sampled `gpu<i>_mem_GiB`: its memory in use, and
            `gpu<i>_usage`: percent of time that it was busy, both by all processes. The others are described with the
            file of the callback ResourceMonitor. NaN where something is not told.
        """
        columns = self.columns()
        try:
            import numpy as np  # noqa: PLC0415  (not ours to bring; used where the application has it)
        except ImportError:
            return columns
        return {column: np.array(values, dtype=np.float64) for column, values in columns.items()}

    def columns(self) -> dict[str, Any]:
        """Return the same as `get_values`, each column as an `array.array("d")`."""
        return dict(samples_of(self._told()).columns())

    def rows(
        self, names: Mapping[str, Any] | None = None, more: Mapping[str, Sequence[Any]] | None = None
    ) -> list[dict[str, Any]]:
        """Return one mapping for each sample, column to value as in `get_values`, rounded; None instead of NaN.

        Args:
            names: Columns that are the same in all rows.
            more: Columns at the end, each with a value for every row.
        """
        return rows_of(self._told(), names, more)

    def table(
        self, names: Mapping[str, Any] | None = None, more: Mapping[str, Sequence[Any]] | None = None
    ) -> dict[str, Sequence[Any]]:
        """Return the same by columns, quickly; NaN where something is not told. See `rows`."""
        return table_of(self._told(), names, more)

    def summary(self) -> dict[str, Any]:
        """Return what the samples come to: the record's `resources` section."""
        return dict(self._told()["summary"])

    def absent(self) -> dict[str, str]:
        """Return what could not be measured: its name to the reason."""
        return dict(self._told()["absent"])

    def _told(self) -> dict[str, Any]:
        """Return what was found until now."""
        if self._findings is None and self._watch is None:
            return {
                "columns": ["time", "cpus", "rss_GiB", "vms_GiB"],
                "values": b"",
                "published": [],
                "summary": {"n_samples": 0},
                "absent": {},
            }
        return self._findings or (self._watch and self._watch.found()) or self._own.findings()

    def _open_watch(self, order: dict[str, Any]) -> Watch:
        """Start what samples."""
        if HAS_PROC and not getattr(sys, "frozen", False):  # a frozen program has no interpreter to start
            from hydra_callbacks.monitor.beside import Beside  # noqa: PLC0415  (not elsewhere)

            try:
                return Beside(order, at_once=self.gpu_monit)
            except OSError:  # no shell, no more processes or descriptors
                pass
        from hydra_callbacks.monitor.within import Within  # noqa: PLC0415  (seldom needed)

        return Within(order)

    def _found_here(self, why: str) -> dict[str, Any]:
        """Return what is found without what samples.

        Args:
            why: What has become of that; empty when it has hardly begun.
        """
        if not why and time.monotonic() - self._began_s > 2 * self.interval + _LONGEST_BEGIN_S:
            why = "has not begun in time"
        if why:
            _log.warning("what sampled process %s %s; only the ends are left", self.pid or os.getpid(), why)
        with contextlib.suppress(ProcessLookupError):  # the end of what is watched is nothing to report
            self._own.sample()
        return self._own.findings()

    def _add_marks(self) -> None:
        """Add what the kernel has remembered."""
        if self._marks is None or self._findings is None:
            return
        summary, marks, absent = self._findings["summary"], self._marks.finish(), dict(self._marks.absent)
        child, below = marks.pop("peak_child_rss_bytes", 0), marks.pop("peak_child_rss_below_bytes", 0)
        if child > summary["peak_rss_bytes"]:  # else it may be what it shared with its parent before it began
            summary["peak_rss_bytes"] = child + round(min(self.columns()["rss_GiB"]) * GIB)
        if below > summary["peak_rss_bytes"]:
            from hydra_callbacks.support.texts import size  # noqa: PLC0415  (seldom needed)

            absent.setdefault(
                "peak_rss", f"children that ended between samples, below {size(below)}, which an earlier one had"
            )
        summary |= marks
        self._findings["absent"] |= absent
