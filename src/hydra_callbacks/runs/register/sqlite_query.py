"""How does SQLite answer a query, word for word as `filters.holds` and `query.sort_key` would?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.filters import All, Column, Compare, Contains, Filter, Not, Value, comparable, contains

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from hydra_callbacks.runs.query import Query


def words(asked: Query, columns: Collection[str]) -> tuple[str, list[Any]]:
    """Return what follows `SELECT * FROM runs`, and the values of its parameters; jobs without an end are left out.

    Args:
        asked: The query.
        columns: The columns of the table.
    """
    values: list[Any] = []
    text = f"WHERE \"run-status\" IS NOT 'running' AND {_condition(asked.filter, set(columns), values)}"
    order = [
        f"{column} IS NULL, {column}{' DESC' if each.descending else ''}"
        for each in asked.order
        for column in [_expression(each.column, set(columns))]
    ]
    text += f" ORDER BY {', '.join([*order, 'rowid'])}"
    if asked.limit is not None:
        text += " LIMIT ?"
        values.append(asked.limit)
    return text, values


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that conditions use."""

    def list_contains(text: str, value: Any, word: str | None) -> bool:
        try:
            return contains(json.loads(text), Value(value, word))
        except ValueError:
            return contains(text, Value(value, word))

    connection.create_function("list_contains", 3, list_contains, deterministic=True)


def _expression(name: str, columns: set[str]) -> str:
    """Return the SQL for a column; one without a place of its own is a key in `run-more`."""
    if name in columns:
        return '"' + name.replace('"', '""') + '"'
    path = "$." + json.dumps(name, ensure_ascii=False)
    return 'json_extract("run-more", \'' + path.replace("'", "''") + "')"


def _condition(node: Filter, columns: set[str], values: list[Any]) -> str:
    if isinstance(node, Compare):
        return _comparison(node, columns, values)
    if isinstance(node, Contains):
        column = _expression(node.column.name, columns)
        text = node.value.word if node.value.word is not None else node.value.value
        values += [comparable(node.value.value), node.value.word, str(text)]
        return (
            f"(CASE WHEN typeof({column}) IS NOT 'text' THEN 0"
            f" WHEN substr({column}, 1, 1) = '[' THEN list_contains({column}, ?, ?)"
            f" ELSE instr({column}, ?) > 0 END)"
        )
    if isinstance(node, Not):
        return f"NOT {_condition(node.term, columns, values)}"
    sign = " AND " if isinstance(node, All) else " OR "
    return "(" + (sign.join(_condition(term, columns, values) for term in node.terms) or "1") + ")"


def _comparison(node: Compare, columns: set[str], values: list[Any]) -> str:
    column = _expression(node.column.name, columns)
    if isinstance(node.other, Column):
        other = _expression(node.other.name, columns)
        alike = f"(typeof({column}) = 'text') = (typeof({other}) = 'text')"
        fits = f"{alike} AND {column} {node.sign} {other}"
        if node.sign == "!=":
            fits = f"NOT ({alike} AND {column} = {other})"
        return f"({column} IS NOT NULL AND {other} IS NOT NULL AND {fits})"
    value, word = comparable(node.other.value), node.other.word
    if value is None:
        return f"({column} IS {'' if node.sign == '=' else 'NOT '}NULL)"
    if node.sign in {"=", "!="}:
        values += [value, value if word is None else word]
        return f"({column} IS NOT NULL AND {'NOT ' if node.sign == '!=' else ''}{column} IN (?, ?))"
    values.append(value)
    kind = "=" if isinstance(value, str) else "!="
    return f"({column} IS NOT NULL AND typeof({column}) {kind} 'text' AND {column} {node.sign} ?)"
