"""Where in a text do secrets stand that only their surroundings tell?

Credentials in a URL, in an `Authorization`, and what follows a secret name: `password=x`, `"api_key": "x"`,
`--token x`, `Client(secret='x')`. The time is in proportion to the text, whatever it is: a log may hold anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_callbacks.support.patterns import compiled
from hydra_callbacks.support.secret_names import is_common, is_secret, is_strange, secret_word

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

REDACTED = "<redacted>"

# A password may hold a `/` or an `@`; how far it is looked for is limited, so that the time stays in proportion.
_URL_USER = r"(?<=://)(?:[^/\s:@'\"]{0,200}:[^\s'\"]{1,200}|[^/\s@'\"]+)(?=@)"
# Of "basic", which is a word too, only what looks like base64.
_SCHEMES = (
    r"(?i:(?<=\bbearer )[^\s,;'\"\\]+)"
    r"|(?i:(?<=\bbasic ))(?=[A-Za-z+/]*(?:[0-9=]|[a-z][A-Z]))[A-Za-z0-9+/]{6,}={0,2}"
    r"|(?i:(?<=authorization: token )|(?<=authorization': 'token )|(?<=authorization\": \"token ))[^\s,;'\"\\]+"
)
# Each word is looked at once, so that the time is in proportion to the text: hence two patterns, and the look behind.
_NAME = r"(?<![\w.\-])(?P<name>[\w.\-]+)(?P<sign>\\*['\"]?\]?[^\S\n]*(?:[=:!]=|=>|[=:])[^\S\n]*)"
_OPTION = r"(?<![\w\-])--(?P<name>[A-Za-z][\w\-]*)(?P<sign>['\"]?(?:,[^\S\n]*|[^\S\n]+)['\"]?)(?=[^\s\-'\",])"
# `,`, `;` and `&` end a value unless it goes on right behind them, and not with another name.
_PIECE = (
    r"(?P<escaped>\\+['\"])[^\n]{0,2000}?(?P=escaped)"
    r"|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
    r"|(?:[^\s,;&{}\[\]()'\"]|[,;&](?=[^\s,;&{}\[\]()'\"])(?![\w.\-+ ]{1,60}[=:]))+"
)
_WORD = r"\\*['\"]?[^\s,;&{}\[\]()'\"\\]{0,400}"
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_MARK = r"[()\[\]{}]|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
_LONGEST_GROUP = 2000  # characters
_NOTHING = {"null", "None", "true", "false", "True", "False"}
_LIKELY = ("=", ":", "--")


def without_secrets(text: str, *, is_output: bool = False) -> str:
    """Return a text with `<redacted>` in place of its secrets.

    Args:
        text: Any text.
        is_output: Whether it is what a program prints: there, `eos_token: </s>` and `key: 3` are no secrets, and
            what follows such a name must look like one.
    """
    text = without_credentials(text)
    if not any(sign in text for sign in _LIKELY):
        return text
    parts, end = [], 0
    for start, stop in _named(text, is_output=is_output):
        parts += [text[end:start], REDACTED]
        end = stop
    return "".join([*parts, text[end:]])


def without_credentials(text: str) -> str:
    """Return a text without the credentials in its URLs and headers only."""
    if "://" in text:
        text = compiled(_URL_USER).sub(_without_password, text)
    if "earer " in text or "asic " in text or "oken " in text:
        text = compiled(_SCHEMES).sub(REDACTED, text)
    return text


def secrets_in(text: str) -> Iterator[str]:
    """Yield those of a text's secrets that are no plain words, so that they can be found elsewhere, too."""
    if "://" in text:
        for match in compiled(_URL_USER).finditer(text):
            user, colon, password = match[0].partition(":")
            if colon and password != user and not (password.isalpha() and password.islower()):
                yield password
                if "%" in password:
                    from urllib.parse import unquote  # noqa: PLC0415  (seldom needed)

                    yield unquote(password)
    if " " in text:
        yield from (match[0] for match in compiled(_SCHEMES).finditer(text) if is_strange(match[0]))
    if any(sign in text for sign in _LIKELY):
        for start, stop in _named(text):
            value = text[start:stop].strip("\\'\"")
            if is_strange(value) and not compiled(_MARK).search(value):
                yield value


def _without_password(match: re.Match[str]) -> str:
    user = match[0]
    return user if user == "git" else REDACTED


def _named(text: str, *, is_output: bool = False) -> Iterator[tuple[int, int]]:
    """Yield where the values stand that follow a secret name, from and to, in order."""
    found = [match for match in compiled(_NAME).finditer(text) if _tells(match)]
    if "--" in text:
        found += [match for match in compiled(_OPTION).finditer(text) if secret_word(match["name"]) == "last"]
        found.sort(key=lambda match: match.start())
    end = 0
    for match in found:
        if match.start() < end:
            continue
        name = match["name"].rpartition(".")[2]
        if is_output and is_common(name) and not _is_strange_at(text, match.end()):
            continue  # without a look at the rest, which may be long
        stop = _end_of_value(text, match)
        value = text[match.end() : stop]
        if (
            not value
            or value in _NOTHING
            or value.startswith(REDACTED)
            or (value.isdigit() and secret_word(name) != "last")
        ):
            continue
        yield match.end(), stop
        end = stop


def _tells(match: re.Match[str]) -> bool:
    """Tell whether a name and a sign in a text are followed by a secret."""
    name, sign = match["name"].rpartition(".")[2].lstrip("-"), match["sign"]
    where = secret_word(name)
    lower = name.lower()
    if where == "inner":
        is_plural = is_secret(name) and secret_word(lower.removesuffix("s")) == "last" and not is_common(name)
        return is_plural or (lower.endswith("pass") and "=" in sign)
    if where != "last":
        return False
    if lower not in {"key", "token"} or sign[0] in "'\"\\":
        return True
    # "missing key: 'lr'" and "sorted(runs, key=len)" are prose and code; "?key=..." stands in a URL.
    in_url = match.string[match.start() - 1 : match.start()] in {"?", "&"}
    return "=" in sign and (in_url or lower == "token")


def _is_strange_at(text: str, start: int) -> bool:
    word = compiled(_WORD).match(text, start)
    return word is not None and is_strange(word[0].strip("\\'\""))


def _end_of_value(text: str, match: re.Match[str]) -> int:
    """Return where the value ends that begins behind a match."""
    start, sign = match.end(), match["sign"]
    is_quoted = "'" in sign or '"' in sign
    opened = sign[-1] if is_quoted else text[match.start() - 1 : match.start()]  # '--token', 'x'; 'password=x y'
    opened = opened if opened in {"'", '"'} else ""
    if opened and text[start : start + 1] not in {"'", '"'}:
        stop = text.find(opened, start, start + _LONGEST_GROUP)
        if stop >= 0 and "\n" not in text[start:stop]:
            return stop
    end = start
    while end < len(text):
        piece = compiled(_PIECE).match(text, end)
        if piece:
            end = piece.end()
            if text[end - 1] in "'\"" and not text[end : end + 1].isalnum():
                break
        elif text[end] in _BRACKETS:
            end = _end_of_group(text, end)
        elif text[end] in "'\"":  # never closed: the text was cut
            return _end_of_line(text, end)
        else:
            break
    return end


def _end_of_group(text: str, start: int) -> int:
    """Return where a bracket that opens is closed again; the end of the line, where it is not."""
    depth = 0
    for mark in compiled(_MARK).finditer(text, start, start + _LONGEST_GROUP):
        if mark[0] in _BRACKETS:
            depth += 1
        elif mark[0] in _BRACKETS.values():
            depth -= 1
        if not depth:
            return mark.end()
    return _end_of_line(text, min(start + _LONGEST_GROUP, len(text)))


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
