"""A rebuilt tree: its submodules come from the repositories here, and its files have the line endings that ran."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from repositories import git, insides, make_repository, patch_of, put

from hydra_callbacks.provenance.git import read_state
from hydra_callbacks.provenance.worktree import Code

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = ("-c", "protocol.file.allow=always")


def code_of(directory: Path) -> Code:
    return Code(directory, directory, read_state(directory).sha, patch_of(directory).data)


@pytest.fixture
def outer(odd_path: Path) -> Path:
    """A tree with a submodule, which has one in turn; both are at commits that their remotes have not."""
    inmost = make_repository(odd_path / "inmost", {"i": b"1\n"})
    inner = make_repository(odd_path / "inner", {"i": b"1\n"})
    git(inner, *LOCAL, "submodule", "--quiet", "add", str(inmost), "deep/er")
    git(inner, "commit", "-q", "-m", "with it")
    outer = make_repository(odd_path / "outer", {"o": b"1\n"})
    git(outer, *LOCAL, "submodule", "--quiet", "add", str(inner), "lib é")
    git(outer, *LOCAL, "submodule", "--quiet", "update", "--init", "--recursive")
    for folder, below in (("lib é/deep/er", None), ("lib é", "deep/er"), (".", "lib é")):
        put(outer / folder, "i", b"2\n")
        git(outer / folder, "add", "i", *([below] if below else []))
        git(outer / folder, "commit", "-q", "-m", "local")
    return outer


@pytest.mark.parametrize("remotes_are_there", [True, False])
def test_submodules_come_from_the_repositories_here(outer: Path, odd_path: Path, *, remotes_are_there: bool) -> None:
    if not remotes_are_there:
        shutil.rmtree(odd_path / "inner")
        shutil.rmtree(odd_path / "inmost")
    config = (outer / ".git/config").read_bytes()
    assert code_of(outer).rebuild(odd_path / "again") == []
    assert (odd_path / "again/lib é/i").read_bytes() == b"2\n"
    assert (odd_path / "again/lib é/deep/er/i").read_bytes() == b"2\n"
    assert (outer / ".git/config").read_bytes() == config


def test_submodules_come_from_what_git_keeps_of_them_too(outer: Path, odd_path: Path) -> None:
    code = code_of(outer)
    git(outer, "submodule", "--quiet", "deinit", "--force", "lib é")
    before = insides(outer / "lib é")
    assert code.rebuild(odd_path / "again") == []
    assert (odd_path / "again/lib é/deep/er/i").read_bytes() == b"2\n"
    assert insides(outer / "lib é") == before


def test_a_submodule_that_cannot_be_had_is_named_and_its_folder_is_empty(outer: Path, odd_path: Path) -> None:
    code = code_of(outer)
    shutil.rmtree(outer / ".git/modules")
    shutil.rmtree(outer / "lib é")
    (missing,) = code.rebuild(odd_path / "again")
    assert missing.startswith("the submodule lib é: ")
    assert not list((odd_path / "again/lib é").iterdir())


@pytest.mark.parametrize("committed", [b"", b"*.bat text\n"])
def test_what_the_same_patch_says_of_line_endings_holds(odd_path: Path, committed: bytes) -> None:
    directory = make_repository(odd_path / "repo", {"data.csv": b"1\n", "sub/.gitattributes": committed})
    put(directory, "sub/.gitattributes", b"*.csv text eol=crlf\n*.bat eol=crlf\n")
    put(directory, ".gitattributes", b"*.csv text eol=crlf\n")
    files = {"data.csv": b"5\r\n6\r\n", "sub/.bat": b"a\r\nb\r\n", "sub/a.csv": b"1\r\n", "plain": b"1\n"}
    for name, content in files.items():
        put(directory, name, content)
    assert code_of(directory).rebuild(odd_path / "again") == []
    assert {name: (odd_path / "again" / name).read_bytes() for name in files} == files


def test_a_commit_and_a_patch_tell_what_will_be_there(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a/b é": b"1\n"})
    put(directory, "new/c", b"1\n")
    code = code_of(directory)
    there = {path: code.has(path) for path in ("a", "a/b é", "new", "new/c", "ne", "a/c", "nowhere")}
    assert there == {**dict.fromkeys(["a", "a/b é", "new", "new/c"], True), "ne": False, "a/c": False, "nowhere": False}
