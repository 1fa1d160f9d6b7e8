"""Which signs in a text would hide, or turn their neighbours round, instead of being seen?

The script of the page has the same ones (`web/src/dom.js`).
"""

from __future__ import annotations

import re

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters but for tab and line feed, marks of direction, the byte order mark, and halves of characters."""


def as_escape(match: re.Match[str]) -> str:
    """Return a sign by its number, as JSON writes it."""
    return f"\\u{ord(match[0]):04x}"
