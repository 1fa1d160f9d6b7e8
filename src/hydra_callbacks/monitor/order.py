"""What is to be sampled, and with which meters?

An order is plain data, so that it can be given to another process: `pid`, the root of the process tree, and `is_own`,
whether it is who gives the order; `interval_s` and `max_samples`; `began_s` and `began_at`, when it began, in seconds
on the monotonic clock and since the epoch; `first` and `baseline`, what the meter of the tree has read then, and what
another needs to go on from there; `gpu_monit`, whether GPUs are read, and `gpu_devices`, their numbers, None for those
that the job may use; `leave`, what is to be done for a process that is killed, None for nothing.
"""

from __future__ import annotations

import os

from hydra_callbacks.monitor.held import Held
from hydra_callbacks.monitor.processes.figures import HAS_PROC
from hydra_callbacks.monitor.processes.tree import TreeMeter
from hydra_callbacks.monitor.sampler import Sampler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from hydra_callbacks.monitor.meter import Meter

_HOLD_S = 0.05  # at an interval of 10 ms, all that surrounds a job would cost as much as the job's own figures


def sampler_for(order: Mapping[str, Any]) -> Sampler:
    """Return a sampler that goes on from the first sample, with its meters opened in this process."""
    sampler = Sampler(
        TreeMeter(order["pid"], order["baseline"]),
        _meters_for(order),
        interval_s=order["interval_s"],
        max_samples=order["max_samples"],
        began_s=order["began_s"],
        began_at=order["began_at"],
    )
    sampler.take(order["began_s"], order["first"])
    return sampler


def _meters_for(order: Mapping[str, Any]) -> list[Meter]:
    """Return the meters that are read beside that of the process tree."""
    meters: list[Meter] = []
    if HAS_PROC:
        from hydra_callbacks.monitor.around.surroundings import Surroundings  # noqa: PLC0415  (as above)
        from hydra_callbacks.monitor.processes.shared_memory import SharedMemory  # noqa: PLC0415  (not where another reads it)

        meters += [SharedMemory(), Held(Surroundings(), _HOLD_S)]
    if order["gpu_monit"]:
        from hydra_callbacks.monitor.gpus.gpu import GpuMeter  # noqa: PLC0415  (only where asked for)

        meters.append(GpuMeter(order["gpu_devices"], os.environ))
    return meters
