"""Does a row fit a filter? What a filter consists of, and what it means; `runs.filter_parser` reads its text.

A missing value fits nothing but `= null`. Numbers compare with numbers and texts with texts; true is 1, and a list its
JSON text.
"""

from __future__ import annotations

import json
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LARGEST_INT = 2**63


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name, and where it stands in the filter."""

    name: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """A value; `word` is its text where it was written without quotes, and may be meant as a text."""

    value: Any
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Compare:
    """`column sign other`; the sign is one of =, !=, <, <=, > and >=."""

    column: Column
    sign: str
    other: Column | Value


@dataclass(frozen=True, slots=True)
class Contains:
    """`value in column`."""

    column: Column
    value: Value


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    term: Filter


@dataclass(frozen=True, slots=True)
class All:
    """Terms that all hold; none holds always."""

    terms: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801  (`Any` is taken)
    """Terms of which one holds."""

    terms: tuple[Filter, ...]


class HasColumns(Protocol):
    """A row, or what can stand for one."""

    def get(self, column: str, /) -> Any:
        """Return the value in a column; None where there is none."""


Filter = Compare | Contains | Not | All | Any_


def with_names(node: Filter, name_of: Callable[[Column], str]) -> Filter:
    """Return a filter whose columns have other names, as `name_of` gives them."""
    if isinstance(node, Not):
        return Not(with_names(node.term, name_of))
    if isinstance(node, (All, Any_)):
        return type(node)(tuple(with_names(term, name_of) for term in node.terms))
    node = replace(node, column=replace(node.column, name=name_of(node.column)))
    if isinstance(node, Compare) and isinstance(node.other, Column):
        node = replace(node, other=replace(node.other, name=name_of(node.other)))
    return node


def comparable(value: Any) -> int | float | str | None:
    """Return what stands for a value in comparisons and databases: true is 1, a list or dict its JSON text."""
    if value is None or isinstance(value, (str, float)):
        return value
    if isinstance(value, int):
        return int(value) if -_LARGEST_INT <= value < _LARGEST_INT else str(value)
    return json.dumps(value, ensure_ascii=False)


def holds(node: Filter, row: HasColumns) -> bool:
    """Tell whether a filter fits a row."""
    if isinstance(node, Compare):
        return _compare(node, row)
    if isinstance(node, Contains):
        return contains(row.get(node.column.name), node.value)
    if isinstance(node, Not):
        return not holds(node.term, row)
    check = all if isinstance(node, All) else any
    return check(holds(term, row) for term in node.terms)


def _compare(node: Compare, row: HasColumns) -> bool:
    value = comparable(row.get(node.column.name))
    if isinstance(node.other, Column):
        other = comparable(row.get(node.other.name))
        return other is not None and value is not None and _fits(node.sign, value, other)
    if node.other.value is None:
        return (value is None) == (node.sign == "=")
    if value is None:
        return False
    if node.other.word is not None and node.sign in {"=", "!="} and value == node.other.word:
        return node.sign == "="
    return _fits(node.sign, value, comparable(node.other.value))


def _fits(sign: str, value: Any, other: Any) -> bool:
    if isinstance(value, str) != isinstance(other, str):
        return sign == "!="
    return _SIGNS[sign](value, other)


def contains(value: Any, searched: Value) -> bool:
    """Tell whether a text or list contains a value."""
    if isinstance(value, list):
        wanted = {comparable(searched.value), searched.word} - {None}
        return any(comparable(item) in wanted for item in value)
    text = searched.word if searched.word is not None else searched.value
    return isinstance(value, str) and str(text) in value
