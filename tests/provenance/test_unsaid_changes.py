"""What git itself does not tell, or does not keep as it is: is it in the patch all the same, or else named?"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from repositories import assert_rebuilt, git, insides, make_repository, patch_of, put, rebuilt, tree

from hydra_callbacks.provenance.git import read_state
from hydra_callbacks.provenance.patch import Patch, differences
from hydra_callbacks.provenance.worktree import Code

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.provenance.git import GitState

ENDINGS = "git writes it with other line endings (core.autocrlf, .gitattributes)"
OTHER_FORM = "git writes it in another form (a filter, ident or an encoding in .gitattributes)"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="shell commands as filters")


def reproduced(directory: Path, patch: Patch) -> Path:
    """Return a worktree as `reproduce` makes it."""
    folder = directory.with_name(f"{directory.name} again")
    assert Code(directory, directory, read_state(directory).sha, patch.data).rebuild(folder) == []
    return folder


# Files at which git was told not to look


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_files_at_which_git_does_not_look_are_in_the_patch(odd_path: Path, flag: str) -> None:
    files = {"sub/local é.yaml": b"1\n", "same": b"1\n", "seen": b"1\n", "large": b"1\n"}
    directory = make_repository(odd_path / "repo", files)
    git(directory, "update-index", flag, "sub/local é.yaml", "same", "large")
    put(directory, "sub/local é.yaml", b"2\n")
    assert_rebuilt(directory)
    put(directory, "seen", b"2\n")
    put(directory, "large", os.urandom(30_000))
    before = insides(directory)
    patch = patch_of(directory, max_file_bytes=20_000)
    assert insides(directory) == before
    assert patch.left_out == {"large": "0.0 MB"}
    assert tree(rebuilt(directory, patch)) == {**tree(directory), "large": (b"1\n", False)}


def test_what_git_does_not_look_at_makes_no_tree_dirty(odd_path: Path) -> None:
    """As `git status` has it: who hides a file does not want to be asked about it."""
    directory = make_repository(odd_path / "repo", {"a": b"1\n"})
    git(directory, "update-index", "--skip-worktree", "a")
    put(directory, "a", b"2\n")
    for changes in (False, True):
        assert not read_state(directory, changes=changes).is_dirty


def test_a_hidden_file_that_was_removed_and_one_that_was_never_checked_out(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n", "b": b"1\n", "far/away": b"1\n"})
    git(directory, "update-index", "--assume-unchanged", "a")
    git(directory, "update-index", "--skip-worktree", "b", "far/away")
    for name in ("a", "b", "far/away"):
        (directory / name).unlink()
    (directory / "far").rmdir()
    assert [change.path for change in read_state(directory, changes=True).changes] == ["a"]
    assert set(tree(rebuilt(directory, patch_of(directory)))) == {"b", "far/away"}


def test_a_sparse_checkout_gives_the_whole_tree_with_the_changes(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n", "in/b": b"1\n", "out/c": b"1\n"})
    git(directory, "sparse-checkout", "set", "--cone", "in")
    git(directory, "update-index", "--assume-unchanged", "a")
    put(directory, "a", b"2\n")
    put(directory, "in/b", b"2\n")
    assert not (directory / "out").exists()
    patch = patch_of(directory)
    assert patch.left_out == {}
    assert set(differences(b"", patch.data)) == {"a", "in/b"}
    again = reproduced(directory, patch)
    assert {name: tree(again)[name] for name in ("a", "in/b")} == tree(directory)


def test_hidden_files_below_another_directory_than_the_top(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n", "sub/b": b"1\n"})
    git(directory, "update-index", "--assume-unchanged", "a", "sub/b")
    put(directory, "a", b"2\n")
    put(directory, "sub/b", b"2\n")
    state = read_state(directory / "sub", changes=True)
    assert [change.path for change in state.changes] == ["a", "sub/b"]


# Filters


CLEAN = 'cat > "{store}"; set -- $(cksum "{store}"); cp "{store}" "{store}.$1"; echo "pointer $1"'
SMUDGE = (
    'cat > "{store}"; read -r word sum < "{store}"; '
    '[ "$word" != pointer ] || cp "{store}.$sum" "{store}"; cat "{store}"'
)


def lfs_repository(directory: Path) -> Path:
    """Make one with a filter of LFS's name, which keeps contents elsewhere, and lets all but pointers through."""
    filters = []
    for name, text in (("clean", CLEAN), ("smudge", SMUDGE)):
        script = directory.with_name(f"{name}.sh")
        script.write_text(text.format(store=directory.with_name("store")), encoding="utf-8")
        filters.append(f'filter.lfs.{name} sh "{script}"')
    files = {".gitattributes": b"*.bin filter=lfs -text\n", "model.bin": b"first\0" * 10}
    return make_repository(directory, files, *filters, "filter.lfs.required true")


@posix_only
def test_what_lfs_would_put_elsewhere_is_in_the_patch_itself(odd_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")  # where the real one may be set up
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    directory = lfs_repository(odd_path / "repo")
    assert git(directory, "cat-file", "-p", "HEAD:model.bin").startswith("pointer ")
    put(directory, "model.bin", b"second\0" * 10)
    put(directory, "new.bin", b"new\n")
    put(directory, "code.py", b"x = 1\n")
    before = insides(directory)
    patch = patch_of(directory)
    assert insides(directory) == before
    assert (patch.left_out, patch.converted) == ({}, {})
    assert b"+new\n" in patch.data
    assert tree(reproduced(directory, patch)) == tree(directory)


@pytest.mark.skipif(not shutil.which("git-lfs"), reason="no git-lfs")
def test_lfs_itself(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {})
    git(directory, "lfs", "install", "--local")
    git(directory, "lfs", "track", "*.bin")
    put(directory, "model.bin", os.urandom(2000))
    put(directory, "same.bin", os.urandom(2000))
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "with them")
    assert git(directory, "cat-file", "-p", "HEAD:model.bin").startswith("version https://git-lfs")
    put(directory, "model.bin", os.urandom(2000))
    put(directory, "new.bin", os.urandom(2000))
    patch = patch_of(directory)
    assert (patch.left_out, patch.converted) == ({}, {})
    assert tree(reproduced(directory, patch)) == tree(directory)


@posix_only
def test_a_filter_of_ones_own_is_used_and_what_does_not_come_back_is_named(odd_path: Path) -> None:
    """Git-crypt's would put what is secret into the patch, were it not used."""
    directory = make_repository(
        odd_path / "repo",
        {".gitattributes": b"*.rot filter=rot\n*.nb filter=strip\n", "a.rot": b"hello\n", "b.nb": b"1\nout: 2\n"},
        *("filter.rot.clean tr a-z n-za-m", "filter.rot.smudge tr a-z n-za-m", "filter.strip.clean sed /^out:/d"),
    )
    put(directory, "a.rot", b"secret\n")
    put(directory, "b.nb", b"2\nout: 4\n")
    patch = patch_of(directory)
    assert b"secret" not in patch.data
    assert b"+frperg" in patch.data
    assert (patch.left_out, patch.converted) == ({}, {"b.nb": OTHER_FORM})
    folder = reproduced(directory, patch)
    assert (folder / "a.rot").read_bytes() == b"secret\n"
    assert (folder / "b.nb").read_bytes() == b"2\n"


# Line endings


@pytest.mark.parametrize(
    ("config", "attributes", "converted"),
    [
        ("core.autocrlf false", b"", set()),
        ("core.autocrlf true", b"", {"lf", "mixed"}),
        ("core.autocrlf input", b"", {"crlf", "mixed"}),
        ("core.autocrlf false", b"* text eol=crlf\n", {"lf", "mixed"}),
        ("core.autocrlf false", b"* text=auto eol=lf\n", {"crlf", "mixed"}),
        ("core.autocrlf true", b"* -text\n", set()),
    ],
)
def test_every_tree_comes_back_or_its_line_endings_are_named(
    odd_path: Path, config: str, attributes: bytes, converted: set[str]
) -> None:
    name, _, value = config.partition(" ")
    directory = make_repository(odd_path / "repo", {"a": b"1\n", ".gitattributes": attributes}, config)
    for each in ("a", ".gitattributes"):
        (directory / each).unlink()
    git(directory, "checkout", "--", ".")  # as a clone would have them
    put(directory, "lf", b"x\ny\n")
    put(directory, "crlf", b"x\r\ny\r\n")
    put(directory, "mixed", b"x\r\ny\n")
    put(directory, "binary", b"\0\r\n\n")
    before = tree(directory)
    patch = patch_of(directory)
    names = set(patch.converted)
    if b"* text " in attributes:
        names -= {"binary"}  # git was told that it is text
    assert names == converted, (name, value)
    assert set(patch.converted.values()) <= {ENDINGS}
    again = tree(reproduced(directory, patch))
    assert {each for each in before if before[each] != again[each]} == set(patch.converted)


def test_what_is_named_as_converted_is_still_compared(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n"}, "core.autocrlf input")
    put(directory, "a", b"2\r\n")
    then = patch_of(directory)
    put(directory, "a", b"3\r\n")
    assert differences(then.data, patch_of(directory).data, unknown=then.converted) == ["a"]
    assert differences(b"", then.data, unknown={"a"}) == []


# Submodules


@pytest.fixture
def outer(odd_path: Path) -> Path:
    inner = make_repository(odd_path / "inner", {"i": b"1\n", ".gitignore": b"*.log\n"})
    directory = make_repository(odd_path / "outer", {"o": b"1\n"})
    git(directory, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "lib")
    git(directory, "commit", "-q", "-m", "with it")
    return directory


def states(directory: Path) -> tuple[GitState, GitState]:
    return read_state(directory), read_state(directory, changes=True)


@pytest.mark.parametrize("stage", [False, True])
@pytest.mark.parametrize("config", ["", "submodule.lib.ignore all", "diff.ignoreSubmodules dirty", ".gitmodules"])
def test_what_was_changed_in_a_submodule_is_named(outer: Path, config: str, stage: bool) -> None:
    if config == ".gitmodules":
        git(outer, "config", "--file", ".gitmodules", "submodule.lib.ignore", "dirty")
        git(outer, "commit", "-q", "-a", "-m", "ignored")
    elif config:
        git(outer, "config", *config.split(" "))
    put(outer / "lib", "i", b"2\n")
    if stage:
        git(outer / "lib", "add", "-A")
    assert patch_of(outer) == Patch(left_out={"lib": "a submodule with changes of its own"})
    assert {state.is_dirty for state in states(outer)} == {not config}, "as `git status` has it"


def test_what_is_not_tracked_in_a_submodule_is_named_and_makes_no_tree_dirty(outer: Path) -> None:
    put(outer / "lib", "a.log", b"ignored\n")
    assert patch_of(outer) == Patch()
    put(outer / "lib", "new.py", b"x = 1\n")
    assert patch_of(outer) == Patch(left_out={"lib": "a submodule with files that are not tracked"})
    assert [state.is_dirty for state in states(outer)] == [False, False]
    git(outer / "lib", "add", "new.py")
    git(outer / "lib", "commit", "-q", "-m", "new")
    put(outer / "lib", "newer.py", b"x = 1\n")
    patch = patch_of(outer)
    assert b"+Subproject commit " in patch.data
    assert patch.left_out == {"lib": "a submodule with files that are not tracked"}
    assert [state.is_dirty for state in states(outer)] == [True, True]
    git(outer, "add", "lib")
    assert [state.is_dirty for state in states(outer)] == [True, True]


def test_a_submodule_whose_commit_is_ignored_is_on_the_one_that_ran(outer: Path) -> None:
    git(outer, "config", "submodule.lib.ignore", "all")
    put(outer / "lib", "i", b"2\n")
    git(outer / "lib", "commit", "-q", "-a", "-m", "on")
    assert f"+Subproject commit {git(outer / 'lib', 'rev-parse', 'HEAD')}".encode() in patch_of(outer).data
