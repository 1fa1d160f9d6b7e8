"""Does the part of a patch that is about one file hold a secret, so that the file must be left out?

A patch cannot be redacted: it would no longer apply. In a program, names such as `pad_token` and `key` abound, so there
a text in quotes must follow the name, and after one that says no more than token or key it must look like a secret;
so it must in prose. Keys of a well-known form are found whatever they are called.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hydra_callbacks.provenance.patch_files import PROGRAMS
from hydra_callbacks.support.redact import is_secret

if TYPE_CHECKING:
    from hydra_callbacks.support.redact import Redactor

_PROSE = {".md", ".rst", ".txt", ".tex", ".html", ".css", ".csv", ".tsv", ".svg"}
_PAIR = re.compile(
    r"(?<![\w.\-])(?P<name>[\w.\-]{1,100})\\?['\"]?\]?(?:\s{0,3}:\s{0,3}[\w.\[\], |]{1,30})?\s{0,9}[=:]\s{0,9}\(?"
    r"[rbfuRBFU]{0,2}(?P<quote>\\?['\"]{0,3})(?=(?P<value>[^\s'\"\\]{1,400}))"
)  # the value is looked at only, so that a name in it is found, too
_PLAIN_NAME = re.compile(r"(?i)pass|secret|credential|pwd|api_?key|access_?key|private_?key|auth")
_PASS = re.compile(r"(?i)(?:.*[_.-])?pass")
_REFERENCE = re.compile(
    r"\$[{(]|\$[A-Z_]+\W*$|[<{%]|os\.|env\b|null\b|none\b|true\b|false\b|\w+\(|\?\?\?", re.IGNORECASE
)
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w.+/=\-]{8,}")
_WELL_KNOWN = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY|\b(?:sk|rk|pk)-[A-Za-z0-9_\-]{8,}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}"
    r"|\bglpat-[\w\-]{16,}|\bhf_[A-Za-z0-9]{12,}|\bxox[abprs]-[\w\-]{8,}|\bAKIA[0-9A-Z]{12,}|hooks\.slack\.com/services/\w"
    r"|\bAccountKey=\w|[?&]sig=[\w%]{16,}|\"auth\"\s{0,3}:\s{0,3}\"[\w+/=]{8,}"
)
"""Keys that are known by their form, whatever they are called."""


def holds_secret(path: str, text: str, redactor: Redactor) -> bool:
    """Tell whether a text of a file holds a secret.

    Args:
        path: The file; its ending tells programs from data.
        text: What is in it, or a part of a patch.
        redactor: What knows the secrets of the configuration and the environment.
    """
    if redactor.known(text) != text or _WELL_KNOWN.search(text):
        return True
    suffix = path[path.rfind(".") :].lower() if "." in path else ""
    is_code, is_prose = suffix in PROGRAMS and suffix != ".sh", suffix in _PROSE
    return any(_is_secret(pair, is_code=is_code, is_prose=is_prose) for pair in _PAIR.finditer(text))


def _is_secret(pair: re.Match[str], *, is_code: bool, is_prose: bool) -> bool:
    name, value = pair["name"].rpartition(".")[2], pair["value"].rstrip(",;)}]")
    is_named = is_secret(name, value) or _PASS.fullmatch(name)
    if not is_named or not value or _REFERENCE.match(value) or (is_code and not pair["quote"]):
        return False
    return bool(_RANDOM.fullmatch(value)) or (not is_prose and bool(_PLAIN_NAME.search(name)))
