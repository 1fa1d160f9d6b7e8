"""When and where the jobs of a sweep ran: in as many slots as were at work at once, the days between left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from run_dirs import job, make_run, write

from hydra_callbacks.report.sweep import sweep_data
from hydra_callbacks.runs.record import timestamp

if TYPE_CHECKING:
    from pathlib import Path

BEGUN_S = 1_795_000_000.0
DAY_S = 86_400.0


def at(second: float) -> str:
    return timestamp(BEGUN_S + second)


def launch(second: float, **changes: Any) -> dict[str, Any]:
    return {"launch": "started", "id": "a", "at": at(second), "app": "t", "host": {"name": "m"}, **changes}


def ran(num: int, begin: float, took: float | None, pid: int, name: str = "n1", **more: Any) -> list[dict[str, Any]]:
    """Return the lines of a job; no end when it took None."""
    facts = {"job": num, "overrides": [f"x={num}"], "started_at": at(begin)}
    start = {**facts, "status": "running", "host": {"name": name, "pid": pid, **more}}
    return [start, *([{**facts, "status": "completed", "duration_s": took}] if took is not None else [])]


def data_of(folder: Path, *lines: dict[str, Any], is_over: bool = True) -> dict[str, Any]:
    text = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in lines)
    write(folder / "jobs.jsonl", text)
    return sweep_data(folder, is_over=is_over)


def test_processes_that_follow_each_other_share_a_slot(tmp_path: Path) -> None:
    lines = [line for num in range(10) for line in ran(num, 5 * num, 5, 100 + num)]
    data = data_of(tmp_path, launch(0), *lines)
    assert data["jobs"]["worker"] == ["slot 1"] * 10
    assert data["jobs"]["begins_s"] == [5 * num for num in range(10)]
    assert (data["duration_s"], data["idle_s"], data["launches_s"]) == (50, 0, [0])


def test_there_are_as_many_slots_as_processes_at_once_on_each_machine(tmp_path: Path) -> None:
    jobs = [(0, 0, 10, 1, "n1"), (1, 1, 3, 2, "n1"), (2, 5, 9, 3, "n1"), (3, 5, 1, 1, "n2"), (4, 11, 1, 4, "n1")]
    data = data_of(tmp_path, launch(0), *(line for each in jobs for line in ran(*each)))
    assert data["jobs"]["worker"] == ["n1 slot 1", "n1 slot 2", "n1 slot 2", "n2 slot 1", "n1 slot 1"]


def test_processes_at_once_keep_their_names_and_a_number_may_be_given_again(tmp_path: Path) -> None:
    pool = [ran(num, 5 * (num // 2), 5, 100 + num % 2) for num in range(6)]
    data = data_of(tmp_path, launch(0), *(line for lines in pool for line in lines))
    assert data["jobs"]["worker"] == ["process 100", "process 101"] * 3
    again = [ran(0, 0, 5, 100, pid_started=1), ran(1, 1, 20, 101, pid_started=2), ran(2, 6, 5, 100, pid_started=3)]
    data = data_of(tmp_path, launch(0), *(line for lines in again for line in lines))
    assert data["jobs"]["worker"] == ["slot 1", "slot 2", "slot 1"]


def test_of_a_job_without_an_end_nothing_is_made_up(tmp_path: Path) -> None:
    lines = [*ran(0, 0, None, 1), *ran(1, 5, 5, 2), *ran(2, 5, 5, 3)]
    data = data_of(tmp_path, launch(0), *lines)
    assert data["values"]["run-duration_s"] == [None, 5, 5]
    assert data["duration_s"] == 10


def test_the_days_between_two_launches_are_left_out(tmp_path: Path) -> None:
    first = [launch(0), *ran(0, 1, 4, 1), *ran(1, 5, 4, 1)]
    second = [launch(3 * DAY_S, id="b", resumes=True), *ran(2, 3 * DAY_S + 1, 4, 9)]
    end = {"launch": "ended", "id": "b", "at": at(3 * DAY_S + 6), "status": "completed"}
    data = data_of(tmp_path, *first, {"launch": "ended", "id": "a", "at": at(10)}, *second, end)
    assert data["jobs"]["begins_s"] == [1, 5, 11]
    assert (data["launches_s"], data["idle_s"], data["duration_s"]) == ([0, 10], 3 * DAY_S - 10, 16)
    assert (data["started_at"], data["ended_at"]) == (at(0), at(3 * DAY_S + 6))
    assert data["jobs"]["worker"] == ["slot 1"] * 3, "the two processes were never at work together"
    data = data_of(tmp_path, *first, *second, end)
    assert data["jobs"]["begins_s"] == [1, 5, 10], "the first was killed: its last word counts"


def test_a_launch_that_begins_anew_forgets_the_one_before(tmp_path: Path) -> None:
    data = data_of(tmp_path, launch(-DAY_S), *ran(0, 5 - DAY_S, 5, 1), launch(0, id="b"), *ran(0, 2, 3, 2))
    assert (data["jobs"]["begins_s"], data["idle_s"], data["launches_s"]) == ([2], 0, [0])


@pytest.mark.parametrize("with_journal", [True, False])
def test_one_time_that_cannot_be_read_costs_that_one_only(tmp_path: Path, *, with_journal: bool) -> None:
    if with_journal:
        write(tmp_path / "jobs.jsonl", json.dumps(launch(0, at=""), separators=(",", ":")) + "\n")
    for num, moment in enumerate(("garbage", at(3), at(7))):
        make_run(tmp_path / str(num), num, job=job(num), started_at=moment, duration_s=2.00049)
    data = sweep_data(tmp_path, is_over=True)
    assert data["jobs"]["begins_s"] == [None, 0, 4]
    assert (data["started_at"], data["duration_s"]) == (at(3), 6)
    assert (data["launches_s"], data["values"]["run-duration_s"]) == ([], [2, 2, 2])


def test_many_processes_are_packed_soon(tmp_path: Path) -> None:
    lines = [line for num in range(5000) for line in ran(num, num % 50, 1000, num)]
    assert len(set(data_of(tmp_path, launch(0), *lines)["jobs"]["worker"])) == 5000
