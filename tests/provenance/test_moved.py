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
    for file in ("root/src/app.py", "root/data/x", "root/venv/pyvenv.cfg", "root/venv/bin/train", "again/src/app.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    for folder in ("elsewhere", "again/data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "again/data/y").touch()
    return tmp_path


def moved(place: Path, started_in: str) -> Moved:
    return Moved(Code(place / "root", None, None), place / "again", place / started_in)


@pytest.mark.parametrize(
    ("started_in", "word", "leads_to"),
    [
        ("elsewhere", "../root/src/app.py", "again/src/app.py"),
        ("elsewhere", "../root/src/gone.py", "again/src/gone.py"),
        ("elsewhere", "{}/root/src/app.py", "again/src/app.py"),
        ("elsewhere", "app.py", "app.py"),
        ("root", "src/app.py", "src/app.py"),
        ("root/src", "../src/app.py", "../src/app.py"),
        ("root", "../root/src/app.py", "again/src/app.py"),
        ("root", "../elsewhere/app.py", "root/../elsewhere/app.py"),
        ("root", "{}/root/venv/bin/train", "root/venv/bin/train"),
        ("root", "venv/bin/train", "root/venv/bin/train"),
    ],
)
def test_a_program(place: Path, started_in: str, word: str, leads_to: str) -> None:
    found = moved(place, started_in).program(word.format(place))
    assert found in {leads_to, str(place / leads_to)}
    assert os.path.isabs(found) == leads_to.startswith(("again", "root"))  # noqa: PTH117  (a text)


@pytest.mark.parametrize(
    ("started_in", "word", "now"),
    [
        ("elsewhere", "file=../root/data/y", "file={}/again/data/y"),
        ("elsewhere", "file='../root/data/y'", "file='{}/again/data/y'"),
        ("elsewhere", "file=../root/data/x", "file=../root/data/x"),
        ("elsewhere", "data", "data"),
        (".", "model=root", "model=root"),
        (".", "file=root/data/y", "file={}/again/data/y"),
        ("root", "file=data/y", "file=data/y"),
        ("root", "lr=0.1", "lr=0.1"),
    ],
)
def test_a_word(place: Path, started_in: str, word: str, now: str) -> None:
    assert moved(place, started_in).word(word) == now.format(place)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")
def test_a_link_before_two_dots(place: Path) -> None:
    """The system follows the link first."""
    (place / "deep/er").mkdir(parents=True)
    (place / "elsewhere/link").symlink_to(place / "deep/er")
    (place / "deep/root").symlink_to(place / "root")
    assert moved(place, "elsewhere").program("link/../root/src/app.py") == str(place / "again/src/app.py")


def test_a_search_path(place: Path) -> None:
    text = os.pathsep.join(["../root/src", "", "lib", str(place / "root/data"), "../root/none"])
    there = [place / "again/src", "", place / "elsewhere/lib", place / "again/data", place / "elsewhere/../root/none"]
    assert moved(place, "elsewhere").search_path(text) == os.pathsep.join(map(str, there))


@pytest.mark.parametrize(
    ("started_in", "words", "told"),
    [
        ("root", ["src/app.py", "-cp", "../../conf"], ["-cp ../../conf"]),
        ("root", ["src/app.py", "-cp", "../conf"], []),
        ("root", ["src/app.py", "--config-path=../../conf"], ["--config-path=../../conf"]),
        ("root", ["src/app.py", "-cd", "../conf", "-cn", "../x"], ["-cd ../conf", "-cn ../x"]),
        ("root", ["src/app.py", "+a=../b", "c=..", "d=..e", "f=...", "g='../it'"], ["+a=../b", "c=..", "g='../it'"]),
        ("root/src", ["app.py", "a=../b", "b=../../b"], ["b=../../b"]),
        ("elsewhere", ["../root/src/app.py", "-cp", "../../conf", "a=../b"], ["-cp ../../conf"]),
        ("root", ["-m", "ours.app", "-cp", "../../conf"], ["-cp ../../conf"]),
        ("root", ["-m", "others.app", "-cp", "../../conf"], []),
    ],
)
def test_what_leads_out(place: Path, started_in: str, words: list[str], told: list[str]) -> None:
    (place / "root/ours").mkdir()
    assert moved(place, started_in).leading_out(words) == told
