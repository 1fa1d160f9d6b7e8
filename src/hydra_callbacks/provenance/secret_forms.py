"""Does a text hold a secret whose form tells it, whatever it is called?

Keys of well-known services, credentials in a URL or a header, and passwords on command lines.
"""

from __future__ import annotations

import base64
import binascii
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from hydra_callbacks.provenance.secret_values import is_literal, is_odd, is_random

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hydra_callbacks.provenance.marked_lines import MarkedText

_WELL_KNOWN = {
    "private key": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?=\s|\\)",
    "k-": r"\b[srp]k-(?:live|proj|ant|svcacct|or-v1)-[\w\-]{6,}",
    "k_": r"\b[srp]k_(?:live|test)_\w{8,}",
    "whsec_": r"\bwhsec_\w{16,}",
    "gh": r"\bgh[pousr]_\w{20,}",
    "gl": r"\bgl(?:pat|dt|rt)-[\w\-]{16,}",
    "github_pat": r"\bgithub_pat_\w{20,}",
    "hf_": r"\bhf_[A-Za-z0-9]{12,}",
    "npm_": r"\bnpm_\w{30,}",
    "xox": r"\bxox[abeprs]-[\w\-]{8,}",
    "xapp-": r"\bxapp-\d-[\w\-]{16,}",
    "akia": r"\bAKIA[0-9A-Z]{16}\b",
    "asia": r"\bASIA[0-9A-Z]{16}\b",
    "aiza": r"\bAIza[\w\-]{30,}",
    "ya29.": r"\bya29\.[\w\-]{20,}",
    "gocspx-": r"\bGOCSPX-[\w\-]{16,}",
    "pypi-ag": r"\bpypi-Ag[\w\-]{16,}",
    "sg.": r"\bSG\.[\w\-]{16,}\.[\w\-]{16,}",
    "dop_v1_": r"\bdop_v1_\w{16,}",
    "dckr_pat_": r"\bdckr_pat_[\w\-]{16,}",
    ".eyj": r"\beyJ[\w\-]{8,}\.eyJ[\w\-]{4,}\.[\w\-]{8,}",
    ":aa": r"\b\d{8,10}:AA[\w\-]{30,}",
    "hooks.slack": r"hooks\.slack\.com/services/\w{4,}",
    "/webhooks/": r"discord(?:app)?\.com/api/webhooks/\d{4,}/[\w\-]{8,}",
    "key=": r"\b(?:Account|SharedAccess)Key=[\w+/=]{16,}",
    "sig=": r"[?&]sig=[\w%]{16,}",
    '"auth"': r"\"auth\"\s{0,3}:\s{0,3}\"[\w+/=]{8,}",
}
"""Keys that are known by their form, by a mark that each has, in lower case: to look for that alone is far faster."""
_MAYBE = re.compile(r"\b[srp]k-(?P<key>[A-Za-z0-9]{16,})")
_SHAM = re.compile(r"(?i)x{4}|\*{3}|\.{3}|example|0{8}|your")  # of a documentation
_URL = re.compile(r"://(?P<user>[^/\s:@'\"]{0,200}):(?P<password>[^\s@'\"]{1,200})@(?P<host>[^\s/'\"]{1,100})")
_URL_KEY = re.compile(r"://(?P<key>[^/\s:@'\"]{16,200})@")
_PORT = re.compile(r"(?:\d{1,5}|\{[^}]*\}|\$\w+|\$\{[^}]*\})(?:/.*)?")
_NO_HOST = re.compile(r"\d+\b(?![.\w])")
_SHAM_HOST = re.compile(r"(?:[\w\-]+\.)*example\.(?:com|org|net)\b")
_SCHEME = re.compile(r"(?i)\b(?:bearer|authorization\\?['\"]?\s?[:=]\s?\\?['\"]?token)[ ](?P<key>[^\s,;'\"\\]{8,400})")
_BASIC = re.compile(r"(?i)\bbasic (?P<key>[A-Za-z0-9+/]{6,400}={0,2})")
_GAP = r"['\",\s]{1,5}"
_TWO = r"\s{0,9}['\"][^'\"\n]{0,100}['\"],\s{0,9}[rbfu]{0,2}['\"](?P<password>[^'\"\n\\]{1,200})"
_VALUE = r"(?P<password>[^\s'\"\\]{1,200})"
_COMMANDS = {
    "curl": rf"\bcurl\b[^\n|;]{{0,200}}?[\s'\"](?:-u['\",\s]{{0,5}}|--user[=\s'\",]{{1,5}})[^\s:'\"]{{1,100}}:{_VALUE}",
    "mysql": rf"\bmysql(?:dump|admin|import|show)?(?=['\" ])[^\n|;]{{0,200}}?[\s'\"]-p['\"]?{_VALUE}",
    "sshpass": rf"\bsshpass{_GAP}-p['\",\s]{{0,5}}{_VALUE}",
    "docker": rf"\bdocker{_GAP}login[^\n|;]{{0,200}}?[\s'\"]-p{_GAP}{_VALUE}",
    "redis-cli": rf"\bredis-cli\b[^\n|;]{{0,200}}?[\s'\"]-a{_GAP}{_VALUE}",
    "wandb": rf"\bwandb{_GAP}login[^\n|;]{{0,200}}?[\s'\"](?P<password>[0-9a-zA-Z]{{20,200}})\b",
    "machine": rf"\bmachine\s{{1,9}}\S{{1,200}}\s{{1,9}}login\s{{1,9}}\S{{1,200}}\s{{1,9}}password\s{{1,9}}{_VALUE}",
    "auth": rf"\b(?:(?i:auth)\s{{0,9}}=\s{{0,9}}|(?:HTTP(?:Basic|Digest)|Basic)Auth)\({_TWO}",
    ".login": rf"\.login\({_TWO}",
}
"""Programs and calls that are given a password in a place of its own, by a mark that each has."""
_MOST_FLIPS = 3


def has_form(marked: MarkedText) -> bool:
    """Tell whether a text holds a key of a well-known form, credentials, or a command with a password."""
    if any(not _SHAM.search(match[0]) for match in _matches(_WELL_KNOWN, marked)):
        return True
    if any(_is_key(match["key"]) for match in marked.matches(_MAYBE, r"[srp]k-[a-z0-9]{16}")):
        return True
    if _has_address(marked) or _has_header(marked):
        return True
    passwords = (match["password"] for match in _matches(_COMMANDS, marked))
    return any(is_literal("password", password, is_quoted=False, is_shell=True) for password in passwords)


def _matches(forms: Mapping[str, str], marked: MarkedText) -> Iterator[re.Match[str]]:
    for mark, form in forms.items():
        if mark in marked.lower:
            yield from marked.matches(form, re.escape(mark))


def _is_key(text: str) -> bool:
    return is_random(text) and not _SHAM.search(text)


def _has_address(marked: MarkedText) -> bool:
    if "@" not in marked.text:
        return False
    if any(_is_login(match) for match in marked.matches(_URL, "://")):
        return True
    keys = (match["key"] for match in marked.matches(_URL_KEY, "://"))
    return any(is_random(key) and is_literal("", key) for key in keys)


def _is_login(match: re.Match[str]) -> bool:
    user, password, host = match["user"], match["password"], match["host"]
    is_after_host = _NO_HOST.match(host) or "." in user or user == "localhost" or "/" in password
    if (_PORT.fullmatch(password) and is_after_host) or _SHAM_HOST.match(host) or user == password:
        return False
    return is_literal("password", password)


def _has_header(marked: MarkedText) -> bool:
    keys = (match["key"] for match in marked.matches(_SCHEME, "bearer |token "))
    if any(is_literal("token", key) and _is_mixed(key) for key in keys):
        return True
    return any(_is_pair(match["key"]) for match in marked.matches(_BASIC, "basic "))


def _is_mixed(key: str) -> bool:
    flips = sum(one.islower() and other.isupper() for one, other in pairwise(key))
    return is_odd(key) or flips >= _MOST_FLIPS


def _is_pair(key: str) -> bool:
    """Tell whether a text is what `Basic` is followed by: a user and a password in base64 (RFC 7617)."""
    try:
        told = base64.b64decode(key + "=" * (-len(key) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return ":" in told and told.isprintable()
