"""By which result are runs compared, and is a high one good?

What the user says counts; else what the sweep's own callbacks were told (`metric` and `direction` of MultiRunGatherer,
SweepProgress or Report); else the first result that is a number, and its name tells whether low is good.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.columns import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_LOW_IS_GOOD = re.compile(
    r"loss(?:es)?|err(?:or)?s?|r?mse|mae|mape|nll|perplexity|ppl|[wc]er|fid|regret|cost|time|seconds|duration|latency"
    r"|s|ms|bytes|mb|gib|kl|brier|[em]?ece|bp[cbd]|bits|chamfer|drawdown|deviation|misses|misclassified"
)
_HIGH_IS_GOOD = re.compile(r"per|rate|throughput|fps|qps|speedup")
"""What makes seconds and bytes a speed."""
_NEGATIVE = {"neg", "negative", "minus"}
"""With which scikit-learn makes a loss something to be raised."""
_NOT_SPEEDS = re.compile(r"err(?:or)?s?|miss|false|loss|bits")
_OF_THE_COMPUTER = re.compile(r"(?:.*_)?(?:s|ms|time|seconds|duration|bytes|mb|gib|epoch|epochs|steps?)")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def candidates(columns: Mapping[str, Sequence[Any]], names: Iterable[str]) -> list[str]:
    """Return those of the columns by which runs can be compared: numbers, of which not all are the same."""
    found = [name for name in names if kind_of(columns[name]) == "number"]
    return [name for name in found if len(set(columns[name]) - {None}) > 1] or found


def found_in(name: str, names: Sequence[str]) -> str | None:
    """Return the column that a name means: itself, or the first that ends so, as in `accuracy` for `test.accuracy`."""
    return next(
        (each for each in (name, *names) if each in names and (each == name or each.endswith(f".{name}"))), None
    )


def usual(names: Sequence[str]) -> str | None:
    """Return the column by which runs are compared when nobody says: the first that is not about the computer."""
    return next((name for name in names if not _OF_THE_COMPUTER.fullmatch(name.rpartition(".")[2].lower())), None) or (
        names[0] if names else None
    )


def is_high_good(name: str) -> bool:
    """Tell whether a high value is good, from a metric's name: not of a loss, an error, a time or a size."""
    words = [word.lower() for word in _WORD.findall(name.rpartition(".")[2])]
    if words and words[0] in _NEGATIVE:
        return True
    if any(map(_HIGH_IS_GOOD.fullmatch, words)) and not any(map(_NOT_SPEEDS.fullmatch, words)):
        return True
    return not any(map(_LOW_IS_GOOD.fullmatch, words))


def told_by(directory: Path) -> tuple[str | None, bool | None]:
    """Return the metric that a sweep's own callbacks were told, and whether a high one is good; None of what was not.

    Args:
        directory: The sweep's directory; Hydra keeps its configuration there, in `multirun.yaml`.
    """
    import yaml  # noqa: PLC0415  (not where the metric is named)

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load((directory / "multirun.yaml").read_bytes(), loader)  # noqa: S506  (a safe loader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None, None
    hydra = data.get("hydra") if isinstance(data, dict) else None
    callbacks = hydra.get("callbacks") if isinstance(hydra, dict) else None
    for entry in callbacks.values() if isinstance(callbacks, dict) else ():
        if isinstance(entry, dict) and entry.get("metric") and isinstance(entry["metric"], str):
            is_ours = str(entry.get("_target_")).endswith(".Report")  # whose direction may be left to the name
            direction = entry.get("direction") or (None if is_ours else "max")
            return entry["metric"], None if direction is None else direction == "max"
    return None, None
