"""How is a lot of JSON read quickly, whatever some of it holds?

orjson reads it; what it refuses (a number that JSON does not know, half of a character), the standard library does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19  # orjson may make a float of it


def loads(text: bytes) -> Any:
    """Return what a JSON document holds.

    Raises:
        ValueError: It is none.
    """
    if _LONG_NUMBER in text.translate(_DIGITS):
        return _slowly(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _slowly(text)


def loads_lines(lines: Sequence[bytes]) -> list[Any]:
    """Return what each line holds; None for a line that is no JSON document."""
    try:
        found: list[Any] = orjson.loads(b"[" + b",".join(lines) + b"]")
    except orjson.JSONDecodeError:
        found = []
    return found if len(found) == len(lines) else [_line(line) for line in lines]


def _line(line: bytes) -> Any:
    try:
        return loads(line)
    except ValueError:
        return None


def _slowly(text: bytes) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        msg = "it is nested too deeply"
        raise ValueError(msg) from error
