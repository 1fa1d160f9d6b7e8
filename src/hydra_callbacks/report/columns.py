"""How is a table's column to be drawn: as numbers, on which axis, or as categories?"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.head import cut, is_not_finite, is_number, number, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_CELL = 200
"""Characters of a text in a table."""
_TEXTS = {"run-dir", "run-started", "run-error"}
_MOST_CATEGORIES, _FEW = 30, 8
_LONGEST_CATEGORY = 60  # characters
_LOG_SPAN = 30.0  # from the lowest to the highest: a straight axis shows no lower third of them
_CLOSE = 0.01  # of a step, as a share
_LOWER_END = 0.2
_FEWEST_OF_A_GRID, _FEW_VALUES = 3, 5
_SMALLEST_RATIO = 1.5  # of a log grid's steps


def column(name: str, label: str, role: str, values: Sequence[Any]) -> tuple[dict[str, Any], list[Any]]:
    """Return what tells of a column, and its values as they stand in the page.

    Args:
        name: Its name.
        label: What is shown.
        role: "head", "override", "config", "result" or "tail".
        values: One for each row; None where there is none.
    """
    kind = "text" if name in _TEXTS else kind_of(values)
    if kind == "number":
        shown: list[Any] = [value if is_not_finite(value) else _number(value) for value in values]
    else:
        shown = [
            value if value is None or isinstance(value, bool) else cut(text_of(value), LONGEST_CELL) for value in values
        ]
    is_log = kind == "number" and is_logarithmic([value for value in map(number, shown) if value is not None])
    return {"name": name, "label": cut(label, LONGEST_CELL), "kind": kind, "role": role, "is_log": is_log}, shown


def _number(value: Any) -> float | int | str | None:
    """Return a number as it stands in the page: by its name, if it is not finite."""
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return number(value)


def kind_of(values: Sequence[Any]) -> str:
    """Return "number", "boolean", "category" (few, short texts) or "text"; "nan" and the like count as numbers."""
    there = [value for value in values if value is not None]
    if there and all(map(is_number, there)):
        return "number"
    if there and all(isinstance(value, bool) for value in there):
        return "boolean"
    distinct = {value if isinstance(value, str) else text_of(value) for value in there}
    is_short = all(len(text) <= _LONGEST_CATEGORY and "\n" not in text for text in distinct)
    is_few = len(distinct) <= min(max(_FEW, len(there) // 2), _MOST_CATEGORIES)
    return "category" if is_few and is_short else "text"


def is_logarithmic(values: Sequence[float]) -> bool:
    """Tell whether numbers belong on a logarithmic axis.

    They do when all are positive, and either are a grid in which each is so many times the one before, or span more
    than a factor of 30 and crowd at the lower end; a grid of equal steps does not.
    """
    distinct = sorted(set(values))
    if len(distinct) < 2 or distinct[0] <= 0:  # noqa: PLR2004  (one value needs no axis)
        return False
    if len(distinct) >= _FEWEST_OF_A_GRID:
        ratios = [high / low for low, high in pairwise(distinct)]
        if _are_equal(ratios) and ratios[0] >= _SMALLEST_RATIO:
            return True
        if _are_equal([high - low for low, high in pairwise(distinct)]):
            return False
    crowds = sorted(values)[len(values) // 2] - distinct[0] < _LOWER_END * (distinct[-1] - distinct[0])
    return distinct[-1] / distinct[0] > _LOG_SPAN and (crowds or len(distinct) <= _FEW_VALUES)


def _are_equal(steps: Sequence[float]) -> bool:
    return max(steps) - min(steps) <= _CLOSE * max(steps)
