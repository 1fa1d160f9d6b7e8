"""The program as a user calls it: in this process, where that is enough, or in one of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from click.testing import CliRunner
from conftest import Ran

from hydra_callbacks.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def called(*words: str, answer: str | None = None, **environment: str) -> Ran:
    """Call the program in this process; an exception that it does not tell of comes through.

    Args:
        words: What follows `hydra-callbacks`.
        answer: What is typed.
        environment: Variables that differ.
    """
    done = CliRunner(env=environment).invoke(
        main, words, input=answer, prog_name="hydra-callbacks", catch_exceptions=False
    )
    return Ran(done.exit_code, done.stdout, done.stderr)


def program(*words: str, cwd: Path | None = None, answer: str = "", **environment: str) -> Ran:
    """Run the program in a process of its own."""
    return ran([sys.executable, "-m", "hydra_callbacks", *words], cwd=cwd, answer=answer, **environment)


AS_NOBODY = """
import contextlib, importlib, io, os, pkgutil
import hydra_callbacks, send2trash
from hydra_callbacks.cli import main
for room in ("cli", "runs"):
    for module in pkgutil.walk_packages([f"{hydra_callbacks.__path__[0]}/{room}"], f"hydra_callbacks.{room}."):
        importlib.import_module(module.name)
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    with contextlib.suppress(SystemExit):
        main(["list"])  # imports what is left, which may be where only its owner can read
if os.geteuid() == 0:  # who may do all
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
main(prog_name="hydra-callbacks")
"""


def program_of_nobody(*words: str, cwd: Path) -> Ran:
    """Run the program as a user who has no rights but those that everybody has."""
    return ran([sys.executable, "-c", AS_NOBODY, *words], cwd=cwd)


def ran(command: list[str], *, cwd: Path | None = None, answer: str = "", **environment: str) -> Ran:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        input=answer,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def shown_on_terminal(*words: str, meanwhile: Callable[[str], object] = lambda _: None) -> str:
    """Run the program on a terminal of its own, and return all that it shows there.

    Args:
        words: What follows `hydra-callbacks`.
        meanwhile: Called with all that it has shown until then, whenever it shows more.
    """
    ours, its = os.openpty()
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "hydra_callbacks", *words]
    with subprocess.Popen(command, env=environment, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        shown = b""
        with contextlib.suppress(OSError):  # it has ended
            while part := os.read(ours, 4096):
                shown += part
                meanwhile(shown.decode(errors="replace"))
        process.wait()
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def lines(text: str) -> str:
    """Return a text without the blanks with which tables fill their lines."""
    return "\n".join(line.rstrip() for line in text.splitlines())
