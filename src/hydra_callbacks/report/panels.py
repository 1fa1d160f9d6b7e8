"""Which curves stand together, in which unit?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Column = Sequence[float | None]

_GPU = re.compile(r"(gpu\d+(?:_mig\d+)?)_(.+)")
_MIB_PER_GIB = 1024
_PANELS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Processor", "% of one core", {"cpus": "the job"}),
    ("Memory", "GiB", {"rss_GiB": "resident", "cgroup_mem_GiB": "control group"}),
    ("Disk", "MiB/s", {"read_GiB": "read", "written_GiB": "written"}),
    ("Network", "MiB/s", {"net_received_GiB": "received", "net_sent_GiB": "sent"}),
    ("Processes", "", {"processes": "processes", "threads": "threads", "open_files": "open files"}),
)
_GPU_PANELS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GPU", "% busy", {"usage": "", "job_usage": " (the job)"}),
    ("GPU memory", "GiB", {"mem_GiB": "", "job_mem_GiB": " (the job)"}),
    ("GPU power", "W", {"power_W": ""}),
    ("GPU temperature", "°C", {"temperature_C": ""}),
)
_COUNTERS = {"read_GiB", "written_GiB", "net_received_GiB", "net_sent_GiB"}


def panels_of(
    columns: Mapping[str, Column], seconds: Sequence[float], *, peak_gib: float | None = None
) -> list[dict[str, Any]]:
    """Return the panels that there are samples for.

    Args:
        columns: Name to values, as in the file of the samples.
        seconds: When each sample was taken.
        peak_gib: The kernel's mark of the highest resident memory.
    """
    panels = []
    for title, unit, names in (*_PANELS[:2], *_of_gpus(columns), *_PANELS[2:]):
        series = [
            {"name": shown, "values": _rates(columns[name], seconds) if name in _COUNTERS else list(columns[name])}
            for name, shown in names.items()
            if any(value is not None for value in columns.get(name, ()))
        ]
        if series:
            is_marked = title == "Memory" and peak_gib is not None
            mark = {"value": round(peak_gib or 0.0, 6), "label": "kernel's peak"} if is_marked else None
            panels.append({"title": title, "unit": unit, "series": series, "mark": mark})
    return panels


def _of_gpus(columns: Mapping[str, Column]) -> list[tuple[str, str, dict[str, str]]]:
    found = [match for name in columns if (match := _GPU.fullmatch(name))]
    return [
        (title, unit, {match[0]: f"{match[1]}{names[match[2]]}" for match in found if match[2] in names})
        for title, unit, names in _GPU_PANELS
    ]


def _rates(values: Column, seconds: Sequence[float]) -> list[float | None]:
    """Return what was moved per second since the sample before, in MiB/s, of a counter in GiB."""
    rates: list[float | None] = [None]
    for index in range(1, len(values)):
        now, before, passed_s = values[index], values[index - 1], seconds[index] - seconds[index - 1]
        is_told = now is not None and before is not None and passed_s > 0
        rates.append(round(max((now or 0.0) - (before or 0.0), 0.0) * _MIB_PER_GIB / passed_s, 3) if is_told else None)
    return rates
