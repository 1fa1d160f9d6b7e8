"""`hydra-callbacks completion`: the Tab key, as each shell asks and as a real bash does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import called, ran
from run_dirs import make_run, run_id, write

from hydra_callbacks.cli import COMMANDS
from hydra_callbacks.runs.index import index

HYDRA_CALLBACKS = Path(sys.executable).with_name("hydra-callbacks" + (".exe" if os.name == "nt" else ""))


def completions(line: str, **environment: str) -> list[str]:
    """Return what bash is told to offer for the last word of a line: texts, and `dir` or `file` for those."""
    words = line.split(" ")
    asked = {"_HYDRA_CALLBACKS_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = ran([str(HYDRA_CALLBACKS)], **asked, **environment)
    assert (done.code, done.err) == (0, ""), "a word on stderr would stand in the middle of what is typed"
    offered = [each.split(",", 1) for each in done.out.splitlines() if each]
    return [text if kind == "plain" else kind for kind, text in offered]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(here: Path, shell: str) -> None:
    done = called("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert f"_HYDRA_CALLBACKS_COMPLETE={shell}_complete" in done.out
    assert "hydra-callbacks" in done.out
    assert shutil.which(shell) is None or ran([shell, "-n", str(write(here / "script", done.out))]).code == 0


def test_another_shell_is_bad_usage() -> None:
    assert called("completion", "csh").code == 2
    assert "'bash', 'zsh', 'fish'" in called("completion", "csh").err


def test_commands_and_options_are_completed() -> None:
    assert completions("hydra-callbacks ") == list(COMMANDS)
    assert completions("hydra-callbacks s") == ["show", "sql"]
    assert completions("hydra-callbacks list --s") == ["--since", "--sort"]
    assert completions("hydra-callbacks list --format ") == ["table", "csv", "json", "parquet"]
    assert completions("hydra-callbacks clean --state f") == ["failed"]


def test_runs_are_completed(here: Path) -> None:
    for number in range(3):
        make_run(here / "outputs" / str(number), number)
    assert completions("hydra-callbacks show la") == ["dir", "latest"]
    assert completions("hydra-callbacks show out") == ["dir"]
    assert completions("hydra-callbacks show 019a") == ["dir", *map(run_id, range(3))]
    assert completions("hydra-callbacks diff latest 019a0002") == ["dir", run_id(2)]
    index(here / "outputs", here / "all.db")
    make_run(here / "outputs" / "late", 7)
    assert completions("hydra-callbacks show --from outputs 019a0007") == ["dir", run_id(7)]
    assert completions("hydra-callbacks show 019a0007", HYDRA_CALLBACKS_REGISTER="all.db") == ["dir"]


def test_places_are_completed_as_files() -> None:
    assert completions("hydra-callbacks list out") == ["file"]
    assert completions("hydra-callbacks sql --from out") == ["file"]
    assert completions("hydra-callbacks index --register out") == ["file"]
    assert completions("hydra-callbacks clean out") == ["dir"]
    assert completions("hydra-callbacks index out") == ["dir"]


def test_what_is_broken_does_not_show_while_one_types(here: Path) -> None:
    write(here / "torn" / ".hydra" / "run.json", "{")
    make_run(here / "good", 1)
    assert completions("hydra-callbacks show 019a") == ["dir", run_id(1)]
    write(here / "other.csv", "a,b\n")
    assert completions("hydra-callbacks show --from other.csv 019a") == ["dir"]
    assert completions("hydra-callbacks show --from gone.csv 019a") == ["dir"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_real_bash_completes(here: Path) -> None:
    for number in range(2):
        make_run(here / "outputs" / str(number), number)
    path = f"{HYDRA_CALLBACKS.parent}{os.pathsep}{os.environ['PATH']}"
    ask = """
        eval "$(hydra-callbacks completion bash)"
        complete_line() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _hydra_callbacks_completion hydra-callbacks "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
            echo "${COMPREPLY[*]}"
        }
        complete -p hydra-callbacks
        complete_line hydra-callbacks sh
        complete_line hydra-callbacks list --fo
        complete_line hydra-callbacks show lat
        complete_line hydra-callbacks show 019a0001
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", ask], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "complete -o nosort -F _hydra_callbacks_completion hydra-callbacks",
        "show",
        "--format",
        "latest",
        run_id(1),
    ]
