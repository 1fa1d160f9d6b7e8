"""What does AMD's driver tell of its GPUs?

It is asked through AMD SMI (module `amdsmi`), which comes with ROCm:
https://rocm.docs.amd.com/projects/amdsmi/en/latest/reference/amdsmi-py-api.html
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.gpus.gpu_processes import JobProcesses, NotToldError, since_first
from hydra_callbacks.monitor.gpus.visible import Device, at_numbers, named
from hydra_callbacks.monitor.processes.tree import GIB

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

# AMDSMI_STATUS_: INVAL, NOT_SUPPORTED, NOT_YET_IMPLEMENTED, NO_PERM.
_NEVER = {1, 2, 3, 10}


class AmdSmi:
    """AMD SMI, opened; a `Library`.

    Args:
        proc: Where the kernel shows processes.

    Raises:
        ModuleNotFoundError: It is not installed.
        Exception: It does not answer.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._smi: Any = importlib.import_module("amdsmi")
        self._proc = proc
        self._smi.amdsmi_init()

    def choose(
        self, numbers: Sequence[int] | None, environment: Mapping[str, str]
    ) -> tuple[list[Device], dict[str, str]]:
        """Return the devices to read; as in `Library`, and so all below."""
        handles = self._smi.amdsmi_get_processor_handles()
        if not handles:
            msg = "AMD SMI finds no GPU"
            raise ValueError(msg)
        devices = [self._device(number, handle) for number, handle in enumerate(handles)]
        if numbers is not None:
            return [devices[number] for number in at_numbers(numbers, len(devices), "AMD SMI")], {}
        # ROCm's runtime leaves some, and HIP counts anew among those; it takes CUDA's variable when its own is not set.
        hip = "HIP_VISIBLE_DEVICES" if "HIP_VISIBLE_DEVICES" in environment else "CUDA_VISIBLE_DEVICES"
        for variable in ("ROCR_VISIBLE_DEVICES", hip):
            value = environment.get(variable)
            if value is not None:
                devices = named(value, devices)
                if not devices:
                    msg = f"{variable}={value!r} lets this job use none of the {len(handles)} GPU(s)"
                    raise ValueError(msg)
        return devices, {}

    def gauges(self, device: Device) -> dict[str, Callable[[Collection[int]], float]]:
        """Return what reads each quantity of a device."""
        smi, handle = self._smi, device.handle
        processes = JobProcesses(self._proc)

        def job_mem_gib(pids: Collection[int]) -> float:
            entries = {
                entry["pid"]: entry["memory_usage"]["vram_mem"] for entry in smi.amdsmi_get_gpu_process_list(handle)
            }
            return sum(_told(entries[pid]) for pid in processes.among(entries, pids)) / GIB

        def power_w(_: Collection[int]) -> float:
            power = smi.amdsmi_get_power_info(handle)  # which of them is told depends on the GPU's generation
            names = "current_socket_power", "average_socket_power"
            return _told(next((power[name] for name in names if power.get(name) not in {None, "N/A"}), "N/A"))

        def energy_j(_: Collection[int]) -> float:
            count = smi.amdsmi_get_energy_count(handle)  # in microjoules, once multiplied
            return _told(count["energy_accumulator"]) * _told(count["counter_resolution"]) / 1e6

        def temperature_c(_: Collection[int]) -> float:
            sensor, now = smi.AmdSmiTemperatureType.HOTSPOT, smi.AmdSmiTemperatureMetric.CURRENT
            return _told(smi.amdsmi_get_temp_metric(handle, sensor, now))

        def job_usage(_: Collection[int]) -> float:
            msg = "AMD SMI tells it for whole devices only"
            raise NotToldError(msg)

        return {
            "mem_GiB": lambda _: _told(smi.amdsmi_get_gpu_memory_usage(handle, smi.AmdSmiMemoryType.VRAM)) / GIB,
            "usage": lambda _: _told(smi.amdsmi_get_gpu_activity(handle)["gfx_activity"]),
            "job_mem_GiB": job_mem_gib,
            "job_usage": job_usage,
            "power_W": power_w,
            "energy_J": since_first(energy_j),
            "temperature_C": temperature_c,
            "sm_clock_MHz": lambda _: _told(smi.amdsmi_get_clock_info(handle, smi.AmdSmiClkType.GFX)["clk"]),
            "mem_clock_MHz": lambda _: _told(smi.amdsmi_get_clock_info(handle, smi.AmdSmiClkType.MEM)["clk"]),
        }

    @staticmethod
    def is_never(error: Exception) -> bool:
        """Tell whether there is no use in asking for a quantity again."""
        return getattr(error, "err_code", None) in _NEVER

    @staticmethod
    def is_lost(error: Exception) -> bool:  # noqa: ARG004  (no error says so)
        """Tell whether the device is gone."""
        return False

    def close(self) -> None:
        """Give AMD SMI back."""
        self._smi.amdsmi_shut_down()

    def _device(self, number: int, handle: Any) -> Device:
        asic = self._smi.amdsmi_get_gpu_asic_info(handle)
        # ROCR_VISIBLE_DEVICES calls a device GPU-<serial number>, in sixteen small hexadecimal digits.
        serial = asic["asic_serial"].lower().removeprefix("0x")
        uuid = "" if serial == "n/a" else f"GPU-{serial}"
        memory_bytes = self._smi.amdsmi_get_gpu_memory_total(handle, self._smi.AmdSmiMemoryType.VRAM)
        return Device(number, uuid, asic["market_name"], handle, memory_bytes)


def _told(value: Any) -> float:
    if value == "N/A":
        msg = "N/A"
        raise NotToldError(msg)
    return float(value)
