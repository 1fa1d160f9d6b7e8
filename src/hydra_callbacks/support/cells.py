"""How does a value stand in a cell of a CSV file, safe in a spreadsheet, and come back as what it was?

None is an empty cell, a number or boolean what Python writes, a list or dict JSON. A text stands as it is, unless it
would come back as something else or be taken for a formula: then an apostrophe comes before it, which is the
spreadsheets' own sign for text. A text with a line break, or with a formula behind a `;` (where some countries'
spreadsheets begin a new cell), is a JSON string, so that every row is one line.

Which signs begin a formula: OWASP, "CSV Injection".
"""

from __future__ import annotations

import json
import re
from typing import Any

from hydra_callbacks.support.patterns import compiled

# Most texts need no further look: those that begin with a letter, and what begins like a number and is a date or an id.
_PLAIN = re.compile(r"(?:(?!(?:True|False|TRUE|FALSE)\Z)[A-Za-z/.<_#]|[0-9][0-9.]*[-:A-DF-Za-df-z])[^\r\n\0;\t]*\Z")
_SIGNS = "=+\\-@＝＋－＠"  # noqa: RUF001  (the wide ones count, too)
_FORMULA = rf"\s*[{_SIGNS}]"
_NOT_AS_IT_IS = rf"[\r\n\0]|[;\t]\s*[{_SIGNS}]"
_AFTER_SEPARATOR = rf"(?<=;)(\s*)([{_SIGNS}])"
_NUMBER = r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?"
_BOOLEANS = {"True": True, "False": False, "TRUE": True, "FALSE": False}  # the latter as spreadsheets save them
_LONGEST_NUMBER = 4000  # characters: Python reads no longer one


def encode(value: Any) -> str:
    """Return the cell for a value: None, text, number, boolean, list or dict; anything else as its text."""
    kind = type(value)
    if kind is str:
        return value if _PLAIN.match(value) else _text(value)
    if kind is float or kind is int or kind is bool:
        return str(value)
    if value is None:
        return ""
    return _json(value) if isinstance(value, (dict, list, tuple)) else _text(str(value))


def decode(cell: str) -> Any:
    """Return the value that a cell stands for."""
    if not cell:
        return None
    if cell[0] == "'" and _must_be_marked(cell):
        return cell[1:]
    return _meant(cell)


def encode_name(name: str) -> str:
    """Return the cell for a column's name: a text, marked only where it would be a formula or two lines."""
    if not name or _PLAIN.match(name):
        return name
    if compiled(_NOT_AS_IT_IS).search(name):
        return _json(name)
    return f"'{name}" if _is_marked_name(name) else name


def decode_name(cell: str) -> str:
    """Return the column's name that a cell of the header stands for."""
    if cell[:1] not in {"'", '"'}:
        return cell
    if cell[0] == '"':
        return str(_meant(cell))
    return cell[1:] if _is_marked_name(cell) else cell


def _is_formula(text: str) -> bool:
    return compiled(_FORMULA).match(text) is not None


def _is_marked_name(name: str) -> bool:
    """Tell whether a column's name needs an apostrophe, or has one that it needs."""
    core = name.lstrip("'")
    return core[:1] == "\ufeff" or _is_formula(core) or (core[:1] == '"' and _meant(core) != core)


def _text(text: str) -> str:
    if compiled(_NOT_AS_IT_IS).search(text):
        return _json(text)
    return f"'{text}" if _must_be_marked(text) else text


def _must_be_marked(text: str) -> bool:
    """Tell whether a text needs an apostrophe; one that has some already is judged by what follows them."""
    core = text.lstrip("'")
    return not core or _is_formula(core) or _meant(core) != core


def _meant(cell: str) -> Any:
    """Return what a cell without a mark stands for."""
    first = cell[0]
    if first in "-0123456789":
        number = compiled(_NUMBER).fullmatch(cell) if len(cell) <= _LONGEST_NUMBER else None
        if number:
            return float(cell) if number[1] or number[2] else int(cell)
    elif first in "TF":
        return _BOOLEANS.get(cell, cell)
    elif first in '[{"':
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            return cell
        return value if not isinstance(value, str) or compiled(_NOT_AS_IT_IS).search(value) else cell
    return cell


_dumps = json.JSONEncoder(ensure_ascii=False, default=str).encode


def _json(value: Any) -> str:
    text = _dumps(value)
    if ";" not in text:
        return text
    return compiled(_AFTER_SEPARATOR).sub(lambda match: f"{match[1]}\\u{ord(match[2]):04x}", text)
