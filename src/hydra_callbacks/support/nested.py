"""How does nested data become one row of a table?"""

from __future__ import annotations

from typing import Any


def flatten(data: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with keys joined by dots: `{"a": {"b": 1}}` becomes `{"a.b": 1}`.

    Args:
        data: Nested dicts; anything else, lists and empty dicts included, is a value.
        prefix: What every key begins with.
    """
    if not isinstance(data, dict) or not data:
        return {prefix: data} if prefix else {}
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat.update(flatten(value, f"{prefix}.{key}" if prefix else str(key)))
    return flat
