"""Which GPUs may this job use, of those that the driver finds?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, or a part of one that works as a GPU of its own (MIG).

    Attributes:
        number: Its number as the driver's library counts; that of the whole GPU, for a part.
        uuid: What the driver calls it.
        name: What its maker calls it.
        handle: What the library wants to be given.
        memory_bytes: How much memory it has; None when that is not told.
        part: The number of the part within its GPU, as `nvidia-smi -L` counts; None for a whole one.
        aliases: Other names that a job may give it.
    """

    number: int
    uuid: str
    name: str
    handle: Any
    memory_bytes: int | None = None
    part: int | None = None
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What the names of its columns begin with."""
        return f"gpu{self.number}" if self.part is None else f"gpu{self.number}_mig{self.part}"


class Library(Protocol):
    """A maker's library, opened."""

    def choose(
        self, numbers: Sequence[int] | None, environment: Mapping[str, str]
    ) -> tuple[list[Device], dict[str, str]]:
        """Return the devices to read, and what is to be said of others: a name to a line.

        Args:
            numbers: As the library counts; None for those that the job may use.
            environment: The job's.

        Raises:
            ValueError: There is none.
        """

    def gauges(self, device: Device) -> Mapping[str, Callable[[Collection[int]], float]]:
        """Return what reads each quantity of a device, in the unit of its name; given the job's processes."""

    def is_never(self, error: Exception) -> bool:
        """Tell whether there is no use in asking for a quantity again."""

    def is_lost(self, error: Exception) -> bool:
        """Tell whether the device is gone."""

    def close(self) -> None:
        """Give the library back."""


def at_numbers(numbers: Iterable[int], n_found: int, library: str) -> list[int]:
    """Return the numbers given, once each.

    Raises:
        ValueError: There is no such device.
    """
    asked = list(dict.fromkeys(numbers))
    missing = [number for number in asked if number not in range(n_found)]
    if missing:
        expected = f"numbers from 0 to {n_found - 1}, as {library} finds {n_found} GPU(s)"
        msg = f"gpu_devices must be {expected}; got {missing[0]!r}"
        raise ValueError(msg)
    return asked


def named(value: str, devices: Sequence[Device], parts: Callable[[], Sequence[Device]] = list) -> list[Device]:
    """Return the devices that a variable such as CUDA_VISIBLE_DEVICES lists, as CUDA reads it.

    CUDA takes numbers and beginnings of UUIDs, stops at the first entry that it cannot follow, and uses no device at
    all when one is listed twice.

    Args:
        value: What the variable holds.
        devices: Whole devices, in the order in which numbers count them.
        parts: Finds the parts of devices; asked only when one is listed.
    """
    found: list[Device] = []
    for entry in value.split(","):
        device = _one_named(entry.strip(), devices, parts)
        if device is None:
            break
        found.append(device)
    is_repeated = len({device.label for device in found}) < len(found)
    return [] if is_repeated else found


def _one_named(entry: str, devices: Sequence[Device], parts: Callable[[], Sequence[Device]]) -> Device | None:
    digits = re.match(r"\d+", entry)  # CUDA stops at what follows them, and so does not mind it
    if digits:
        number = int(digits.group())
        return devices[number] if number < len(devices) else None
    if not entry.startswith(("GPU-", "MIG-")):
        return None
    # The older form of a part, MIG-GPU-<uuid>/<instance>/<instance>, has no shorter forms: /1 would begin /11.
    matches = [
        device
        for device in (parts() if entry.startswith("MIG-") else devices)
        if device.uuid.startswith(entry) or entry in device.aliases
    ]
    return matches[0] if len(matches) == 1 else None


def order_doubt(environment: Mapping[str, str], devices: Sequence[Device], chosen: Sequence[Device]) -> str | None:
    """Return why the numbers in CUDA_VISIBLE_DEVICES may mean other GPUs than those chosen; None when they do not.

    CUDA's own order is the fastest first, unless told to count as NVML does. Among GPUs of one kind both are the same.
    """
    value = environment.get("CUDA_VISIBLE_DEVICES", "")
    is_certain = (
        environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
        or not re.search(r"(^|,)\s*\d", value)
        or len({device.name for device in devices}) == 1
        or len(chosen) == len(devices)
    )
    if is_certain:
        return None
    return (
        f"CUDA_VISIBLE_DEVICES={value} is read as NVML counts, and CUDA may count these GPUs, which are of several "
        "kinds, in another order: set CUDA_DEVICE_ORDER=PCI_BUS_ID"
    )
