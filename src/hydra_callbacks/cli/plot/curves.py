"""Which curves make a picture of a job's samples?"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.monitor.processes.tree import GIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hydra_callbacks.monitor.samples_file import Table

_GROUPS = ("cpu", "memory", "gpu_memory", "gpu_usage", "disk")
_UNITS = {
    **dict.fromkeys(("GiB", "MHz", "J", "W", "s"), ""),
    "cpus": "% of a core",
    "usage": "% of the time",
    "MiB_per_s": "MiB/s",
    "C": "°C",
}
"""Endings of columns, to their units where these are no ending as they are."""
_MIB_OF_GIB = 1024


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: `values` at the table's samples; where `is_mean`, each stands for the time since the sample before."""

    name: str
    values: Sequence[float]
    is_mean: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves with one unit; `mark` is a height with a name of its own, beside them."""

    title: str
    unit: str
    curves: list[Curve]
    mark: tuple[str, float] | None = None

    def parts(self) -> list[Panel]:
        """Return a panel for each curve."""
        if len(self.curves) <= 1:
            return [self]
        return [Panel(f"{self.title} {curve.name}", self.unit, [curve], self.mark) for curve in self.curves]


def default_panels(table: Table, peak_rss_bytes: int | None = None) -> list[Panel]:
    """Return what is shown when nothing is asked for: processors, memory, GPUs, disks, as far as there are.

    Args:
        table: The samples.
        peak_rss_bytes: The kernel's mark.
    """
    return [panel for word in _GROUPS if (panel := _group(word, table, peak_rss_bytes))]


def panels_of(words: str, table: Table, peak_rss_bytes: int | None = None) -> list[Panel]:
    """Return the panels that are asked for.

    Args:
        words: Columns, or names of groups, with commas; those joined by `+` share a panel.
        table: The samples.
        peak_rss_bytes: The kernel's mark.

    Raises:
        HydraCallbacksError: There is no such column.
    """
    panels = []
    for word in filter(None, (word.strip() for word in words.split(","))):
        group = _group(word, table, peak_rss_bytes) if word in _GROUPS else None
        names = [name.strip() for name in word.split("+")]
        unknown = [name for name in names if name not in table.columns or name == "time"]
        if group:
            panels.append(group)
        elif unknown:
            there = ", ".join([*_there(table), *(name for name in table.columns if name != "time")])
            msg = f"there is no column {unknown[0]!r} in the samples; there are {there}"
            raise HydraCallbacksError(msg)
        else:
            mark = _mark(peak_rss_bytes) if "rss_GiB" in names else None
            curves = [Curve(name, table.columns[name], is_mean=_is_mean(name)) for name in names]
            panels.append(Panel(" + ".join(names), _unit(names[0]), curves, mark))
    return panels


def highest(curve: Curve, seconds: Sequence[float]) -> tuple[float, float] | None:
    """Return the highest value of a curve, and when it was; None when there is none."""
    told = [(value, -second) for value, second in zip(curve.values, seconds, strict=True) if not math.isnan(value)]
    value, minus_second = max(told, default=(math.nan, 0.0))
    return (value, -minus_second) if told else None


def _group(word: str, table: Table, peak_rss_bytes: int | None) -> Panel | None:
    """Return a panel of columns that belong together; None where they are not there."""
    seconds = table.columns["time"]
    panel: Panel
    if word == "cpu":
        panel = Panel("processors", _UNITS["cpus"], _curves(table, ["cpus"]))
    elif word == "memory":
        panel = Panel("memory", "GiB", _curves(table, ["rss_GiB"]), _mark(peak_rss_bytes))
    elif word == "gpu_memory":
        names = [name for name in table.columns if re.fullmatch(r"gpu\w+_mem_GiB", name)]
        own = [name for name in names if "_job_" in name and any(value > 0 for value in table.columns[name])]
        panel = Panel("GPU memory", "GiB", _curves(table, own or [name for name in names if "_job_" not in name]))
    elif word == "gpu_usage":
        names = [name for name in table.columns if re.fullmatch(r"gpu\w+_usage", name) and "_job_" not in name]
        panel = Panel("GPUs", _UNITS["usage"], _curves(table, names))
    else:
        told = [_rate(curve, seconds) for curve in _curves(table, ["read_GiB", "written_GiB"])]
        told = [curve for curve in told if any(value > 0 for value in curve.values)]
        panel = Panel(
            "disk" if len(told) > 1 else f"disk, {told[0].name.partition('_')[0]}" if told else "", "MiB/s", told
        )
    return panel if panel.curves else None


def _there(table: Table) -> list[str]:
    return [word for word in _GROUPS if _group(word, table, None)]


def _curves(table: Table, names: Iterable[str]) -> list[Curve]:
    """Return curves of the columns that are there and tell something."""
    told = (name for name in names if any(not math.isnan(value) for value in table.columns.get(name, ())))
    return [Curve(name, table.columns[name], is_mean=_is_mean(name)) for name in told]


def _rate(curve: Curve, seconds: Sequence[float]) -> Curve:
    """Return how fast a counter grew since the sample before."""
    values = [math.nan]
    for index in range(1, len(seconds)):
        elapsed_s = seconds[index] - seconds[index - 1]
        grown = curve.values[index] - curve.values[index - 1]
        values.append(grown * _MIB_OF_GIB / elapsed_s if elapsed_s > 0 else math.nan)
    return Curve(curve.name.replace("_GiB", "_MiB_per_s"), values, is_mean=True)


def _is_mean(name: str) -> bool:
    return name == "cpus"


def _mark(peak_rss_bytes: int | None) -> tuple[str, float] | None:
    return ("kernel's peak", peak_rss_bytes / GIB) if peak_rss_bytes else None


def _unit(name: str) -> str:
    ending = next((end for end in sorted(_UNITS, key=len, reverse=True) if f"_{name}".endswith(f"_{end}")), "")
    return _UNITS.get(ending) or ending
