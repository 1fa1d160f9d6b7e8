"""No row is lost or torn, whoever writes at once and whoever is killed."""

from __future__ import annotations

import csv
import math
import multiprocessing
import os
import random
import signal
import subprocess
import sys
from array import array
from typing import TYPE_CHECKING, Any

import pytest
from conftest import wait_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_callbacks.errors import TableError
from hydra_callbacks.support import tables
from hydra_callbacks.support.tables import append_columns, append_rows, read_rows

if TYPE_CHECKING:
    from pathlib import Path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_added_under_one_header_and_folders_made(odd_path: Path) -> None:
    path = odd_path / "outputs" / "register.csv"
    append_rows(path, [{"a": 1, "b": 'zwölf, oder "mehr"'}])
    append_rows(path, [{"b": None, "a": [1, {"x": None}]}, {"a": True, "b": "two\nlines\r\0"}])
    assert path.read_text(encoding="utf-8").splitlines()[0] == "a,b"
    assert rows(path) == [
        {"a": "1", "b": 'zwölf, oder "mehr"'},
        {"a": '[1, {"x": null}]', "b": ""},
        {"a": "True", "b": '"two\\nlines\\r\\u0000"'},
    ]
    assert os.listdir(path.parent) == ["register.csv"]  # noqa: PTH208  (hidden files count)


@pytest.mark.parametrize("text", ["precious notes\n", '{"accuracy": 1}\n', "a,b\n1,2\n"])
def test_another_programs_file_is_left_as_it_is(odd_path: Path, text: str) -> None:
    path = odd_path / "notes.txt"
    path.write_text(text, encoding="utf-8")
    for append in (
        lambda: append_columns(path, {"time": [1.0]}, known_by="time"),
        lambda: append_rows(path, [{"time": 1.0}], known_by="time"),
    ):
        with pytest.raises(TableError, match="is there already, and another program's: it has no column 'time'"):
            append()
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("n_rows", [0, 1, 3, 1500])
def test_rows_may_be_given_by_columns(odd_path: Path, n_rows: int) -> None:
    path = odd_path / "table.csv"
    numbers = [math.nan if index == 1 else 1.7e9 + index / 1000 for index in range(n_rows)]
    columns = {
        "": range(n_rows),
        "time": array("d", numbers),
        "small": array("d", [1e-6 * index for index in range(n_rows)]),
        "name": ["é, =1"] * n_rows,
        "phase": ["fit" if index % 2 else None for index in range(n_rows)],
    }
    append_columns(path, columns)
    append_columns(path, {"time": array("d", numbers), "new": [True] * n_rows})
    first = [
        {
            **{name: values[index] for name, values in columns.items()},
            "time": None if index == 1 else numbers[index],
            "new": None,
        }
        for index in range(n_rows)
    ]
    second = [{**dict.fromkeys(columns), "time": row["time"], "new": True} for row in first]
    assert list(read_rows(path)) == first + second


def test_a_new_column_appears_and_old_rows_stay(odd_path: Path) -> None:
    path = odd_path / "register.csv"
    append_rows(path, [{"lr": 0.1, "job_success": True}])
    append_rows(path, [{"depth": 3, "lr": 0.2, "job_success": False}])
    append_rows(path, [{"lr": 0.3}])
    assert rows(path) == [
        {"lr": "0.1", "job_success": "True", "depth": ""},
        {"lr": "0.2", "job_success": "False", "depth": "3"},
        {"lr": "0.3", "job_success": "", "depth": ""},
    ]


def test_a_table_that_another_program_wrote_is_continued(odd_path: Path) -> None:
    """With a byte-order mark, line breaks inside cells, Windows line ends, and no line break at the end."""
    path = odd_path / "register.csv"
    path.write_bytes('\ufeffa,b\r\n1,"x\ny"\r\n2,z'.encode())
    append_rows(path, [{"a": 3, "b": "w"}])
    append_rows(path, [{"a": 4, "c": "new"}])
    assert [list(row.values()) for row in rows(path)] == [
        ["1", "x\ny", ""],
        ["2", "z", ""],
        ["3", "w", ""],
        ["4", "", "new"],
    ]


def test_cells_of_any_length_are_kept_when_a_column_is_new(odd_path: Path) -> None:
    path = odd_path / "register.csv"
    append_rows(path, [{"a": "x" * 200_000, "line\nbreak": 1}])
    append_rows(path, [{"a": 1, "line\nbreak": 2}])
    append_rows(path, [{"b": 1}])
    before = csv.field_size_limit(300_000)
    assert [(len(row["a"]), row['"line\\nbreak"'], row["b"]) for row in rows(path)] == [
        (200_000, "1", ""),
        (1, "2", ""),
        (0, "", "1"),
    ]
    assert csv.field_size_limit(before) == 300_000


def test_a_long_torn_row_is_taken_away_whole(odd_path: Path) -> None:
    path = odd_path / "register.csv"
    path.write_text('a,b\n1,2\n3,"' + "y " * 100_000)
    append_rows(path, [{"a": 5, "b": 6}])
    assert path.read_text() == "a,b\n1,2\n5,6\n"


def test_what_is_no_table_is_left_alone(odd_path: Path) -> None:
    path = odd_path / "register.csv"
    path.write_bytes(b"\xff\xfe\x00 not text")
    with pytest.raises(TableError, match="is no CSV table in UTF-8"):
        append_rows(path, [{"a": 1}])
    path.write_text("a,b,a\n")
    with pytest.raises(TableError, match=r"names columns twice .*\(a\)"):
        append_rows(path, [{"a": 1}])
    assert path.read_text() == "a,b,a\n"
    path.write_text("\na,b\n")
    with pytest.raises(TableError, match="begins with an empty line, expected the names of its columns"):
        append_rows(path, [{"a": 1}])
    assert path.read_text() == "\na,b\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(min_value=1, max_value=40), text=st.text(max_size=20))
def test_a_cut_of_the_last_line_costs_that_line_only(odd_path: Path, cut: int, text: str) -> None:
    path = odd_path / "register.csv"
    path.unlink(missing_ok=True)
    append_rows(path, [{"number": 0, "text": text, "end": True}])
    whole = path.stat().st_size
    append_rows(path, [{"number": 1, "text": f'"{text}', "end": True}])
    last = path.stat().st_size - whole
    with path.open("r+b") as file:
        file.truncate(whole + last - min(cut, last))
    append_rows(path, [{"number": 2, "text": text, "end": True}])
    kept = rows(path)
    assert [row["number"] for row in kept if row["number"] != "1"] == ["0", "2"]
    assert kept[0] == {**kept[-1], "number": "0"}
    assert len(kept) <= 3
    assert all(len(row) == 3 and None not in row for row in kept)


def test_a_torn_row_is_told_of(odd_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = odd_path / "register.csv"
    path.write_text('a,b\n1,2\n3,"unfini')
    append_rows(path, [{"a": 5, "b": 6}])
    assert path.read_text() == "a,b\n1,2\n5,6\n"
    assert "torn row, which is taken away: b'3,\"unfini'" in caplog.text


def append_many(path: Path, writer: int, count: int) -> None:
    for number in range(count):
        append_rows(path, [{"writer": writer, "number": number, f"extra{writer}": "x" * 200}])


def test_eight_writers_lose_nothing(odd_path: Path) -> None:
    """Each of them brings a column of its own, so that the file is rewritten in the middle of it all."""
    path = odd_path / "register.csv"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_many, args=(path, number, 50)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    kept = rows(path)
    assert len(kept) == 400
    assert {(row["writer"], row["number"]) for row in kept} == {(str(w), str(n)) for w in range(8) for n in range(50)}
    assert all(row[f"extra{row['writer']}"] == "x" * 200 for row in kept)


KILLED = """
import sys
from pathlib import Path
from hydra_callbacks.support.tables import append_columns, append_rows, read_rows
path, start = Path(sys.argv[1]), int(sys.argv[2])
number = start
while True:
    append_rows(path, [{"number": number, "text": "t" * 5000, f"c{number % 7}": 1}])
    print(number, flush=True)
    number += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_kill_at_any_moment_keeps_every_acknowledged_row(odd_path: Path) -> None:
    path = odd_path / "register.csv"
    acknowledged: list[int] = []
    chance = random.Random(1)  # noqa: S311  (the same moments in each run of the tests)
    for round_number in range(15):
        start = round_number * 100_000
        command = [sys.executable, "-c", KILLED, str(path), str(start)]
        log = odd_path / "acknowledged"
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out)
            target = chance.randint(1, 4000)
            wait_for(lambda: log.stat().st_size > target)  # noqa: B023  (called at once)
            process.send_signal(signal.SIGKILL)
            process.wait()
        acknowledged += [int(line) for line in log.read_text().split("\n")[:-1]]
    append_rows(path, [{"number": -1}])
    kept = [int(row["number"]) for row in rows(path)]
    assert len(acknowledged) > 15
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))
    assert len(kept) - len(acknowledged) <= 15 + 1  # a row may be written and not yet acknowledged
    assert all(row["text"] == "t" * 5000 for row in rows(path)[:-1])


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small disk takes Linux and root")
def test_a_full_disk_keeps_the_table_as_it_was(odd_path: Path) -> None:
    disk = odd_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        path = disk / "register.csv"

        def fill_up() -> None:
            for number in range(100):
                append_rows(path, [{"number": number, "text": "x" * 3000}])

        with pytest.raises(OSError, match="No space left"):
            fill_up()
        kept = [row["number"] for row in rows(path)]
        assert len(kept) > 5
        assert kept == [str(number) for number in range(len(kept))]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("n_rows", [10, 20_000])
def test_an_append_reads_the_header_and_the_last_byte_only(
    odd_path: Path, monkeypatch: pytest.MonkeyPatch, n_rows: int
) -> None:
    path = odd_path / "register.csv"
    append_rows(path, [{"number": number, "text": "x" * 100} for number in range(n_rows)])
    read: list[int] = []

    def counted(fd: int, size: int) -> bytes:
        data = os_read(fd, size)
        read.append(len(data))
        return data

    def never(*_args: Any) -> None:
        pytest.fail("the whole file is written anew")

    os_read = os.read
    monkeypatch.setattr(os, "read", counted)
    monkeypatch.setattr(tables, "_rewrite", never)
    append_rows(path, [{"number": -1, "text": "y"}])
    assert read == [min(path.stat().st_size - len("-1,y\n"), 8192), 1]
