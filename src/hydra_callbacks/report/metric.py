"""By which result are runs compared, and is a high one good?

What the user says counts; else what the sweep's own callbacks were told (`metric` and `direction` of MultiRunGatherer,
SweepProgress or Report); else the first result that is a number, and its name tells whether low is good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.columns import kind_of
from hydra_callbacks.runs.record import section

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
_OURS = re.compile(r"hydra_callbacks\.(?:\w+\.)*(MultiRunGatherer|SweepProgress|Report)")
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_MOST_REFERENCES = 5  # one to the other
_IS_MAX = {"max": True, "min": False}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def numbers(columns: Mapping[str, Sequence[Any]], names: Iterable[str]) -> list[str]:
    """Return those of the columns that hold numbers."""
    return [name for name in names if kind_of(columns[name]) == "number"]


def candidates(columns: Mapping[str, Sequence[Any]], names: Iterable[str]) -> list[str]:
    """Return those of the columns by which runs can be compared: numbers, of which not all are the same."""
    found = numbers(columns, names)
    return [name for name in found if len(set(columns[name]) - {None}) > 1] or found


def found_in(name: str, names: Sequence[str]) -> str | None:
    """Return the column that a name means.

    It is the name itself, or the first that ends so, as in `accuracy` for `test.accuracy`; `result.` in front may be
    too much, as that is what registers call results.
    """
    for wanted in (name, name.removeprefix("result.")):
        found = [each for each in names if each == wanted] or [each for each in names if each.endswith(f".{wanted}")]
        if found:
            return found[0]
    return None


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


@dataclass(frozen=True, slots=True)
class Told:
    """What a sweep's own callbacks were told.

    Attributes:
        metrics: Each metric, and whether a high one is good, None where the name tells; that of Report first.
        is_max: Whether a high one is good, of Report, which was told no metric.
    """

    metrics: list[tuple[str, bool | None]] = field(default_factory=list)
    is_max: bool | None = None

    @property
    def name(self) -> str | None:
        """The metric that counts."""
        return self.metrics[0][0] if self.metrics else None

    def way_of(self, column: str, names: Sequence[str], *, is_usual: bool) -> bool | None:
        """Return whether a high value in a column is good; None when nobody was told.

        Args:
            column: The column.
            names: All that there are.
            is_usual: Whether it is the one by which the sweep is compared when nobody asks for another.
        """
        ways = [is_max for name, is_max in self.metrics if is_max is not None and found_in(name, names) == column]
        return self.is_max if is_usual and self.is_max is not None else next(iter(ways), None)


def told_by(directory: Path) -> Told:
    """Return what a sweep's own callbacks were told.

    Args:
        directory: The sweep's directory; Hydra keeps its configuration there, in `multirun.yaml`.
    """
    import yaml  # noqa: PLC0415  (only of sweeps)

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load((directory / "multirun.yaml").read_bytes(), loader)  # noqa: S506  (a safe loader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return Told()
    metrics: list[tuple[str, bool | None]] = []
    way = None
    data = data if isinstance(data, dict) else {}
    for entry in section(section(data, "hydra"), "callbacks").values():
        ours = _OURS.fullmatch(str(entry.get("_target_"))) if isinstance(entry, dict) else None
        if ours is None or _resolved(entry.get("enabled"), data) is False:
            continue
        name, is_report = _resolved(entry.get("metric"), data), ours[1] == "Report"
        direction = _resolved(entry.get("direction", None if is_report else "max"), data)
        is_max = _IS_MAX.get(direction) if isinstance(direction, str) else None
        if name and isinstance(name, str):
            metrics.insert(0 if is_report else len(metrics), (name, is_max))
        elif is_report:
            way = is_max
    return Told(metrics, way)


def _resolved(value: Any, data: dict[str, Any]) -> Any:
    """Return a value, or what it refers to in the same file; None of what only Hydra can resolve."""
    for _ in range(_MOST_REFERENCES):
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            break
        value = data
        for key in found[1].split("."):
            value = value.get(key) if isinstance(value, dict) else None
    return None if isinstance(value, str) and "${" in value else value
