"""A sweep is told of as it stands, whether its jobs run, have ended, or died before they could say so."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from run_dirs import GONE, failed, host, job, make_hydra_run, make_run, running, write

from hydra_callbacks.errors import SweepError
from hydra_callbacks.runs.journal import FILE_NAME, append
from hydra_callbacks.runs.sweep import Sweep, SweepReader, read_sweep

if TYPE_CHECKING:
    from pathlib import Path

PLAN = [["x=0"], ["x=1"], ["x=2"]]


def launched(sweep: Path, pid: int | None = None, **facts: Any) -> None:
    """Write the first line of a launch of this process, or of another one."""
    append(sweep, {"launch": "started", "id": "first", "host": host(pid or os.getpid()), **facts})


def ended(sweep: Path, status: str = "completed", launch: str = "first") -> None:
    append(sweep, {"launch": "ended", "id": launch, "status": status})


def line(sweep: Path, number: int, status: str = "completed", **facts: Any) -> None:
    append(sweep, {"job": number, "status": status, "overrides": [f"x={number}"], **facts})


def states(sweep: Sweep) -> dict[int, str]:
    return {each.num: each.status for each in sweep.jobs}


def test_a_sweep_that_has_ended_is_read_from_its_journal_alone(odd_path: Path) -> None:
    launched(odd_path, plan=PLAN)
    for number, status in enumerate(("completed", "failed", "interrupted")):
        line(odd_path, number, "running", host=host(GONE))
        line(odd_path, number, status, result={"y": number})
    ended(odd_path, "failed")
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "completed", 1: "failed", 2: "interrupted"}
    assert [each.result for each in sweep.jobs] == [{"y": 0}, {"y": 1}, {"y": 2}]
    assert sweep.counts() == {"completed": 1, "failed": 1, "interrupted": 1}
    assert (sweep.ended, sweep.is_alive, sweep.older, sweep.problems) == ("failed", False, [], [])
    assert sweep.launch is not None
    assert sweep.launch.plan() == dict(enumerate(PLAN))


def test_jobs_stand_in_the_order_of_their_numbers(odd_path: Path) -> None:
    launched(odd_path)
    for number in (10, 2, 9, 1):
        line(odd_path, number)
    assert list(states(read_sweep(odd_path))) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_a_job_that_runs_is_running_and_one_whose_process_is_gone_is_lost(odd_path: Path) -> None:
    launched(odd_path)
    line(odd_path, 0, "running", host=host(os.getpid()))
    line(odd_path, 1, "running", host=host(GONE))
    line(odd_path, 2, "running", host={**host(GONE), "name": "elsewhere"})
    assert states(read_sweep(odd_path)) == {0: "running", 1: "lost", 2: "running"}


def test_a_job_that_was_killed_between_its_record_and_its_line_is_what_the_record_says(odd_path: Path) -> None:
    launched(odd_path)
    for number in range(2):
        line(odd_path, number, "running", host=host(GONE))
    make_run(odd_path / "0", job=job(0), result={"y": 5}, overrides=["x=0"])
    make_run(odd_path / "1", job=job(1), **failed())
    first, second = read_sweep(odd_path).jobs
    assert (first.status, first.result, first.duration_s) == ("completed", {"y": 5}, 12.5)
    assert (first.num, first.overrides) == (0, ["x=0"])
    assert (second.status, second.error.message) == ("failed", "lr must not be 1")


def test_the_record_of_an_earlier_attempt_does_not_end_the_present_one(odd_path: Path) -> None:
    launched(odd_path)
    line(odd_path, 0, "running", started_at="2026-11-22T11:00:00.000Z", host=host(os.getpid()))
    line(odd_path, 1, "running", started_at="2026-11-22T11:00:00.000Z", host=host(GONE))
    for number in range(2):
        make_run(odd_path / str(number), job=job(number), started_at="2026-11-22T10:00:00.000Z")
    assert states(read_sweep(odd_path)) == {0: "running", 1: "lost"}
    make_run(odd_path / "1", job=job(1), started_at="2026-11-22T11:00:00.000Z")
    assert states(read_sweep(odd_path)) == {0: "running", 1: "completed"}


def test_a_lost_job_with_a_record_that_still_runs_or_is_torn_is_lost(odd_path: Path) -> None:
    launched(odd_path)
    for number in range(2):
        line(odd_path, number, "running", host=host(GONE))
    make_run(odd_path / "0", job=job(0), resources={"peak_rss_bytes": 2**30}, **running(GONE))
    write(odd_path / "1" / ".hydra" / "run.json", '{"schema": 1, "sta')
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "lost", 1: "lost"}
    assert [each.peak_rss_bytes for each in sweep.jobs] == [2**30, None], "what sampled it has left that"


def test_of_several_attempts_the_later_one_counts(odd_path: Path) -> None:
    launched(odd_path)
    line(odd_path, 0, "failed", attempt=1)
    line(odd_path, 0, "completed", attempt=2, result={"y": 2})
    line(odd_path, 1, "completed", attempt=1)
    line(odd_path, 1, "failed", attempt=2)
    first, second = read_sweep(odd_path).jobs
    assert (first.status, first.attempt, first.result) == ("completed", 2, {"y": 2})
    assert (second.status, second.attempt) == ("failed", 2)


# What was planned


def test_a_planned_job_is_pending_while_the_launching_process_lives(odd_path: Path) -> None:
    launched(odd_path, plan=PLAN)
    line(odd_path, 0)
    line(odd_path, 1, "running", host=host(os.getpid()))
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "completed", 1: "running", 2: "pending"}
    assert sweep.jobs[2].overrides == ["x=2"]
    assert sweep.is_alive
    over = read_sweep(odd_path, is_over=True)
    assert (states(over)[2], over.is_alive) == ("missing", False)


def test_a_planned_job_is_missing_once_nobody_is_left_to_start_it(odd_path: Path) -> None:
    launched(odd_path, GONE, plan=PLAN)
    line(odd_path, 1)
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "missing", 1: "completed", 2: "missing"}
    assert (sweep.is_alive, sweep.ended) == (False, None)


def test_a_planned_job_is_missing_once_the_launch_has_ended(odd_path: Path) -> None:
    launched(odd_path, plan=PLAN)
    ended(odd_path, "interrupted")
    sweep = read_sweep(odd_path)
    assert states(sweep) == dict.fromkeys(range(3), "missing")
    assert (sweep.is_alive, sweep.ended) == (False, "interrupted")


def test_a_launch_elsewhere_may_still_start_jobs(odd_path: Path) -> None:
    append(odd_path, {"launch": "started", "id": "far", "host": {**host(GONE), "name": "elsewhere"}, "plan": PLAN})
    sweep = read_sweep(odd_path)
    assert (sweep.is_alive, set(states(sweep).values())) == (True, {"pending"})


def test_without_a_plan_a_gap_in_the_numbers_is_a_job(odd_path: Path) -> None:
    """As with sweepers that make the plan up as they go."""
    launched(odd_path, GONE)
    line(odd_path, 2)
    assert states(read_sweep(odd_path)) == {0: "missing", 1: "missing", 2: "completed"}


# Launches after launches


def test_a_fresh_launch_in_the_same_directory_makes_what_is_left_older(odd_path: Path) -> None:
    launched(odd_path, GONE, plan=PLAN)
    for number in range(3):
        line(odd_path, number, result={"y": "old"})
    ended(odd_path)
    launched(odd_path, id="second", plan=PLAN[:2])
    line(odd_path, 0, result={"y": "new"})
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "completed", 1: "pending"}
    assert sweep.jobs[0].result == {"y": "new"}
    assert [each.num for each in sweep.older] == [1, 2], "job 0 was replaced by the new one"
    assert (sweep.ended, sweep.is_alive) == (None, True)
    ended(odd_path, "completed", "first")
    assert read_sweep(odd_path).is_alive, "that was another launch's end"


def test_directories_of_an_older_sweep_do_not_come_back_as_its_jobs(odd_path: Path) -> None:
    launched(odd_path, GONE, plan=PLAN)
    for number in range(3):
        line(odd_path, number)
        make_run(odd_path / str(number), job=job(number))
    launched(odd_path, id="second", plan=PLAN[:1])
    line(odd_path, 0)
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "completed"}
    assert [each.num for each in sweep.older] == [1, 2]


def test_a_resuming_launch_keeps_what_is_there(odd_path: Path) -> None:
    launched(odd_path, GONE, plan=PLAN)
    line(odd_path, 0)
    line(odd_path, 1, "failed")
    launched(odd_path, id="second", resumes=True, nums=[1, 2, 4], plan=[*PLAN[1:], ["x=4"]])
    line(odd_path, 1, "completed", attempt=2)
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "completed", 1: "completed", 2: "pending", 4: "pending"}
    assert [each.overrides for each in sweep.jobs[2:]] == [["x=2"], ["x=4"]]
    assert sweep.older == []


# Without lines


def test_a_job_whose_lines_never_came_is_found_through_its_record(odd_path: Path) -> None:
    launched(odd_path, GONE, plan=PLAN)
    line(odd_path, 0)
    make_run(odd_path / "1", job=job(1), result={"y": 1}, overrides=["x=1"])
    make_run(odd_path / "2", job=job(2), **running(GONE))
    (odd_path / "notes").mkdir()
    make_run(odd_path / ".trash", job=job(5))
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "completed", 1: "completed", 2: "lost"}
    assert (sweep.jobs[1].result, sweep.jobs[1].dir) == ({"y": 1}, "1")


def test_a_job_without_lines_is_found_as_deep_as_the_others_lie(odd_path: Path) -> None:
    launched(odd_path, GONE, plan=PLAN)
    line(odd_path, 0, dir="x is/0")
    for number in range(2):
        make_run(odd_path / "x is" / str(number), job=job(number), overrides=[f"x={number}"])
    make_run(odd_path / "x is" / "0" / "inner", job=job(7))
    sweep = read_sweep(odd_path)
    assert states(sweep) == {0: "completed", 1: "completed", 2: "missing"}
    assert sweep.jobs[1].dir == "x is/1"


def test_a_record_that_cannot_be_read_is_told_of(odd_path: Path) -> None:
    launched(odd_path)
    write(odd_path / "0" / ".hydra" / "run.json", "{")
    (problem,) = read_sweep(odd_path).problems
    assert "is no whole run record" in problem


def test_a_sweep_without_a_journal_is_read_from_records_and_from_hydras_own_files(odd_path: Path) -> None:
    make_run(odd_path / "0", job=job(0), overrides=["lr=0.2"], result={"y": 0})
    make_hydra_run(odd_path / "deeper" / "lr is 0.1", num=1)
    make_run(odd_path / "10", job=job(10), **failed())
    make_run(odd_path / "9", job=job(9), **running(os.getpid()))
    write(odd_path / "11" / ".hydra" / "run.json", "[]")
    sweep = read_sweep(odd_path)
    told = [(each.num, each.status, each.dir) for each in sweep.jobs if each.status != "missing"]
    assert told == [
        (0, "completed", "0"),
        (1, "unknown", "deeper/lr is 0.1"),
        (9, "running", "9"),
        (10, "failed", "10"),
    ]
    assert sweep.jobs[0].overrides == ["lr=0.2"]
    assert sweep.jobs[1].overrides == ["lr=0.1"]
    assert [each.directory(odd_path).exists() for each in sweep.jobs[:2]] == [True, True]
    assert (sweep.launch, sweep.ended, sweep.is_alive) == (None, None, False)
    assert len(sweep.problems) == 1


def test_an_empty_directory_is_a_sweep_without_jobs(odd_path: Path) -> None:
    assert read_sweep(odd_path).jobs == []


def test_a_directory_that_is_not_there_is_told(odd_path: Path) -> None:
    with pytest.raises(SweepError, match=r"there is no directory .*nowhere"):
        read_sweep(odd_path / "nowhere")
    write(odd_path / "file", "")
    with pytest.raises(SweepError):
        read_sweep(odd_path / "file")


# Again and again


def test_a_reader_reads_only_what_is_new(odd_path: Path) -> None:
    path = odd_path / FILE_NAME
    reader = SweepReader(odd_path)
    assert reader.read().jobs == []
    launched(odd_path, plan=PLAN)
    line(odd_path, 0)
    assert states(reader.read()) == {0: "completed", 1: "pending", 2: "pending"}
    path.write_bytes(b"#" * (path.stat().st_size - 1) + b"\n")  # which nobody looks at any more
    line(odd_path, 1, "running", host=host(os.getpid()))
    assert states(reader.read()) == {0: "completed", 1: "running", 2: "pending"}
    line(odd_path, 1, "failed")
    ended(odd_path)
    assert states(reader.read()) == {0: "completed", 1: "failed", 2: "missing"}
    assert states(reader.read()) == {0: "completed", 1: "failed", 2: "missing"}


def test_a_reader_takes_up_a_line_once_it_is_whole(odd_path: Path) -> None:
    launched(odd_path)
    reader = SweepReader(odd_path)
    reader.read()
    path = odd_path / FILE_NAME
    before = path.read_bytes()
    text = json.dumps({"job": 0, "status": "completed", "result": "é"}, ensure_ascii=False).encode() + b"\n"
    for cut in range(len(text)):
        path.write_bytes(before + text[:cut])
        assert reader.read().jobs == [], cut
    path.write_bytes(before + text)
    assert [each.result for each in reader.read().jobs] == ["é"]


def test_a_reader_is_not_misled_by_a_torn_line_that_is_mended(odd_path: Path) -> None:
    launched(odd_path)
    with (odd_path / FILE_NAME).open("ab") as file:
        file.write(b'{"job":0,"status":"completed","result":"which was never told')
    reader = SweepReader(odd_path)
    assert reader.read().jobs == []
    line(odd_path, 0, "failed")
    line(odd_path, 1)
    assert states(reader.read()) == {0: "failed", 1: "completed"}


def test_a_journal_that_was_replaced_by_a_shorter_one_is_read_anew(odd_path: Path) -> None:
    reader = SweepReader(odd_path)
    launched(odd_path, plan=PLAN)
    for number in range(3):
        line(odd_path, number)
    ended(odd_path)
    assert set(states(reader.read()).values()) == {"completed"}
    (odd_path / FILE_NAME).unlink()
    launched(odd_path, id="second", plan=PLAN[:1])
    sweep = reader.read()
    assert states(sweep) == {0: "pending"}
    assert (sweep.ended, sweep.older) == (None, [])


def test_a_reader_sees_a_fresh_launch_between_two_looks(odd_path: Path) -> None:
    reader = SweepReader(odd_path)
    launched(odd_path)
    for number in range(2):
        line(odd_path, number)
    ended(odd_path)
    assert reader.read().ended == "completed"
    launched(odd_path, id="second", plan=PLAN[:1])
    assert [each.num for each in reader.read().older] == [0, 1]
    line(odd_path, 0)
    sweep = reader.read()
    assert (states(sweep), [each.num for each in sweep.older]) == ({0: "completed"}, [1])
