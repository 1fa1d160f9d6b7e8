"""Which part of the program was at work when a sample was taken, and what did each part use?"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.processes.tree import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Phases = Sequence[tuple[str, float, float]]
    """Name, beginning and end, in seconds since the epoch, of each."""


def phase_at(times: Sequence[float], phases: Phases) -> list[str | None]:
    """Return the innermost phase at each moment, that which began last; None where there is none.

    Args:
        times: The moments in seconds since the epoch, from early to late.
        phases: All phases.
    """
    waiting = sorted(phases, key=lambda phase: phase[1], reverse=True)
    open_ones: list[tuple[float, float, str]] = []  # the latest beginning first
    found: list[str | None] = []
    for moment in times:
        while waiting and waiting[-1][1] <= moment:
            name, began, ended = waiting.pop()
            heapq.heappush(open_ones, (-began, ended, name))
        while open_ones and open_ones[0][1] < moment:
            heapq.heappop(open_ones)
        found.append(open_ones[0][2] if open_ones else None)
    return found


def used_in(columns: Mapping[str, Sequence[float]], phases: Phases) -> dict[str, dict[str, Any]]:
    """Return what each phase has used, all of its uses together, and those inside included.

    Args:
        columns: `time`, `cpu_s` and `rss_GiB` of each sample.
        phases: All phases.

    Returns:
        Name to `n_times`, `duration_s`, `cpu_s` (between two samples, taken as steady) and `peak_rss_bytes`, the
        highest sample at or next to it.
    """
    times, cpu_s, rss_gib = columns["time"], columns["cpu_s"], columns["rss_GiB"]
    found: dict[str, dict[str, Any]] = {}
    if not len(times):
        return found
    for name, began, ended in phases:
        first, last = _index(times, began), _index(times, ended)
        used = found.setdefault(name, {"n_times": 0, "duration_s": 0.0, "cpu_s": 0.0, "peak_rss_bytes": 0})
        used["n_times"] += 1
        used["duration_s"] = round(used["duration_s"] + ended - began, 6)
        used["cpu_s"] = round(used["cpu_s"] + _between(times, cpu_s, ended) - _between(times, cpu_s, began), 3)
        peak_gib = max(rss_gib[max(0, first - 1) : last + 1])
        used["peak_rss_bytes"] = max(used["peak_rss_bytes"], round(peak_gib * GIB))
    return found


def _index(times: Sequence[float], moment: float) -> int:
    """Return the first sample that is not before a moment; the last one where there is none."""
    return min(bisect_left(times, moment), len(times) - 1)


def _between(times: Sequence[float], values: Sequence[float], moment: float) -> float:
    """Return what a curve through the samples has at a moment; at its ends, what it has there."""
    index = _index(times, moment)
    if index == 0 or moment >= times[index]:
        return values[index]
    share = (moment - times[index - 1]) / (times[index] - times[index - 1])
    return values[index - 1] + share * (values[index] - values[index - 1])
