"""Which runs do I mean? The text of a filter, such as `lr<0.01 and status=failed and "adam" in optimizer`, is read.

    filter     = term {"and" term | "or" term}        "and" binds closer than "or"; parentheses group
    term       = "not" term | "(" filter ")" | test
    test       = column                               it is true
               | column sign value                    =  ==  !=  <  <=  >  >=
               | value ["not"] "in" column            the column's text, or list, contains the value
               | column ["not"] "in" "(" value {"," value} ")"

A value is a number, a word, a text in quotes, true, false, null, or another column in backquotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from hydra_callbacks.errors import FilterError
from hydra_callbacks.runs.filters import All, Any_, Column, Compare, Contains, Filter, Not, Value

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|`(?P<column>[^`]+)`"""
    r"""|(?P<sign><=|>=|!=|==|=|<|>)|(?P<mark>[(),])|(?P<word>[^\s()<>=!,"'`]+))"""
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def parse(text: str) -> Filter:
    """Read a filter.

    Args:
        text: As in the module's docstring; nothing fits all rows.

    Raises:
        FilterError: It cannot be read; the message points at the character.
    """
    try:
        return _Parser(text).filter() if text.strip() else All()
    except RecursionError:
        raise fail(text, 0, "the filter cannot be read: it has too many parentheses") from None


def fail(text: str, at: int, complaint: str) -> FilterError:
    """Return an error that points at a character of a filter."""
    in_one_line = re.sub(r"\s", " ", text)
    return FilterError(f"{complaint}\n  {in_one_line}\n  {' ' * at}^")


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                at += len(text[at:]) - len(text[at:].lstrip())
                unclosed = text[at] in "\"'`"
                complaint = "this quote is not closed" if unclosed else f"{text[at]!r} has no meaning here"
                raise fail(text, at, f"the filter cannot be read: {complaint}")
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind], match.start(kind) - (kind == "column")))
            at = match.end()
        self._tokens.append(("end", "", len(text.rstrip())))
        self._next = 0

    def filter(self) -> Filter:
        node = self._any()
        if self._kind != "end":
            self._fail_for_want_of("and, or, or the end")
        return node

    @property
    def _kind(self) -> str:
        return self._tokens[self._next][0]

    @property
    def _at(self) -> int:
        return self._tokens[self._next][2]

    def _is(self, *words: str) -> bool:
        kind, text, _ = self._tokens[self._next]
        return (text.lower() if kind == "word" else text if kind in {"mark", "sign"} else None) in words

    def _take(self) -> tuple[str, str, int]:
        self._next += 1
        return self._tokens[self._next - 1]

    def _took(self, word: str) -> bool:
        if found := self._is(word):
            self._next += 1
        return found

    def _fail_for_want_of(self, what: str) -> NoReturn:
        kind, text, at = self._tokens[self._next]
        got = "the end" if kind == "end" else repr(text)
        raise fail(self._text, at, f"the filter cannot be read: expected {what}, got {got}")

    def _any(self) -> Filter:
        terms = [self._all()]
        while self._took("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else Any_(tuple(terms))

    def _all(self) -> Filter:
        terms = [self._term()]
        while self._took("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _term(self) -> Filter:
        if self._took("not"):
            return Not(self._term())
        if self._took("("):
            node = self._any()
            if not self._took(")"):
                self._fail_for_want_of("and, or, or )")
            return node
        return self._test()

    def _test(self) -> Filter:
        left = self._take_operand("a column or a value")
        if self._kind == "sign":
            sign = self._take()[1].replace("==", "=")
            at = self._at
            right = self._take_operand("a value")
            return self._comparison(left, sign, right, at)
        turned = self._took("not")
        if self._took("in"):
            node = self._membership(left)
            return Not(node) if turned else node
        if turned or (isinstance(left, Value) and left.word is None):
            self._fail_for_want_of("in" if turned else "=, !=, <, <=, >, >= or in")
        return Compare(_column(left), "=", Value(True))  # noqa: FBT003  (a value like any other)

    def _membership(self, left: _Operand) -> Filter:
        if not self._took("("):
            right = self._take_operand("a column, or values in parentheses")
            return Contains(_column(right), _value(left))
        column, tests = _column(left), []
        while True:
            tests.append(Compare(column, "=", _value(self._take_operand("a value"))))
            if self._took(")"):
                return Any_(tuple(tests))
            if not self._took(","):
                self._fail_for_want_of(", or )")

    def _comparison(self, left: _Operand, sign: str, right: _Operand, at: int) -> Compare:
        if isinstance(left, Value) and (left.word is None or _NUMBER.fullmatch(left.word)):
            left, sign, right = right, _TURNED.get(sign, sign), left  # 0.1 < lr
        other = right if isinstance(right, Column) else _value(right)
        if isinstance(other, Value) and other.value is None and sign not in {"=", "!="}:
            raise fail(self._text, at, "the filter cannot be read: null can only be compared by = and !=")
        return Compare(_column(left), sign, other)

    def _take_operand(self, what: str) -> _Operand:
        if self._kind not in {"quoted", "column", "word"} or self._is("and", "or", "in", "not"):
            self._fail_for_want_of(what)
        kind, text, at = self._take()
        if kind == "column":
            return Column(text, at)
        if kind == "quoted":
            return _Text(re.sub(r"\\(.)", r"\1", text[1:-1]), at=at)
        return _Text(_meant(text), text, at=at)


@dataclass(frozen=True, slots=True)
class _Text(Value):
    """A value that may yet turn out to be the name of a column."""

    at: int = 0


_Operand = Column | _Text


def _meant(word: str) -> Any:
    if _NUMBER.fullmatch(word):
        number = float(word)
        return int(word) if number.is_integer() and re.fullmatch(r"[+-]?\d+", word) else number
    return _WORDS.get(word.lower(), word)


def _column(operand: _Operand) -> Column:
    if isinstance(operand, Column):
        return operand
    return Column(str(operand.value if operand.word is None else operand.word), operand.at)


def _value(operand: _Operand) -> Value:
    if isinstance(operand, Column):
        return Value(operand.name, operand.name)
    return Value(operand.value, operand.word)
