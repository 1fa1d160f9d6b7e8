"""A cell of a CSV file is safe in a spreadsheet, stands in one line, and comes back as what it was."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hydra_callbacks.support.cells import decode, decode_name, encode, encode_name

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What begins a formula; wide signs as Excel takes them in East Asia."""
NUMBER = re.compile(r"-\d+(\.\d+)?(e[+-]\d+)?")

# Texts of few characters, so that what is of meaning comes up often; and any others.
few = st.text(st.sampled_from("=+-@\uff1d'\"\\;,\t \r\n\0[]{}:01.e5aTFalsruexNone\ufeff\u2028é"), max_size=12)
texts = few | st.text(st.characters(codec="utf-8"), max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
nested = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
values = scalars | st.lists(nested, max_size=4) | st.dictionaries(texts, nested, max_size=3)


def line_of(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def begins_a_formula(cell: str) -> bool:
    return cell.lstrip()[:1] in set(SIGNS) and not NUMBER.fullmatch(cell)


@given(values)
@example("TRUE")
@example("False")
@example("-5")
@example("1e5")
@example("'")
@example("''=1")
@example('"a\\nb"')
@example(" =1")
@example(";=1")
@example("\n")
@example("\x1c=1")
@example(["a;\t=1", {"=": "-"}])
@example(10**3999)
@example(-(10**3998))
def test_a_value_comes_back_equal_and_of_the_same_type(value: Any) -> None:
    back = decode(encode(value))
    assert back == value
    assert repr(back) == repr(value)


@given(values)
@example("\t=1")
@example("\u3000=1")
def test_no_cell_is_a_formula(value: Any) -> None:
    cell = encode(value)
    assert not begins_a_formula(cell)
    for part in cell.split(";")[1:]:  # where some countries' spreadsheets begin a new cell
        assert not begins_a_formula(part)


@given(st.lists(values, min_size=1, max_size=4))
def test_a_row_is_one_line(row: list[Any]) -> None:
    line = line_of([encode(value) for value in row])
    assert re.findall(r"[\r\n]", line) == ["\n"]
    assert "\0" not in line
    (cells,) = csv.reader([line])
    assert repr([decode(cell) for cell in cells]) == repr(row)


@given(st.lists(texts, min_size=2, max_size=4, unique=True))
@example(["=1", "'=1", "''=1"])
@example(['"a"', '"\\n"', "\n"])
@example(["\ufeffa", "a", "'\ufeffa"])
@example(["'a", "a", "1", "True", "[1]", ""])
def test_names_of_columns_come_back_in_one_line_and_are_no_formulas(names: list[str]) -> None:
    cells = list(map(encode_name, names))
    assert [decode_name(cell) for cell in cells] == names
    assert not any(map(begins_a_formula, cells))
    line = line_of(cells)
    assert re.findall(r"[\r\n]", line) == ["\n"]
    (read,) = csv.reader([line.encode().decode("utf-8-sig")])
    assert [decode_name(cell) for cell in read] == names


@pytest.mark.parametrize(
    "name", ["lr", "optimizer.lr", "run-dir", "job_success", "1", "True", "a b", "é", '"a"', "[1]"]
)
def test_a_usual_name_stands_as_it_is(name: str) -> None:
    assert encode_name(name) == name


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "True"),
        (1e16, "1e+16"),
        (-0.5, "-0.5"),
        ("adam", "adam"),
        ("outputs/2026-11-22/09-54-35", "outputs/2026-11-22/09-54-35"),
        ("2026-11-22T09:54:35.120Z", "2026-11-22T09:54:35.120Z"),
        ("", "'"),
        ("1", "'1"),
        ("007", "007"),
        ("true", "true"),
        ("TRUE", "'TRUE"),
        ("=1", "'=1"),
        ("'quoted'", "'quoted'"),
        ("two\nlines", '"two\\nlines"'),
        ("a;=1", '"a;\\u003d1"'),
        ([1, "é", None], '[1, "é", null]'),
        ({}, "{}"),
        ((1, 2), "[1, 2]"),
    ],
)
def test_what_others_get_to_see(value: Any, cell: str) -> None:
    assert encode(value) == cell


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1.50", 1.5),
        ("007", "007"),
        ("TRUE", True),
        ("FALSE", False),
        ("true", "true"),
        ("nan", "nan"),
        ("NaN", "NaN"),
        ("inf", "inf"),
        ("-inf", "-inf"),
        ("1,5", "1,5"),
        ("1_000", "1_000"),
        ("1e400", float("inf")),
        ("+1", "+1"),
        ("-", "-"),
        ("=1+1", "=1+1"),
        (" 1", " 1"),
        ("1 ", "1 "),
        (".5", ".5"),
        ("5.", "5."),
        ("\u0661", "\u0661"),
        ("0x10", "0x10"),
        ("None", "None"),
        ("null", "null"),
        ("['a', 'b']", "['a', 'b']"),
        ("[1, 2", "[1, 2"),
        ("[64,32]", [64, 32]),
        ('{"a": 1}', {"a": 1}),
        ('"quoted"', '"quoted"'),
        ("two\nlines", "two\nlines"),
        ("'apostrophe", "'apostrophe"),
        ("2026-11-22", "2026-11-22"),
        ("9" * 5000, "9" * 5000),
        ("[" * 100_000, "[" * 100_000),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_cell_of_another_program_is_read_as_meant(cell: str, value: Any) -> None:
    back = decode(cell)
    assert repr(back) == repr(value)


def test_what_a_json_cell_holds_is_what_json_says() -> None:
    assert json.loads(encode(["a;=b", {"c": "\n"}])) == ["a;=b", {"c": "\n"}]
