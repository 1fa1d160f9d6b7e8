"""The program itself: exit statuses, and what it does not import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hydra_callbacks

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


LOADED = (
    "import sys; from hydra_callbacks.cli import main; main(sys.argv[1:], standalone_mode=False);"
    "print(sorted({name.split('.')[0] for name in sys.modules} & {'hydra', 'omegaconf', 'psutil', 'rich', 'yaml'}))"
)


def test_the_version_loads_neither_hydra_nor_rich() -> None:
    assert program("--version", code=LOADED).stdout.splitlines()[-1] == "[]"


def test_machine_forms_load_neither_hydra_nor_rich() -> None:
    assert program("callbacks", "--format", "csv", code=LOADED).stdout.splitlines()[-1] == "['yaml']"


def test_the_table_loads_no_hydra() -> None:
    assert program("callbacks", code=LOADED).stdout.splitlines()[-1] == "['rich', 'yaml']"
