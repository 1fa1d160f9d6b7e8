"""What does every page begin with, and how do values become what its script can read?"""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.support import values
from hydra_callbacks.support.redact import REDACTED
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hydra_callbacks.support.redact import Redactor

_NOT_FINITE = {"nan", "inf", "-inf"}  # as `support.plain` writes them
_OURS = {"uri", "status", "kind", "role"}
"""Keys of what is no text of a user's."""
_STATUS = "run-status"
_MOST_NOTES = 20
_LONGEST_WORDS = 2000  # characters that may be pasted
_LARGEST_INT = 2**53  # what a script can tell from its neighbours (ECMA-262, Number.MAX_SAFE_INTEGER + 1)


def head(  # noqa: PLR0913  (each a part of the page's head)
    kind: str,
    title: str,
    place: str,
    *,
    notes: Sequence[str] = (),
    commands: Iterable[tuple[str, Sequence[str]]] = (),
    now: float | None = None,
) -> dict[str, Any]:
    """Return what every page begins with.

    Args:
        kind: "run", "sweep" or "register".
        title: What the page is called.
        place: What it is about: a path or an address.
        notes: What could not be read, in words.
        commands: What may be pasted into a shell: a label, and the words.
        now: When it is made, in seconds since the epoch; the clock's time when None.
    """
    more = [f"... and {len(notes) - _MOST_NOTES:,} more"] if len(notes) > _MOST_NOTES else []
    return {
        "kind": kind,
        "title": title,
        "place": place,
        "made_at": timestamp(time.time() if now is None else now),
        "version": _version(),
        "notes": [cut(note, 1000) for note in notes[:_MOST_NOTES]] + more,
        "commands": [{"label": label, "command": as_words(words)} for label, words in commands],
    }


def _version() -> str:
    """Return this library's version; the door, which knows it, too, must not be passed from inside."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  (once, for each page)

    try:
        return version("hydra-callbacks")
    except PackageNotFoundError:  # it runs from a folder where it was never installed
        return ""


def without_known(data: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Return a page's data without the secrets that are known, wherever they stand: the last look before it is written.

    Commands that lack a secret are left out.

    Args:
        data: The data.
        redactor: What knows them.
    """
    seen = _names(data, redactor)

    def clean(part: Any) -> Any:
        if isinstance(part, str):
            return seen[part] if part in seen else seen.setdefault(part, redactor.known(part))
        if isinstance(part, list):
            return list(map(clean, part))
        if isinstance(part, dict):
            return {key: each if key in _OURS else _table(key, each) or clean(each) for key, each in part.items()}
        return part

    def _table(key: str, part: Any) -> Any:
        """Return a table's columns, whose names are a user's; nothing of anything else."""
        if key != "values" or not isinstance(part, dict):
            return None
        return {clean(name): values if name == _STATUS else clean(values) for name, values in part.items()}

    page: dict[str, Any] = clean(data)
    page["commands"] = [each for each in page["commands"] if REDACTED not in each["command"]]
    return page


def pasted(words: Iterable[Any], redactor: Redactor) -> str | None:
    """Return words ready to paste into a shell; None when they are too many, or hold what nobody may know."""
    text = redactor.known(as_words(words))
    return text if len(text) <= _LONGEST_WORDS and REDACTED not in text else None


def _names(data: dict[str, Any], redactor: Redactor) -> dict[str, str]:
    """Return the names of a table's columns, each to one without secrets that no other has."""
    found = {_STATUS: _STATUS}
    for name in data.get("values", ()):
        known = base = redactor.known(name)
        number = 1
        while known in found.values() and found.get(name) != known:
            number += 1
            known = f"{base} ({number})"
        found[name] = known
    return found


def number(value: Any) -> float | int | None:
    """Return a number that a script can read; None of anything else, and of what is not finite."""
    if not values.is_number(value):
        return None
    if isinstance(value, int):
        return value if abs(value) < _LARGEST_INT else _as_float(value)
    return value if math.isfinite(value) else None


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, or the name of one that is not finite."""
    return values.is_number(value) or is_not_finite(value)


def is_not_finite(value: Any) -> bool:
    """Tell whether a value is the name of a number that is not finite."""
    return isinstance(value, str) and value in _NOT_FINITE


def told(value: Any, longest: int) -> Any:
    """Return a value as it may stand in a page: a finite number, a boolean, None, or a text that is not too long."""
    if value is None or isinstance(value, bool):
        return value
    found = number(value)
    return cut(text_of(value), longest) if found is None else found


def text_of(value: Any) -> str:
    """Return a value as text, exactly: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def cut(text: str, longest: int) -> str:
    """Return a text that a page can hold: whole characters only, and not more of them than that."""
    whole = text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"
    return whole if whole.isascii() else whole.encode(errors="replace").decode()


def _as_float(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None
