"""Which rows, in which order, and how many: what a listing asks of a register, whatever it is kept in."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from hydra_callbacks.errors import FilterError
from hydra_callbacks.runs import filters
from hydra_callbacks.runs.filter_parser import fail, parse
from hydra_callbacks.runs.filters import All, Column, Compare, Filter, Value
from hydra_callbacks.runs.record import USED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from hydra_callbacks.runs.register.row import Row

SHORT = {
    **{name: f"run-{name}" for name in ("id", "dir", "status", "started", "error", "app", "num", "attempt", "host")},
    "run": "run-dir",
    "duration": "run-duration_s",
    "duration_s": "run-duration_s",
    **{name: f"run-{name}" for name in USED},
    "overrides": "run-overrides",
    "success": "job_success",
}
"""Short names of the columns about the run itself, to their names in a register."""
_MOST_NEAREST = 4


@dataclass(frozen=True, slots=True)
class Order:
    """A column to sort by, and whether its highest value comes first; rows without a value come last."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a register.

    Attributes:
        filter: What a row must fit.
        order: What rows are sorted by, the first one first; as they were registered when empty.
        limit: The most rows; None for all.
    """

    filter: Filter = field(default_factory=All)
    order: tuple[Order, ...] = ()
    limit: int | None = None


def ask(
    columns: Collection[str],
    *,
    where: str = "",
    sort: str = "-run-started",
    since: str | None = None,
    limit: int | None = None,
) -> Query:
    """Return a query, with the names of columns completed.

    Args:
        columns: The columns that there are.
        where: A filter, see `runs.filter_parser`.
        sort: Columns, separated by commas; `-` before one puts its highest value first.
        since: UTC time, as `record.timestamp` writes it; only runs that started then or later.
        limit: The most rows; None for all.

    Raises:
        FilterError: The filter cannot be read, or a column does not exist; the message has the nearest names.
    """

    def named(column: Column) -> str:
        try:
            return find_column(column.name, columns)
        except FilterError as error:
            raise fail(where, column.at, str(error)) from None

    terms = [filters.with_names(parse(where), named)]
    if since:
        terms.append(Compare(Column(SHORT["started"]), ">=", Value(since)))
    order = tuple(_order(word.strip(), columns) for word in sort.split(",") if word.strip())
    return Query(terms[0] if len(terms) == 1 else All(tuple(terms)), order, limit)


def _order(word: str, columns: Collection[str]) -> Order:
    return Order(find_column(word.removeprefix("-"), columns), descending=word.startswith("-"))


def find_column(name: str, columns: Collection[str]) -> str:
    """Return the column that a name means.

    Args:
        name: A column, a short name (`status` for `run-status`), or the end of one column (`lr` for `optimizer.lr`);
            of several that end so, the one of the result, if there is one.
        columns: The columns that there are; when there are none at all, any name will do.

    Raises:
        FilterError: It means none, or several; the message names the nearest.
    """
    if name in columns:
        return name
    if name in SHORT or name in SHORT.values():
        return SHORT.get(name, name)
    if not columns:
        return name
    ends = [column for column in columns if column.endswith(f".{name}")]
    results = [column for column in ends if column.startswith("result.")]
    if len(ends) == 1 or len(results) == 1:
        return (results or ends)[0]
    if ends:
        msg = f"several columns end in {name!r}: {', '.join(sorted(ends))}; name one"
        raise FilterError(msg)
    import difflib  # noqa: PLC0415  (only who mistypes needs it)

    known = {column.lower().rpartition(".")[2]: column for column in columns}
    known |= {column.lower(): column for column in (*columns, *SHORT)}
    near = difflib.get_close_matches(name.lower(), known, n=_MOST_NEAREST, cutoff=0.5)
    nearest = ", ".join(dict.fromkeys(known[each] for each in near))
    msg = f"there is no column {name!r}" + (f"; nearest: {nearest}" if near else "; --columns all shows them")
    raise FilterError(msg)


AnyRow = TypeVar("AnyRow", bound=filters.HasColumns)


def select(rows: Iterable[AnyRow], query: Query) -> list[AnyRow]:
    """Return the rows that fit, sorted, up to the limit; no more than these are kept in memory while reading."""
    fitting: Iterator[AnyRow] = (row for row in rows if filters.holds(query.filter, row))
    if query.limit is None:
        return sorted(fitting, key=lambda row: sort_key(row, query.order)) if query.order else list(fitting)
    if not query.order:
        return [row for _, row in zip(range(query.limit), fitting, strict=False)]
    return heapq.nsmallest(query.limit, fitting, key=lambda row: sort_key(row, query.order))


def merge(parts: Iterable[list[Row]], query: Query) -> list[Row]:
    """Return the rows of several answers to a query as one answer; of rows with the same id, the first one."""
    seen: set[str] = set()
    rows: list[Row] = []
    for part in parts:
        rows += [row for row in part if (row.get("run-id") or id(row)) not in seen]
        seen |= {row["run-id"] for row in part if row.get("run-id")}
    return select(rows, replace(query, filter=All()))


def sort_key(row: filters.HasColumns, order: tuple[Order, ...]) -> tuple[Any, ...]:
    """Return what sorts a row: numbers before texts, in reverse when descending; missing values last in any case."""
    return tuple(_key(row.get(each.column), descending=each.descending) for each in order)


def _key(value: Any, *, descending: bool) -> tuple[Any, ...]:
    value = filters.comparable(value)
    if value is None:
        return (2,)
    if isinstance(value, str):
        return (0, _Descending(value)) if descending else (1, value)
    return (1, -value) if descending else (0, value)


class _Descending(str):
    """A text that comes before another one when it is higher."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)
