"""Jobs are read into slots where all have found out the same things, and tell the same as those in dictionaries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hydra_callbacks.runs.gather import table_of
from hydra_callbacks.runs.job_lines import JobLines
from hydra_callbacks.runs.sweep_job import Found, SweepJob

if TYPE_CHECKING:
    from pathlib import Path


def lines(*results: Any) -> bytes:
    """Return the last lines of jobs that have these results."""
    told = ({"job": number, "status": "completed", "result": result} for number, result in enumerate(results))
    return "".join(json.dumps(each) + "\n" for each in told).encode()


def read(*results: Any) -> list[SweepJob]:
    return JobLines().each(lines(*results))


def in_order(result: Any) -> Any:
    return dict(sorted(result.items())) if isinstance(result, dict) else result


def are_slots(jobs: list[SweepJob]) -> bool:
    return all(isinstance(job.found, Found) for job in jobs if job.found is not None)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
)
names = st.sampled_from(["y", "z", "", "a.b", 'a"b', "é", "_0"]) | st.text(max_size=3)
flat = st.dictionaries(names, scalars, max_size=4)
alike = st.lists(names, unique=True, max_size=4).flatmap(
    lambda keys: st.lists(st.none() | st.fixed_dictionaries(dict.fromkeys(keys, scalars)), max_size=5)
)


@given(alike | st.lists(flat | values, max_size=5))
@example([{"y": 2**70}, {"y": -(2**70)}, {"y": -0.0}, {"y": 5e-324}, {"y": float("nan")}])
@example([{"y": 1}, {"y": {"deep": 2}}, {"y": 1, "z": 2}, {"z": 1}, {}])
def test_results_are_what_the_standard_library_reads(results: list[Any]) -> None:
    expected = [json.loads(json.dumps(result)) for result in results]
    assert repr([in_order(job.result) for job in read(*results)]) == repr([*map(in_order, expected)])


@given(alike | st.lists(flat, max_size=5))
def test_the_table_is_that_of_results_in_dictionaries(results: list[Any]) -> None:
    plainly = [
        SweepJob(num=n, status="completed", found=json.loads(json.dumps(each))) for n, each in enumerate(results)
    ]
    of_slots, of_dictionaries = (table_of(jobs, None) for jobs in (read(*results), plainly))
    assert repr(of_slots.columns) == repr(of_dictionaries.columns)
    assert of_slots.results == of_dictionaries.results


def test_flat_results_with_the_same_keys_are_read_into_slots() -> None:
    jobs = read(None, {"y": 1, "z": "a"}, {"z": None, "y": 2.5})
    assert are_slots(jobs)
    assert [job.result for job in jobs] == [None, {"y": 1, "z": "a"}, {"y": 2.5, "z": None}]
    assert jobs[1].but(status="failed").result == {"y": 1, "z": "a"}


@pytest.mark.parametrize("odd", [{"y": 1, "more": 2}, {}, {"y": {"z": 1}}, {"y": [1]}, 5, [1], "text"])
def test_another_result_makes_all_of_them_dictionaries(odd: Any) -> None:
    jobs = read({"y": 1}, odd)
    assert not are_slots(jobs)
    assert [job.result for job in jobs] == [{"y": 1}, odd]


def test_lines_that_are_read_later_have_the_same_slots(odd_path: Path) -> None:
    """As in a journal that is watched."""
    reader = JobLines()
    first, later, others = reader.each(lines({"y": 1})), read({"y": 2}), reader.each(lines({"z": 3}))
    assert type(first[0].found) is type(later[0].found)
    assert not are_slots(others)
    columns = table_of([*first, *later, *others], odd_path).columns
    assert (columns["y"], columns["z"]) == ([1, 2, None], [None, None, 3])


def test_a_very_wide_result_is_a_dictionary() -> None:
    wide = {f"y{number}": number for number in range(1000)}
    (job,) = read(wide)
    assert job.found == wide
