"""What must not be written? Values whose name says that they are secret, wherever their text turns up again."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.patterns import compiled
from hydra_callbacks.support.secret_names import is_place, is_secret, is_strange, is_to_be_found, option_name
from hydra_callbacks.support.secret_texts import REDACTED, secrets_in, without_credentials, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["REDACTED", "Redactor", "is_secret", "overrides"]

_SHORTEST = 6  # characters: a shorter secret's text may be part of any word, so only its name hides it
_INTERPOLATION = r"\$\{(?:oc\.env:(?P<variable>\w+)|(?P<node>[\w.]+)\})"
_IN_BRACES = r"(?i)(?<=[{,])(\s*(?:key|token)\s*:\s*)[^,{}\[\]]+"


class Redactor:
    """Replaces secrets by `<redacted>`; knows those of a configuration and of the environment.

    Args:
        config: Plain, nested data whose keys tell which values are secret.
        environ: Variables whose names tell the same; the process's own when None.
    """

    def __init__(self, config: Any = None, environ: Mapping[str, str] | None = None) -> None:
        self._secrets: set[str] = set()
        self._add(_secret_texts(config, lambda path: _value_at(config, path)))
        self.learn(environ)

    def learn(self, environ: Mapping[str, str] | None = None) -> None:
        """Take in the secrets of the environment, which a program may fill after its start.

        Args:
            environ: Variables; the process's own when None.
        """
        for name, value in (os.environ if environ is None else environ).items():
            if is_secret(name) and not is_place(name, value):
                # There, a key of several words is one more likely than a setting.
                self._add([value] if is_to_be_found(name, value) or not value.isalpha() else [])
            elif "://" in value:
                self._add(secrets_in(value))
        self._compile()

    def learn_texts(self, texts: Iterable[str]) -> None:
        """Take in texts that are known to be secret."""
        self._add(texts)
        self._compile()

    def learn_overrides(self, lines: Iterable[str]) -> None:
        """Take in the secrets among Hydra's overrides: of a sweep, each value by itself, too."""
        for line in lines:
            value = _secret_value(line)
            if value is None:
                self._add(secrets_in(line))
                continue
            texts = (text.strip("'\"") for text in (value, *value.split(",")))
            self._add(text for text in texts if is_to_be_found(_name_of(line), text))
        self._compile()

    def _add(self, texts: Iterable[str]) -> None:
        self._secrets.update(form for text in texts if _is_one(text) for form in _forms(text))

    def _compile(self) -> None:
        known = sorted(self._secrets, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    @property
    def secrets(self) -> list[str]:
        """The texts that are replaced wherever they stand."""
        return sorted(self._secrets)

    def text(self, text: str) -> str:
        """Return `text` without the known secrets, credentials in URLs, and values that follow a secret name."""
        return without_secrets(self._without_known(text))

    def known(self, text: str) -> str:
        """Return `text` without the known secrets and credentials in URLs."""
        return without_credentials(self._without_known(text))

    def has_known(self, text: str) -> bool:
        """Tell whether a known secret stands in `text`."""
        return bool(self._known and self._known.search(text))

    def _without_known(self, text: str) -> str:
        if not self._known:
            return text
        text = self._known.sub(REDACTED, text)
        return self._without_half(text) if text.endswith("...") else text

    def _without_half(self, text: str) -> str:
        """Return a text that was cut without the secret of which it was cut in the middle."""
        body = text.removesuffix("...")
        for secret in self._secrets:
            start = body.rfind(secret[:_SHORTEST], max(0, len(body) - len(secret)))
            if start >= 0 and secret.startswith(body[start:]):
                return f"{body[:start]}{REDACTED}..."
        return text

    def data(self, value: Any, name: str = "") -> Any:
        """Return nested data with the secrets replaced; mappings become dicts with text keys, sequences lists."""
        if isinstance(value, dict):
            inside = name if is_secret(name) else ""
            return {self._key(str(key)): self.data(item, inside or str(key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [
                self.data(item, option_name(before) or name)
                for before, item in zip([None, *value], value, strict=False)
            ]
        if is_secret(name, value):
            return REDACTED
        return self.text(value) if isinstance(value, str) else value

    def _key(self, key: str) -> str:
        """Return a key without secrets: somebody may count how often each was used."""
        return self.known(key) if self._known and is_strange(key, _SHORTEST) else key


def _is_one(text: str) -> bool:
    """Tell whether a text can be a secret's: `${...}` only refers to one."""
    return len(text) >= _SHORTEST and "${" not in text


def _forms(text: str) -> Iterator[str]:
    """Yield a secret as it stands in a text, in a URL, in JSON and in Python."""
    yield text
    if text.isascii() and text.isalnum():
        return
    from urllib.parse import quote, quote_plus  # noqa: PLC0415  (not for most)

    data = text.encode(errors="surrogatepass")
    yield from {quote(data, safe=""), quote(data), quote_plus(data)}
    yield from {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _secret_texts(value: Any, value_at: Callable[[str], Any], name: str = "") -> Iterator[str]:
    """Yield the texts in `value` that stand under a secret name, and those that their surroundings tell."""
    if isinstance(value, dict):
        for key, item in value.items():
            inside = name if is_secret(name) else ""
            yield from _secret_texts(item, value_at, inside or str(key))
    elif isinstance(value, (list, tuple)):
        for before, item in zip([None, *value], value, strict=False):
            yield from _secret_texts(item, value_at, option_name(before) or name)
    elif isinstance(value, (str, int, float)) and is_secret(name, value):
        yield from (text for text in _resolved(str(value), value_at) if is_to_be_found(name, text))
    elif isinstance(value, str):
        yield from secrets_in(value)


def _resolved(text: str, value_at: Callable[[str], Any]) -> Iterator[str]:
    """Yield a secret, and what it refers to where it is not resolved yet."""
    yield text
    for match in compiled(_INTERPOLATION).finditer(text):
        value = os.environ.get(match["variable"]) if match["variable"] else value_at(match["node"])
        if isinstance(value, (str, int, float)):
            yield str(value)


def _value_at(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data


def overrides(lines: Iterable[str], redactor: Redactor) -> list[str]:
    """Return Hydra overrides or command-line words with their secrets replaced: `db.password=x` keeps its name."""
    words = list(lines)
    return [
        REDACTED if option_name(before) else _override(word, redactor)
        for before, word in zip([None, *words], words, strict=False)
    ]


def _override(line: str, redactor: Redactor) -> str:
    if _secret_value(line) is not None:
        return f"{line.partition('=')[0]}={REDACTED}"
    line = redactor.text(line)
    return compiled(_IN_BRACES).sub(rf"\1{REDACTED}", line) if "{" in line else line


def _secret_value(line: str) -> str | None:
    """Return the value of an override whose name says that it is secret; None of any other."""
    _, equals, value = line.partition("=")
    return value if equals and is_secret(_name_of(line), _number(value)) else None


def _name_of(line: str) -> str:
    """Return the last name of an override's key."""
    return re.split(r"[.@/]", line.partition("=")[0])[-1]
