"""JSON is read whatever some of it holds; one bad line costs itself only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.support.fast_json import loads, loads_lines

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
    lines = [json.dumps(value).encode() for value in each]
    assert repr(loads_lines(lines)) == repr(list(map(json.loads, lines)))


@pytest.mark.parametrize("text", [b"", b"{", b"1,2", b"\xff", b"{'a': 1}", b"[" * 100_000], ids=lambda text: text[:8])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


@pytest.mark.parametrize(
    "bad", [b"", b"{", b"1,2", b"]", b"\0", b"\xff", b'{"a":', b"[" * 100_000], ids=lambda b: b[:8]
)
def test_a_bad_line_costs_itself_only(bad: bytes) -> None:
    assert loads_lines([b'{"a":1}', bad, b"[NaN]", rb'"\udc80"', b"2"])[0] == {"a": 1}
    found = loads_lines([b'{"a":1}', bad, rb'"\udc80"', b"2"])
    assert found == [{"a": 1}, None, "\udc80", 2]
    assert loads_lines([b'{"a":1}', bad, b"2"]) == [{"a": 1}, None, 2]


def test_a_line_torn_in_two_is_not_read_as_one() -> None:
    assert loads_lines([b'{"a":1', b'"b":2}']) == [None, None]
    assert loads_lines([]) == []


@pytest.mark.parametrize("number", [2**63, 2**64, 2**70, -(2**80), 10**30])
def test_a_large_whole_number_keeps_every_digit(number: int) -> None:
    assert loads(b'{"seed": %d}' % number) == {"seed": number}
