"""What is no register is told from one and left alone; what older versions and spreadsheets made is continued."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import ODD_NAME

from hydra_callbacks.errors import MissingExtraError, RegisterError
from hydra_callbacks.runs import register
from hydra_callbacks.runs.query import Query, ask
from hydra_callbacks.runs.register import open_register

from .stores import GONE, add, job, merge, present, read, running, states

if TYPE_CHECKING:
    from collections.abc import Iterator


def refusals(path: Path) -> set[str]:
    """Return what is said when a file is used in any way; it must not have changed."""
    before = path.read_bytes()
    said = set()
    with contextlib.closing(open_register(path)) as opened:
        for use in (
            lambda: opened.add(job()),
            lambda: opened.add(job(run__attempt=2)),
            lambda: opened.merge([job()]),
            lambda: opened.merge([job()], prune=True),
            opened.columns,
            lambda: list(opened.rows()),
            lambda: opened.select(Query()),
        ):
            with pytest.raises(RegisterError) as error:
                use()
            said.add(str(error.value))
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208  (hidden files count)
    return said


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        (
            "register.csv",
            b"date,price\n1,2\n",
            "lacks the columns run-dir and job_success (it has date, price); name another register_file, or move it",
        ),
        (
            "register.csv",
            "a;b;run-dir;job_success;é\n0,5;b;outputs/a;True;\n".encode(),
            "has ';' between its columns, expected commas; save it as comma-separated again",
        ),
        (
            "register.csv",
            b"lr\trun-dir\tjob_success\n",
            r"has '\t' between its columns, expected commas; save it as comma-separated again",
        ),
        ("register.csv", b"run-dir,job_success,run-dir\n", "names columns twice in its first line (run-dir);"),
        ("register.csv", b"\nrun-dir,job_success\n", "begins with an empty line, expected the names of its columns"),
        ("register.jsonl", b"\n{}\n", "its first line is no JSON object with the key run-dir"),
        ("register.csv", b"\xff\xfea\0,\0b\0", "is no CSV table in UTF-8"),
        (
            "register.jsonl",
            b'{"level": "info"}\n{"run-dir": "outputs/a"}\n',
            "is no register: its first line is no JSON object with the key run-dir; name another register_file",
        ),
        ("register.jsonl", b"run-dir\n", "its first line is no JSON object with the key run-dir"),
        ("register.jsonl", b'["run-dir"]\n', "its first line is no JSON object with the key run-dir"),
        (
            "register.db",
            b"This is a text, and has been one all the time." * 100,
            "file is not a database; it is no SQLite database; move it away, and `hydra-callbacks index` makes a new",
        ),
        ("register.sqlite", b"note", "file is not a database; it is no SQLite database"),
    ],
    ids=lambda value: value[:20].decode(errors="replace") if isinstance(value, bytes) else value[:12],
)
def test_the_file_of_another_program_is_refused(odd_path: Path, name: str, content: bytes, complaint: str) -> None:
    path = odd_path / name
    path.write_bytes(content)
    (said,) = refusals(path)
    assert said.startswith(str(path))
    assert complaint in said


def test_a_long_header_is_not_repeated_whole(odd_path: Path) -> None:
    path = odd_path / "register.csv"
    path.write_text(",".join(f"column{number}" for number in range(1000)))
    (said,) = refusals(path)
    assert len(said) < len(str(path)) + 250


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("CREATE TABLE runs (a)", "is a database of another program; name another register_file"),
        ("PRAGMA application_id = 7", "is a database of another program; name another register_file"),
        ("PRAGMA user_version = 7", "is a database of another program; name another register_file"),
    ],
)
def test_a_database_of_another_program_is_refused(odd_path: Path, statement: str, complaint: str) -> None:
    path = odd_path / "register.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    (said,) = refusals(path)
    assert said == f"{path} {complaint}"


def test_a_database_of_a_newer_version_is_refused(odd_path: Path) -> None:
    path = odd_path / "register.db"
    add(path, job())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    (said,) = refusals(path)
    assert said == f"{path} has schema 2, this version reads up to 1: pip install -U hydra-callbacks"


@pytest.mark.parametrize("name", ["register.txt", "register", "mysql://me@host/db", "", ".csv"])
def test_a_name_of_no_known_form_is_refused(name: str) -> None:
    with pytest.raises(RegisterError) as error:
        open_register(name)
    assert f"got {name!r}" in str(error.value)
    assert "a register must be a file that ends in .csv, .jsonl, .db or .sqlite, or postgresql://" in str(error.value)


def test_a_database_without_its_driver_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"needs psycopg: pip install 'hydra-callbacks\[postgres\]'"):
        open_register("postgresql://me@host/db")


def test_a_broken_line_is_passed_over_and_named(odd_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = odd_path / "register.jsonl"
    add(path, job("a"), job("b"), job("c"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'{"run-dir": "outputs/x", \n' + lines[1] + b"[1]\n\xff\n" + lines[2])
    assert list(states(path)) == ["a", "b", "c"]
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"{path}, line {n} is no JSON object, and is passed over; remove it" for n in (2, 4, 5)]
    add(path, job("b", run__attempt=2))
    assert list(states(path)) == ["a", "c", "b"]


def test_a_line_of_a_csv_that_cannot_be_read_is_named(odd_path: Path) -> None:
    path = odd_path / "register.csv"
    add(path, *(job(str(number)) for number in range(300)))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:200]) + b"\xff" + b"".join(lines[200:]))
    with pytest.raises(RegisterError, match=r"register\.csv, line 201, is no row of a CSV table in UTF-8"):
        read(path)
    add(path, job("more"))
    with pytest.raises(RegisterError, match="line 201, is no row"):
        add(path, job("wide", new=1))
    with pytest.raises(RegisterError, match="line 201, is no row"):
        merge(path, [job("b")])
    assert path.read_bytes().count(b"\n") == 302


NOTE = 'two\nlines, and a "quote"'
OLD = '''lr,model.layers,note,git.sha,git.is_dirty,run-dir,job_success
0.1,"[64, 32]",plain,5e0c8de,True,outputs/2024-01-01/10-00-00,True
0.01,"[64, 32]","two
lines, and a ""quote""",5e0c8de,False,outputs/2024-01-02/10-00-00,False
,,,,,outputs/2024-01-03/10-00-00,
'''


def test_a_register_of_release_0_6_is_read_and_continued(odd_path: Path) -> None:
    path = odd_path / "register.csv"
    path.write_text(OLD, encoding="utf-8")
    same = {"model.layers": [64, 32], "git.sha": "5e0c8de"}
    first = {"lr": 0.1, "note": "plain", "git.is_dirty": True, "job_success": True, "run-status": "completed"}
    second = {"lr": 0.01, "note": NOTE, "git.is_dirty": False, "job_success": False, "run-status": "failed"}
    old = [
        {**same, **first, "run-dir": "outputs/2024-01-01/10-00-00"},
        {**same, **second, "run-dir": "outputs/2024-01-02/10-00-00"},
        {"run-dir": "outputs/2024-01-03/10-00-00"},
    ]
    assert read(path) == old
    add(path, running("a", pid=GONE), job("b", lr=0.5), job("c", run__status="failed", job_success=False))
    add(path, job("c", run__attempt=2))
    assert read(path) == [*old, present(job("b", lr=0.5)), present(job("c", run__attempt=2)), read(path)[-1]]
    with contextlib.closing(open_register(path)) as opened:
        found = opened.select(ask(opened.columns(), where="status = completed and lr < 0.2", sort="lr"))
        assert [row["run-dir"] for row in found] == ["outputs/2024-01-01/10-00-00", "outputs/c"]
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:7] == OLD.splitlines()[0].split(",")
    assert rows[1][2] == NOTE
    merge(path, [job("d", **{"run-dir": "outputs/2024-01-03/10-00-00"})])
    found = [row["run-status"] for row in read(path)]
    assert found == ["completed", "failed", "completed", "completed", "lost", "completed"]


@pytest.mark.parametrize("suffix", [".jsonl", ".db"])
def test_a_register_of_release_0_6_can_be_taken_over_into_another_form(odd_path: Path, suffix: str) -> None:
    old, new = odd_path / "register.csv", odd_path / f"register{suffix}"
    old.write_text(OLD, encoding="utf-8")
    with contextlib.closing(open_register(old)) as opened:
        rows = list(opened.rows())
    merge(new, rows)
    assert read(new) == list(map(present, rows))
    merge(old, rows, prune=True)
    assert read(old) == list(map(present, rows))


def test_a_csv_that_a_spreadsheet_has_saved_is_continued(odd_path: Path) -> None:
    """With a byte-order mark, Windows line ends, and booleans in capitals."""
    path = odd_path / "register.csv"
    add(path, job("a", note="=1"), job("b", flag=False))
    text = path.read_text(encoding="utf-8").replace("True", "TRUE").replace("False", "FALSE").replace("\n", "\r\n")
    path.write_bytes(text.encode("utf-8-sig"))
    assert read(path) == [present(job("a", note="=1")), present(job("b", flag=False))]
    add(path, job("b", run__attempt=2), job("c", note="new"))
    assert read(path) == [
        present(job("a", note="=1")),
        present(job("b", run__attempt=2)),
        present(job("c", note="new")),
    ]


# What may not be read or written


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that any user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="hydra-callbacks-"))
    folder.chmod(0o755)
    path = folder / ODD_NAME
    path.mkdir(mode=0o755)
    yield path
    path.chmod(0o755)
    shutil.rmtree(folder)


AS_NOBODY = """
import contextlib, os, pathlib, sys, tempfile
from hydra_callbacks.errors import RegisterError
from hydra_callbacks.runs.register import open_register

def use(place):
    with contextlib.closing(open_register(place)) as register:
        for use in (lambda: register.add(ROW), lambda: [row["run-id"] for row in register.rows()]):
            try:
                yield use()
            except (RegisterError, OSError) as error:
                yield f"{type(error).__name__} {error}"

path = pathlib.Path(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    list(use(os.path.join(folder, path.name)))  # so that all is imported that another user may not be able to
if os.geteuid() == 0:  # who may do all
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(*use(path), sep="\\n")
"""


def as_nobody(path: Path) -> list[str]:
    """Return what a user without rights gets to see who adds a row, and then reads."""
    program = AS_NOBODY.replace("ROW", repr(job("new")))
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, encoding="utf-8", check=False
    )
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(os.name == "nt", reason="rights as in POSIX")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".db"])
def test_a_directory_without_rights_is_named(open_path: Path, suffix: str) -> None:
    add(open_path / f"register{suffix}", job("a"))
    open_path.chmod(0)
    wrote, was_read = as_nobody(open_path / f"register{suffix}")
    assert str(open_path) in wrote
    assert "Permission denied" in was_read or "cannot be read" in was_read
    if suffix == ".db":
        assert wrote.startswith("RegisterError")
        assert "its folder cannot be read or written; change its rights, or name another register_file" in wrote
    else:
        assert wrote.startswith("PermissionError")


@pytest.mark.skipif(os.name == "nt", reason="rights as in POSIX")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".db"])
def test_a_register_in_a_directory_that_cannot_be_written_can_be_read(open_path: Path, suffix: str) -> None:
    path = open_path / f"register{suffix}"
    add(path, job("a"), job("b"))
    path.chmod(0o444)
    open_path.chmod(0o555)
    wrote, was_read = as_nobody(path)
    assert str(path) in wrote
    assert was_read == "['id-a', 'id-b']"
    if suffix == ".db":
        assert "readonly database; it may not be written; change its rights, or name another register_file" in wrote


@pytest.mark.skipif(os.name == "nt", reason="rights as in POSIX")
def test_rows_that_a_killed_writer_left_beside_a_database_are_not_overlooked(open_path: Path) -> None:
    path = open_path / "register.db"
    add(path, job("a"))
    killed = "import sys, os, signal; from hydra_callbacks.runs.register import open_register; "
    killed += f"opened = open_register(sys.argv[1]); opened.add({job('b')!r}); os.kill(os.getpid(), signal.SIGKILL)"
    done = subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    for file in open_path.iterdir():
        file.chmod(0o444)
    open_path.chmod(0o555)
    assert as_nobody(path)[1] == "['id-a', 'id-b']"
    open_path.chmod(0o755)
    path.with_name("register.db-shm").unlink()  # as when only the others were copied
    open_path.chmod(0o555)
    assert as_nobody(path)[1].startswith(f"RegisterError {path}: ")
    open_path.chmod(0o755)
    assert list(states(path)) == ["a", "b"], "who may write there still has them"
