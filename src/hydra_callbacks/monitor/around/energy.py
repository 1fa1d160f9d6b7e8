"""How much energy have the processors used meanwhile?

Intel's and AMD's processors count it for each package (RAPL), and Linux tells it in /sys/class/powercap
(Documentation/power/powercap/powercap.rst): cores, caches and built-in graphics, whoever keeps them busy; not memory,
disks or GPUs. Since CVE-2020-8694 only root may read it, unless the administrator allows it.
"""

from __future__ import annotations

import math
import os

from hydra_callbacks.monitor.around.kept_file import KeptFile, read_once, why_not

TYPE_CHECKING = False  # as `typing` says it, without loading it
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from hydra_callbacks.monitor.meter import Span


class PackageEnergy:
    """Counts energy since its first reading, as a `Meter` does.

    Args:
        root: Where `/sys` is found.
    """

    def __init__(self, root: str = "/") -> None:
        self.columns: Sequence[str] = ()
        self.absent: Mapping[str, str] = {}
        self._packages: list[_Package] = []
        try:
            self._packages += map(_Package, _zones(os.path.join(root, "sys/class/powercap")))  # noqa: PTH118  (no pathlib in what samples)
        except PermissionError:
            self.absent = {"cpu_energy": "only root may read it here (as Linux has it since CVE-2020-8694)"}
        except OSError as error:
            self.absent = {"cpu_energy": f"the processor's counter: {why_not(error)}"}
        else:
            if self._packages:
                self.columns = ("cpu_energy_J",)
            else:
                self.absent = {"cpu_energy": "no counter in /sys/class/powercap (a virtual machine often has none)"}
        if self.absent:
            self.close()

    def read(self, pids: Collection[int]) -> Sequence[float]:  # noqa: ARG002  (a meter's)
        """Return joules."""
        if not self._packages:
            return ()
        try:
            return (sum([package.used_uj() for package in self._packages]) / 1e6,)
        except (OSError, ValueError):
            return (math.nan,)

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """Return the joules, as `machine`."""
        span = spans.get("cpu_energy_J")
        is_told = span is not None and not math.isnan(span.grown)
        return {"machine": {"cpu_energy_j": round(span.grown, 3)}} if span is not None and is_told else {}

    def close(self) -> None:
        """Close the files."""
        while self._packages:
            self._packages.pop().close()


class _Package:
    """A processor; its counter begins again at 0 every few minutes to hours, after `max_energy_range_uj`."""

    def __init__(self, zone: str) -> None:
        self._file = KeptFile(f"{zone}/energy_uj")
        range_uj = read_once(f"{zone}/max_energy_range_uj").strip()
        self._range_uj = int(range_uj) if range_uj.isdigit() else 0
        self._before_uj: int | None = None
        self._used_uj = 0

    def used_uj(self) -> int:
        """Return the energy since the first call, in microjoules."""
        now_uj = int(self._file.read())
        grown_uj = 0 if self._before_uj is None else now_uj - self._before_uj
        self._used_uj += grown_uj if grown_uj >= 0 else grown_uj + max(self._range_uj, -grown_uj)
        self._before_uj = now_uj
        return self._used_uj

    def close(self) -> None:
        self._file.close()


def _zones(directory: str) -> list[str]:
    """Return where packages are told of: not their parts, nor the whole platform, which counts them once more."""
    try:
        names = os.listdir(directory)  # noqa: PTH208  (without pathlib)
    except OSError:
        return []
    wholes = [name for name in names if name.startswith("intel-rapl:") and name.count(":") == 1]  # AMD's, too
    return [f"{directory}/{name}" for name in wholes if read_once(f"{directory}/{name}/name").startswith(b"package")]
