"""What must not be written? Values whose name says that they are secret, wherever their text turns up again.

A name says so when one of its words is key, token, secret, password or credential (or a common spelling of them).
A number is kept where the word only qualifies another (`token_dim: 64`, `max_tokens: 512`); a boolean and None always.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

REDACTED = "<redacted>"

# Some are also the end of a word that is written as one: PGPASSWORD, accesstoken.
_SECRET_WORD = re.compile(
    r"(?:key|(?:api|access|secret|private)key|pwd|cred|passphrase|.*(?:password|passwd|secret|token|credential))s?"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# A password may hold a `/` or an `@`; how far it is looked for is limited, so that the time stays in proportion.
_URL_USER = re.compile(r"(?<=://)(?:[^/\s:@'\"]{0,200}:[^\s'\"]{1,200}|[^/\s@'\"]+)(?=@)")
_BEARER = re.compile(r"(?<=\bbearer )[^\s,;'\"]+", re.IGNORECASE)
# Each word is looked at once, so that the time is in proportion to the text: hence two patterns, and the look behind.
_NAME = re.compile(r"(?<![\w.\-])(?P<name>[\w.\-]+)(?P<sign>['\"]?\s*[=:]\s*)")
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s,;&{}\[\]()'\"]+")
_NOTHING = {REDACTED, "null", "None", "true", "false", "True", "False"}
_SHORTEST = 6  # characters: a shorter secret's text may be part of any word, so only its name hides it


@lru_cache(maxsize=4096)
def _secret_word(name: str) -> str:
    """Return "last", "inner" or "" for where a secret word stands in a name."""
    words = [word.lower() for word in _WORDS.findall(name)]
    secret = [bool(_SECRET_WORD.fullmatch(word)) for word in words]
    if not any(secret):
        return ""
    return "last" if secret[-1] and not words[-1].endswith("s") else "inner"


def is_secret(name: str, value: Any = "") -> bool:
    """Tell whether a variable or config key of this name holds a secret.

    Args:
        name: The key or variable; only its own name, not the path to it.
        value: Its value; a number, a boolean and None are not always secret (see the module).
    """
    where = _secret_word(name)
    if value is None or isinstance(value, bool):
        return False
    return where == "last" or (where == "inner" and not isinstance(value, (int, float)))


class Redactor:
    """Replaces secrets by `<redacted>`; knows those of a configuration and of the environment.

    Args:
        config: Plain, nested data whose keys tell which values are secret.
        environ: Variables whose names tell the same; the process's own when None.
    """

    def __init__(self, config: Any = None, environ: Mapping[str, str] | None = None) -> None:
        self._secrets = set(_secret_texts(config))
        self.learn(environ)

    def learn(self, environ: Mapping[str, str] | None = None) -> None:
        """Take in the secrets of the environment, which a program may fill after its start.

        Args:
            environ: Variables; the process's own when None.
        """
        variables = os.environ if environ is None else environ
        self._secrets |= {value for name, value in variables.items() if is_secret(name) and not _is_place(name, value)}
        known = sorted((text for text in self._secrets if len(text) >= _SHORTEST), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def learn_overrides(self, lines: Iterable[str]) -> None:
        """Take in the secrets among Hydra's overrides: of a sweep, each value by itself, too."""
        values = [value for line in lines if (value := _secret_value(line)) is not None]
        self._secrets |= {each for value in values for each in (value, *value.split(","))}
        self.learn({})

    @property
    def secrets(self) -> list[str]:
        """The texts that are replaced wherever they stand."""
        return sorted(text for text in self._secrets if len(text) >= _SHORTEST)

    def text(self, text: str) -> str:
        """Return `text` without the known secrets, credentials in URLs, and values that follow a secret name."""
        text = self.known(text)
        return _without_named_values(text) if "=" in text or ":" in text else text

    def known(self, text: str) -> str:
        """Return `text` without the known secrets and credentials in URLs."""
        if self._known:
            text = self._known.sub(REDACTED, text)
        if "://" in text:
            text = _URL_USER.sub(_without_password, text)
        if "earer " in text:
            text = _BEARER.sub(REDACTED, text)
        return text

    def data(self, value: Any, name: str = "") -> Any:
        """Return nested data with the secrets replaced; mappings become dicts with text keys, sequences lists."""
        if isinstance(value, dict):
            inside = name if is_secret(name) else ""
            return {str(key): self.data(item, inside or str(key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(item, name) for item in value]
        if is_secret(name, value):
            return REDACTED
        return self.text(value) if isinstance(value, str) else value


def _is_place(name: str, value: str) -> bool:
    """Tell whether a variable is a path after all: PWD, or SSH_KEY=/home/me/.ssh/id, which every record may name."""
    return name in {"PWD", "OLDPWD"} or (Path(value).is_absolute() and Path(value).exists())


def _without_password(match: re.Match[str]) -> str:
    user = match[0]
    return user if user == "git" else REDACTED


def _without_named_values(text: str) -> str:
    """Return a text without what follows a secret name and a sign: `password=x`, `"api_key": "x"`."""
    parts, end = [], 0
    for match in _NAME.finditer(text):
        if match.start() < end or not _tells(match):
            continue
        value = _VALUE.match(text, match.end())
        if value and value[0] not in _NOTHING:
            parts += [text[end : match.end()], REDACTED]
            end = value.end()
    return "".join([*parts, text[end:]])


def _tells(match: re.Match[str]) -> bool:
    """Tell whether a name and a sign in a text are followed by a secret."""
    name, sign = match["name"].rpartition(".")[2], match["sign"]
    if _secret_word(name) != "last":
        return False
    if name.lower() not in {"key", "token"} or sign[0] in "'\"":
        return True
    # "missing key: 'lr'" and "sorted(runs, key=len)" are prose and code; "?key=..." stands in a URL.
    in_url = match.string[match.start() - 1 : match.start()] in {"?", "&"}
    return "=" in sign and (in_url or name.lower() == "token")


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _secret_texts(value: Any, name: str = "") -> Iterator[str]:
    """Yield the texts below `value` that stand under a secret name."""
    if isinstance(value, dict):
        for key, item in value.items():
            inside = name if is_secret(name) else ""
            yield from _secret_texts(item, inside or str(key))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secret_texts(item, name)
    elif isinstance(value, (str, int, float)) and is_secret(name, value):
        yield str(value)


def overrides(lines: Iterable[str], redactor: Redactor) -> list[str]:
    """Return Hydra overrides or command-line words with their secrets replaced: `db.password=x` keeps its name."""
    return [_override(line, redactor) for line in lines]


def _override(line: str, redactor: Redactor) -> str:
    if _secret_value(line) is not None:
        return f"{line.partition('=')[0]}={REDACTED}"
    return redactor.text(line)


def _secret_value(line: str) -> str | None:
    """Return the value of an override whose name says that it is secret; None of any other."""
    name, equals, value = line.partition("=")
    return value if equals and is_secret(re.split(r"[.@/]", name)[-1], _number(value)) else None
