"""How much memory, time and energy of the GPUs does a job take?

NVIDIA's GPUs are read through NVML, AMD's through AMD SMI. What they do not tell stays empty, and `absent` says why.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.gpus.amd import AmdSmi
from hydra_callbacks.monitor.gpus.gpu_processes import NotToldError, NotYetToldError
from hydra_callbacks.monitor.gpus.nvml import Nvml
from hydra_callbacks.monitor.processes.tree import GIB

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from hydra_callbacks.monitor.gpus.visible import Device, Library
    from hydra_callbacks.monitor.meter import Span

PUBLISHED = ("mem_GiB", "usage")
"""Quantities that the older library read."""
NEW = ("job_mem_GiB", "job_usage", "power_W", "energy_J", "temperature_C", "sm_clock_MHz", "mem_clock_MHz")
_QUICK = {"mem_GiB", "job_mem_GiB", "energy_J"}
_HOLD_S = 0.09
"""The drivers renew all but the quick ones every 0.1 s at best, so they are asked for those about as often."""


@dataclass(slots=True)
class _Gauge:
    """What one number is read by; `ask` is None once there is no use in asking."""

    place: int
    column: str
    label: str
    is_quick: bool
    ask: Callable[[Collection[int]], float] | None


class GpuMeter:
    """Reads the GPUs that a job may use: a `Meter`. It never raises: what does not answer is in `absent`.

    Args:
        devices: Their numbers as the driver's library counts (`nvidia-smi` shows them); None for those that the
            environment lets the job use: all, or those in CUDA_VISIBLE_DEVICES.
        environment: The job's.
        proc: Where the kernel shows processes.
        now: The clock, in seconds.

    Attributes:
        columns: `gpu<i>_mem_GiB` and `gpu<i>_usage` of all devices, then the other quantities of each; a part of a
            device (MIG) has `gpu<i>_mig<k>_` instead. Empty without GPUs.
        published: The first of the columns: those that the older library had.
        absent: A column, or `gpu<i>` for a whole device, or `gpus` for all, to why it is not told. Whole only after
            `summary`, for a driver may tell some of it late.
    """

    def __init__(
        self,
        devices: Sequence[int] | None,
        environment: Mapping[str, str],
        *,
        proc: str = "/proc",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.absent: dict[str, str] = {}
        self._late: dict[str, str] = {}
        self._now = now
        self._due_s = -math.inf
        self._library: Library | None = None
        self._devices: list[Device] = []
        try:
            self._library, self._devices, notes = _open_library(devices, environment, proc)
            self.absent.update(notes)
        except Exception as error:  # noqa: BLE001  (whatever driver and bindings do, it must not cost the run)
            self.absent["gpus"] = _reason(error)
        asks = {device.label: self._library.gauges(device) for device in self._devices} if self._library else {}
        self._gauges = _in_order(asks)
        self._values = [math.nan] * len(self._gauges)
        self.columns = [gauge.column for gauge in self._gauges]
        self.published = self.columns[: len(PUBLISHED) * len(self._devices)]

    def read(self, pids: Collection[int]) -> list[float]:
        """Return a number for each column; NaN where it is not told.

        Args:
            pids: The processes of the job.
        """
        now_s = self._now()
        is_due = now_s >= self._due_s
        if is_due:
            self._due_s = now_s + _HOLD_S
        for gauge in self._gauges:
            if gauge.ask is not None and (is_due or gauge.is_quick):
                try:
                    self._values[gauge.place] = gauge.ask(pids)
                except Exception as error:  # noqa: BLE001  (as above)
                    self._values[gauge.place] = math.nan
                    self._refused(gauge, error)
        return list(self._values)

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """Return `gpus`: what each device is, and what its numbers come to; without those that were not told.

        Args:
            spans: Column to what was read there.
        """
        never = {column: reason for column, reason in self._late.items() if math.isnan(spans[column].last)}
        self.absent.update(never)
        gpus = [_facts(device) | _figures(device.label, spans) for device in self._devices]
        return {"gpus": gpus} if gpus else {}

    def close(self) -> None:
        """Give the driver's library back."""
        library, self._library = self._library, None
        if library is not None:
            with contextlib.suppress(Exception):  # at the end there is nothing left to lose by it
                library.close()

    def _refused(self, gauge: _Gauge, error: Exception) -> None:
        """Note why a number is not told, and whether to ask again."""
        library = self._library
        if isinstance(error, NotYetToldError):
            self._late[gauge.column] = str(error)
        elif library is not None and library.is_lost(error):
            self.absent[gauge.label] = f"lost while it was watched, nothing is told from then on: {_reason(error)}"
            for other in self._gauges:
                if other.label == gauge.label:
                    other.ask, self._values[other.place] = None, math.nan
        elif isinstance(error, NotToldError) or library is None or library.is_never(error):
            self.absent[gauge.column] = f"the driver does not tell it: {_reason(error)}"
            gauge.ask = None
        else:
            self.absent[gauge.column] = f"at times the driver does not tell it: {_reason(error)}"


def _open_library(
    numbers: Sequence[int] | None, environment: Mapping[str, str], proc: str
) -> tuple[Library, list[Device], dict[str, str]]:
    """Return the first maker's library that has devices for the job, these, and what is to be said of others."""
    reasons: list[Exception] = []
    for maker in (Nvml, AmdSmi):
        try:
            library: Library = maker(proc)
        except ModuleNotFoundError as error:  # AMD's comes with its driver: where it is not, there is no AMD GPU
            if error.name != "amdsmi":
                raise
            continue
        except Exception as error:  # noqa: BLE001  (as in GpuMeter)
            reasons.append(error)
            continue
        try:
            return library, *library.choose(numbers, environment)
        except Exception as error:  # noqa: BLE001  (as above)
            reasons.append(error)
            library.close()
    raise ValueError("; ".join(map(_reason, reasons)))


def _in_order(asks: Mapping[str, Mapping[str, Callable[[Collection[int]], float]]]) -> list[_Gauge]:
    """Return the gauges in the order of their columns."""
    order = [(label, name) for names in (PUBLISHED, NEW) for label in asks for name in names]
    return [
        _Gauge(place, f"{label}_{name}", label, name in _QUICK, asks[label][name])
        for place, (label, name) in enumerate(order)
    ]


def _facts(device: Device) -> dict[str, Any]:
    facts = {"index": device.number, "mig": device.part, "uuid": device.uuid, "name": device.name}
    facts["memory_bytes"] = device.memory_bytes
    return {name: fact for name, fact in facts.items() if fact is not None and fact != ""}


def _figures(label: str, spans: Mapping[str, Span]) -> dict[str, float]:
    """Return what a device's numbers come to."""

    def of(quantity: str) -> Span:
        return spans[f"{label}_{quantity}"]

    figures = {
        "peak_memory_bytes": of("mem_GiB").high * GIB,
        "peak_job_memory_bytes": of("job_mem_GiB").high * GIB,
        "mean_usage_percent": of("usage").mean,
        "max_usage_percent": of("usage").high,
        "mean_job_usage_percent": of("job_usage").mean,
        "energy_j": of("energy_J").grown,
        "max_power_w": of("power_W").high,
        "max_temperature_c": of("temperature_C").high,
    }
    return {
        name: round(figure) if name.endswith("bytes") else round(figure, 3)
        for name, figure in figures.items()
        if not math.isnan(figure)
    }


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
