"""Any value is shown in a few words, without its secrets, and without running a line of its own code."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hydra_callbacks.support.redact import Redactor
from hydra_callbacks.support.short_repr import ShortRepr, end_of, start_of

NOTHING = Redactor({}, {})
SECRET = "hunter2-is-no-word"  # noqa: S105  (it is what must not be shown)
Pair = namedtuple("Pair", ["user", "password"])  # noqa: PYI024  (as people write it)


def shown(value: Any, name: str = "", **limits: int) -> str:
    return ShortRepr(NOTHING, **limits).show(value, name)


class Colour(Enum):
    RED = 1


@dataclass
class Connection:
    host: str
    password: str
    options: dict[str, Any] = field(default_factory=dict)


class Slotted:
    __slots__ = ("later", "lr", "token")

    def __init__(self) -> None:
        self.lr, self.token = 0.1, SECRET


class Trap:
    """Whatever is asked of it, it never answers."""

    def __init__(self) -> None:
        self.lr = 0.1

    def __repr__(self) -> str:
        threading.Event().wait()
        return ""

    __str__ = __format__ = __len__ = __iter__ = __bool__ = __hash__ = __eq__ = __repr__  # type: ignore[assignment]  # on purpose: whatever is asked of it

    def __getattr__(self, name: str) -> Any:
        return self.__repr__()

    @property
    def __class__(self) -> Any:
        return self.__repr__()

    @property
    def shape(self) -> Any:
        return self.__repr__()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "None"),
        (True, "True"),
        (12, "12"),
        (1 << 2000, "<int of 2,001 bits>"),
        (0.25, "0.25"),
        (float("nan"), "nan"),
        (2j, "2j"),
        ("it's", '"it\'s"'),
        (b"ab\xff", "b'ab\\\\xff'"),
        ([1, [2, [3, [4, [5]]]]], "[1, [2, [3, [...]]]]"),
        ((1,), "(1,)"),
        ({3}, "{3}"),
        (set(), "set()"),
        (frozenset({1}), "frozenset({1})"),
        (deque([1]), "deque([1])"),
        ({"a": {1: None}}, "{'a': {1: None}}"),
        (OrderedDict(a=1), "OrderedDict{'a': 1}"),
        (defaultdict(list, a=[1]), "defaultdict{'a': [1]}"),
        (Counter("aab"), "Counter{'a': 2, 'b': 1}"),
        (list(range(1000)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... 990 more]"),
        (range(3), "range(0, 3)"),
        (Colour.RED, "Colour.RED"),
        (PurePosixPath("/a/b"), "PurePosixPath('/a/b')"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (datetime(2026, 11, 22, tzinfo=timezone.utc), "datetime.datetime(2026, 11, 22, 0, 0, tzinfo=datetime.timezone.utc)"),  # noqa: E501  (a line for each value)
        (ValueError("lr", 3), "ValueError('lr', 3)"),
        (SimpleNamespace(lr=0.1), "SimpleNamespace(lr=0.1)"),
        (len, "<function len>"),
        (Trap, "<class test_short_repr.Trap>"),
        (threading, "<module threading>"),
        (object(), "<object>"),
        (np.zeros((3, 4), dtype="float32"), "ndarray of shape (3, 4), float32"),
        (np.zeros(3, dtype=object), "ndarray of shape (3,), object"),
        (np.float64(0.5), "0.5"),
        (np.int64(7), "7"),
        (OmegaConf.create({"lr": 1, "up": "${lr}", "l": [1, "???"]}), "{'lr': 1, 'up': '${lr}', 'l': [1, '???']}"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_people_write_it(value: Any, told: str) -> None:
    assert shown(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Connection("db", SECRET), "Connection(host='db', password=<redacted>, options={})"),
        (Connection("db", "", {"api_key": SECRET}), "Connection(host='db', password=<redacted>, options={'api_key': <redacted>})"),  # noqa: E501  (as above)
        (Slotted(), "Slotted(lr=0.1, token=<redacted>)"),
        (Pair("me", SECRET), "Pair(user='me', password=<redacted>)"),
        ([("password", SECRET), ("user", "me")], "[('password', <redacted>), ('user', 'me')]"),
        ({"db": {"password": {"old": SECRET}}}, "{'db': {'password': {'old': <redacted>}}}"),
        ({"PWD": "/home/me", "DB_PWD": SECRET}, "{'PWD': '/home/me', 'DB_PWD': <redacted>}"),
        ({"max_tokens": 512, "tokens": [101, "word"]}, "{'max_tokens': 512, 'tokens': [101, <redacted>]}"),
        (OmegaConf.create({"password": SECRET, "max_tokens": 9}), "{'password': <redacted>, 'max_tokens': 9}"),
        (["mysql", "--password", SECRET, "-v"], "['mysql', '--password', <redacted>, '-v']"),
        ((f"--password={SECRET}",), "('--password=<redacted>',)"),
        (f"Client(url='x', token='{SECRET}')", "\"Client(url='x', token=<redacted>)\""),
        (f"mysql://me:{SECRET}@host/db", "'mysql://<redacted>@host/db'"),
        (f"password={SECRET}".encode(), "b'password=<redacted>'"),
    ],
)  # fmt: skip
def test_secrets_are_left_out_wherever_their_name_stands(value: Any, told: str) -> None:
    assert shown(value) == told


def test_what_is_secret_by_its_variable_is_not_shown() -> None:
    short = ShortRepr(NOTHING)
    assert [short.show(each, "password") for each in (SECRET, SECRET.encode() + b"!", 123456, ["a-b-c-d"], None)] == [
        *["<redacted>"] * 3,
        "[<redacted>]",
        "None",
    ]
    assert short.show("accuracy", "key") == "<redacted>"
    assert short.show(np.zeros(2), "token") == "ndarray of shape (2,), float64"


def test_no_line_of_a_value_is_run() -> None:
    trap = Trap()
    assert shown(trap) == "Trap(lr=0.1)"
    assert shown([trap, {1: trap}]) == "[Trap(lr=0.1), {1: Trap(lr=0.1)}]"
    assert ShortRepr(NOTHING, lambda _: False).show(trap) == "<test_short_repr.Trap>"


def test_what_holds_itself_and_what_is_huge_has_an_end() -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    assert len(shown(loop)) < 400
    table = {f"column {number}": list(range(10**4)) for number in range(100)}
    assert len(shown([table] * 100)) <= 303
    assert shown("x" * 10**7).endswith("xx...' (10,000,000 characters)")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
)


@given(ANYTHING, st.integers(10, 200))
def test_any_value_is_one_short_line(value: Any, longest: int) -> None:
    text = shown(value, longest=longest)
    assert 0 < len(text) <= longest + 3
    assert "\n" not in text


@given(st.text(), st.text(), st.integers(1, 60))
def test_a_secret_is_never_cut_so_that_a_part_remains(before: str, after: str, longest: int) -> None:
    redactor = Redactor({"password": SECRET}, {})
    text = f"{before}{SECRET}{after}"
    for part in (
        start_of(text, redactor, longest),
        end_of(text, redactor, longest),
        shown_with(redactor, text, longest),
    ):
        assert not any(SECRET[n : n + 6] in part for n in range(len(SECRET) - 5))


def shown_with(redactor: Redactor, text: str, longest: int) -> str:
    return ShortRepr(redactor, longest=longest).show({"note": [text]})


@pytest.mark.parametrize("n_before", [0, 90, 16_470, 16_480, 16_490, 30_000])
def test_nor_in_a_text_of_which_only_a_part_is_looked_at(n_before: int) -> None:
    redactor = Redactor({"password": SECRET}, {})
    text = "a" * n_before + SECRET + f" {SECRET} " * 3000 + "z" * n_before
    start, end = start_of(text, redactor, 100), end_of(text, redactor, 100)
    assert "hunter2" not in start + end
    assert "word" not in start + end
    assert (len(start), len(end)) == (103, 103)
