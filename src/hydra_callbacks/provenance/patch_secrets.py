"""Does the part of a patch that is about one file hold a secret, so that the file must be left out?

A patch cannot be redacted: it would no longer apply. For what is looked for, see docs/reference/callbacks/git_info.md.
In a program, a text in quotes must follow the name, for all else is an expression; in prose, the text must look
unlike a word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hydra_callbacks.provenance.marked_lines import MarkedText
from hydra_callbacks.provenance.patch_files import PROGRAMS, PROSE
from hydra_callbacks.provenance.secret_forms import has_form
from hydra_callbacks.provenance.secret_values import is_given_away, is_literal, is_odd, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_callbacks.support.redact import Redactor

_SHELL = {".sh", ".bash", ".zsh", ".fish", ".mk", ".bat", ".ps1", ".slurm", ".sbatch"}
_CODE = (PROGRAMS - _SHELL) | {
    *(".java", ".jsx", ".tsx", ".mjs", ".kt", ".rb", ".php", ".swift", ".scala", ".lua", ".r", ".cs", ".proto", ".vue"),
    *(".hh", ".cxx", ".m", ".pl"),
}
_PRINTABLE = re.compile(r"[ -~]*")
_HINTS = ("pass", "pw", "secret", "token", "cred", "key")
_BINARY = re.compile(r"(?<=\n)(?:literal|delta) \d+\n(?:[A-Za-z][!-~]{5,70}\n)*")  # git's base 85
_PAIR = re.compile(
    r"(?<![\w.\-:])(?P<name>[\w.\-]{1,100})(?:\\{0,3}['\"])?\]?(?:[^\S\n]{0,3}:[^\S\n]{0,3}[\w.\[\], |]{1,30})?"
    r"[^\S\n]{0,9}(?:[=!:]=|=>|[=:])[^\S\n]{0,9}"
)  # the value is looked at only then, so that a name in it is found, too
_TEXT = (
    r"(?:[rbfuRBFU]{0,2}(?P<quote>\\{0,3}(?:'''|\"\"\"|['\"`])))?"
    r"(?P<value>(?(quote)[^\n'\"\\]{1,400}|[^\s'\"\\]{1,400}))(?P<end>\\?['\"]|[ ][\w ]{1,30}=)?"
)
_NEXT_LINE = r"(?:\n[ +\-]?[^\S\n]{0,80})?"
_VALUE = re.compile(
    rf"(?:(?P<group>[\[{{])\s{{0,80}}|\([^\S\n]{{0,9}}{_NEXT_LINE}|[|>][+\-]?\d?[^\S\n]{{0,9}}{_NEXT_LINE}"
    r"|[\w.]{1,60} (?:or|\|\||\?\?) "
    rf"|[\w.]{{0,60}}(?:Secret\w{{0,20}}|[Ff]ield|Option|Argument)\((?:default[^\S\n]?=[^\S\n]?)?)?{_TEXT}"
)
_NESTED = re.compile(r"[^\S\n]{0,9}(?:#[^\n]{0,80})?\n")
_INDENTED = re.compile(r"[+ \-]?(?P<indent>[ \t]{0,80})")
_QUOTED = re.compile(r"['\"](?P<value>[^'\"\n\\]{6,400})['\"]")
_HARMLESS = re.compile(
    r"(?i).*(?:user|login|name|mail|host|server|port|url|uri|type|region|id|provider|kind|path|file|mount|pattern|format|description|help|title|example|ref)s?"
)
_AFTER_QUOTE = " ,)]}:;"
_BADGE = ".svg?"  # whose token shows a picture, and no more
_PLAIN_VALUE = {"value", "data", "content", "text"}
_LONGEST_GROUP = 1000  # characters
_NAME = r"(?P<name>[\w.\-]{1,100})"
_WORD = r"(?P<value>[^\s'\"<>\\]{1,400})"
_APART = [
    # In calls: os.getenv("DB_PASSWORD", "x"), settings.setdefault("password", "x"), setattr(me, "token", "x")
    re.compile(
        r"\b(?:get_?env|setenv|putenv|setdefault|get|pop|env|str|config|set|[gs]etattr|add_header)\((?:[\w.]{1,60},)?"
        rf"[\s+]{{0,40}}['\"]{_NAME}['\"],[\s+]{{0,40}}(?:default\s?=\s?)?[rbfu]{{0,2}}"
        r"['\"](?P<value>[^\n'\"\\]{1,400})"
    ),
    # In tags and lists of variables: <add key="Password" value="x"/>, - name: DB_PASSWORD / value: x
    re.compile(
        rf"\b(?:key|name)['\"]?[^\S\n]{{0,9}}[=:][^\S\n]{{0,9}}['\"]?{_NAME}['\"]?[,\s+]{{1,80}}['\"]?value['\"]?"
        rf"[^\S\n]{{0,9}}[=:][^\S\n]{{0,9}}['\"]?{_WORD}"
    ),
    re.compile(rf"<{_NAME}>{_WORD}</"),
    # Dockerfile, csh, fish
    re.compile(
        rf"(?m)^[+ \-]?[^\S\n]{{0,80}}(?:ENV|ARG|setenv|set -x|setx)[^\S\n]{{1,9}}{_NAME}[^\S\n]{{1,9}}['\"]?{_WORD}"
    ),
    # With a default: ${oc.env:DB_PASSWORD,x}, ${DB_PASSWORD:-x}
    re.compile(r"\$\{(?:oc\.env:)?(?P<name>\w{1,100})(?::?[\-=]|,)[^\S\n]?\\?['\"]?(?P<value>[^\s'\"{}\\]{1,400})"),
    # In a list of words: ["mysql", "--password", "x"]
    re.compile(rf"['\"]--{_NAME}['\"],[^\S\n]{{0,9}}['\"](?!-){_WORD}"),
]
"""Names that a value belongs to without a sign between them."""
_WORD_AFTER_OPTION = re.compile(rf"(?<![\w\-'\"])--{_NAME}[^\S\n]{{1,9}}(?P<quote>['\"]?){_WORD}")
_OPTION = re.compile(rf"['\"]--?{_NAME}['\"],")
_DEFAULT = re.compile(r"[^()]{0,300}?\bdefault\s{0,3}=\s{0,3}[rbfu]{0,2}['\"](?P<value>[^\n'\"\\]{1,400})")


def holds_secret(path: str, text: str, redactor: Redactor) -> bool:
    """Tell whether a text of a file holds a secret.

    Args:
        path: The file; its ending tells programs from data and prose.
        text: What is in it, or a part of a patch.
        redactor: What knows the secrets of the configuration and the environment.
    """
    if redactor.has_known(text):
        return True
    is_binary = "\nGIT binary patch\n" in text
    text = _BINARY.sub("", text) if is_binary else text
    marked = MarkedText(text)
    if has_form(marked):
        return True
    if not any(hint in marked.lower for hint in _HINTS):
        return False
    suffix = path[path.rfind(".") :].lower() if "." in path else ""
    look = _Look(
        is_code=suffix in _CODE, is_shell=suffix in _SHELL, is_prose=is_binary or suffix in PROSE, is_binary=is_binary
    )
    return look.finds(marked)


class _Look:
    """A search for values behind secret names in one file.

    Args:
        is_code: Whether it is a program.
        is_shell: Whether it is one of a shell.
        is_prose: Whether it is to be read by people.
        is_binary: Whether it is neither.
    """

    def __init__(self, *, is_code: bool, is_shell: bool, is_prose: bool, is_binary: bool) -> None:
        self._is_code, self._is_shell, self._is_prose, self._is_binary = is_code, is_shell, is_prose, is_binary
        self._looked_at = 0  # of the text, in groups

    def finds(self, marked: MarkedText) -> bool:
        """Tell whether one is there."""
        hints = "|".join(_HINTS)
        pairs = (match for match in marked.matches(_PAIR, hints) if kind_of(match["name"]))
        if any(self._is_pair(marked.text, pair) for pair in pairs):
            return True
        apart = (match for pattern in _APART for match in marked.matches(pattern, hints))
        if any(self._is_one(match["name"], match["value"]) for match in apart):
            return True
        return self._has_default(marked) or self._has_option(marked)

    def _is_one(self, name: str, value: str, *, is_quoted: bool = True) -> bool:
        if self._is_binary and len(name.rpartition(".")[2]) < 6:  # noqa: PLR2004  (`pw=` turns up by chance)
            return False
        if self._is_prose:
            value = _PRINTABLE.match(value)[0]  # type: ignore[index]  # it matches nothing, too
        return is_given_away(
            name, value, is_quoted=is_quoted, must_be_odd=self._is_prose, is_shell=self._is_shell and not is_quoted
        )

    def _is_pair(self, text: str, pair: re.Match[str]) -> bool:
        start = pair.end()
        value = _VALUE.match(text, start)
        if kind_of(pair["name"]) in {"strong", "group"}:
            if not self._is_code and not self._is_prose and _NESTED.match(text, start):
                return self._is_in_group(_block(text, pair.start(), start), start)
            if value and value["group"]:
                window = text[start : start + _LONGEST_GROUP]
                end = window.find("]" if value["group"] == "[" else "}")
                return self._is_in_group(window if end < 0 else window[:end], start)
        if value is None or value["group"] or self._is_another(text, pair, value):
            return False
        told = value["value"] if value["quote"] else _unquoted(value["value"])
        if self._is_code and not value["quote"] and not _is_in_text(text, pair, value, told):
            return False
        return self._is_one(pair["name"], told, is_quoted=bool(value["quote"]))

    def _is_another(self, text: str, pair: re.Match[str], value: re.Match[str]) -> bool:
        """Tell whether what follows a name belongs to something else, or is known to be harmless."""
        if "\n" in text[pair.end() : value.start("value")] and not self._is_one_below(value):
            return True
        is_behind = value["quote"] and value["value"][0] in _AFTER_QUOTE  # `getpass("Password: ", stream)`
        return bool(is_behind) or text[max(0, pair.start() - len(_BADGE)) : pair.start()] == _BADGE

    def _is_in_group(self, group: str, start: int) -> bool:
        """Look into what is in brackets, or below a name, unless that was done as a part of another group."""
        if start < self._looked_at:
            return False
        self._looked_at = start + len(group)
        return _has_odd(group)

    def _is_one_below(self, value: re.Match[str]) -> bool:
        """Tell whether a value on the line below can be meant: a text in a program, a block in YAML."""
        return bool(value["quote"]) if self._is_code else value[0].lstrip()[:1] in {"|", ">"}

    def _has_default(self, marked: MarkedText) -> bool:
        """Tell whether an option is given a default: `add_argument("--password", default="x")`."""
        if "default" not in marked.lower:
            return False
        for option in marked.matches(_OPTION, "|".join(_HINTS)):
            value = _DEFAULT.match(marked.text, option.end()) if kind_of(option["name"]) else None
            if value and self._is_one(option["name"], value["value"]):
                return True
        return False

    def _has_option(self, marked: MarkedText) -> bool:
        """Tell whether an option is followed by its value: `--password x`; in programs and prose, it must be odd."""
        for option in marked.matches(_WORD_AFTER_OPTION, "--"):
            name, value = option["name"], option["value"]
            before = marked.text[max(0, option.start() - 80) : option.start()]
            is_said = self._is_code or self._is_prose or "#" in before
            if (
                not value.startswith("-")
                and self._is_one(name, value, is_quoted=False)
                and (is_odd(value) or not is_said)
            ):
                return True
        return False


def _unquoted(value: str) -> str:
    """Return the value as far as it goes: `a` of `a;user=b`, `a}`, `a&b=c`."""
    value = re.split(r"[;&,](?=[\w.\- ]{1,60}=)", value, maxsplit=1)[0]
    return value.rstrip(",;)]") if "${" in value or "{" in value else value.rstrip(",;)}]")


def _is_in_text(text: str, pair: re.Match[str], value: re.Match[str], told: str) -> bool:
    """Tell whether a pair of a program stands in a text: `"host=x;password=y"`."""
    if value["value"].endswith((",", "[", "(", "{", "+")):
        return False
    is_followed = value["end"] or len(told) < len(value["value"].rstrip(",;)}]"))
    return bool(is_followed) and text[pair.end() - 1] == "=" and text[value.start("value") - 1] == "="


def _block(text: str, start: int, end: int) -> str:
    """Return the lines below a name of YAML that are indented more."""
    line_start = text.rfind("\n", max(0, start - 100), start) + 1
    indent = _indent(text[line_start:start])
    lines: list[str] = []
    for line in text[end : end + _LONGEST_GROUP].split("\n")[1:]:
        if line[1:].strip() and _indent(line) <= indent:
            break
        lines.append(line)
    return "\n".join(lines)


def _indent(line: str) -> int:
    match = _INDENTED.match(line)
    return len(match["indent"]) if match else 0


def _has_odd(group: str) -> bool:
    """Tell whether one of the values below a secret name looks like a secret."""
    for pair in _pairs(group):
        name, value, is_quoted = pair
        is_plain = name.lower() in _PLAIN_VALUE
        if (
            not _HARMLESS.fullmatch(name)
            and (is_odd(value) or is_plain)
            and is_literal("secret", value, is_quoted=is_quoted)
        ):
            return True
    return ":" not in group and any(
        is_odd(match["value"]) and is_literal("secret", match["value"]) for match in _QUOTED.finditer(group)
    )


def _pairs(group: str) -> Iterator[tuple[str, str, bool]]:
    for pair in _PAIR.finditer(group):
        value = _VALUE.match(group, pair.end())
        if value and not value["group"] and "\n" not in group[pair.end() : value.start("value")]:
            yield pair["name"], value["value"] if value["quote"] else _unquoted(value["value"]), bool(value["quote"])
