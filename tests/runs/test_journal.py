"""The journal of a sweep loses no line, whoever writes at once, and tells who is at work and when to stop."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from run_dirs import GONE, host

from hydra_callbacks.errors import SweepInUseError
from hydra_callbacks.runs.journal import (
    FILE_NAME,
    JobJournal,
    SweepJournal,
    append,
    stop_reason,
)
from hydra_callbacks.runs.journal_lines import at_work, parts
from hydra_callbacks.support.process import host_facts
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hydra_callbacks.runs.sweep_job import SweepJob


def lines(sweep: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (sweep / FILE_NAME).read_text(encoding="utf-8").splitlines()]


def read(sweep: Path, offset: int = 0) -> list[SweepJob]:
    return [job for _, _, jobs in parts(sweep / FILE_NAME, offset) for job in jobs.values()]


def launch(sweep: Path, **facts: Any) -> SweepJournal:
    return SweepJournal(sweep, lambda: {"at": "2026-11-22T09:00:00.000Z", "host": host_facts(), **facts})


def job(sweep: Path, number: int = 0, **facts: Any) -> JobJournal:
    told = {"dir": str(number), "attempt": 1, "overrides": [f"x={number}"], "started_at": "then"}
    journal = JobJournal(sweep, {"job": number, **told, **facts})
    journal.keep()
    return journal


def fail(sweep: Path, number: int, fail_fast: int | None) -> None:
    journal = job(sweep, number)
    journal.fail_fast = fail_fast
    journal.end("failed", {"error": {"type": "ValueError", "message": "no"}}, is_recorded=True)


@pytest.fixture
def other_pid() -> Iterator[int]:
    """Give the id of another process that runs meanwhile."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        yield other.pid
        other.communicate(b"\n")


# Lines


def test_the_lines_of_a_launch_and_a_job_tell_what_happened(odd_path: Path) -> None:
    sweep = odd_path / "made" / "when needed"
    launched = launch(sweep, app="train", plan=[["x=0"]])
    launched.keep(facts={"resumes": True})
    done = job(sweep)
    done.result_file = "results.json"
    done.end("completed", {"duration_s": 1.5, "result": {"é": 1}, "error": None}, is_recorded=True)
    launched.end("completed", 0.12)
    first, start, end, last = lines(sweep)
    assert first == {
        "launch": "started",
        "schema": 1,
        "id": first["id"],
        "at": "2026-11-22T09:00:00.000Z",
        "host": host_facts(),
        "app": "train",
        "plan": [["x=0"]],
        "n_planned": 1,
        "resumes": True,
    }
    told = {"job": 0, "overrides": ["x=0"], "started_at": "then"}
    assert start == {**told, "status": "running", "host": host_facts()}
    assert end == {**told, "status": "completed", "duration_s": 1.5, "result": {"é": 1}}
    assert last == {"launch": "ended", "id": first["id"], "at": "1970-01-01T00:00:00.120Z", "status": "completed"}


def test_what_is_not_usual_stands_in_the_line_of_a_job(odd_path: Path) -> None:
    odd = job(odd_path, 3, dir="lr is 3", attempt=2)
    odd.result_file = "metrics.json"
    odd.end("completed", {}, is_recorded=True)
    (end,) = read(odd_path)
    assert (end.dir, end.attempt, end.result_file) == ("lr is 3", 2, "metrics.json")


def test_a_launch_writes_its_first_line_once_and_no_last_one_without_it(odd_path: Path) -> None:
    launched = launch(odd_path / "sweep")
    launched.end("failed", 0)
    assert not (odd_path / "sweep").exists()
    launched.leave()
    launched.keep()
    assert not (odd_path / "sweep").exists(), "the one who knows the plan writes it"
    launched.take()
    launched.keep()
    launched.keep()
    launched.end("completed", 0)
    launched.end("completed", 0)
    assert [line["launch"] for line in lines(odd_path / "sweep")] == ["started", "ended"]


def test_a_sweep_whose_directory_is_removed_meanwhile_ends_without_a_word(odd_path: Path) -> None:
    launched = launch(odd_path / "sweep")
    launched.keep()
    (odd_path / "sweep" / FILE_NAME).unlink()
    (odd_path / "sweep").rmdir()
    launched.end("completed", 0)
    assert not (odd_path / "sweep").exists()


def test_a_job_writes_one_line_at_its_start_and_one_at_its_end(odd_path: Path) -> None:
    silent = JobJournal(odd_path, {"job": 0, "dir": "0"})
    silent.end("completed", {}, is_recorded=True)
    assert not (odd_path / FILE_NAME).exists()
    talkative = job(odd_path)
    talkative.keep()
    talkative.end("completed", {}, is_recorded=True)
    talkative.end("failed", {}, is_recorded=True)
    assert [line["status"] for line in lines(odd_path)] == ["running", "completed"]


def test_a_large_result_stands_in_the_record_only(odd_path: Path) -> None:
    large, small = {"losses": "x" * 16_400}, {"losses": "x" * 16_300}
    job(odd_path, 0).end("completed", {"result": large}, is_recorded=True)
    job(odd_path, 1).end("completed", {"result": small}, is_recorded=True)
    job(odd_path, 2).end("completed", {"result": large}, is_recorded=False)
    first, second, third = read(odd_path)
    assert (first.result, first.is_cut) == (None, True)
    assert (second.result, second.is_cut) == (small, False)
    assert (third.result, third.is_cut) == (large, False), "there is no record that has it"


def test_a_long_error_message_is_cut(odd_path: Path) -> None:
    job(odd_path).end("failed", {"error": {"type": "E", "message": "x" * 5000}}, is_recorded=True)
    assert str(read(odd_path)[0].error) == f"E: {'x' * 2000}"


WRITER = """
import sys
from pathlib import Path
from hydra_callbacks.runs.journal import append
writer = int(sys.argv[2])
input()
for number in range(40):
    append(Path(sys.argv[1]), {"job": writer * 40 + number, "status": "completed", "text": "\u00e9" * (number * 50)})
"""


def test_eight_processes_that_write_at_once_lose_no_line(odd_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(odd_path), str(number)], stdin=subprocess.PIPE)
        for number in range(8)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    written = lines(odd_path)
    assert sorted(line["job"] for line in written) == list(range(320))
    assert all(line["text"] == "é" * (line["job"] % 40 * 50) for line in written)
    assert os.listdir(odd_path) == [FILE_NAME]  # noqa: PTH208  (hidden files count)


def test_any_cut_of_the_last_line_costs_that_line_only_and_the_next_one_mends_it(odd_path: Path) -> None:
    path = odd_path / FILE_NAME
    first, last, new = ({"job": number, "status": "completed", "result": "é\n"} for number in range(3))
    append(odd_path, first)
    start = path.stat().st_size
    append(odd_path, last)
    whole = path.read_bytes()
    for cut in range(start, len(whole)):
        path.write_bytes(whole[:cut])
        assert [each.num for each in read(odd_path)] == [0], cut
        append(odd_path, new)
        kept = [last] if cut == len(whole) - 1 else []  # only its line break was missing
        assert lines(odd_path) == [first, *kept, new], cut


# Reading


def test_what_is_no_json_object_is_passed_over(odd_path: Path) -> None:
    append(odd_path, {"job": 0, "status": "completed"})
    with (odd_path / FILE_NAME).open("ab") as file:
        file.write(b'\0\0\0\n\n[1]\n5\nnull\n{"job":\n\xff\xfe\n')
    append(odd_path, {"job": 1, "status": "completed", "result": {"y": float("nan"), "text": "\udc80"}})
    first, second = read(odd_path)
    assert (first.num, second.num) == (0, 1)
    assert repr(second.result) == repr({"y": float("nan"), "text": "\udc80"}), "what is not quite JSON is read, too"


def test_of_a_job_only_the_latest_line_is_read(odd_path: Path) -> None:
    job(odd_path, 0, attempt=1).end("failed", {}, is_recorded=True)
    job(odd_path, 1).end("completed", {}, is_recorded=True)
    job(odd_path, 0, attempt=2).end("completed", {}, is_recorded=True)
    assert [(each.num, each.status) for each in read(odd_path)] == [(0, "completed"), (1, "completed")]


def test_jobs_with_one_number_in_two_directories_are_two(odd_path: Path) -> None:
    job(odd_path, 0, dir="a").end("failed", {}, is_recorded=True)
    job(odd_path, 0, dir="b").end("completed", {}, is_recorded=True)
    assert [(each.dir, each.status) for each in read(odd_path)] == [("a", "failed"), ("b", "completed")]


def test_a_launch_begins_a_part(odd_path: Path) -> None:
    path = odd_path / FILE_NAME
    for _ in range(2):
        launch(odd_path).keep()
        job(odd_path).end("completed", {}, is_recorded=True)
    found = [(begun and begun.launch, [each.status for each in jobs.values()]) for _, begun, jobs in parts(path)]
    assert [each for each in found if each != (None, [])] == [("started", ["completed"])] * 2


def test_launches_and_jobs_are_told_apart_wherever_they_stand(odd_path: Path) -> None:
    whole = [
        '{"launch":"started","id":"a"}',
        '{"launch":"ended","id":"a","status":"failed"}',
        '{"job":1,"status":"failed"}',
    ]
    for first, second, third in itertools.permutations([*whole, ""], 3):
        (odd_path / FILE_NAME).write_text("".join(f"{line}\n" for line in (first, second, third)))
        found: list[Any] = []
        for _, begun, jobs in parts(odd_path / FILE_NAME):
            found += [begun.launch] if begun else []
            found += [job.num for job in jobs.values()]
        told = {whole[0]: "started", whole[1]: "ended", whole[2]: 1}
        assert found == [told[line] for line in (first, second, third) if line]


def test_a_long_journal_is_read_in_blocks_and_goes_on_where_each_has_ended(odd_path: Path) -> None:
    written = [{"job": number, "status": "completed", "result": "é" * 40_000} for number in range(120)]
    text = "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in written)
    (odd_path / FILE_NAME).write_text(text + '{"job":120,"status', encoding="utf-8")
    blocks = list(parts(odd_path / FILE_NAME))
    assert len(blocks) > 2
    n_before = 0
    for offset, _, jobs in blocks:
        n_before += len(jobs)
        assert [(each.num, each.result) for each in read(odd_path, offset)] == [
            (each["job"], each["result"]) for each in written[n_before:]
        ]
    assert n_before == len(written)
    assert blocks[-1][0] == len(text.encode()), "the torn line is still to be read"


# Company


def test_the_guard_refuses_while_another_launch_is_at_work(odd_path: Path, other_pid: int) -> None:
    launch(odd_path, host=host(other_pid)).keep()
    before = (odd_path / FILE_NAME).read_bytes()
    with pytest.raises(SweepInUseError, match=rf"another launch \(process {other_pid}, since 2026-11-22T09") as raised:
        launch(odd_path).keep(guard=True)
    assert str(odd_path) in str(raised.value)
    assert "hydra.sweep.dir" in str(raised.value)
    assert (odd_path / FILE_NAME).read_bytes() == before
    launch(odd_path).keep()
    assert len(lines(odd_path)) == 2, "without the guard nobody is asked"


def test_the_guard_refuses_while_a_job_of_an_earlier_launch_is_at_work(odd_path: Path, other_pid: int) -> None:
    dead = launch(odd_path, host=host(GONE))
    dead.keep()
    append(odd_path, {"job": 4, "status": "running", "started_at": "then", "host": host(other_pid)})
    with pytest.raises(SweepInUseError, match=rf"job 4 of an earlier launch \(process {other_pid}, since then\)"):
        launch(odd_path).keep(guard=True)
    launch(odd_path, host=host(GONE)).keep()
    append(odd_path, {"job": 4, "status": "completed"})
    launch(odd_path).keep(guard=True)


def test_a_job_that_has_outlived_its_launch_need_not_count(odd_path: Path, other_pid: int) -> None:
    append(odd_path, {"job": 4, "status": "running", "host": host(other_pid)})
    launch(odd_path).keep(guard=True, jobs=False)
    launch(odd_path, host=host(other_pid)).keep()
    with pytest.raises(SweepInUseError, match="another launch"):
        launch(odd_path).keep(guard=True, jobs=False)


def test_a_refused_launch_does_not_let_stopped_jobs_start(odd_path: Path, other_pid: int) -> None:
    launch(odd_path, host=host(other_pid)).keep()
    fail(odd_path, 0, fail_fast=1)
    with pytest.raises(SweepInUseError):
        launch(odd_path).keep(guard=True)
    assert stop_reason(odd_path)


def test_the_guard_lets_pass_what_has_ended_or_died_or_is_this_process(odd_path: Path, other_pid: int) -> None:
    append(odd_path, {"launch": "started", "id": "a", "host": host(other_pid)})
    append(odd_path, {"launch": "ended", "id": "a", "status": "failed"})
    append(odd_path, {"launch": "started", "id": "b", "host": host(GONE)})
    append(odd_path, {"job": 0, "status": "running", "host": host(GONE)})
    append(odd_path, {"launch": "started", "id": "c", "host": {**host(other_pid), "pid_started": 1}})
    append(odd_path, {"launch": "started", "id": "d", "host": {**host(other_pid), "name": "elsewhere"}})
    append(odd_path, {"launch": "started", "id": "e", "host": host(os.getpid())})
    append(odd_path, {"launch": "started", "id": "f"})
    assert at_work(odd_path / FILE_NAME) == ([], [])
    launch(odd_path).keep(guard=True)
    assert lines(odd_path)[-1]["launch"] == "started"


# Fail fast


def test_so_many_failures_stop_the_sweep_until_it_is_launched_again(odd_path: Path) -> None:
    launch(odd_path).keep()
    fail(odd_path, 0, fail_fast=2)
    job(odd_path, 1).end("completed", {}, is_recorded=True)
    assert stop_reason(odd_path) is None
    fail(odd_path, 2, fail_fast=2)
    reason = stop_reason(odd_path)
    assert reason is not None
    assert "2 jobs have failed (fail_fast: 2)" in reason
    assert f"hydra-callbacks resume {as_words([odd_path])}" in reason
    launch(odd_path).keep()
    assert stop_reason(odd_path) is None
    fail(odd_path, 3, fail_fast=2)
    assert stop_reason(odd_path) is None, "those of the launch before do not count"
    fail(odd_path, 4, fail_fast=2)
    assert stop_reason(odd_path) is not None


def test_the_first_failure_may_stop_the_sweep(odd_path: Path) -> None:
    launch(odd_path).keep()
    fail(odd_path, 0, fail_fast=1)
    assert "a job has failed (fail_fast: 1)" in (stop_reason(odd_path) or "")


def test_without_fail_fast_or_a_failure_nothing_stops_the_sweep(odd_path: Path) -> None:
    launched = launch(odd_path)
    launched.keep()
    for number in range(3):
        fail(odd_path, number, fail_fast=None)
    interrupted = job(odd_path, 3)
    interrupted.fail_fast = 1
    interrupted.end("interrupted", {}, is_recorded=True)
    assert stop_reason(odd_path) is None


def test_a_launch_that_has_failed_is_no_failed_job(odd_path: Path) -> None:
    append(odd_path, {"launch": "ended", "id": "a", "status": "failed"})
    fail(odd_path, 0, fail_fast=2)
    assert stop_reason(odd_path) is None


def test_a_line_that_is_being_written_while_it_is_read_comes_whole_the_next_time(odd_path: Path) -> None:
    path = odd_path / FILE_NAME
    path.write_bytes(b'{"job":0,"status":"completed"}\n{"job":1,"sta')
    reading = parts(path)
    offset, _, _ = next(reading)
    with path.open("ab") as file:
        file.write(b'tus":"completed"}\n{"job":2,"status":"completed"}\n')
    assert (offset, list(reading)) == (31, [])
    assert [each.num for each in read(odd_path, offset)] == [1, 2]
