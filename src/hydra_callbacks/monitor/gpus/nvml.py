"""What does NVIDIA's driver tell of its GPUs?

It is asked through NVML, by nvidia-ml-py (module `pynvml`):
https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.gpus.gpu_processes import JobProcesses, NotToldError, NotYetToldError, since_first
from hydra_callbacks.monitor.gpus.visible import Device, at_numbers, named, order_doubt
from hydra_callbacks.monitor.processes.tree import GIB
from hydra_callbacks.support.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

_SUCCESS, _NOT_FOUND = 0, 6
# Invalid argument, not supported, no permission, function not found, argument version mismatch, deprecated.
_NEVER = {2, 3, 4, 13, 25, 26}
# GPU is lost, reset required, GPU not found.
_LOST = {15, 16, 28}
_REMEDIES = {
    4: "the NVIDIA driver does not let this user ask it: look at the rights of /dev/nvidiactl",
    9: "the NVIDIA driver is not loaded: `nvidia-smi` says more",
    12: "NVIDIA's driver library was not found: install the driver, or start the container with GPUs",
    18: "the NVIDIA driver that runs is older than its library, as after an update: restart the machine",
}


class Nvml:
    """NVML, opened; a `Library`.

    Args:
        proc: Where the kernel shows processes.

    Raises:
        MissingExtraError: nvidia-ml-py is not installed.
        OSError: NVML does not answer; the message says what to do.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._nvml: Any = import_extra("pynvml", "nvidia-ml-py", "gpu", "GPU sampling")
        self._proc = proc
        try:
            self._nvml.nvmlInit()
        except Exception as error:
            raise OSError(_REMEDIES.get(_code(error), str(error))) from error

    def choose(
        self, numbers: Sequence[int] | None, environment: Mapping[str, str]
    ) -> tuple[list[Device], dict[str, str]]:
        """Return the devices to read, and what is to be said of others; as in `Library`, and so all below."""
        n_found = self._nvml.nvmlDeviceGetCount()
        if n_found == 0:
            msg = "NVML finds no GPU"
            raise ValueError(msg)
        if numbers is not None:
            return self._open(at_numbers(numbers, n_found, "NVML"))
        devices, notes = self._open(range(n_found))
        value = environment.get("CUDA_VISIBLE_DEVICES")
        if value is None:
            return devices, notes
        chosen = named(value, devices, lambda: [part for device in devices for part in self._parts(device)])
        if not chosen:
            msg = f"CUDA_VISIBLE_DEVICES={value!r} lets this job use none of the {n_found} GPU(s)"
            raise ValueError(msg)
        doubt = order_doubt(environment, devices, chosen)
        return chosen, {"gpu numbers": doubt} if doubt else {}

    def gauges(self, device: Device) -> dict[str, Callable[[Collection[int]], float]]:
        """Return what reads each quantity of a device."""
        nvml, handle = self._nvml, device.handle

        def of_device(ask: str, *which: int, per: float = 1.0) -> Callable[[Collection[int]], float]:
            function = getattr(nvml, ask, None)
            return lambda _: _told(function)(handle, *which) / per

        return {
            "mem_GiB": lambda _: nvml.nvmlDeviceGetMemoryInfo(handle).used / GIB,
            "usage": lambda _: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
            "job_mem_GiB": _JobMemory(nvml, handle, self._proc),
            "job_usage": _JobUsage(nvml, handle, self._proc),
            "power_W": of_device("nvmlDeviceGetPowerUsage", per=1e3),
            "energy_J": since_first(of_device("nvmlDeviceGetTotalEnergyConsumption", per=1e3)),
            "temperature_C": of_device("nvmlDeviceGetTemperature", 0),  # NVML_TEMPERATURE_GPU
            "sm_clock_MHz": of_device("nvmlDeviceGetClockInfo", 1),  # NVML_CLOCK_SM
            "mem_clock_MHz": of_device("nvmlDeviceGetClockInfo", 2),  # NVML_CLOCK_MEM
        }

    @staticmethod
    def is_never(error: Exception) -> bool:
        """Tell whether there is no use in asking for a quantity again."""
        return _code(error) in _NEVER

    @staticmethod
    def is_lost(error: Exception) -> bool:
        """Tell whether the device is gone."""
        return _code(error) in _LOST

    def close(self) -> None:
        """Give NVML back."""
        self._nvml.nvmlShutdown()

    def _open(self, numbers: Sequence[int]) -> tuple[list[Device], dict[str, str]]:
        """Return these devices, and of those that do not answer why."""
        devices, notes = [], {}
        for number in numbers:
            try:
                handle = self._nvml.nvmlDeviceGetHandleByIndex(number)
            except Exception as error:
                notes[f"gpu{number}"] = f"NVML does not open it: {error}"
                if len(notes) == len(numbers):
                    raise
                continue
            devices.append(self._device(number, handle))
        return devices, notes

    def _parts(self, device: Device) -> list[Device]:
        """Return the parts of a device (MIG)."""
        nvml, parts = self._nvml, []
        try:
            n_places = nvml.nvmlDeviceGetMaxMigDeviceCount(device.handle)
        except Exception:  # noqa: BLE001  (older than MIG)
            return []
        for place in range(n_places):
            try:
                handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(device.handle, place)
            except Exception:  # noqa: BLE001, S112  (a place without a part)
                continue
            instances = nvml.nvmlDeviceGetGpuInstanceId(handle), nvml.nvmlDeviceGetComputeInstanceId(handle)
            old_name = "/".join(map(str, (f"MIG-{device.uuid}", *instances)))
            parts.append(replace(self._device(device.number, handle), part=place, aliases=(old_name,)))
        return parts

    def _device(self, number: int, handle: Any) -> Device:
        def fact(ask: str) -> Any:
            with contextlib.suppress(Exception):  # a device can be read whatever it is called
                return getattr(self._nvml, ask)(handle)

        memory = fact("nvmlDeviceGetMemoryInfo")
        uuid, name = (os.fsdecode(fact(ask) or "") for ask in ("nvmlDeviceGetUUID", "nvmlDeviceGetName"))
        return Device(number, uuid, name, handle, getattr(memory, "total", None))


class _JobMemory:
    """Reads the memory of the job's processes on one device, in GiB."""

    def __init__(self, nvml: Any, handle: Any, proc: str) -> None:
        names = "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"
        self._lists = [getattr(nvml, name, None) for name in names]
        self._handle = handle
        self._processes = JobProcesses(proc)

    def __call__(self, pids: Collection[int]) -> float:
        # A process that both computes and draws is in both lists; on a divided device, once for each part.
        used: dict[tuple[int, ...], int | None] = {}
        for function in tuple(self._lists):
            try:
                entries = _told(function)(self._handle)
            except Exception as error:
                if len(self._lists) == 1 or not (isinstance(error, NotToldError) or Nvml.is_never(error)):
                    raise
                self._lists.remove(function)  # some tell only of one kind
                continue
            for entry in entries:
                used[entry.pid, entry.gpuInstanceId, entry.computeInstanceId] = entry.usedGpuMemory
        mine = set(self._processes.among({key[0] for key in used}, pids))
        amounts = [amount for key, amount in used.items() if key[0] in mine]
        # Some drivers list a process of a container and say 0: pull request 614 of NVIDIA's open-gpu-kernel-modules.
        if not all(amounts):
            msg = "the driver names this job's processes, and not their memory (WDDM, or a container)"
            raise NotYetToldError(msg)
        return sum(amount or 0 for amount in amounts) / GIB


class _JobUsage:
    """Reads how busy the job's processes keep the multiprocessors of one device, in percent, of late."""

    def __init__(self, nvml: Any, handle: Any, proc: str) -> None:
        self._ask = getattr(nvml, "nvmlDeviceGetProcessUtilization", None)
        self._handle = handle
        self._processes = JobProcesses(proc)

    def __call__(self, pids: Collection[int]) -> float:
        # The driver takes a sample in up to a second: all since then, and of each process the newest.
        try:
            samples = _told(self._ask)(self._handle, int((time.time() - 1) * 1e6))
        except Exception as error:
            if _code(error) not in {_SUCCESS, _NOT_FOUND}:
                raise
            samples = []  # no process was busy
        newest = {
            sample.pid: sample.smUtil
            for sample in sorted(samples, key=lambda sample: sample.timeStamp)
            if sample.pid and sample.smUtil <= 100  # noqa: PLR2004  (some drivers fill up with rubbish)
        }
        return float(min(100, sum(newest[pid] for pid in self._processes.among(newest, pids))))


def _told(function: Callable[..., Any] | None) -> Callable[..., Any]:
    if function is None:
        msg = "the nvidia-ml-py installed is too old to ask for it: pip install -U nvidia-ml-py"
        raise NotToldError(msg)
    return function


def _code(error: Exception) -> int:
    """Return NVML's number of an error; -1 for one that is not NVML's."""
    value = getattr(error, "value", None)
    return value if isinstance(value, int) else -1
