"""AMD SMI with two GPUs, under the names that its Python library uses (release 7)."""

from __future__ import annotations

from enum import IntEnum
from types import ModuleType
from typing import Any


class AmdSmiLibraryException(Exception):  # noqa: N818  (its name)
    """What AMD SMI raises."""

    def __init__(self, err_code: int) -> None:
        super().__init__(err_code)
        self.err_code = err_code

    def __str__(self) -> str:
        return f"Error code:\n\t{self.err_code} | AMDSMI_STATUS_SOMETHING"


class MemoryType(IntEnum):
    VRAM = 0


class TemperatureType(IntEnum):
    HOTSPOT = 1


class TemperatureMetric(IntEnum):
    CURRENT = 0


class ClkType(IntEnum):
    GFX = 0
    MEM = 4


class FakeAmdSmi(ModuleType):
    """Stands for the module `amdsmi`.

    Args:
        errors: What a function fails with: a status, without `amdsmi_` in the name.
        power: What it tells of the power.
        n_gpus: How many there are.
    """

    AmdSmiMemoryType = MemoryType
    AmdSmiTemperatureType = TemperatureType
    AmdSmiTemperatureMetric = TemperatureMetric
    AmdSmiClkType = ClkType

    def __init__(
        self, errors: dict[str, int] | None = None, power: dict[str, Any] | None = None, n_gpus: int = 2
    ) -> None:
        super().__init__("amdsmi")
        self.errors = errors or {}
        self.power = power or {"current_socket_power": "N/A", "average_socket_power": 55}
        self.n_gpus = n_gpus
        self.n_open = 0
        self.asked: list[str] = []
        self.energy = 1000

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if name in self.errors:
            raise AmdSmiLibraryException(self.errors[name])

    def amdsmi_init(self) -> None:
        self._ask("init")
        self.n_open += 1

    def amdsmi_shut_down(self) -> None:
        self.n_open -= 1

    def amdsmi_get_processor_handles(self) -> list[int]:
        return list(range(self.n_gpus))

    def amdsmi_get_gpu_asic_info(self, handle: int) -> dict[str, Any]:
        return {"market_name": "Stand-in", "asic_serial": f"0x{'AB' * 7}{handle:02X}"}

    def amdsmi_get_gpu_memory_total(self, _handle: int, _kind: MemoryType) -> int:
        return 64 * 2**30

    def amdsmi_get_gpu_memory_usage(self, handle: int, _kind: MemoryType) -> int:
        return (handle + 1) * 2**30

    def amdsmi_get_gpu_activity(self, _handle: int) -> dict[str, Any]:
        self._ask("get_gpu_activity")
        return {"gfx_activity": 30, "umc_activity": "N/A", "mm_activity": "N/A"}

    def amdsmi_get_gpu_process_list(self, handle: int) -> list[dict[str, Any]]:
        if handle:
            return []
        return [{"pid": pid, "mem": 1, "memory_usage": {"vram_mem": pid * 2**30}} for pid in (1, 2, 4)]

    def amdsmi_get_power_info(self, _handle: int) -> dict[str, Any]:
        return self.power

    def amdsmi_get_energy_count(self, _handle: int) -> dict[str, Any]:
        self.energy += 1_000_000
        return {"energy_accumulator": self.energy, "counter_resolution": 15.0, "timestamp": 0}

    def amdsmi_get_temp_metric(self, _handle: int, _sensor: int, _metric: int) -> int:
        return 61

    def amdsmi_get_clock_info(self, _handle: int, kind: ClkType) -> dict[str, Any]:
        return {"clk": 1700 if kind is ClkType.GFX else 900}
