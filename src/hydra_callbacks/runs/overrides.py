"""What does an override set, and to which value?

The grammar is Hydra's ("Basic Override Syntax"); of its values, those that a table can hold are understood: numbers,
booleans, null, and quoted or bare text. All others (lists, dicts, sweeps) stay the text that they are.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

_INT = re.compile(r"[+-]?(?:0|[1-9](?:_?\d)*)")  # 007 is a text
_FLOAT = re.compile(r"[+-]?(?:(?:\d(?:_?\d)*)?\.\d(?:_?\d)*|\d(?:_?\d)*\.?)(?:[eE][+-]?\d(?:_?\d)*)?")
_LONGEST_INT = 4000  # digits: Python reads no longer one
_NAMES = {"true": True, "false": False, "null": None}


@lru_cache(maxsize=1 << 16)  # the jobs of a sweep share most of their words
def parse(word: str) -> tuple[str, Any]:
    """Return the key of an override, without `+` and `++`, and its value.

    Args:
        word: The override, as in `lr=0.1`, `+opt.name=adam` or `model@net=big`; `~key` deletes, and has no value.
    """
    key, _, value = word.partition("=")
    return key.lstrip("+"), _value(value)


def _value(text: str) -> Any:
    text = text.strip()
    name = text.lower()
    if name in _NAMES:
        return _NAMES[name]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_INT else text
    if _FLOAT.fullmatch(text) and not text.lstrip("+-").isdigit():
        number = float(text)
        return number if math.isfinite(number) else text
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("\\" + text[0], text[0])
    return text
