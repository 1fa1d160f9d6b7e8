"""Does the part of a patch that is about one file hold a secret, so that the file must be left out?

A patch cannot be redacted: it would no longer apply. In a program, names such as `pad_token` and `key` abound, so there
a text in quotes must follow the name, and after one that says no more than token or key it must look like a secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hydra_callbacks.provenance.patch import PROGRAMS
from hydra_callbacks.support.redact import is_secret

if TYPE_CHECKING:
    from hydra_callbacks.support.redact import Redactor

_PROSE = {".md", ".rst", ".txt", ".tex", ".html", ".css", ".csv", ".tsv", ".svg"}
_PAIR = re.compile(
    r"(?<![\w.\-])(?P<name>[\w.\-]{1,100})['\"]?\]?\s{0,9}[=:]\s{0,9}(?P<quote>['\"]?)(?P<value>[^\s'\"]{1,400})"
)
_PLAIN_NAME = re.compile(r"(?i)pass|secret|credential|pwd|api_?key|access_?key|private_?key|auth")
_REFERENCE = re.compile(r"[$<{%]|os\.|env\b|null$|None$|true$|false$|\w+\(|\?\?\?$", re.IGNORECASE)
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w.+/=\-]{8,}")


def holds_secret(path: str, text: str, redactor: Redactor) -> bool:
    """Tell whether a text of a file holds a secret.

    Args:
        path: The file; its ending tells programs from data.
        text: What is in it, or a part of a patch.
        redactor: What knows the secrets of the configuration and the environment.
    """
    if redactor.known(text) != text:
        return True
    suffix = path[path.rfind(".") :].lower() if "." in path else ""
    if suffix in _PROSE:
        return False
    return any(_is_secret(pair, is_code=suffix in PROGRAMS) for pair in _PAIR.finditer(text))


def _is_secret(pair: re.Match[str], *, is_code: bool) -> bool:
    name, value = pair["name"].rpartition(".")[2], pair["value"]
    if not is_secret(name, value) or _REFERENCE.match(value) or (is_code and not pair["quote"]):
        return False
    return bool(_PLAIN_NAME.search(name) or _RANDOM.fullmatch(value.rstrip(",;")))
