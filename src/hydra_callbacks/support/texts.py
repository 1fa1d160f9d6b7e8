"""How do numbers, states and words read, in a terminal or in a table?"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_STATES = {  # each by its word, a sign, and a colour that is told apart from the others without red and green, too
    "completed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "interrupted": ("■", "yellow"),
    "running": ("▶", "cyan"),
    "lost": ("?", "bold magenta"),
    "missing": ("○", "yellow"),
    "pending": ("·", "dim"),
}
_DIGITS = 6
_UNSEEN = (  # what a terminal obeys instead of showing it: control characters, and those that turn the direction
    *(set(range(0x20)) - {ord("\n"), ord("\t")}),
    *range(0x7F, 0xA0),
    *(*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
)
_AS_ESCAPES = {code: ascii(chr(code))[1:-1] for code in _UNSEEN}


def printable(text: str) -> str:
    """Return a text in which what a terminal would obey is spelled out."""
    return text.translate(_AS_ESCAPES)


def counted(number: int, noun: str = "run") -> str:
    """Return a number of things: `1 run`, `1,200 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def status(state: str | None, onto: Any = None) -> str:
    """Return a state with its sign, where the terminal can print it.

    Args:
        state: The state.
        onto: A stream or console, whose `encoding` is asked; UTF-8 when None.
    """
    state = state or "unknown"
    sign, _ = _STATES.get(state, ("·", ""))
    try:
        sign.encode(getattr(onto, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return state
    return f"{sign} {state}"


def sign_of(state: str) -> str:
    """Return the sign of a state."""
    return _STATES.get(state, ("·", ""))[0]


def style_of(cell: str) -> str:
    """Return the colour of a state."""
    return _STATES.get(cell.rpartition(" ")[2], ("", ""))[1]


def shown(value: Any) -> str:
    """Return a value as people read it: a number with six digits at most, a text as it is, a list as JSON."""
    if value is None:
        return ""
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 10**_DIGITS else f"{value:.{_DIGITS}g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)


def as_words(words: Iterable[Any]) -> str:
    """Return words as a shell takes them."""
    return " ".join(map(_as_word, map(str, words)))


def _as_word(word: str) -> str:
    import shlex  # noqa: PLC0415  (few texts are for a shell)

    is_tame = "'" in word and not re.search(r"""["$`\\!]""", word)  # inside of double quotes
    return f'"{word}"' if is_tame else shlex.quote(word)


def duration(seconds: Any) -> str:
    """Return a duration as people read it: `0.31 s`, `4 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    if not isinstance(seconds, (int, float)):
        return ""
    if seconds < 60:  # noqa: PLR2004  (seconds in a minute; below, the other units)
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004  (seconds)
    units = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
    size, unit, part_size, part = next(each for each in units if seconds >= each[0])
    return f"{int(seconds // size)} {unit} {int(seconds % size // part_size)} {part}"


def size(n_bytes: float) -> str:
    """Return a size as people read it: `980 B`, `1.4 MiB`; 1 KiB is 1024 B, as schedulers and columns have it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n_bytes < 1024:  # noqa: PLR2004  (of each unit in the next)
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} TiB"
