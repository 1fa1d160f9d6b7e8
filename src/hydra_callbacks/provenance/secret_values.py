"""Is a text that stands behind a secret name a secret itself, or does it only stand for one, or speak of one?

`password: ${oc.env:PW}`, `password: str`, `password: changeme` and `"password": "must not be empty"` give nothing away.
"""

from __future__ import annotations

import re
from functools import lru_cache

from hydra_callbacks.support.secret_names import is_common, is_own_name, secret_word

# What another text is put in for, as far as it is in the value: `${x}`, `{x}`, `%s`, `<x>`, `$X`.
_REFERENCE = re.compile(
    r"\$\{[^}]{0,200}(?:\}+|$)|\$\([^)]{0,200}(?:\)|$)|\{[^}]{0,200}(?:\}+|$)|%\(\w{1,60}\)[sdr]|%[srd](?![A-Za-z0-9])"
    r"|<[^>]{0,200}(?:>|$)|\$[A-Z_][A-Z0-9_]*(?![a-z])|\$[0-9@*](?!\w)|%[A-Z_]{2,60}%"
)
_SHELL_REFERENCE = re.compile(r"\$\w+")
_PATTERN = re.compile(r"\(\?|\[\^|[.\])][*+]|\\[wdSsWDb]")  # a regular expression
_MADE = re.compile(r"[A-Za-z_][\w.]*\(|(?:var|local|data|module|self|cfg|config|args|env|os|process|github|vars)\.\w")
_TAG = re.compile(r"[!*&][A-Za-z_]+")  # of YAML: `!vault`, an anchor, an alias
_DIGEST = re.compile(r"hash|md5|sha\d|digest|checksum|fingerprint")
_NUMBER = re.compile(r"\d{1,3}|\d{1,4}\.\d{0,4}-?")
_BRACKETED = re.compile(r"\[[^\]]*\]|<[^>]*>|\(\(.*\)\)|__\w+__|[^A-Za-z0-9]*")
_PLACEHOLDER = re.compile(
    r"(?i)your[ _\-]?[a-z].*|(?:enter|insert|replace|put|provide)[ _\-](?:me|it|this|here|your|a|the|with|in)\b.*"
    r"|change[ _\-]?(?:me|it|this)[\d!]*|.*[ _\-]here|(?:\w{1,10}[_\-])?x{3,}"
    r"|(?:example|placeholder|dummy|fake|sample|default|redacted|masked|hidden|invalid|test|testing|mock|demo|some|any|no)"
    r"(?:[ _\-](?:password|passwd|pw|secret|token|key|credentials?|value|only|api))*"
    r"|todo|tbd|fixme|foo|bar|baz|none|null|nil|undefined|n/?a|true|false|yes|off|on|empty|optional|required|unset"
    r"|include|omit|same-origin|inherit|env|external|prompt|ask|auto|keyring|file|vault"
)
_TYPE = re.compile(
    r"(?i)(?:typing\.|pydantic\.|t\.)?(?:str|string|text|bytes|int|integer|number|float|double|bool|boolean|any|object"
    r"|dict|list|array|union|varchar|uuid|secretstr|secretbytes|path|date)(?:(?:\[|\(|\|).*|\??)|optional\[.*"
)
_PATH = re.compile(
    r"arn:.*|(?:~|\.{1,2}|[A-Za-z]:)?/[\w.\-/]*|[\w.\-/]+\.(?:json|ya?ml|toml|txt|env|pem|key|ini|cfg|py|pt|pkl)"
)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|(?:[A-Z][A-Za-z]*-)+[A-Z][A-Za-z]*")  # DB_PASSWORD, X-Api-Key
_SENTENCE = re.compile(
    r"(?i)\b(?:is|are|was|the|an?|of|to|for|must|not|be|or|and|in|on|your|with|from|too|this|no|if|please|enter|at|it)\b"
)
_SEPARATOR = re.compile(r"[_\-.]")
_SYMBOL = re.compile(r"[!#$%^&*~+=?@]")
_CHANGE = re.compile(r"(?=[A-Za-z]\d|\d[A-Za-z])")
_FLIP = re.compile(r"(?=[a-z][A-Z]|[A-Z][a-z])")
_RUN = re.compile(r"[A-Za-z0-9]{16,}")
_WORDS_AND_NUMBERS = re.compile(r"(?:[A-Za-z]+|\d{1,3})(?:[_\-./ :](?:[A-Za-z]+|\d{1,3}))*")
_SHORTEST_TOKEN, _SHORTEST_ODD, _SHORTEST_FLIPPED, _MANY = 8, 6, 20, 3


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str:
    """Return what a name tells of its value.

    Returns:
        "strong" (a password, an API key), "token" or "key" (which language models and loops have, too), "group" (of
        several passwords), "pass" (a password, or a pass of a model), "inner" (it only has such a word), or "".
    """
    name = name.rpartition(".")[2].strip("-_")
    name = name.rstrip("0123456789").rstrip("-_") or name
    lower, where = name.lower(), secret_word(name)
    if not where or "public" in lower:
        return ""
    if where == "last":
        return ("key" if lower.endswith("key") else "token") if is_common(name) else "strong"
    if lower.endswith("pass"):
        return "strong" if name.isupper() else "pass"
    if _DIGEST.search(lower):
        return ""
    is_group = lower.endswith("s") and secret_word(name[:-1]) == "last" and not is_common(name)
    return "group" if is_group else "inner"


def is_given_away(name: str, value: str, *, is_quoted: bool, must_be_odd: bool = False, is_shell: bool = False) -> bool:
    """Tell whether a value behind a secret name is likely to be a secret.

    Args:
        name: What it stands behind.
        value: The text.
        is_quoted: Whether it is in quotes; else it may be a call or another variable.
        must_be_odd: Whether it must look unlike a word, as in prose.
        is_shell: Whether `$x` is a variable.
    """
    kind = kind_of(name)
    if not kind or not is_literal(name, value, is_quoted=is_quoted, is_shell=is_shell):
        return False
    if kind in {"key", "inner"} or (len(value) == 1 and name == "accesskey"):  # which HTML has, too
        return is_random(value)
    if kind == "token":
        text = value.lstrip("#%$@&*!")  # of a language
        return is_random(value) or (is_odd(text, _SHORTEST_TOKEN) and not _WORDS_AND_NUMBERS.fullmatch(value))
    if kind == "pass":
        return is_odd(value, _SHORTEST_TOKEN)
    return is_odd(value) or (kind == "strong" and not must_be_odd)


def is_literal(name: str, value: str, *, is_quoted: bool = True, is_shell: bool = False) -> bool:
    """Tell whether a value is a text of its own, and neither a placeholder nor a reference nor a description."""
    if not is_quoted and (_MADE.match(value) or _TAG.fullmatch(value) or _NUMBER.fullmatch(value)):
        return False
    if _BRACKETED.fullmatch(value) or _PATTERN.search(value):
        return False
    rest = _REFERENCE.sub("", value)
    rest = _SHELL_REFERENCE.sub("", rest) if is_shell else rest
    if not any(map(str.isalnum, rest)):
        return False
    text = value.strip()
    if any(form.fullmatch(text) for form in (_PLACEHOLDER, _TYPE, _VARIABLE)) and not is_random(text):
        return False
    is_path = _PATH.fullmatch(text) and not is_random(text)
    return not (is_path or is_own_name(name, rest) or _is_longer_name(name, text) or _is_said(text))


def is_odd(value: str, shortest: int = _SHORTEST_ODD) -> bool:
    """Tell whether a text is unlike a word: it has letters, and digits or symbols as passwords have."""
    has_more = any(map(str.isdigit, value)) or _SYMBOL.search(value)
    is_one = len(value) >= shortest and value.isascii() and not any(map(str.isspace, value))
    return bool(is_one and has_more and any(map(str.isalpha, value)))


def is_random(value: str) -> bool:
    """Tell whether a text has a long piece of letters and digits, or capitals, that changes as no name does."""
    for run in _RUN.findall(value):
        n_flips = len(_FLIP.findall(run))
        if len(_CHANGE.findall(run)) >= _MANY or (len(run) >= _SHORTEST_FLIPPED and n_flips * 5 >= len(run) * 2):
            return True
    return False


def _is_longer_name(name: str, text: str) -> bool:
    """Tell whether a text is another name that ends as this one: `secret-access-key: s3.secret-access-key`."""
    words, ends = (_SEPARATOR.split(each.lower()) for each in (text, name.rpartition(".")[2]))
    return len(words) > len(ends) > 1 and words[-len(ends) :] == ends


def _is_said(text: str) -> bool:
    """Tell whether a text of several words speaks of secrets, or is a sentence at all."""
    words = text.split()
    if len(words) <= 1:
        return text.startswith("--")  # an option's name
    return bool(_SENTENCE.search(text)) or any(secret_word(word) for word in words)
