"""What a filter means, how its text is read, and where an error points."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.errors import FilterError
from hydra_callbacks.runs.filter_parser import parse
from hydra_callbacks.runs.filters import All, Any_, Column, Compare, Contains, Filter, Not, Value, holds, with_names

ROW: dict[str, Any] = {
    "lr": 0.01,
    "epochs": 10,
    "optimizer": "adam",
    "flag": True,
    "off": False,
    "tags": ["fast", "v2", 3, None, 2.5],
    "layers": [64, 32],
    "empty": [],
    "none": None,
    "text": "1e5",
    "digits": "007",
    "said": 'he said "no" \\ it\'s',
    "a b": 1,
    "model.lr": 0.01,
    "big": 2**70,
    "status": "failed",
    "true": "true",
    "nested": {},
    "blank": "",
}


def fits(text: str) -> bool:
    return holds(parse(text), ROW)


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "lr=0.01", "lr == 1e-2", "lr = .01", "lr<0.1", "lr <= 0.01", "lr>=0.01", "lr > 0.001", "lr != 0.1"),
        *("0.001 < lr", "0.01 >= lr", "0.01=lr", "epochs = 10.0", "epochs = +10", "epochs > -1", "epochs < 1e999"),
        *("optimizer = adam", "optimizer='adam'", 'optimizer = "adam"', "'adam' = optimizer", "optimizer != sgd"),
        *("optimizer > aaa", "optimizer < b", "optimizer >= adam", "`optimizer` = adam", "optimizer != 1"),
        *(
            "flag",
            "flag = true",
            "flag = TRUE",
            "flag = 1",
            "flag > 0",
            "flag > `off`",
            "not off",
            "off = false",
            "off = 0",
        ),
        *("true = true", "true != 1", "text = 1e5", "text = '1e5'", "digits = 007", "digits != 7", "text != 100000"),
        *("none = null", "none = None", "gone = null", "lr != null", "not none != null", "blank != null", "blank = ''"),
        *("fast in tags", "'fast' in tags", "3 in tags", "3.0 in tags", "2.5 in tags", "v in optimizer or v2 in tags"),
        *(
            "dam in optimizer",
            '"da" in optimizer',
            "x not in optimizer",
            "fa not in tags",
            "64 in layers",
            "'' in blank",
        ),
        *(
            "1 not in layers",
            "fast not in empty",
            "a not in none",
            "1 not in epochs",
            "a not in gone",
            "x not in nested",
        ),
        *(
            "layers = '[64, 32]'",
            "optimizer in (sgd, adam)",
            "lr in (0.01)",
            "epochs not in (1, 2)",
            "digits in (007, 1)",
        ),
        *("null not in (lr, epochs)", "none in (1, null)", "optimizer not in (null)"),
        *("lr = `model.lr`", "`model.lr` >= `lr`", "epochs > `lr`", "`a b` = 1", "lr < `epochs`", "optimizer != `lr`"),
        *(
            "said = 'he said \"no\" \\\\ it\\'s'",
            r'said = "he said \"no\" \\ it' + "'s\"",
            "big = 1180591620717411303424",
        ),
        *("status = failed and lr < 0.1", "lr > 1 or lr < 0.1", "not lr > 1", "not (lr > 1)", "NOT lr > 1 AND flag"),
        *("lr > 1 and flag or epochs = 10", "epochs = 10 or flag and lr > 1", "not off and flag", "not not flag"),
        *("(lr > 1 or flag) and (epochs = 10)", "((flag))", "lr<0.1 and flag"),
        *("optimizer=adam and\n lr<1\t", "status=failed and 'adam' in optimizer", "model.lr = 0.01"),
    ],
)
def test_these_fit(text: str) -> None:
    assert fits(text)


@pytest.mark.parametrize(
    "text",
    [
        *("lr = 0.1", "lr != 0.01", "lr < 0.01", "lr > 0.01", "lr = '0.01'", "lr = adam", "lr > adam", "lr < adam"),
        *("optimizer = Adam", "optimizer > b", "optimizer > 1", "optimizer < 1", "optimizer = 1", "epochs = '10'"),
        *("off", "not flag", "flag = false", "flag = 2", "flag = 'true'", "lr", "epochs", "optimizer", "gone"),
        *("none = 1", "none != 1", "none < 1", "none > 1", "none = ''", "gone != 1", "gone = gone", "none = `gone`"),
        *("lr = null", "none != null", "blank = null", "true = null"),
        *("fa in tags", "'3' in tags", "null in tags", "adam in lr", "10 in epochs", "a in none", "a in gone"),
        *("1 in empty", "'{' in nested", "ADAM in optimizer", "6 in layers", "fast not in tags"),
        *("optimizer in (sgd, Adam)", "none in (1, 2)", "lr not in (0.01, 1)", "gone in (gone)"),
        *("lr > `model.lr`", "lr != `model.lr`", "lr < `optimizer`", "optimizer < `lr`", "optimizer = `lr`"),
        *("digits = 7", "text = 100000", "big = 1e21", "big < 5"),
        *(
            "lr > 1 and (flag or epochs = 10)",
            "(epochs = 10 or flag) and lr > 1",
            "not (off or flag)",
            "not flag or off",
        ),
        *("status=failed and lr>1", "lr>1 or lr>2 or lr>3"),
    ],
)
def test_these_do_not_fit(text: str) -> None:
    assert not fits(text)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", All()),
        ("flag", Compare(Column("flag"), "=", Value(True))),  # noqa: FBT003  (a value like any other)
        ("0.1 < lr", Compare(Column("lr", 6), ">", Value(0.1, "0.1"))),
        ("a = b", Compare(Column("a"), "=", Value("b", "b"))),
        ("a = `b`", Compare(Column("a"), "=", Column("b", 4))),
        ("'x' in `a b`", Contains(Column("a b", 7), Value("x"))),
        ("x not in a", Not(Contains(Column("a", 9), Value("x", "x")))),
        (
            "a or b and not c",
            Any_(
                (
                    parse("a"),
                    All((Compare(Column("b", 5), "=", Value(True)), Not(Compare(Column("c", 15), "=", Value(True))))),  # noqa: FBT003
                )
            ),
        ),
    ],
)
def test_what_is_read(text: str, tree: Filter) -> None:
    assert repr(parse(text)).replace("_Text", "Value") == repr(tree)


EXPECTED = "the filter cannot be read: expected "


@pytest.mark.parametrize(
    ("text", "complaint", "caret"),
    [
        ("lr <", f"{EXPECTED}a value, got the end", 4),
        ("lr <   ", f"{EXPECTED}a value, got the end", 4),
        ("lr < and b", f"{EXPECTED}a value, got 'and'", 5),
        ("lr = )", f"{EXPECTED}a value, got ')'", 5),
        ("= 1", f"{EXPECTED}a column or a value, got '='", 0),
        ("a and", f"{EXPECTED}a column or a value, got the end", 5),
        ("a or or b", f"{EXPECTED}a column or a value, got 'or'", 5),
        ("not", f"{EXPECTED}a column or a value, got the end", 3),
        ("a b", f"{EXPECTED}and, or, or the end, got 'b'", 2),
        ("a = 1 b", f"{EXPECTED}and, or, or the end, got 'b'", 6),
        ("a)", f"{EXPECTED}and, or, or the end, got ')'", 1),
        ("(a = 1", f"{EXPECTED}and, or, or ), got the end", 6),
        ("(a = 1 b)", f"{EXPECTED}and, or, or ), got 'b'", 7),
        ("'x'", f"{EXPECTED}=, !=, <, <=, >, >= or in, got the end", 3),
        ("'x' and a", f"{EXPECTED}=, !=, <, <=, >, >= or in, got 'and'", 4),
        ("x not a", f"{EXPECTED}in, got 'a'", 6),
        ("x in", f"{EXPECTED}a column, or values in parentheses, got the end", 4),
        ("x in =", f"{EXPECTED}a column, or values in parentheses, got '='", 5),
        ("x in ()", f"{EXPECTED}a value, got ')'", 6),
        ("x in (1, )", f"{EXPECTED}a value, got ')'", 9),
        ("x in (1 2)", f"{EXPECTED}, or ), got '2'", 8),
        ("x in (1", f"{EXPECTED}, or ), got the end", 7),
        ("a ! b", "the filter cannot be read: '!' has no meaning here", 2),
        ("  a = 'x", "the filter cannot be read: this quote is not closed", 6),
        ('a = "x\\"', "the filter cannot be read: this quote is not closed", 4),
        ("`a = 1", "the filter cannot be read: this quote is not closed", 0),
        ("`` = 1", "the filter cannot be read: this quote is not closed", 0),
        ("a < null", "the filter cannot be read: null can only be compared by = and !=", 4),
        ("b = 1 and a >=  None", "the filter cannot be read: null can only be compared by = and !=", 16),
        ("é = 'ü' and ! 1", "the filter cannot be read: '!' has no meaning here", 12),
    ],
)
def test_an_error_points_at_its_place(text: str, complaint: str, caret: int) -> None:
    with pytest.raises(FilterError) as error:
        parse(text)
    assert str(error.value) == f"{complaint}\n  {text}\n  {' ' * caret}^"


def test_the_caret_stands_right_in_a_text_of_several_lines() -> None:
    with pytest.raises(FilterError) as error:
        parse("a = 1\n\tand = 2")
    first, shown, caret = str(error.value).split("\n")
    assert first == f"{EXPECTED}a column or a value, got '='"
    assert (shown, caret) == ("  a = 1  and = 2", "             ^")


@pytest.mark.parametrize("text", ["(" * 100_000 + "a" + ")" * 100_000, "not " * 100_000 + "a", "(" * 900 + "a"])
def test_too_deep_a_filter_is_refused(text: str) -> None:
    with pytest.raises(FilterError, match=r"the filter cannot be read: (it has too many parentheses|expected)"):
        parse(text)


@given(st.text(st.sampled_from("ab1 '\"`()<>=!,\\.-\nandornotin"), max_size=30) | st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    node: Filter = All()
    with contextlib.suppress(FilterError):
        node = parse(text)
    assert holds(node, ROW) in {True, False}
    assert holds(node, {}) in {True, False}


def quoted(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value).lower()


column_names = st.text(min_size=1, max_size=8).filter(lambda name: "`" not in name)
scalars = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)


@given(column_names, scalars)
def test_every_value_and_column_can_be_written(name: str, value: Any) -> None:
    row = {name: value}
    assert holds(parse(f"`{name}` = {quoted(value)}"), row)
    assert holds(parse(f"{quoted(value)} = `{name}`"), row) or isinstance(value, bool)
    assert not holds(parse(f"`{name}` != {quoted(value)}"), row)
    assert holds(parse(f"`{name}` in (1.5, {quoted(value)})"), row)
    assert holds(parse(f"{quoted(value)} in `{name}`"), {name: [0, [], value]})


def test_names_are_completed_everywhere() -> None:
    tree = with_names(parse("not a = `b` and (x in c or d in (1, 2))"), lambda column: f"{column.name}@{column.at}")
    assert [node for node in ("a@4", "b@8", "c@22", "d@27") if node in repr(tree)] == ["a@4", "b@8", "c@22", "d@27"]
