"""SQLite answers as Python would, and its files are used with care."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs import query
from hydra_callbacks.runs.filters import All, Any_, Column, Compare, Contains, Not, Value
from hydra_callbacks.runs.query import Order, Query, ask
from hydra_callbacks.runs.register import open_register, sqlite_file

from .stores import GONE, add, exact, job, present, read, running, states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_callbacks.runs.register import Register
    from hydra_callbacks.runs.register.row import Row

# Few columns and few values, of every kind, so that they meet.
COLUMNS = [
    *("x", "X", "y", "a.b", 'od"d', "it's", "é", "rowid", "run-key", "run-types", "run-more", "", "nul\0"),
    *("run-status", "run-started", "run-num", "job_success", "missing"),
]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 1.0, 0.5, -0.0, 1e16, 10**16, 2**63, 10**30, -(10**30), 5e-324),
    *("", "1", "0", "1.0", "True", "true", "a", "A", "ab", "é", "z", "\U0010ffff", "\uffff", "a\0b", "'", '"'),
    *("[", "[1", "[1, 2]", '["a"]', "{}", '{"a": 1}', "null", "running", "lost", "completed", "2026"),
    *([], [1], [1.0], [True], ["1"], ["a", 1], [None], [[1]], ["a\0b"], {}, ["é"], ["[1]"]),
]
SEARCHED = [
    *(Value(value) for value in VALUES if not isinstance(value, (list, dict))),
    *(Value(value, word) for word, value in {"1": 1, "1.0": 1.0, "true": True, "null": None, "a": "a"}.items()),
    Value(2**63, str(2**63)),
]
SIGNS = ["=", "!=", "<", "<=", ">", ">="]


def is_asked(node: Compare | Contains) -> bool:
    """Tell whether a filter can be written: null has no order, and only what is in quotes has no word."""
    value = node.other if isinstance(node, Compare) else node.value
    if isinstance(value, Column):
        return True
    if isinstance(node, Compare):
        return value.value is not None or node.sign in {"=", "!="}
    return value.word is not None or isinstance(value.value, str)


columns = st.builds(Column, st.sampled_from(COLUMNS))
values = st.sampled_from(SEARCHED)
tests = st.builds(Compare, columns, st.sampled_from(SIGNS), columns | values) | st.builds(Contains, columns, values)
filters = st.recursive(
    tests.filter(is_asked),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, max_size=3).map(lambda terms: All(tuple(terms)))
        | st.lists(inner, max_size=3).map(lambda terms: Any_(tuple(terms)))
    ),
    max_leaves=6,
)
orders = st.lists(st.builds(Order, st.sampled_from(COLUMNS), st.booleans()), max_size=3).map(tuple)
queries = st.builds(Query, filters | st.just(All()), orders, st.none() | st.integers(0, 4))
rows_of_values = st.dictionaries(
    st.sampled_from([name for name in COLUMNS if name not in {"missing", "run-status", "job_success"}]),
    st.sampled_from(VALUES),
    max_size=6,
)
states_of_jobs = st.sampled_from(
    [
        {"run-status": "completed", "job_success": True},
        {"run-status": "failed", "job_success": False},
        {"run-status": None, "job_success": True},
        {"run-status": None, "job_success": False},
        {"run-status": None, "job_success": None},
        *(
            {name: running(pid=pid)[name] for name in ("run-status", "run-pid", "run-boot_id")}
            for pid in (os.getpid(), GONE)
        ),
    ]
)
tables = st.lists(st.builds(lambda row, state: row | state, rows_of_values, states_of_jobs), min_size=1, max_size=8)


@pytest.fixture
def register(odd_path: Path) -> Iterator[Register]:
    with contextlib.closing(open_register(odd_path / "register.db")) as opened:
        yield opened


@pytest.mark.parametrize("name", ["x", "X"], ids=["in a column", "without a column of its own"])
def test_every_value_compares_with_every_other_as_in_python(register: Register, name: str) -> None:
    rows: list[Row] = [
        {**job(str(number)), "x": 0, name: value, "y": VALUES[-number]} for number, value in enumerate(VALUES)
    ]
    tests = [
        *(Compare(Column(name), sign, other) for sign in SIGNS for other in (*SEARCHED, Column("y"))),
        *(Contains(Column(name), value) for value in SEARCHED),
    ]
    register.merge(rows)
    for test in filter(is_asked, tests):
        found = [row["run-id"] for row in register.select(Query(test))]
        assert found == [row["run-id"] for row in query.select(rows, Query(test))], test
    for order in (Order(name), Order(name, descending=True)):
        found = [row["run-id"] for row in register.select(Query(order=(order,)))]
        assert found == [row["run-id"] for row in query.select(rows, Query(order=(order,)))], order


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=200
)
@given(table=tables, asked=st.lists(queries, min_size=5, max_size=10))
def test_an_answer_is_the_one_that_python_gives(register: Register, table: list[Row], asked: list[Query]) -> None:
    rows = [{**job(str(number)), **row} for number, row in enumerate(table)]
    register.merge(rows, prune=True)
    kept = list(register.rows())
    assert [row["run-id"] for row in kept] == [row["run-id"] for row in rows]
    for each in asked:
        found = register.select(each)
        assert list(map(exact, found)) == list(map(exact, query.select(kept, each))), each


def test_a_filter_of_more_than_a_thousand_terms_is_answered(odd_path: Path) -> None:
    place = odd_path / "register.db"
    add(place, *(job(str(number), x=number) for number in range(5)))
    with contextlib.closing(open_register(place)) as register:
        asked = ask(register.columns(), where=f"x in ({', '.join(map(str, range(2, 1500)))})", sort="x")
        assert [row["x"] for row in register.select(asked)] == [2, 3, 4]
        asked = ask(register.columns(), where=" and ".join(f"x != {number}" for number in range(4, 1500)), sort="-x")
        assert [row["x"] for row in register.select(asked)] == [3, 2, 1, 0]


def test_wal_is_on_and_its_files_go_when_all_are_done(odd_path: Path) -> None:
    place = odd_path / "register.db"
    with contextlib.closing(open_register(place)) as register:
        register.add(job("a"))
        assert {path.name for path in odd_path.iterdir()} == {place.name, f"{place.name}-wal", f"{place.name}-shm"}
        assert list(states(place)) == ["a"]
    with contextlib.closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert list(states(place)) == ["a"]
    assert os.listdir(odd_path) == [place.name]  # noqa: PTH208  (hidden files count)


def test_a_reader_cannot_write(odd_path: Path) -> None:
    place = odd_path / "register.db"
    add(place, job("a"))
    with (
        contextlib.closing(sqlite_file.SqliteRegister(place)) as register,
        register.reader() as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM runs")
    assert list(states(place)) == ["a"]


def test_what_is_no_register_yet_has_no_reader(odd_path: Path) -> None:
    place = odd_path / "register.db"
    register = sqlite_file.SqliteRegister(place)
    with pytest.raises(RegisterError, match="is no register yet: it has no table of runs"), register.reader():
        pass
    assert not place.exists()


def test_a_writer_waits_for_another_one(odd_path: Path) -> None:
    place = odd_path / "register.db"
    add(place, job("a"))
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=add, args=(place, job("b")))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert list(states(place)) == ["a"], "a reader does not wait"
        other.execute("COMMIT")
        waiting.join()
    assert list(states(place)) == ["a", "b"]


def test_a_database_that_stays_locked_is_told_of(odd_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "_BUSY_S", 0.1)
    place = odd_path / "register.db"
    add(place, job("a"))
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RegisterError, match=r"database is locked; another program keeps it locked; end that one"):
            add(place, job("b"))
        assert list(states(place)) == ["a"]
        other.execute("ROLLBACK")
        other.execute("PRAGMA journal_mode = DELETE")  # where the file system does not allow WAL
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RegisterError, match="database is locked; another program keeps it locked"):
            states(place)
        other.execute("ROLLBACK")
    add(place, job("b"))
    assert list(states(place)) == ["a", "b"]


def test_the_table_is_plain_to_other_programs(odd_path: Path) -> None:
    place = odd_path / "register.db"
    add(place, job("a", layers=[1, 2], flag=True, **{"opt.lr": 0.1}))
    with contextlib.closing(sqlite3.connect(place)) as connection:
        found = connection.execute('SELECT "opt.lr", layers, flag, typeof(flag), job_success FROM runs').fetchall()
        assert found == [(0.1, "[1, 2]", 1, "integer", 1)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_failed_merge_changes_nothing(odd_path: Path) -> None:
    place = odd_path / "register.db"
    add(place, job("a"))
    with contextlib.closing(open_register(place)) as register:
        with pytest.raises(TypeError):
            register.merge([job("b", new=1), job("c", odd=object())], prune=True)
        assert list(states(place)) == ["a"]
        register.add(job("d", new=2))
    assert read(place) == [present(job("a")), present(job("d", new=2))]
