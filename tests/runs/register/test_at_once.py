"""No row is lost or torn, whoever writes at once, whoever is killed, and whatever is full."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs.register import open_register

from . import killing
from .stores import GONE, add, job, merge, present, read, running, states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_callbacks.runs.register.row import Row

N_WRITERS, N_ROWS = 8, 200
with_lines = pytest.mark.parametrize("file", ["csv", "jsonl"], indirect=True)


def row_of_writer(writer: int, number: int) -> Row:
    """Return a row; each writer brings a column of its own at first, and another one four times."""
    late = {} if number % 50 else {f"late {number}": True}
    return job(f"{writer}-{number}", **{f"of {writer}": number, "text": "x" * 200, "list": [writer, number], **late})


def append_many(place: str, writer: int, start: Any) -> None:
    start.wait()
    for first in range(0, N_ROWS, 5):
        with contextlib.closing(open_register(place)) as register:
            for number in range(first, first + 5):
                register.add(row_of_writer(writer, number))


def test_eight_writers_lose_nothing(place: str) -> None:
    """They bring columns of their own, so that a file is rewritten in the middle of it all."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(N_WRITERS)
    writers = [context.Process(target=append_many, args=(place, number, start)) for number in range(N_WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    rows = {row["run-id"]: row for row in read(place)}
    expected = [row_of_writer(writer, number) for writer in range(N_WRITERS) for number in range(N_ROWS)]
    assert len(read(place)) == len(expected)
    assert rows == {row["run-id"]: row for row in expected}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_kill_at_any_moment_keeps_every_acknowledged_row(place: str) -> None:
    """While rows are added, replaced by a second attempt's, and bring new columns."""
    command = [sys.executable, str(Path(killing.__file__)), place, "200"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    told = {int(number): attempt for number, attempt in json.loads(done.stdout).items()}
    assert len(told) >= 200
    assert Counter(told.values())[2] >= 100
    killing.check(place, told)
    if place.endswith(".db"):
        with contextlib.closing(sqlite3.connect(place)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    add(place, job("after"))
    assert states(place)["after"] == "completed"


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is being read cannot be replaced")
def test_readers_see_whole_rows_while_a_file_is_replaced(file: Path) -> None:
    """Each time with other columns in other places."""
    shapes = [{"a": "of a", "b": "of b", "c": "of c"}, {"c": "of c", "a": "of a"}, {"b": "of b"}]
    add(file, job())
    is_over = threading.Event()

    def replace() -> None:
        while not is_over.is_set():
            for shape in shapes:
                merge(file, [shape | job()], prune=True)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for _ in range(300):
            for row in read(file):
                assert {key: value for key, value in row.items() if key in "abc"} in [{}, *shapes]
    finally:
        is_over.set()
        writer.join()


@with_lines
def test_a_torn_last_row_costs_itself_only(file: Path) -> None:
    add(file, job("a", text="one a, two"), job("b", text="one b, two"))
    whole = file.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    behind_the_last_comma = whole.rfind(b',"') + 1  # where in CSV all cells are there, and the last one is empty
    for cut in {*range(start, len(whole) - 2)} - {behind_the_last_comma}:
        file.write_bytes(whole[:cut])
        kept = states(file)
        assert kept == {"a": "completed"}, "a reader passes it over"
        new = {"new": 1} if cut % 3 == 0 else {}
        add(file, job("c", **new))
        assert read(file) == [present(job("a", text="one a, two")), present(job("c", **new))]
        file.write_bytes(whole[:cut])
        add(file, job("a", run__attempt=2))
        assert read(file) == [present(job("a", run__attempt=2))]
        file.write_bytes(whole[:cut])
        merge(file, [job("d")])
        assert list(states(file)) == ["a", "d"]


@with_lines
def test_a_last_row_that_only_lacks_its_line_break_is_kept(file: Path) -> None:
    """As after some editors."""
    add(file, job("a"), job("b", x=1))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert list(states(file)) == ["a", "b"]
    add(file, job("b", run__attempt=2, x=2))
    assert [row.get("x") for row in read(file)] == [None, 2]
    file.write_bytes(whole[:-1])
    add(file, job("c"))
    assert list(states(file)) == ["a", "b", "c"]


def test_a_writer_that_is_killed_at_its_first_row_leaves_no_stranger(file: Path) -> None:
    """The file is there from the moment on that it is locked, and empty; or a part of it is."""
    file.write_bytes(b"")
    assert read(file) == []
    with contextlib.closing(open_register(file)) as register:
        assert register.columns() == []
    add(file, job("a"))
    assert list(states(file)) == ["a"]


@pytest.fixture
def disk(odd_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    path = odd_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)], check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount")
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".db"])
def test_a_full_disk_keeps_what_was_there(disk: Path, suffix: str) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * 600_000)
    path = disk / f"register{suffix}"
    added: list[str] = []

    def fill_up() -> None:
        for number in range(1000):
            add(path, job(str(number), text="x" * 3000))
            added.append(f"id-{number}")

    with pytest.raises((OSError, RegisterError), match=r"No space left|full; make room on the disk"):
        fill_up()
    assert len(added) > 5
    assert [row["run-id"] for row in read(path)] == added
    with pytest.raises((OSError, RegisterError)):
        add(path, job("0", run__attempt=2, text="x" * 300_000))
    with pytest.raises((OSError, RegisterError)):
        add(path, job("wide", text="x" * 300_000, new=1))
    with pytest.raises((OSError, RegisterError)):
        merge(path, [job(str(number), text="y" * 30_000) for number in range(20)])
    assert [row["run-id"] for row in read(path)] == added
    ballast.unlink()
    add(path, job("after"), running("b", pid=GONE), job("1", run__attempt=2))
    assert [row["run-id"] for row in read(path) if row["run-status"] == "completed"] == [
        *(each for each in added if each != "id-1"),
        *("id-after", "id-1"),
    ]
    assert not [left.name for left in disk.iterdir() if left.name.endswith(".tmp")]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_register_behind_a_link_stays_there(file: Path) -> None:
    real = file.parent / "elsewhere" / file.name
    real.parent.mkdir()
    file.symlink_to(real)
    add(file, job("a"), job("b", new=1), job("a", run__attempt=2))
    merge(file, [job("c")])
    assert file.is_symlink()
    assert list(states(real)) == ["b", "a", "c"]
