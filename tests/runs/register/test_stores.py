"""What every register does, whatever it is kept in."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_callbacks.runs.filters import Column, Compare, Value
from hydra_callbacks.runs.query import Query, ask
from hydra_callbacks.runs.register import open_register
from hydra_callbacks.runs.register.row import row_of

from .stores import GONE, add, exact, job, merge, present, read, remove, running, states

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.runs.register.row import Row

VALUES = [
    *(0, -1, 7, 2**63 - 1, -(2**63), 2**63, 10**400),
    *(0.0, -0.0, 1.0, -0.5, 1e16, 1e-7, 5e-324, 0.1, 1.7976931348623157e308),
    *(True, False, None),
    *("", " ", "a", "1", "007", "1.0", "1e5", "-5", "True", "true", "None", "null", "nan", "[]", "{}", '"', '"a"', "'"),
    *("'a'", "''", "=1", "+1", "-a", "@a", "\t=1", "a;=1", "\uff1d1", "[1, 2]", '{"a": 1}', "[1", "NULL", "x'y", "a,b"),
    *("a\nb", "a\rb", "\r\n", "\n", "a\0b", "\0", "a\tb", "\\n", '"a\\nb"', "a\u2028b", "\x0b", "\x85", "\ufeffa"),
    *("é", "№", "𝄞", "\U0010ffff", "e\u0301", "日本", "x" * 30_000),
    *([], [1, 2.0, "a", None, True], ["=1"], [["a", [None]], {"b": {}}], ["a;=1", "\n"], [1], ["é"], {}),
]
NAMES = [
    *("a", "A", 'od"d', "it's", "a b", "a.b", "опция", "=1", "'=1", "+a", "-", "@x", "a,b", "a;b", "a\nb", "1", "[1]"),
    *('"a"', '"a\\nb"', "'a", "", " ", "é", "É", "rowid", "key", "run-key", "run-types", "run-more", "order", "select"),
    *("%s", "a%", "$.a", "a[0]", "\t", "x" * 200, "\ufeffa", "\U0010ffff", "True", "row", "number", "run_dir"),
]


def test_each_value_comes_back_as_what_it_was(place: str) -> None:
    rows = [job(str(number), value=value, inside=[value]) for number, value in enumerate(VALUES)]
    add(place, *rows)
    assert list(map(exact, read(place))) == list(map(exact, rows))


def test_each_name_comes_back_as_what_it_was(place: str) -> None:
    rows = [job(str(number)) | {name: number} for number, name in enumerate(NAMES)]
    add(place, *rows)
    assert list(map(exact, read(place))) == list(map(exact, rows))
    with contextlib.closing(open_register(place)) as register:
        assert set(NAMES) <= set(register.columns())
        for number, name in enumerate(NAMES):
            found = register.select(Query(Compare(Column(name), "=", Value(number))))
            assert [row["run-id"] for row in found] == [f"id-{number}"], name


def test_thousands_of_columns_find_a_place(place: str) -> None:
    """More than a SQLite table can have."""
    rows = [job(str(first)) | {f"c{first + n}": n for n in range(500)} for first in range(0, 2500, 500)]
    add(place, *rows)
    assert list(map(exact, read(place))) == list(map(exact, rows))
    with contextlib.closing(open_register(place)) as register:
        assert {f"c{number}" for number in range(2500)} <= set(register.columns())
        for number in (0, 1899, 2499):
            (row,) = register.select(ask(register.columns(), where=f"c{number} = {number % 500}", sort=f"-c{number}"))
            assert row["run-id"] == f"id-{number - number % 500}"


def test_half_a_character_becomes_its_escape(place: str) -> None:
    record = {"config": {"a\udc80": "b\ud800", "c": ["\udfff", {"d\udc80": 1}]}, "id": "id-a", "status": "completed"}
    add(place, row_of(record))
    (back,) = read(place)
    assert back["a\\udc80"] == "b\\ud800"
    assert back["c"] == ["\\udfff", {"d\\udc80": 1}]


def test_a_number_that_is_none_is_kept_as_text(place: str) -> None:
    """JSON knows none of these, and a record of a foreign hand may hold them all the same."""
    config = {"a": float("nan"), "b": [float("inf")], "c": float("-inf")}
    add(place, row_of({"config": config, "id": "id-a", "status": "completed"}))
    (back,) = read(place)
    assert (back["a"], back["b"], back["c"]) == ("nan", ["inf"], "-inf")


texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    [text for text in VALUES if isinstance(text, str) and len(text) < 100]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
nested = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.sampled_from(NAMES)
values = scalars | st.lists(nested, max_size=4) | st.just({})


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60
)
@given(sent=st.lists(st.dictionaries(names, values, max_size=6), min_size=1, max_size=3))
def test_any_row_comes_back_equal_and_of_the_same_types(place: str, sent: list[Row]) -> None:
    remove(place)
    rows = [{**job(str(number)), **row} for number, row in enumerate(sent)]
    add(place, *rows)
    assert list(map(exact, read(place))) == list(map(exact, rows))
    merge(place, rows, prune=True)
    assert list(map(exact, read(place))) == list(map(exact, rows))


def test_configurations_of_different_shapes_live_together(place: str) -> None:
    rows = [
        job("a", **{"opt.lr": 0.1, "layers": [1, 2]}),
        job("b", opt="adam", layers="two"),
        job("c", **{"opt.lr": "auto", "layers": None, "deep.er.still": {}}),
        job("d"),
    ]
    add(place, *rows)
    assert read(place) == list(map(present, rows))
    with contextlib.closing(open_register(place)) as register:
        asked = ask(register.columns(), where="layers != two or opt.lr = auto", sort="opt.lr")
        assert [row["run-id"] for row in register.select(asked)] == ["id-a", "id-c"]


def test_what_is_not_there_yet_has_no_rows(place: str) -> None:
    with contextlib.closing(open_register(place)) as register:
        assert register.columns() == []
        assert list(register.rows()) == []
        assert register.select(Query()) == []


def test_a_job_is_one_row_its_last_state(place: str) -> None:
    add(place, job("before"), running("a", pid=os.getpid()))
    assert states(place) == {"before": "completed", "a": "running"}
    add(place, job("a", run__status="failed", job_success=False, note="first"), job("after"))
    assert states(place) == {"before": "completed", "a": "failed", "after": "completed"}
    add(place, running("a", pid=os.getpid(), **{"run-attempt": 2, "new": 1}))
    assert states(place) == {"before": "completed", "a": "running", "after": "completed"}
    add(place, job("a", **{"run-attempt": 2, "new": 1}))
    rows = read(place)
    assert [row["run-id"] for row in rows] == ["id-before", "id-after", "id-a"]
    assert rows[:2] == [present(job("before")), present(job("after"))]
    assert rows[2] == present(job("a", **{"run-attempt": 2, "new": 1}))


@pytest.mark.parametrize("name", ["12", "a/b \\ c:d", "é", "=1", "id"])
def test_an_id_of_any_form_is_known_again(place: str, name: str) -> None:
    """As a record of a foreign hand may have it."""
    add(place, {**running(pid=os.getpid()), "run-id": name}, job("b"))
    assert [row["run-status"] for row in read(place) if row["run-id"] == name] == ["running"]
    for attempt in (1, 2):
        add(place, {**job(x=attempt, run__attempt=attempt), "run-id": name})
    assert [row["x"] for row in read(place) if row["run-id"] == name] == [2]
    assert len(read(place)) == 2


def test_a_job_whose_process_is_gone_is_lost(place: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        add(place, running("a", pid=other.pid), running("b", pid=GONE), job("c"))
        assert states(place) == {"a": "running", "b": "lost", "c": "completed"}
        other.communicate(b"\n")
    assert states(place) == {"a": "lost", "b": "lost", "c": "completed"}
    add(place, running("far", pid=GONE, **{"run-host": "another machine"}))
    assert states(place)["far"] == "running", "nobody can tell from here"


def test_jobs_without_an_end_are_selected_like_all_others(place: str) -> None:
    add(place, job("a", x=1), running("b", pid=os.getpid(), x=2), running("c", pid=GONE, x=3), job("d", x=4))
    with contextlib.closing(open_register(place)) as register:

        def found(where: str, sort: str = "x", limit: int | None = None) -> list[str]:
            rows = register.select(ask(register.columns(), where=where, sort=sort, limit=limit))
            return [row["run-id"].removeprefix("id-") for row in rows]

        assert found("x > 1") == ["b", "c", "d"]
        assert found("status in (running, lost)") == ["b", "c"]
        assert found("status = lost", sort="-x") == ["c"]
        assert found("", sort="status,-x") == ["d", "a", "c", "b"]
        assert found("", sort="-x", limit=2) == ["d", "c"]


def test_many_rows_are_merged_in_one_step(place: str) -> None:
    add(place, job("a", x=1), job("b", x=1))
    merge(place, [job("b", x=2), job("c", x=2), running("d", pid=os.getpid()), job("e", run__status="lost")])
    assert states(place) == {"a": "completed", "b": "completed", "c": "completed", "d": "running", "e": "lost"}
    assert sorted((row["run-id"], row["x"]) for row in read(place) if "x" in row) == [
        ("id-a", 1),
        ("id-b", 2),
        ("id-c", 2),
    ]
    merge(place, [])
    assert len(states(place)) == 5


@pytest.mark.parametrize("state", ["lost", "running"])
def test_an_end_that_is_known_is_not_forgotten(place: str, state: str) -> None:
    """A record may still say `running` where the register was told of the end."""
    unknown = {"lost": job("a", run__status="lost"), "running": running("a", pid=os.getpid())}[state]
    add(place, job("a", x=1), job("b"))
    merge(place, [unknown])
    assert states(place) == {"a": "completed", "b": "completed"}
    assert read(place)[0]["x"] == 1
    merge(place, [{**unknown, "run-attempt": 2}])
    assert states(place) == {"a": state, "b": "completed"}
    merge(place, [job("a", run__attempt=2)])
    assert states(place) == {"a": "completed", "b": "completed"}


def test_all_other_jobs_are_taken_away_on_request(place: str) -> None:
    add(place, job("a", x=1), job("b", y=1), running("c", pid=GONE))
    merge(place, [job("b", z=2), job("d")], prune=True)
    assert states(place) == {"b": "completed", "d": "completed"}
    merge(place, [], prune=True)
    assert states(place) == {}
    add(place, job("e"))
    assert states(place) == {"e": "completed"}


def test_lost_jobs_stay_when_others_are_merged(place: str) -> None:
    """Also where no job has ever ended, and with the keys that only they have."""
    add(place, running("a", pid=GONE, only="here"))
    merge(place, [job("b")])
    assert states(place) == {"a": "lost", "b": "completed"}
    assert [row.get("only") for row in read(place)] == ["here", None]
    merge(place, [])
    assert states(place) == {"a": "lost", "b": "completed"}


def test_a_job_under_way_survives_a_merge(place: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        add(place, running("a", pid=other.pid), job("b"))
        merge(place, [job("c")])
        assert states(place) == {"a": "running", "b": "completed", "c": "completed"}
        other.communicate(b"\n")
    add(place, job("a"))
    assert states(place) == {"a": "completed", "b": "completed", "c": "completed"}


def test_a_row_without_an_id_gives_way_to_one_of_the_same_directory(place: str) -> None:
    """Such rows are from release 0.6, or of runs that have only Hydra's own files."""
    old = [job(name, run__id=None, run__attempt=None) for name in "abc"]
    merge(place, old)
    assert [row["run-dir"] for row in read(place)] == ["outputs/a", "outputs/b", "outputs/c"]
    merge(place, [job("b"), job("c", run__id=None, x=1)])
    rows = {row["run-dir"]: (row.get("run-id"), row.get("x")) for row in read(place)}
    assert rows == {"outputs/a": (None, None), "outputs/b": ("id-b", None), "outputs/c": (None, 1)}
    assert len(read(place)) == 3


def test_rows_can_be_added_while_they_are_read(place: str) -> None:
    add(place, job("a"), job("b"))
    with contextlib.closing(open_register(place)) as register:
        reading = register.rows()
        assert next(reading)["run-id"] == "id-a"
        register.add(job("c"))
        reading.close()  # type: ignore[attr-defined]
    assert list(states(place)) == ["a", "b", "c"]


def test_all_columns_are_named_also_those_of_jobs_under_way(place: str) -> None:
    add(place, running("a", pid=os.getpid(), early=1))
    add(place, job("b", late=1))
    with contextlib.closing(open_register(place)) as register:
        columns = register.columns()
    assert {"early", "late", "lr", "run-id", "run-started"} <= set(columns)
    assert len(set(columns)) == len(columns)


def test_a_long_text_is_cut_in_csv_only(place: str) -> None:
    """Spreadsheet programs take no more than 32,767 characters in a cell."""
    add(place, job("a", long="x" * 40_000), job("b", long=["y" * 40_000]))
    first, second = (row["long"] for row in read(place))
    if place.endswith(".csv"):
        assert first == "x" * 32_764 + "..."
        assert second == '["' + "y" * 32_762 + "..."
    else:
        assert first == "x" * 40_000
        assert second == ["y" * 40_000]


def test_files_are_plain_and_nothing_is_left_beside_them(file: Path) -> None:
    add(file, running("a", pid=os.getpid()), job("a"), job("b", new=1), job("a", run__attempt=2))
    merge(file, [job("c")])
    assert os.listdir(file.parent) == [file.name]  # noqa: PTH208  (hidden files count)
    if file.suffix == ".jsonl":
        assert [json.loads(line)["run-id"] for line in file.read_bytes().splitlines()] == ["id-b", "id-a", "id-c"]
