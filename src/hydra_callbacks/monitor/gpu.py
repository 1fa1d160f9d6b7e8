"""How much memory do the NVIDIA GPUs hold, and how busy are they?

NVML answers for whole devices, whichever processes use them, through nvidia-ml-py (module `pynvml`). A machine without
it is no error: one warning says what is missing, and there are no GPU columns.
"""

from __future__ import annotations

import logging
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.samples import GIB
from hydra_callbacks.support.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Sequence

_log = logging.getLogger("hydra.callbacks")


@lru_cache(maxsize=128)
def warn_once(text: str) -> None:
    """Log a warning, the same one only once in a process: the jobs of a sweep lack the same GPU."""
    _log.warning("%s", text)


def open_gpus(devices: Sequence[int] | None) -> Gpus | None:
    """Return a reader of GPUs; None, after a warning, where NVML does not answer.

    Args:
        devices: Their numbers as NVML counts (`nvidia-smi` shows them); None for all. CUDA_VISIBLE_DEVICES has no say.
    """
    try:
        return Gpus(devices)
    except Exception as error:  # noqa: BLE001  (whatever driver and bindings do, it must not cost the run)
        warn_once(f"no GPU columns: {str(error) or type(error).__name__}")
        return None


class Gpus:
    """Some GPUs of this machine; close it after use.

    Args:
        devices: Their numbers as NVML counts; None for all.

    Raises:
        MissingExtraError: nvidia-ml-py is not installed.
        ValueError: There is no such device.
        Exception: NVML gives another error, of a type of its own.

    Attributes:
        columns: Names of what `read` returns: `gpu<i>_mem_GiB`, `gpu<i>_usage` for each device.
    """

    def __init__(self, devices: Sequence[int] | None) -> None:
        self._nvml: Any = import_extra("pynvml", "nvidia-ml-py", "gpu", "GPU sampling")
        self._nvml.nvmlInit()
        try:
            numbers = _choose(devices, self._nvml.nvmlDeviceGetCount())
            self._handles = {number: self._nvml.nvmlDeviceGetHandleByIndex(number) for number in numbers}
        except BaseException:
            self._nvml.nvmlShutdown()
            raise
        self.columns = [f"gpu{number}_{quantity}" for number in self._handles for quantity in ("mem_GiB", "usage")]

    def read(self) -> list[float]:
        """Return used memory in GiB and busy time in percent for each device; NaN, after a warning, where not told."""
        values = []
        for number, handle in self._handles.items():
            for quantity, ask in (("used memory", self._mem_gib), ("usage", self._usage_percent)):
                try:
                    values.append(ask(handle))
                except Exception as error:  # noqa: BLE001, PERF203  (as above; a part of a GPU tells no usage)
                    values.append(math.nan)
                    warn_once(f"NVML does not tell the {quantity} of GPU {number}, its cells stay empty: {error}")
        return values

    def _mem_gib(self, handle: Any) -> float:
        return float(self._nvml.nvmlDeviceGetMemoryInfo(handle).used) / GIB

    def _usage_percent(self, handle: Any) -> float:
        return float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)

    def close(self) -> None:
        """Give NVML back."""
        try:
            self._nvml.nvmlShutdown()
        except Exception as error:  # noqa: BLE001  (as above)
            warn_once(f"NVML did not close: {error}")


def _choose(devices: Sequence[int] | None, count: int) -> Sequence[int]:
    """Return the numbers of the devices to read, of those that there are."""
    if count == 0:
        msg = "NVML finds no GPU"
        raise ValueError(msg)
    missing = [number for number in devices or () if number not in range(count)]
    if missing:
        msg = f"gpu_devices must be numbers from 0 to {count - 1}, as NVML finds {count} GPU(s); got {missing[0]!r}"
        raise ValueError(msg)
    return range(count) if devices is None else devices
