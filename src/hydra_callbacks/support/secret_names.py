"""Which names say that their value is secret?

A name says so when one of its words is key, token, secret, password or credential (or a common spelling of them).
A number is kept where the word only qualifies another (`token_dim: 64`, `max_tokens: 512`, `loss_per_token: 2.5`); a
boolean and None always.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from itertools import pairwise
from typing import Any

# Some are also the end of a word that is written as one: PGPASSWORD, accesstoken.
_SECRET_WORD = re.compile(
    r"(?:key|(?:api|access|secret|private)key|pwd?|cred|passphrase|.*(?:password|passwd|secret|token|credential))s?"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_COMMON = {"key", "keys", "token", "tokens"}
_BEFORE_KEY = {"api", "access", "secret", "private", "auth"}
_SHORTEST_STRANGE = 8  # characters
_KEY_FORM = re.compile(r"(?:hf_|[srp]k[-_]|gh[pousr]_|xox)")
_SEPARATOR = re.compile(r"[_\-./: ]+")
_BRACKETED = re.compile(r"<.*>|\[.*\]")  # `<pad>`, `[CLS]`
_PUNCTUATION = re.compile(r"[\s_\-.:@<>()\[\]{}]")
_LONGEST_WORD = 24  # letters
_CAPITALS_SHARE = 6  # letters for each capital within a word, at least
_WORDS_ALONE = {
    *("password", "passwd", "pass", "pwd", "pw", "secret", "token", "key", "credential", "credentials", "passphrase"),
    *("apikey", "accesskey", "secretkey", "privatekey", "accesstoken", "authtoken", "bearertoken", "clientsecret"),
}
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


def is_wordy(text: str, *, with_numbers: bool = True) -> bool:
    """Tell whether a text is made of words, as `observation.images`, `[CLS]`, and `resnet50_bn`.

    Args:
        text: Any text.
        with_numbers: Whether a word may end with a number; else a number stands for itself, as in `extra_id_0`.
    """
    if _BRACKETED.fullmatch(text):
        return True
    if _KEY_FORM.match(text):
        return False
    return all(_is_word(piece, with_numbers=with_numbers) for piece in _SEPARATOR.split(text))


def _is_word(piece: str, *, with_numbers: bool) -> bool:
    letters = piece.rstrip("0123456789")
    n_digits = len(piece) - len(letters)
    is_named = (not letters or letters.isalpha()) and len(letters) < _LONGEST_WORD
    n_capitals = sum(one.islower() and other.isupper() for one, other in pairwise(letters))
    is_numbered = n_digits <= 4 and (with_numbers or not letters or not n_digits)  # noqa: PLR2004  (a year's)
    return is_named and is_numbered and n_capitals * _CAPITALS_SHARE <= len(letters)


def is_own_name(name: str, text: str) -> bool:
    """Tell whether a text only repeats its name, or the end of it: `password: password`, `db_token: "TOKEN"`."""
    bare, own = (_PUNCTUATION.sub("", each).lower() for each in (text, name))
    return bare == own or bare in _WORDS_ALONE or (own.endswith(bare) and bool(secret_word(bare)))


def is_to_be_found(name: str, text: str) -> bool:
    """Tell whether the text of a secret name is to be looked for elsewhere, too.

    A plain word under a name that loops and language models have is not, for it would vanish everywhere:
    `log_key: training`, `eos_token: </s>`. Neither is what repeats its name.

    Args:
        name: A name that says that its value is secret.
        text: The value.
    """
    if is_own_name(name, text):
        return False
    return not is_common(name) or not is_wordy(text, with_numbers=name.lower().rstrip("s").endswith("key"))


def is_place(name: str, text: str) -> bool:
    """Tell whether a variable is a path after all: PWD, or SSH_KEY=/home/me/.ssh/id, which every record may name."""
    return name in {"PWD", "OLDPWD"} or (os.path.isabs(text) and os.path.exists(text))  # noqa: PTH110, PTH117  (texts)


def option_name(word: Any) -> str:
    """Return the name of an option whose value is the next word, if that is secret: `password` of `--password`."""
    name = word[2:] if type(word) is str and word.startswith("--") else ""
    return name if name and "=" not in name and is_secret(name) else ""
