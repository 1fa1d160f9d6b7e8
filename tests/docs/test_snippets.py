"""The documentation's transcripts, played again: what a page says is printed, is printed.

A file `<app>/<name>.console` under docs/snippets holds commands, each after `$ `, and what they print. A line `...`
stands for any lines, and times, commits, ids and the project's folder may differ.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SNIPPETS = ROOT / "docs" / "snippets"
TRANSCRIPTS = sorted(SNIPPETS.glob("*/*.console"))
VARYING = {
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}": "TIME",
    r"\d{4}-\d\d-\d\d[/\\]\d\d-\d\d-\d\d": "RUN",
    r"\b[0-9a-f]{40}\b": "SHA",
    r"(?<=on commit )[0-9a-f]{8}\b": "SHA",
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "ID",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "TIME",
    r"\d+\.\d (KiB|MiB|GiB)": r"N \1",
    r"\d+ % of one core": "N % of one core",
    r"\d+\.\d\d( seconds| ?s\b)": r"N\1",
}


class Shell:
    """As much of a shell as the transcripts need, on any system, in a repository with one commit."""

    def __init__(self, app: Path, folder: Path) -> None:
        self.folder = folder / app.name
        self.status = 0
        shutil.copytree(app, self.folder, ignore=shutil.ignore_patterns("__pycache__", "*.console"))
        (self.folder / ".gitignore").write_text("outputs/\nmultirun/\nmy_bucket/\n__pycache__/\n", encoding="utf-8")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "all")

    def git(self, *words: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=me", "-c", "user.email=me@example.org", *words], cwd=self.folder, check=True
        )

    def run(self, command: str) -> str:
        program, *words = shlex.split(command)
        if command == "echo $?":
            return f"{self.status}\n"
        if program == "cat":
            return (self.folder / words[0]).read_text(encoding="utf-8").rstrip("\n") + "\n"
        programs = {
            "python": [sys.executable],
            "hydra-callbacks": [sys.executable, "-c", "from hydra_callbacks.cli import main; main()"],
        }
        done = subprocess.run(
            [*programs[program], *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        self.status = done.returncode
        return "".join(f"{line.rstrip()}\n" for line in done.stdout.rstrip().splitlines())


def steps(transcript: Path) -> list[tuple[str, str]]:
    """Return each command with what it is said to print."""
    parts = re.split(r"^\$ (.*)\n", transcript.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert parts[0] == "", "a transcript begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def expected(text: str) -> re.Pattern[str]:
    lines = [r"(?:.*\n)*?" if line.strip() == "..." else re.escape(f"{line}\n") for line in text.splitlines()]
    return re.compile("".join(lines))


def without_variation(text: str, folder: Path) -> str:
    text = text.replace(str(folder), f"/home/me/{folder.name}")
    for pattern, name in VARYING.items():
        text = re.sub(pattern, name, text)
    return text


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_transcript_is_what_happens(transcript: Path, tmp_path: Path) -> None:
    shell = Shell(transcript.parent, tmp_path)
    if transcript.stem == "dirty":
        with (shell.folder / "my_app.py").open("a", encoding="utf-8") as file:
            file.write("# not committed\n")
    for command, text in steps(transcript):
        said = without_variation(text, shell.folder)
        printed = without_variation(shell.run(command), shell.folder)
        assert expected(said).fullmatch(printed), f"$ {command}\n--- said\n{said}--- printed\n{printed}"


def test_every_snippet_is_in_a_page() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    included = set(re.findall(r'--8<-- "(\S+?)(?::\w+)?"', pages))
    files = {path.relative_to(SNIPPETS).as_posix() for path in SNIPPETS.rglob("*.*") if "__pycache__" not in path.parts}
    missing = {file for file in files if file.endswith((".py", ".yaml", ".console"))} - included
    assert not missing
