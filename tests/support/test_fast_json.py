"""JSON is read whatever some of it holds; one bad line costs itself only."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.support.fast_json import Reader, loads


class Thing(msgspec.Struct):
    num: int
    texts: list[str] = []
    value: Any = None
    raw: msgspec.Raw = msgspec.Raw(b"null")


things = Reader(Thing)

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(values)
def test_what_the_standard_library_writes_is_read_as_it_reads_it(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        data = text.encode(errors="backslashreplace")
        assert repr(loads(data)) == repr(json.loads(data))


@given(st.lists(values, max_size=5))
def test_each_line_is_read(each: list[Any]) -> None:
    lines = [json.dumps({"num": number, "value": value}) for number, value in enumerate(each)]
    found = things.lines("\n".join(lines).encode())
    assert [repr(thing.value) for thing in found] == [repr(json.loads(line)["value"]) for line in lines]


@pytest.mark.parametrize("text", [b"", b"{", b"1,2", b"\xff", b"{'a': 1}", b"[" * 100_000], ids=lambda text: text[:8])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


bad_lines = [b"{", b"1,2", b"]", b"\0", b"\xff", b'{"num":', b"[" * 100_000, b"[1]", b"5", b"{}", b'{"num": "x"}']


@pytest.mark.parametrize("bad", bad_lines, ids=lambda line: line[:8])
def test_a_bad_line_costs_itself_only(bad: bytes) -> None:
    found = things.lines(b'{"num":1}\n' + bad + b'\n\n{"num":2,"value":NaN}\n{"num":3,"value":"\\udc80","more":[]}\n')
    assert [thing.num for thing in found] == [1, 2, 3]
    assert found[2].value == "\udc80"


def test_a_line_torn_in_two_is_not_read_as_one() -> None:
    assert things.lines(b'{"num":1\n,"value":2}\n') == []
    assert things.lines(b"") == []


def test_a_value_of_a_wrong_type_is_as_good_as_none_to_the_lenient() -> None:
    told = {"num": 1, "texts": "not a list", "value": 5, "raw": {"a": [1]}}
    assert things.quickly(json.dumps(told).encode()) is None
    found = things.leniently(told)
    assert found is not None
    assert (found.num, found.texts, found.value, bytes(found.raw)) == (1, [], 5, b'{"a": [1]}')
    assert things.leniently({"num": "one"}) is None


@pytest.mark.parametrize("number", [2**63, 2**64, 2**70, -(2**80), 10**30])
def test_a_large_whole_number_keeps_every_digit(number: int) -> None:
    assert loads(b'{"seed": %d}' % number) == {"seed": number}
