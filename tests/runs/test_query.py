"""Names are completed, rows sorted, and answers merged, wherever the rows are from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.errors import FilterError
from hydra_callbacks.runs.filters import All, Column, Compare, Value
from hydra_callbacks.runs.query import Order, Query, ask, find_column, merge, select

COLUMNS = [
    *("optimizer.lr", "model.lr.warmup", "model.depth", "decoder.depth", "encoder.accuracy", "result.accuracy", "x"),
    *("trainer.status", "seed", "run-dir", "run-id", "run-status", "run-started", "run-duration_s", "job_success"),
    *("data.deep.name", "a,b", "result.loss.train", "loss.train", "result.x.loss.train"),
]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("optimizer.lr", "optimizer.lr"),
        ("x", "x"),
        ("a,b", "a,b"),
        ("status", "run-status"),
        ("run-status", "run-status"),
        ("id", "run-id"),
        ("duration", "run-duration_s"),
        ("success", "job_success"),
        ("num", "run-num"),  # which is empty in single runs, and may be no column yet
        ("run-error", "run-error"),
        ("lr", "optimizer.lr"),
        ("warmup", "model.lr.warmup"),
        ("lr.warmup", "model.lr.warmup"),
        ("deep.name", "data.deep.name"),
        ("accuracy", "result.accuracy"),  # of several, that of the result
        ("loss.train", "loss.train"),
        ("trainer.status", "trainer.status"),
    ],
)
def test_a_name_means_one_column(name: str, column: str) -> None:
    assert find_column(name, COLUMNS) == column


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("depth", "several columns end in 'depth': decoder.depth, model.depth; name one"),
        ("train", "several columns end in 'train': loss.train, result.loss.train, result.x.loss.train; name one"),
        ("optimiser.lr", "there is no column 'optimiser.lr'; nearest: optimizer.lr"),
        ("Seed", "there is no column 'Seed'; nearest: seed"),
        ("acuracy", "there is no column 'acuracy'; nearest: result.accuracy"),
        ("statu", "there is no column 'statu'; nearest: status"),
        ("zzzzzz", "there is no column 'zzzzzz'; --columns all shows them"),
    ],
)
def test_a_name_that_means_none_or_several_is_told_with_the_nearest(name: str, complaint: str) -> None:
    with pytest.raises(FilterError) as error:
        find_column(name, COLUMNS)
    assert str(error.value).startswith(complaint)


def test_an_unknown_column_is_pointed_at_in_the_filter() -> None:
    where = "lr < 1 and `no such` = 2"
    with pytest.raises(FilterError) as error:
        ask(COLUMNS, where=where)
    first, shown, caret = str(error.value).split("\n")
    assert first.startswith("there is no column 'no such'")
    assert shown == f"  {where}"
    assert caret.index("^") == shown.index("`")


@pytest.mark.parametrize(
    ("where", "at"),
    [("lr = 1 and seet = 2", "seet"), ("lr = `seet`", "`"), ("x in seet", "seet"), ("'x' in seet", "seet")],
)
def test_the_caret_stands_under_the_name(where: str, at: str) -> None:
    with pytest.raises(FilterError) as error:
        ask(COLUMNS, where=where)
    first, shown, caret = str(error.value).split("\n")
    assert first.startswith("there is no column 'seet'; nearest: seed")
    assert caret.index("^") == shown.index(at)


def test_a_query_has_whole_names() -> None:
    asked = ask(COLUMNS, where="lr < 1 and status = failed", sort="-accuracy, lr,", since="2026", limit=3)
    assert asked.order == (Order("result.accuracy", descending=True), Order("optimizer.lr"))
    assert asked.limit == 3
    assert isinstance(asked.filter, All)
    assert asked.filter.terms[1] == Compare(Column("run-started"), ">=", Value("2026"))
    assert "'optimizer.lr'" in repr(asked.filter.terms[0])
    assert "'run-status'" in repr(asked.filter.terms[0])


def test_all_rows_newest_first_are_what_is_asked_for_by_default() -> None:
    assert ask(COLUMNS) == Query(All(), (Order("run-started", descending=True),), None)
    assert ask(COLUMNS, sort="") == Query()


@pytest.mark.parametrize("sort", ["seet", "-seet", "lr,seet"])
def test_an_unknown_column_to_sort_by_is_told_with_the_nearest(sort: str) -> None:
    with pytest.raises(FilterError, match=r"^there is no column 'seet'; nearest: seed"):
        ask(COLUMNS, sort=sort)


def sorted_by(values: list[Any], *, descending: bool = False, limit: int | None = None) -> list[Any]:
    rows = [{"x": value} if value is not None else {} for value in values]
    return [row.get("x") for row in select(rows, Query(order=(Order("x", descending),), limit=limit))]


MIXED: list[Any] = ["b", None, 10, "", [1], True, 2.5, "é", -1, "B", {}, 2**70, 0, "1"]


def test_numbers_come_before_texts_and_missing_values_last() -> None:
    up = [-1, 0, True, 2.5, 10, "", "1", 2**70, "B", [1], "b", {}, "é"]
    assert sorted_by(MIXED) == [*up, None]
    assert sorted_by(MIXED, descending=True) == [*reversed(up), None]
    assert sorted_by(MIXED, limit=3) == up[:3]
    assert sorted_by(MIXED, descending=True, limit=3) == up[: -3 - 1 : -1]


def test_rows_of_equal_value_stay_in_the_order_of_registration() -> None:
    rows = [{"x": number // 3, "n": number} for number in range(9)]
    found = select(rows, Query(order=(Order("x", descending=True),)))
    assert [row["n"] for row in found] == [6, 7, 8, 3, 4, 5, 0, 1, 2]
    found = select(rows, Query(order=(Order("x", descending=True), Order("n", descending=True)), limit=4))
    assert [row["n"] for row in found] == [8, 7, 6, 5]


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
tables = st.lists(st.fixed_dictionaries({}, optional={"x": scalars, "y": scalars}), max_size=8)
orders = st.lists(st.builds(Order, st.sampled_from("xy"), st.booleans()), max_size=3).map(tuple)


@given(tables, orders, st.integers(0, 5))
def test_a_limit_takes_the_first_ones(table: list[dict[str, Any]], order: tuple[Order, ...], limit: int) -> None:
    whole = select(table, Query(order=order))
    assert sorted(map(id, whole)) == sorted(map(id, table))
    assert list(map(id, select(iter(table), Query(order=order, limit=limit)))) == list(map(id, whole[:limit]))


def test_no_more_rows_than_asked_for_are_read() -> None:
    rows = iter([{"x": number} for number in range(10)])
    assert len(select(rows, Query(limit=3))) == 3
    assert next(rows) == {"x": 3}


def test_answers_of_several_registers_become_one() -> None:
    """A run that stands in two of them is told of once, as the first one has it."""
    first = [{"run-id": "a", "x": 3, "from": 1}, {"run-id": "b", "x": 1, "from": 1}, {"x": 9}, {"x": 9}]
    second = [{"run-id": "a", "x": 3, "from": 2}, {"run-id": "c", "x": 2, "from": 2}, {"x": 9}]
    asked = Query(Compare(Column("nothing"), "=", Value(1)), (Order("x"),), None)
    merged = merge([first, second], asked)
    assert [(row.get("run-id"), row.get("from")) for row in merged] == [
        *[("b", 1), ("c", 2), ("a", 1)],
        *[(None, None)] * 3,
    ]
    assert merge([first, second], Query(order=(Order("x", descending=True),), limit=4))[3:] == [first[0]]
    assert merge([], asked) == []
