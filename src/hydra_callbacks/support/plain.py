"""How does any Python value become data that JSON knows?"""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

_LONGEST_REPR = 1000  # characters


def plain(value: Any) -> Any:  # noqa: PLR0911  (one kind of value a line)
    """Return `value` as nested dicts with text keys, lists, text, numbers, booleans and None.

    A float that JSON does not know becomes the text "nan", "inf" or "-inf" (which `float` reads back); an Enum its
    name; an array or scalar of NumPy and its like what its `tolist` gives; anything else its `str`, shortened.
    """
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    return _foreign(value)


def _foreign(value: Any) -> Any:
    to_list = getattr(value, "tolist", None)
    if callable(to_list):
        try:
            return plain(to_list())
        except Exception:  # noqa: BLE001, S110  (a stranger's method; its text below stands in)
            pass
    try:
        text = str(value)
    except Exception:  # noqa: BLE001  (a stranger's __str__ must not cost the record)
        text = f"<{type(value).__module__}.{type(value).__qualname__}>"
    return text if len(text) <= _LONGEST_REPR else text[:_LONGEST_REPR] + "..."
