"""The program itself: exit statuses, what it does not import, and where its output goes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_dirs import make_hydra_run, make_run

import hydra_callbacks
from hydra_callbacks.runs.index import index

PROGRAM = "import sys; from hydra_callbacks.cli import main; main(prog_name='hydra-callbacks')"


def program(*words: str, code: str = PROGRAM, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def test_version() -> None:
    done = program("--version")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"hydra-callbacks, version {hydra_callbacks.__version__}\n",
        "",
    )


def test_help_names_the_commands() -> None:
    done = program("-h")
    assert done.returncode == 0
    assert "callbacks   List the callbacks with their settings" in done.stdout


def test_the_installed_program_is_this_one() -> None:
    script = Path(sys.executable).with_name("hydra-callbacks" + (".exe" if os.name == "nt" else ""))
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("hydra-callbacks, version ")


def test_an_unknown_name_is_bad_usage() -> None:
    done = program("callbacks", "git_inf")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(
        "Error: no callback or preset is called 'git_inf'; nearest: git_info"
    )


def test_an_unknown_command_or_form_is_bad_usage() -> None:
    assert program("calbacks").returncode == 2
    assert program("callbacks", "--format", "xml").returncode == 2


def test_a_terminal_without_unicode_gets_the_table_all_the_same() -> None:
    done = program("callbacks", PYTHONIOENCODING="ascii", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    assert "git_info" in done.stdout


# What each command may import of what takes long: nothing of Hydra in any case, nor psutil.
LOADED = """
import atexit, sys
from hydra_callbacks.cli import main
heavy = {"hydra", "omegaconf", "psutil", "rich", "yaml", "sqlite3", "polars", "psycopg", "send2trash", "numpy"}
tell = lambda: print("loaded", *sorted({name.split(".")[0] for name in sys.modules} & heavy))
atexit.register(tell)
main(sys.argv[1:])
"""


def loaded(*words: str, **environment: str) -> str:
    done = program(*words, code=LOADED, **environment)
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines()[-1].removeprefix("loaded").strip()


@pytest.mark.parametrize(
    ("line", "modules"),
    [
        ("--version", ""),
        ("--help", "yaml"),
        ("callbacks --format csv", "yaml"),
        ("callbacks", "rich yaml"),
        ("completion bash", ""),
        ("list runs --format csv", ""),
        ("list runs --format json", ""),
        ("list runs", "rich"),
        ("list register.csv --format csv", ""),
        ("list register.jsonl", "rich"),
        ("list register.db --format csv", "sqlite3"),
        ("list old --format csv", "yaml"),
        ("show runs/a", "rich"),
        ("show runs/a --json", ""),
        ("diff runs/a runs/b", "rich"),
        ("best accuracy runs", "rich"),
        ("best accuracy runs --format json", ""),
        ("clean runs --state failed", ""),
        ("clean runs --state completed --dry-run", "rich"),
        ("clean runs --state completed --delete --yes", "rich"),
        ("index runs --register new.csv", ""),
        ("index runs --register new.db", "sqlite3"),
        ("sql SELECT~1", "rich sqlite3"),
        ("sql SELECT~1 --format csv", "sqlite3"),
    ],
)
def test_nothing_is_imported_that_is_not_needed(here: Path, line: str, modules: str) -> None:
    make_run(here / "runs" / "a", 1, result={"accuracy": 1})
    make_run(here / "runs" / "b", 2, result={"accuracy": 2})
    for name in ("register.csv", "register.jsonl", "register.db"):
        index(here, here / name)
    make_hydra_run(here / "old")
    assert loaded(*(word.replace("~", " ") for word in line.split(" "))) == modules


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_who_reads_no_further_hears_no_complaint(here: Path, form: str) -> None:
    make_runs(here, 300, note="x" * 1000)
    command = f"'{sys.executable}' -m hydra_callbacks list --limit 0 --columns run,note --format {form}"
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=True
    )
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize("line", ["list", "list --format csv", "list --format json", "show run0", "show run0 --json"])
def test_output_that_finds_no_room_is_told(here: Path, line: str) -> None:
    make_runs(here, 3)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hydra_callbacks", *line.split()], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (2, b"Error: the output: No space left on device\n")


def make_runs(folder: Path, count: int, **config: object) -> None:
    for number in range(count):
        make_run(folder / f"run{number}", number, config={"number": number, **config})
