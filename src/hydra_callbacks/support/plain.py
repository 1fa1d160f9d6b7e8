"""How does any Python value become data that JSON knows?"""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

_LONGEST_TEXT = 1000  # characters, of what is no data
_LONGEST_INT = 10_000  # bits: Python writes no number of more than 4300 digits
_LARGEST_ARRAY = 10_000  # elements; the text of a larger one, which is short, stands in
_DEEPEST = 100  # levels: what holds itself has no end


def plain(value: Any) -> Any:
    """Return `value` as nested dicts with text keys, lists, text, numbers, booleans and None.

    A float that JSON does not know becomes the text "nan", "inf" or "-inf" (which `float` reads back); an Enum its
    name; an array or scalar of NumPy and its like what its `tolist` gives; anything else its `str`, shortened; what is
    nested deeper than 100 levels "...".
    """
    return _plain(value, _DEEPEST)


def _plain(value: Any, levels: int) -> Any:  # noqa: PLR0911  (one kind of value a line)
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _LONGEST_INT else f"{value:#x}"[:_LONGEST_TEXT] + "..."
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if not levels:
        return "..."
    if isinstance(value, dict):
        return {_key(key): _plain(item, levels - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, levels - 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item, levels - 1) for item in value), key=str)
    return _foreign(value, levels)


def _key(key: Any) -> str:
    return key if type(key) is str else text_of(_plain(key, 1))


def _foreign(value: Any, levels: int) -> Any:
    try:
        if hasattr(value, "tolist") and getattr(value, "size", 0) <= _LARGEST_ARRAY:
            return _plain(value.tolist(), levels - 1)
    except Exception:  # noqa: BLE001, S110  (a stranger's methods; its text below stands in)
        pass
    return text_of(value, longest=_LONGEST_TEXT)


def text_of(value: Any, *, longest: int | None = None) -> str:
    """Return `str(value)`, or the name of its type when that raises.

    Args:
        value: Anything.
        longest: Characters to keep; None for all.
    """
    try:
        text = str(value)
    except Exception:  # noqa: BLE001  (a stranger's __str__ must not cost the record)
        text = f"<{type(value).__module__}.{type(value).__qualname__}>"
    return text if longest is None or len(text) <= longest else text[:longest] + "..."
