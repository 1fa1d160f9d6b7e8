"""An override's value is what Hydra reads, as far as a table can hold it."""

from __future__ import annotations

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.runs.overrides import parse

parser = OverridesParser.create()


def as_hydra_reads(word: str) -> Any:
    value = parser.parse_override(word).value()
    return getattr(value, "text", value)  # of a quoted one


@pytest.mark.parametrize(
    "text",
    [
        *("0", "1", "-1", "+1", "1_000", "1.", ".5", "-.5", "1.50", "1e5", "-1.5E-3", "1_0.5", "1" * 30),
        *(
            "true",
            "True",
            "FALSE",
            "null",
            "NULL",
            "none",
            "adam",
            "a b",
            "a/b.c:d-e",
            "0x1",
            "1_",
            "1__0",
            "-",
            "1.2.3",
        ),
        *("''", "'1'", '"true"', "'a=b, c'", r"'it\'s'", r'"a \"word\""', "'é'", "", "2026-11-22", "1e"),
    ],
)
def test_a_value_is_what_hydra_reads(text: str) -> None:
    value = parse(f"x={text}")[1]
    assert repr(value) == repr(as_hydra_reads(f"x={text}"))


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none())
def test_a_plain_value_comes_back(value: Any) -> None:
    text = "null" if value is None else str(value)
    assert repr(parse(f"x={text}")) == repr(("x", value))


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("lr=1", "lr"),
        ("+lr=1", "lr"),
        ("++opt.lr=1", "opt.lr"),
        ("model@net=1", "model@net"),
        ("~opt.lr", "~opt.lr"),
    ],
)
def test_the_key_is_without_the_plus(word: str, key: str) -> None:
    assert parse(word)[0] == key


def test_only_the_first_equals_sign_parts() -> None:
    assert parse("url='a=b'") == ("url", "a=b")


@pytest.mark.parametrize("text", ["[1,2]", "{a:1}", "range(1,3)", "choice(a,b)", "9" * 5000])
def test_what_a_table_cannot_hold_stays_text(text: str) -> None:
    assert parse(f"x={text}") == ("x", text)


@pytest.mark.parametrize("text", ["007", "00", "-01", "1e999", "9" * 5000])
def test_what_only_looks_like_a_number_stays_a_text(text: str) -> None:
    assert parse(f"x={text}") == ("x", text)
