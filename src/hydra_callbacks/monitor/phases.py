"""Which part of the program was at work when a sample was taken, and what did each part use?"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.processes.tree import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Phases = Sequence[tuple[str, float, float, float]]
    """Of each its name, beginning and end, in seconds since the epoch, and its processor time."""


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
            name, began, ended, _ = waiting.pop()
            heapq.heappush(open_ones, (-began, ended, name))
        while open_ones and open_ones[0][1] < moment:
            heapq.heappop(open_ones)
        found.append(open_ones[0][2] if open_ones else None)
    return found


def used_in(columns: Mapping[str, Sequence[float]], phases: Phases) -> dict[str, dict[str, Any]]:
    """Return what each phase has used, all of its uses together, and those inside included.

    Args:
        columns: `time` and `rss_GiB` of each sample.
        phases: All phases.

    Returns:
        Name to `n_times`, `duration_s`, `cpu_s` (of the job's own process) and `peak_rss_bytes`, the highest sample
        that was taken meanwhile; without it when none was.
    """
    times, rss_gib = columns["time"], columns["rss_GiB"]
    found: dict[str, dict[str, Any]] = {}
    for name, began, ended, cpu_s in phases:
        used = found.setdefault(name, {"n_times": 0, "duration_s": 0.0, "cpu_s": 0.0})
        used["n_times"] += 1
        used["duration_s"] = round(used["duration_s"] + ended - began, 6)
        used["cpu_s"] = round(used["cpu_s"] + cpu_s, 6)
        meanwhile = rss_gib[bisect_left(times, began) : bisect_right(times, ended)]
        if meanwhile:
            used["peak_rss_bytes"] = max(used.get("peak_rss_bytes", 0), round(max(meanwhile) * GIB))
    return found
