"""Which names say that their value is secret?

A name says so when one of its words is key, token, secret, password or credential (or a common spelling of them).
A number is kept where the word only qualifies another (`token_dim: 64`, `max_tokens: 512`, `loss_per_token: 2.5`); a
boolean and None always.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# Some are also the end of a word that is written as one: PGPASSWORD, accesstoken.
_SECRET_WORD = re.compile(
    r"(?:key|(?:api|access|secret|private)key|pwd?|cred|passphrase|.*(?:password|passwd|secret|token|credential))s?"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_COMMON = {"key", "keys", "token", "tokens"}
_BEFORE_KEY = {"api", "access", "secret", "private", "auth"}
_SHORTEST_STRANGE = 8  # characters
_NO_LOGIN = {
    *("forward", "backward", "warmup", "first", "second", "third", "last", "final", "single", "each", "per", "by"),
    *("low", "high", "band", "multi", "next", "n", "num", "max", "min"),
}
"""What a pass of a model, a filter or a compiler is called by; of anybody else's pass, a password is meant."""


@lru_cache(maxsize=4096)
def secret_word(name: str) -> str:
    """Return "last", "inner" or "" for where a secret word stands in a name; a plural is never more than "inner"."""
    words = [word.lower() for word in _WORDS.findall(name)]
    secret = [
        bool(_SECRET_WORD.fullmatch(word)) and before != "per"
        for before, word in zip(["", *words], words, strict=False)
    ]
    if not any(secret):
        is_password = words[-1:] == ["pass"] and _NO_LOGIN.isdisjoint(words[-2:-1])
        return "inner" if is_password else ""  # SMTP_PASS, and n_pass: 3
    return "last" if secret[-1] and not words[-1].endswith("s") else "inner"


@lru_cache(maxsize=4096)
def is_common(name: str) -> bool:
    """Tell whether a secret name is one of those that loops and language models have, too: `key`, `eos_token`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return words[-1:] != [] and words[-1] in _COMMON and (len(words) < 2 or words[-2] not in _BEFORE_KEY)  # noqa: PLR2004  (two words)


def is_secret(name: str, value: Any = "") -> bool:
    """Tell whether a variable or config key of this name holds a secret.

    Args:
        name: The key or variable; only its own name, not the path to it.
        value: Its value; a number, a boolean and None are not always secret (see the module).
    """
    where = secret_word(name)
    if value is None or isinstance(value, bool):
        return False
    return where == "last" or (where == "inner" and not isinstance(value, (int, float)))


def is_strange(text: str, shortest: int = _SHORTEST_STRANGE) -> bool:
    """Tell whether a text is no word that stands in a program or in prose for itself: it has letters and digits."""
    is_mixed = any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    return len(text) >= shortest and is_mixed and not any(map(str.isspace, text))


def option_name(word: Any) -> str:
    """Return the name of an option whose value is the next word, if that is secret: `password` of `--password`."""
    name = word[2:] if type(word) is str and word.startswith("--") else ""
    return name if name and "=" not in name and is_secret(name) else ""
