"""Which part of the program was at work when a sample was taken, and what did each part use?"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.processes.tree import GIB
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Phases = Sequence[tuple[str, float, float, float]]
    """Of each its name, beginning and end, in seconds since the epoch, and its processor time."""


_LONGEST_S = 1e9  # thirty years; no number that is none passes it


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


def spans_of(phases: Phases, began_at: float) -> list[tuple[str, float, float]]:
    """Return which phase was the innermost from when to when, without gaps between those that follow each other.

    Args:
        phases: All phases.
        began_at: From when seconds are counted, in seconds since the epoch.
    """
    edges = sorted({moment for _, began, ended, _ in phases for moment in (began, ended)})
    names = phase_at([(before + after) / 2 for before, after in pairwise(edges)], phases)
    found: list[tuple[str, float, float]] = []
    for name, (begin, end) in zip(names, pairwise(edges), strict=True):
        begin_s, end_s = round(begin - began_at, 3), round(end - began_at, 3)
        if name and found and found[-1][0] == name and found[-1][2] == begin_s:
            found[-1] = (name, found[-1][1], end_s)
        elif name:
            found.append((name, begin_s, end_s))
    return found


def told_spans(resources: Mapping[str, Any]) -> list[tuple[str, float, float]] | None:
    """Return the spans that a record's section has, in order; None where it has none, or they are something else."""
    told = resources.get("phase_spans")
    if not isinstance(told, list) or not told or not all(map(_is_span, told)):
        return None
    return sorted(((name, begin_s, end_s) for name, begin_s, end_s in told), key=lambda span: (span[1], -span[2]))


def _is_span(told: Any) -> bool:
    if not isinstance(told, list) or len(told) != 3:  # noqa: PLR2004  (its name, beginning and end)
        return False
    name, begin_s, end_s = told
    is_told = is_number(begin_s) and is_number(end_s)
    return isinstance(name, str) and is_told and -_LONGEST_S < begin_s <= end_s < _LONGEST_S


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
