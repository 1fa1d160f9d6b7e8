"""What did a process tree use from second to second, while something else had our attention?

A thread samples at a steady rate; the samples stay in memory, and nothing is written.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.host import TreeMeter
from hydra_callbacks.monitor.samples import GIB, Samples
from hydra_callbacks.support.settings import check, check_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from hydra_callbacks.monitor.gpu import Gpus

_log = logging.getLogger("hydra.callbacks")


class ResourceMonitorService:
    """Samples a process and all below it from `start` to `stop`, both ends included; also a context manager.

    Args:
        pid: The process at the root of the tree; None for this one.
        interval: Seconds from sample to sample, at least 0.01. A sample that is late is left out, and the next ones
            keep to the beat.
        base_name: Without effect: it named a trace file, and there is none any more.
        gpu_monit: Sample the GPUs too; where NVML does not answer, one warning says why and they are left out.
        gpu_devices: Numbers of the GPUs as NVML counts; None for all.
        now: The clock that sets the beat, in seconds.
        wait: Waits for an event, for so many seconds at most, and tells whether it happened.

    Raises:
        SettingError: An argument has a wrong value.
    """

    def __init__(  # noqa: PLR0913  (the published signature, and two for tests)
        self,
        pid: int | None = None,
        interval: float = 1,
        base_name: str = "",  # noqa: ARG002  (published)
        gpu_monit: bool = False,
        gpu_devices: Sequence[int] | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        check("pid", pid, "the number of a process, or None", pid is None or (isinstance(pid, int) and pid > 0))
        check_seconds("interval", interval, at_least=0.01)
        self.pid = pid
        self.interval = interval
        self.gpu_monit = gpu_monit
        self.gpu_devices = gpu_devices
        self._now = now
        self._wait = wait
        self._thread: threading.Thread | None = None
        self._gpus: Gpus | None = None
        self._samples = Samples()
        self._cpu_s = self._began = self._latest = 0.0

    def start(self) -> None:
        """Take the first sample, and go on until `stop`; forgets earlier samples. Does nothing while it samples.

        Raises:
            ProcessLookupError: There is no such process.
        """
        if self._thread is not None:
            return
        self._ended = threading.Event()
        self._meter = TreeMeter(self.pid or os.getpid())
        try:
            self._gpus = self._open_gpus() if self.gpu_monit else None
            self._samples = Samples(self._gpus.columns if self._gpus else ())
            self._cpu_s = 0.0
            self._began = self._latest = self._now()
            self._sample()
        except BaseException:
            self._close_gpus()
            raise
        self._thread = threading.Thread(target=self._keep_sampling, name="resource-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take the last sample and end, at once however long the interval is. Does nothing when it does not sample."""
        if self._thread is None:
            return
        is_sampling = not self._ended.is_set()
        self._ended.set()
        self._thread.join()
        self._thread = None
        if is_sampling:
            self._sample_safely()
        self._close_gpus()

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
            `gpu<i>_usage`: percent of time that it was busy, both by all processes; NaN where NVML does not tell.
        """
        return self._samples.arrays()

    def rows(self) -> list[dict[str, float | None]]:
        """Return one mapping for each sample, column to value as in `get_values`, rounded; None instead of NaN."""
        return self._samples.rows()

    def summary(self) -> dict[str, float]:
        """Return what the samples come to: the record's `resources` section.

        Returns:
            `cpu_s`: processor time of the tree in seconds. `peak_rss_bytes`: the highest sample of its resident memory;
            a peak between two samples is not seen. `mean_cpu_percent`: 100 = one core. `n_samples`, `interval_s`.
        """
        elapsed_s = self._latest - self._began
        return {
            "cpu_s": round(self._cpu_s, 6),
            "peak_rss_bytes": self._samples.peak_rss_bytes(),
            "mean_cpu_percent": round(_percent(self._cpu_s, elapsed_s), 2),
            "n_samples": len(self._samples),
            "interval_s": self.interval,
        }

    def _open_gpus(self) -> Gpus | None:
        from hydra_callbacks.monitor.gpu import open_gpus  # noqa: PLC0415  (only where asked for)

        return open_gpus(self.gpu_devices)

    def _close_gpus(self) -> None:
        if self._gpus is not None:
            self._gpus.close()
            self._gpus = None

    def _keep_sampling(self) -> None:
        """Take sample k at k intervals from the start, so that what a sample costs never adds up to a drift."""
        beat = 1
        while not self._wait(self._ended, self._until(beat)):
            if not self._sample_safely():
                self._ended.set()
                return
            beat = max(beat + 1, int((self._now() - self._began) / self.interval) + 1)

    def _until(self, beat: int) -> float:
        """Return how many seconds are left until a beat, as far as a thread can wait."""
        return min(max(0.0, self._began + beat * self.interval - self._now()), threading.TIMEOUT_MAX)

    def _sample_safely(self) -> bool:
        """Take a sample and return True; False when there is nothing to be had any more."""
        try:
            self._sample()
        except ProcessLookupError:  # the end of what is watched is nothing to report
            return False
        except Exception:  # noqa: BLE001  (the watcher must not disturb what it watches)
            _log.exception("sampling of process %s ends here", self.pid or os.getpid())
            return False
        return True

    def _sample(self) -> None:
        now = self._now()
        use = self._meter.read()
        gpus = self._gpus.read() if self._gpus else ()
        cpu_percent = _percent(use.cpu_s, now - self._latest)
        self._samples.add(time.time(), cpu_percent, use.rss_bytes / GIB, use.vms_bytes / GIB, *gpus)
        self._cpu_s += use.cpu_s
        self._latest = now


def _percent(cpu_s: float, elapsed_s: float) -> float:
    return 100 * cpu_s / elapsed_s if elapsed_s > 0 else 0.0
