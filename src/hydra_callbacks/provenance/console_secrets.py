"""Which lines of a program's output hold a secret that nobody knew, but that its surroundings tell?

Of 50 MB, few lines do: they are found by searches that cost next to nothing, and only they are looked at closely.
"""

from __future__ import annotations

import re

_SIGN = rb"\\*['\"]?\]?[^\S\n]*[=:!]"
# In lower case. A name must end with the word, for `tokens/s: 512` is no secret; each pattern begins with its word,
# which makes it fast.
_SUSPECTS = {
    b"pass": re.compile(rb"pass(?:(?:w(?:or)?ds?|phrase)" + _SIGN + rb"|[^\S\n]*=)"),
    b"secret": re.compile(rb"secrets?" + _SIGN),
    b"token": re.compile(rb"token" + _SIGN),
    b"credential": re.compile(rb"credentials?" + _SIGN),
    b"key": re.compile(rb"keys?" + _SIGN),
    b"bearer ": re.compile(rb"bearer \S"),
    b"authorization": re.compile(rb"authorization"),
    b"://": re.compile(rb"://(?:[^/\s@]{1,200}|[^/\s:@]{0,200}:\S{1,200})@"),
}
_WORDS = {b"pass", b"secret", b"token", b"credential", b"key"}
_OPTION = re.compile(rb"--(?=[a-z])[\w\-]{0,40}(?:password|secret|token|credential|key)['\"\s,]")


def without_secrets(text: bytes) -> bytes:
    """Return lines without the secrets that their surroundings tell: `password=x`, credentials in a URL.

    Args:
        text: Whole lines, in UTF-8 most likely.
    """
    lower = text.lower()
    words = [word for word in _SUSPECTS if word in lower]
    found = [match.start() for word in words for match in _SUSPECTS[word].finditer(lower)]
    if not _WORDS.isdisjoint(words) and b"--" in lower:
        found += [match.start() for match in _OPTION.finditer(lower)]
    parts, done = [], 0
    for place in sorted(found):
        if place >= done:
            start = lower.rfind(b"\n", done, place) + 1 or done
            end = lower.find(b"\n", place)
            end = len(lower) if end < 0 else end
            parts += [text[done:start], _clean(text[start:end])]
            done = end
    return b"".join([*parts, text[done:]]) if parts else text


def _clean(line: bytes) -> bytes:
    from hydra_callbacks.support.secret_texts import without_secrets as clean  # noqa: PLC0415  (most jobs print none)

    text = line.decode("utf-8", errors="surrogateescape")
    return clean(text, is_output=True).encode("utf-8", errors="surrogateescape")
