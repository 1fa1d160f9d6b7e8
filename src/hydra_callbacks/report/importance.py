"""How much of the metric's variation does each override explain?

Of each override by itself, a one-way analysis of variance: ω² = (SSb - (k - 1)·MSw) / (SSt + MSw), where k levels
explain SSb of the total sum of squares SSt, and MSw is the mean square within levels (W. L. Hays, Statistics for
Psychologists, 1963; Olejnik and Algina, Psychological Methods 8, 2003). Unlike SSb / SSt, it is about 0 for an override
that does nothing, however many levels it has. Interactions are not seen, and what other overrides do counts as noise.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.columns import is_logarithmic
from hydra_callbacks.report.head import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEWEST_JOBS = 8
FEWEST_IN_LEVEL = 2.0
"""Jobs in a level, on average: with fewer, there is nothing to tell its effect from chance."""
_MOST_LEVELS = 6  # of numbers; more are put into so many parts
_MOST_PARTS = 5
_JOBS_IN_PART = 4
METHOD = (
    "Share of the variation of {metric} that each override explains by itself (ω² of a one-way analysis of variance"
    "{binned}); interactions are not seen, and shares need not add up to 1"
)


def importance(name: str, metric: Sequence[Any], overrides: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return how much each override matters, the most important first.

    Args:
        name: The metric's name.
        metric: Its value for each job; jobs without a number are left out.
        overrides: Name to the value for each job.

    Returns:
        `method` (a sentence), `n_jobs`, `is_enough`, `why_not` (a sentence, when it is not), `shares`.
    """
    rows = [index for index, value in enumerate(metric) if number(value) is not None]
    values = [float(metric[index]) for index in rows]
    with_log = is_logarithmic(values)
    scores = list(map(math.log10, values)) if with_log else values
    varied = {key: [column[index] for index in rows] for key, column in overrides.items()}
    varied = {key: column for key, column in varied.items() if len(set(map(repr, column))) > 1}
    levels = {key: _levels(column) for key, column in varied.items()}
    told = {key: each for key, each in levels.items() if len(rows) >= FEWEST_IN_LEVEL * len(set(each))}
    is_binned = any(len(set(levels[key])) < len(set(map(repr, varied[key]))) for key in told)
    shares = {key: omega_squared(scores, each) for key, each in told.items()}
    why_not = _why_not(name, scores, varied, told)
    ranked = sorted(shares.items(), key=lambda each: -each[1])
    return {
        "method": METHOD.format(
            metric=f"log10({name})" if with_log else name,
            binned=", numbers with many values in parts of equally many jobs" if is_binned else "",
        ),
        "n_jobs": len(rows),
        "is_enough": why_not is None,
        "why_not": why_not,
        "shares": [] if why_not else [{"name": key, "share": round(share, 4)} for key, share in ranked],
    }


def omega_squared(scores: Sequence[float], levels: Sequence[Any]) -> float:
    """Return ω² of a one-way analysis of variance, from 0 to 1; 0 when it cannot be told.

    Args:
        scores: What is explained, for each job.
        levels: By which level of a factor, for each job.
    """
    groups: dict[Any, list[float]] = defaultdict(list)
    largest = max(map(abs, scores)) or 1.0
    scores = [score / largest for score in scores]  # which changes nothing but that no square is too large
    for score, level in zip(scores, levels, strict=True):
        groups[level].append(score)
    mean = math.fsum(scores) / len(scores)
    total = math.fsum((score - mean) ** 2 for score in scores)
    between = math.fsum(len(group) * (math.fsum(group) / len(group) - mean) ** 2 for group in groups.values())
    n_free = len(scores) - len(groups)
    if total <= 0 or n_free <= 0:
        return 0.0
    within = max(total - between, 0.0) / n_free
    return min(max((between - (len(groups) - 1) * within) / (total + within), 0.0), 1.0)


def _levels(column: Sequence[Any]) -> list[Any]:
    """Return the level of each job: its value, or the part in which its number lies, when there are many."""
    numbers = [number(value) for value in column]
    there = sorted(value for value in numbers if value is not None)
    n_parts = min(_MOST_PARTS, len(there) // _JOBS_IN_PART)
    if len(set(there)) <= _MOST_LEVELS or n_parts < 2:  # noqa: PLR2004  (one part tells nothing)
        return list(map(repr, column))
    edges = [there[len(there) * part // n_parts] for part in range(1, n_parts)]
    return [
        repr(value) if found is None else bisect_right(edges, found)
        for value, found in zip(column, numbers, strict=True)
    ]


def _why_not(name: str, scores: Sequence[float], varied: Mapping[str, Any], told: Mapping[str, Any]) -> str | None:
    if not varied:
        return "No override differs between the jobs that have a number"
    if len(scores) < FEWEST_JOBS:
        return f"Too few jobs to tell: {len(scores)} have a number in {name}, and it takes {FEWEST_JOBS}"
    if len(set(scores)) < 2:  # noqa: PLR2004  (nothing to explain)
        return f"All jobs have the same {name}"
    if not told:
        return f"Too few jobs to tell: it takes {FEWEST_IN_LEVEL:g} for each value of an override"
    return None
