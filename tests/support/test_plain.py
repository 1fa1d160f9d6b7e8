"""Any Python value becomes data that JSON knows, and nothing it does costs the record."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.plain import plain


class Colour(Enum):
    RED = 1


class Text(str, Enum):
    A = "a"


class Rude:
    def __str__(self) -> str:
        raise RuntimeError

    def __getattr__(self, name: str) -> Any:
        if name in {"tolist", "size"}:
            raise RuntimeError
        raise AttributeError(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (1.5, 1.5),
        (10**30, 10**30),
        (True, True),
        (None, None),
        (Colour.RED, "RED"),
        (Text.A, "A"),
        (Path("a") / "b", str(Path("a") / "b")),
        ({1: (1, 2), Colour.RED: {3}}, {"1": [1, 2], "RED": [3]}),
        (np.float32(0.5), 0.5),
        (np.arange(3), [0, 1, 2]),
        pytest.param(10**5000, hex(10**5000)[:1000] + "...", id="huge"),
        (np.zeros(10_001), "[0. 0. 0. ... 0. 0. 0.]"),
        (Rude(), "<test_plain.Rude>"),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_values_become_what_json_knows(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_what_holds_itself_has_an_end() -> None:
    own: list[Any] = []
    own.append({"own": own})
    text = json.dumps(plain(own))
    assert text.count("own") == 50
    assert '"..."' in text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_what_comes_out_can_be_written(value: Any) -> None:
    json.dumps(plain(value), allow_nan=False)


def test_nested_mappings_become_one_row() -> None:
    assert flatten({"a": {"b": {"c": 1}}, "l": [1, {"x": 2}], "e": {}}) == {"a.b.c": 1, "l": [1, {"x": 2}], "e": {}}
    assert flatten({}) == {}
