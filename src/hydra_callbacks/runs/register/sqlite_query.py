"""How does SQLite answer a query, word for word as `filters.holds` and `query.sort_key` would?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.filters import All, Column, Compare, Contains, Filter, Not, Value, comparable, contains
from hydra_callbacks.runs.register.row import OF_A_PROCESS, settled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from hydra_callbacks.runs.query import Query

_BEFORE_JSON = "[{-0123456789"  # what a list, a dict or a long number begins with; all else is a text for certain


PROCESS = ("run-host", *(f"run-{key}" for key in OF_A_PROCESS))
"""The columns from which the state of a running job is told: the parameters of `state_of`."""


def words(asked: Query, columns: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Return what follows `SELECT * FROM runs`, and the values of its parameters.

    Args:
        asked: The query.
        columns: The columns of the table that hold a row's.
    """
    asking = _Asking(columns)
    text = f"WHERE {asking.condition(asked.filter)} ORDER BY "
    for each in asked.order:
        column = asking.column(each.column)
        text += f"{column} IS NULL, {column}{' DESC' if each.descending else ''}, "
    text += "rowid"
    if asked.limit is not None:
        text += f" LIMIT {asking.parameter(asked.limit)}"
    return text, asking.values


def quoted(name: str) -> str:
    """Return a name as SQL takes it for a column."""
    return '"' + name.replace('"', '""') + '"'


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that conditions use."""
    for function in (state_of, comparable_in, contained_in):
        n_parameters = function.__code__.co_argcount
        connection.create_function(function.__name__, n_parameters, function)


def state_of(host: Any, pid: Any, boot_id: Any, pid_namespace: Any, pid_started: Any) -> Any:
    """Return the state of a job that was running."""
    process = dict(zip(PROCESS, (host, pid, boot_id, pid_namespace, pid_started), strict=True))
    return settled({"run-status": "running", **process})["run-status"]


def comparable_in(more: str | None, name: str) -> Any:
    """Return what stands for a value in `run-more`."""
    return comparable(json.loads(more).get(name)) if more else None


def contained_in(  # noqa: PLR0913, PLR0917  (SQL knows no names of parameters)
    cell: Any, types: str | None, more: str | None, name: str, value: Any, word: str | None
) -> bool:
    """Tell whether a row's text or list contains a value."""
    row = json.loads(more) if more else {}
    if cell is not None:
        is_json = types is not None and json.loads(types).get(name) == "json"
        row[name] = json.loads(cell) if is_json else cell
    return contains(row.get(name), Value(value, word))


class _Asking:
    """A query on its way to SQL.

    Args:
        columns: As in `words`.

    Attributes:
        values: Names of parameters to their values.
    """

    def __init__(self, columns: Collection[str]) -> None:
        self._columns = set(columns)
        self.values: dict[str, Any] = {}

    def parameter(self, value: Any) -> str:
        """Return what stands for a value in SQL."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def column(self, name: str) -> str:
        """Return what stands for a column, as readers see it (`row.settled`)."""
        if name == "run-status":
            process = ", ".join(map(self.column, PROCESS))
            return (
                f"(CASE WHEN \"run-status\" = 'running' THEN state_of({process})"
                ' WHEN "run-status" IS NULL AND "job_success" IS NOT NULL'
                " THEN CASE \"job_success\" WHEN 1 THEN 'completed' ELSE 'failed' END"
                ' ELSE "run-status" END)'
            )
        if name in self._columns:
            return quoted(name)
        return f'comparable_in("run-more", {self.parameter(name)})'

    def condition(self, node: Filter) -> str:
        if isinstance(node, Compare):
            return self._comparison(node)
        if isinstance(node, Contains):
            return self._membership(node.column.name, node.value)
        if isinstance(node, Not):
            return f"NOT {self.condition(node.term)}"
        if not node.terms:
            return "1" if isinstance(node, All) else "0"
        return _joined(list(map(self.condition, node.terms)), "AND" if isinstance(node, All) else "OR")

    def _membership(self, name: str, value: Value) -> str:
        cell = self.column(name) if name in self._columns else "NULL"
        given = ", ".join(map(self.parameter, (name, comparable(value.value), value.word)))
        found = f'contained_in({cell}, "run-types", "run-more", {given})'
        if cell == "NULL":
            return found
        text = self.parameter(str(value.value if value.word is None else value.word))
        return (
            f"(CASE WHEN typeof({cell}) != 'text' THEN 0"
            f" WHEN instr('{_BEFORE_JSON}', substr({cell}, 1, 1)) THEN {found}"
            f" ELSE instr({cell}, {text}) > 0 END)"
        )

    def _comparison(self, node: Compare) -> str:
        column = self.column(node.column.name)
        if isinstance(node.other, Column):
            other = self.column(node.other.name)
            fits = f"{column} {node.sign} {other}"
            if node.sign not in {"=", "!="}:  # SQLite takes any text for more than any number
                fits += f" AND (typeof({column}) = 'text') = (typeof({other}) = 'text')"
            return f"({column} IS NOT NULL AND {other} IS NOT NULL AND {fits})"
        value, word = comparable(node.other.value), node.other.word
        if value is None:
            return f"({column} IS {'' if node.sign == '=' else 'NOT '}NULL)"
        if node.sign in {"=", "!="}:
            either = ", ".join(map(self.parameter, (value, value if word is None else word)))
            return f"({column} IS NOT NULL AND {'NOT ' if node.sign == '!=' else ''}{column} IN ({either}))"
        kind = "=" if isinstance(value, str) else "!="
        fits = f"typeof({column}) {kind} 'text' AND {column} {node.sign} {self.parameter(value)}"
        return f"({column} IS NOT NULL AND {fits})"


def _joined(terms: list[str], word: str) -> str:
    """Return terms as a balanced tree: SQLite takes none that is deeper than 1000."""
    half = len(terms) // 2
    return f"({_joined(terms[:half], word)} {word} {_joined(terms[half:], word)})" if half else terms[0]
