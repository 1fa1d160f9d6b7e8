"""Where paths lead, once a tree is rebuilt elsewhere."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from hydra_callbacks.provenance.moved import Moved
from hydra_callbacks.provenance.worktree import Code

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for file in (
        "project/src/app.py",
        "project/data/x",
        "project/venv/pyvenv.cfg",
        "project/venv/bin/train",
        "again/src/app.py",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    for folder in ("elsewhere", "again/data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "again/data/y").touch()
    return tmp_path


def moved(place: Path, started_in: str) -> Moved:
    return Moved(Code(place / "project", None, None), place / "again", place / started_in)


@pytest.mark.parametrize(
    ("started_in", "word", "leads_to"),
    [
        ("elsewhere", "../project/src/app.py", "again/src/app.py"),
        ("elsewhere", "../project/src/gone.py", "again/src/gone.py"),
        ("elsewhere", "{}/project/src/app.py", "again/src/app.py"),
        ("elsewhere", "app.py", "app.py"),
        ("project", "src/app.py", "src/app.py"),
        ("project/src", "../src/app.py", "../src/app.py"),
        ("project", "../project/src/app.py", "again/src/app.py"),
        ("project", "../elsewhere/app.py", "project/../elsewhere/app.py"),
        ("project", "{}/project/venv/bin/train", "project/venv/bin/train"),
        ("project", "venv/bin/train", "project/venv/bin/train"),
    ],
)
def test_a_program(place: Path, started_in: str, word: str, leads_to: str) -> None:
    found = moved(place, started_in).program(word.format(place))
    assert found in {leads_to, str(place / leads_to)}
    assert os.path.isabs(found) == leads_to.startswith(("again", "project"))  # noqa: PTH117  (a text)


@pytest.mark.parametrize(
    ("started_in", "word", "now"),
    [
        ("elsewhere", "file=../project/data/y", "file={}/again/data/y"),
        ("elsewhere", "file='../project/data/y'", "file='{}/again/data/y'"),
        ("elsewhere", "file=../project/data/x", "file=../project/data/x"),
        ("elsewhere", "data", "data"),
        (".", "model=project", "model=project"),
        (".", "file=project/data/y", "file={}/again/data/y"),
        ("project", "file=data/y", "file=data/y"),
        ("project", "lr=0.1", "lr=0.1"),
    ],
)
def test_a_word(place: Path, started_in: str, word: str, now: str) -> None:
    assert moved(place, started_in).word(word) == now.format(place)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")
def test_a_link_before_two_dots(place: Path) -> None:
    """The system follows the link first."""
    (place / "deep/er").mkdir(parents=True)
    (place / "elsewhere/link").symlink_to(place / "deep/er")
    (place / "deep/project").symlink_to(place / "project")
    assert moved(place, "elsewhere").program("link/../project/src/app.py") == str(place / "again/src/app.py")


def test_a_search_path(place: Path) -> None:
    text = os.pathsep.join(["../project/src", "", "lib", str(place / "project/data"), "../project/none"])
    there = [
        place / "again/src",
        "",
        place / "elsewhere/lib",
        place / "again/data",
        place / "elsewhere/../project/none",
    ]
    assert moved(place, "elsewhere").search_path(text) == os.pathsep.join(map(str, there))


@pytest.mark.parametrize(
    ("started_in", "words", "told"),
    [
        ("project", ["src/app.py", "-cp", "../../conf"], ["-cp ../../conf"]),
        ("project", ["src/app.py", "-cp", "../conf"], []),
        ("project", ["src/app.py", "--config-path=../../conf"], ["--config-path=../../conf"]),
        ("project", ["src/app.py", "-cd", "../conf", "-cn", "../x"], ["-cd ../conf", "-cn ../x"]),
        ("project", ["src/app.py", "+a=../b", "c=..", "d=..e", "f=...", "g='../it'"], ["+a=../b", "c=..", "g='../it'"]),
        ("project/src", ["app.py", "a=../b", "b=../../b"], ["b=../../b"]),
        ("elsewhere", ["../project/src/app.py", "-cp", "../../conf", "a=../b"], ["-cp ../../conf"]),
        ("project", ["-m", "ours.app", "-cp", "../../conf"], ["-cp ../../conf"]),
        ("project", ["-m", "others.app", "-cp", "../../conf"], []),
    ],
)
def test_what_leads_out(place: Path, started_in: str, words: list[str], told: list[str]) -> None:
    (place / "project/ours").mkdir()
    assert moved(place, started_in).leading_out(words) == told
