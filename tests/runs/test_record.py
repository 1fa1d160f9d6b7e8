"""The run record survives torn files, odd values, second attempts and newer versions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_callbacks.errors import RecordError
from hydra_callbacks.runs import record
from hydra_callbacks.runs.record import JobRecord
from hydra_callbacks.support.process import host_facts

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_written_until_it_is_kept_and_everything_is_then(odd_path: Path) -> None:
    job = JobRecord(odd_path / ".hydra")
    job.add({"git": {"sha": "abc"}})
    assert not (odd_path / ".hydra").exists()
    job.add({"status": "running"})
    job.keep()
    written = (odd_path / ".hydra" / "run.json").stat().st_mtime_ns
    job.flush()
    assert (odd_path / ".hydra" / "run.json").stat().st_mtime_ns == written, "nothing was added"
    job.add({"resources": {"cpu_s": 1.5, "odd": float("nan")}, "note": "é\udc80"})
    job.flush()
    kept = record.read(odd_path)
    assert kept["schema"] == 1
    assert kept["git"] == {"sha": "abc"}
    assert kept["resources"] == {"cpu_s": 1.5, "odd": "nan"}
    assert [path.name for path in (odd_path / ".hydra").iterdir()] == ["run.json"]
    job.add({"git": None})
    job.flush()
    assert "git" not in record.read(odd_path / ".hydra" / "run.json")


def test_a_second_attempt_keeps_one_record_and_counts_up(odd_path: Path) -> None:
    first = JobRecord(odd_path)
    first.add({"status": "failed", "error": {"type": "ValueError"}, "result": {"x": 1}, "note": "by someone else"})
    first.keep()
    second = JobRecord(odd_path)
    second.add({"status": "completed"})
    second.keep()
    kept = record.read(odd_path)
    assert (first.attempt, second.attempt, kept["attempt"]) == (1, 2, 2)
    assert kept["id"] == first.data["id"]
    assert "error" not in kept
    assert "result" not in kept
    assert kept["note"] == "by someone else"


@pytest.mark.parametrize(
    ("earlier", "attempt"),
    [
        ({"status": "completed", "job": {"sweep": True}}, 2),
        ({"status": "completed", "job": {"sweep": False}}, 1),
        ({"status": "failed"}, 2),
        ({"status": "failed", "overrides": ["x=2"]}, 1),
        ({"status": "interrupted", "app": "other"}, 1),
    ],
)
def test_only_the_same_job_is_tried_again(odd_path: Path, earlier: dict[str, Any], attempt: int) -> None:
    """A single run that had completed is run anew; a sweep's job is done once more, as when it is resumed."""
    first = JobRecord(odd_path)
    first.add({"app": "train", "overrides": ["x=1"], **earlier})
    first.keep()
    second = JobRecord(odd_path, same={"app": "train", "overrides": ["x=1"]})
    assert second.attempt == attempt
    assert (second.data["id"] == first.data["id"]) is (attempt == 2)


def test_a_directory_where_another_process_is_at_work_is_not_taken_for_an_attempt(odd_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (odd_path / "run.json").write_text(
            json.dumps(
                {
                    "schema": 1,
                    "id": "theirs",
                    "status": "running",
                    "host": {**host_facts(), "pid": other.pid, "pid_started": None},
                }
            )
        )
        theirs = (odd_path / "run.json").read_bytes()
        ours = JobRecord(odd_path)
        assert not ours.claim()
        assert (ours.company, ours.is_kept) == (other.pid, False)
        assert (odd_path / "run.json").read_bytes() == theirs
        other.communicate(b"\n")
    assert ours.attempt == 1
    assert ours.data["id"] != "theirs"
    requeued = JobRecord(odd_path)
    assert requeued.attempt == 2, "that process has ended: a requeue"
    assert requeued.claim()
    assert record.read(odd_path)["attempt"] == 2


CLAIM = """
import sys
from pathlib import Path
from hydra_callbacks.runs.record import JobRecord
from hydra_callbacks.support.process import host_facts
record = JobRecord(Path(sys.argv[1]))
record.add({"status": "running", "host": host_facts()})
print("ready", flush=True)
input()
print(record.claim(), flush=True)
input()
"""


def test_of_eight_runs_that_start_at_once_in_one_directory_one_has_it(odd_path: Path) -> None:
    others = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(odd_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
        )
        for _ in range(8)
    ]
    claims = []
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    for other in others:
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()
    for other in others:
        assert other.stdout is not None
        claims.append(other.stdout.readline() == "True\n")
    (winner,) = (other.pid for other, has in zip(others, claims, strict=True) if has)
    assert record.read(odd_path)["host"]["pid"] == winner
    for other in others:
        other.communicate("\n")
    assert [file.name for file in odd_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1', "[1]", "null", '{"attempt": "x"}'])
def test_a_torn_record_does_not_keep_the_next_attempt_from_starting(odd_path: Path, text: str) -> None:
    (odd_path / "run.json").write_text(text)
    job = JobRecord(odd_path)
    job.keep()
    assert record.read(odd_path)["attempt"] == job.attempt


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(min_value=0, max_value=400))
def test_any_cut_is_told_as_such_or_read(odd_path: Path, cut: int) -> None:
    job = JobRecord(odd_path)
    job.add({"config": {"x": "é" * 30}, "status": "running"})
    job.keep()
    whole = (odd_path / "run.json").read_bytes()
    (odd_path / "run.json").write_bytes(whole[:cut])
    if cut < len(whole) - 1:  # only the line break is missing
        with pytest.raises(RecordError, match="is no whole run record"):
            record.read(odd_path)
    else:
        assert record.read(odd_path)["status"] == "running"
    (odd_path / "run.json").unlink()


def test_what_is_missing_or_too_new_is_told(odd_path: Path) -> None:
    with pytest.raises(RecordError, match=r"no run record in .*RunRecord callback"):
        record.read(odd_path)
    (odd_path / "run.json").write_text('{"schema": 2}')
    with pytest.raises(RecordError, match="has schema 2, this version reads up to 1: pip install -U"):
        record.read(odd_path)
    (odd_path / "run.json").write_text("[]")
    with pytest.raises(RecordError, match="expected a JSON object, got list"):
        record.read(odd_path)


def test_unknown_keys_are_read_along(odd_path: Path) -> None:
    (odd_path / "run.json").write_text(json.dumps({"schema": 1, "later": {"a": [1]}}))
    assert record.read(odd_path)["later"] == {"a": [1]}
    assert record.status(record.read(odd_path)) == "unknown"


def test_a_running_record_whose_process_is_gone_is_lost() -> None:
    host = host_facts()
    assert record.status({"status": "running", "host": host}) == "running"
    assert record.status({"status": "running", "host": {**host, "pid": 2**22 + 1}}) == "lost"
    assert record.status({"status": "completed", "host": {**host, "pid": 2**22 + 1}}) == "completed"


def test_ids_are_uuids_of_version_7_and_sort_by_age() -> None:
    ids = [record.new_id() for _ in range(200)]
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one) for one in ids)
    assert len(set(ids)) == 200
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)


def test_times_are_utc_with_milliseconds() -> None:
    assert record.timestamp(0.1204) == "1970-01-01T00:00:00.120Z"
    assert record.timestamp(1_795_350_875) == "2026-11-22T12:34:35.000Z"


@pytest.mark.parametrize(
    "wrong",
    [{"id": [1]}, {"id": 5}, {"config": 5}, {"host": []}, {"overrides": "x=1"}, {"attempt": "x"}, {"status": {}}],
)
def test_a_record_with_a_wrong_type_is_told_of_as_damaged(odd_path: Path, wrong: dict[str, Any]) -> None:
    (odd_path / "run.json").write_text(json.dumps({"schema": 1, **wrong}))
    with pytest.raises(RecordError, match=rf"is no run record: expected {next(iter(wrong))} to be of type"):
        record.read(odd_path)
