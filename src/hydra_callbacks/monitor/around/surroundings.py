"""What surrounds the job's processes: network, control group, and the energy of the processors?

None of it is told for a single process: each figure is that of the machine, or of the job's control group.
"""

from __future__ import annotations

from hydra_callbacks.monitor.around.energy import PackageEnergy
from hydra_callbacks.monitor.around.group_memory import GroupMemory
from hydra_callbacks.monitor.around.network import Network
from hydra_callbacks.monitor.around.throttling import Throttling

TYPE_CHECKING = False  # as `typing` says it, without loading it
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from hydra_callbacks.monitor.meter import Meter, Span


class Surroundings:
    """A `Meter` of all that; a column is there only where the machine offers it.

    Args:
        root: Where `/proc`, `/sys` and what is mounted are found.
    """

    def __init__(self, root: str = "/") -> None:
        self._meters: Sequence[Meter] = (Network(root), GroupMemory(root), Throttling(root), PackageEnergy(root))
        self._readable = [meter for meter in self._meters if meter.columns]
        self.columns: Sequence[str] = [column for meter in self._readable for column in meter.columns]
        self.absent: Mapping[str, str] = {
            name: reason for meter in self._meters for name, reason in meter.absent.items()
        }

    def read(self, pids: Collection[int]) -> Sequence[float]:
        """Return a number for each column; NaN where it is not told any more.

        Args:
            pids: The processes of the job.
        """
        values: list[float] = []
        for meter in self._readable:
            values += meter.read(pids)
        return values

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """Return `cgroup` and `machine`, each with what was measured, and only if anything was.

        Args:
            spans: Column to what was read there.
        """
        sections: dict[str, Any] = {}
        for meter in self._meters:
            for section, told in meter.summary(spans).items():
                if told:
                    sections.setdefault(section, {}).update(told)
        return sections

    def close(self) -> None:
        """Close all files."""
        for meter in self._meters:
            meter.close()
