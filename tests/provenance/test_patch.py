"""The patch of a working tree, applied to a fresh clone, gives the same tree; the original is as it was."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import ME, assert_rebuilt, git, insides, make_repository, patch_of, put, rebuilt, tree

from hydra_callbacks.provenance.git import read_state
from hydra_callbacks.provenance.patch import Patch, read_patch
from hydra_callbacks.provenance.worktree import Code

NAMES = ["a", "b.txt", "sp ace", "quo\"te'", "é", "sub/a", "sub/deep/é ü", "-dash", "sub/[x]*?", "#", "b/b"]
if sys.platform not in {"win32", "darwin"}:
    NAMES += ["new\nline", "tab\t", "back\\slash", os.fsdecode(b"\xff\xfe")]
names = st.sampled_from(NAMES)
contents = st.one_of(
    st.sampled_from(
        [b"", b"\n", b"one\ntwo\nthree\n", b"no end", b"\r\n", b"a\r\nb\nc\r", b"diff --git a/a b/a\n", b"\xff\xfe\n"]
    ),
    st.binary(max_size=64),
    st.lists(st.sampled_from([b"x", b"yy", b"- z", b"+ w", b"@@ -1 +1 @@"]), max_size=12).map(b"\n".join),
)
steps = st.one_of(
    st.tuples(st.just("write"), names, contents),
    st.tuples(st.just("stage"), names, contents),
    st.tuples(st.just("remove"), names, st.none()),
    st.tuples(st.just("unstage"), names, st.none()),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("link"), names, st.sampled_from(["a", "nowhere", "sub"])),
    st.tuples(st.just("mode"), names, st.none()),
    st.tuples(st.just("intent"), names, st.none()),
    st.tuples(st.just("hide"), names, st.none()),
)


def act(directory: Path, what: str, name: str, value: Any) -> None:
    path = directory / name
    is_there = os.path.lexists(path) and (path.is_symlink() or not path.is_dir())
    try:
        if what in {"write", "stage"}:
            put(directory, name, value)
        elif what == "remove" and is_there:
            path.unlink()
        elif what == "rename" and is_there:
            target = directory / value
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        elif what == "link":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(value)
        elif what == "mode" and is_there and not path.is_symlink():
            path.chmod(path.stat().st_mode ^ stat.S_IXUSR)
    except OSError:  # a directory stands there, or a file where a directory should be
        return
    stages = what == "stage" or (what == "rename" and is_there)
    tell_git(directory, "stage" if stages else what, name, is_there=is_there)


def tell_git(directory: Path, what: str, name: str, *, is_there: bool) -> None:
    if what == "stage" and os.path.lexists(directory / name):
        git(directory, "add", "-A", "--", f":(literal){name}")
    elif what == "unstage":
        git(directory, "rm", "-q", "--cached", "--ignore-unmatch", "--force", "--", f":(literal){name}")
    elif what == "intent" and is_there:
        git(directory, "add", "-N", "--", f":(literal){name}")
    elif what == "hide" and git(directory, "--literal-pathspecs", "ls-files", "-z", "--", name).rstrip("\0") == name:
        git(directory, "update-index", "--assume-unchanged", "--", name)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(names, contents, max_size=5),
    st.lists(steps, max_size=8),
    st.sampled_from(
        [(), ("core.autocrlf false", "core.quotePath false"), ("diff.noprefix true", "diff.mnemonicPrefix true")]
    ),
)
def test_any_tree_comes_back_bit_for_bit(
    first: dict[str, bytes], changes: list[tuple[str, str, Any]], configs: tuple[str, ...]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder, "it's a répo")
        directory.mkdir()
        git(directory, "init", "-q", "-b", "main")
        for config in configs:
            git(directory, "config", *config.split(" ", 1))
        for name, content in first.items():
            act(directory, "stage", name, content)
        git(directory, "commit", "-q", "--allow-empty", "-m", "first")
        for change in changes:
            act(directory, *change)
        assert_rebuilt(directory)


def test_a_repository_without_a_commit(odd_path: Path) -> None:
    directory = odd_path / "new"
    directory.mkdir()
    git(directory, "init", "-q", "-b", "main")
    put(directory, "staged é.py", b"x = 1\n")
    git(directory, "add", "-A")
    put(directory, "untracked.bin", bytes(range(256)))
    assert read_state(directory).sha is None
    assert_rebuilt(directory)


def test_a_worktree_a_shallow_clone_and_a_detached_head(odd_path: Path) -> None:
    origin = make_repository(odd_path / "origin", {"a": b"1\n", "b": b"2\n"})
    git(origin, "commit", "-q", "--allow-empty", "-m", "second")
    git(origin, "tag", "v1")
    git(origin, "worktree", "add", "-q", "--detach", "../tree", "v1")
    git(odd_path, "clone", "-q", "--depth", "1", origin.as_uri(), "shallow")
    for directory in (odd_path / "tree", odd_path / "shallow"):
        put(directory, "a", b"changed\n")
        put(directory, "new/c", b"3\n")
        patch = patch_of(directory)
        clone = rebuilt(origin, Patch())
        git(clone, "checkout", "-q", read_state(directory).sha or "")
        subprocess.run(["git", "apply", "--binary", "-"], cwd=clone, input=patch.data, check=True)
        assert tree(clone) == tree(directory)
    assert read_state(odd_path / "tree").branch is None
    assert (read_state(odd_path / "tree").tag, read_state(odd_path / "shallow").tag) == ("v1", "v1")


def test_a_subdirectory_gives_the_patch_of_the_whole_tree(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n", "sub/b": b"2\n"}, "diff.relative true")
    put(directory, "a", b"changed\n")
    state = read_state(directory / "sub", changes=True)
    assert state.root == directory
    assert [change.path for change in state.changes] == ["a"]
    assert_rebuilt(directory)


@pytest.mark.parametrize("ending", ["true", "input"])
def test_line_endings_that_git_converts_come_back(odd_path: Path, ending: str) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n2\n"}, f"core.autocrlf {ending}")
    git(directory, "config", "core.safecrlf", "true")
    (directory / "a").unlink()
    git(directory, "checkout", "--", "a")
    end = b"\r\n" if ending == "true" else b"\n"
    put(directory, "a", (directory / "a").read_bytes() + b"3" + end)
    put(directory, "new", b"x" + end + b"y" + end)
    assert_rebuilt(directory)


def test_what_changes_how_git_shows_differences_changes_no_patch(odd_path: Path) -> None:
    directory = make_repository(
        odd_path / "repo", {"a.txt": b"1\n", ".gitattributes": b"*.txt diff=odd\n*.dat -diff\n"}
    )
    put(directory, "a.txt", b"1\n2\n")
    put(directory, "b.dat", b"text\n")
    plain = assert_rebuilt(directory)
    order = odd_path / "order"
    order.write_text("b.dat\na.txt\n")
    for config in (
        *("diff.odd.textconv tr a-z A-Z <", "diff.external false", "diff.odd.command false", "color.ui always"),
        *(
            "diff.renames copies",
            "diff.algorithm histogram",
            "diff.context 0",
            "diff.interHunkContext 9",
            "core.pager false",
        ),
        *("diff.submodule log", "core.quotePath false", "diff.suppressBlankEmpty true", f"diff.orderFile {order}"),
    ):
        git(directory, "config", *config.split(" ", 1))
    assert patch_of(directory) == plain


def test_no_hook_and_no_filter_of_fsmonitor_is_run(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n"})
    hook = directory / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    put(directory, "a", b"2\n")
    assert_rebuilt(directory)
    assert not (directory / "ran").exists()


def test_a_conflict_is_kept_as_it_stands_in_the_file(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n"})
    git(directory, "checkout", "-q", "-b", "other")
    put(directory, "a", b"2\n")
    git(directory, "commit", "-q", "-a", "-m", "other")
    git(directory, "checkout", "-q", "main")
    put(directory, "a", b"3\n")
    git(directory, "commit", "-q", "-a", "-m", "mine")
    subprocess.run(["git", *ME, "merge", "-q", "other"], cwd=directory, capture_output=True, check=False)
    assert b"<<<<<<<" in (directory / "a").read_bytes()
    assert_rebuilt(directory)


def test_a_submodule_is_told_with_its_commit(odd_path: Path) -> None:
    inner = make_repository(odd_path / "inner", {"i": b"1\n"})
    outer = make_repository(odd_path / "outer", {"o": b"1\n"})
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "libs/inner é")
    git(outer, "commit", "-q", "-m", "with it")
    first = git(inner, "rev-parse", "HEAD")
    assert read_state(outer).submodules == {"libs/inner é": first}
    put(outer / "libs/inner é", "i", b"2\n")
    state = read_state(outer, changes=True)
    assert (state.is_dirty, [change.path for change in state.changes]) == (True, ["libs/inner é"])
    assert patch_of(outer) == Patch(left_out={"libs/inner é": "a submodule with changes of its own"})
    git(outer / "libs/inner é", "commit", "-q", "-a", "-m", "on")
    moved = patch_of(outer)
    assert moved.left_out == {}
    assert f"+Subproject commit {git(outer / 'libs/inner é', 'rev-parse', 'HEAD')}".encode() in moved.data
    assert read_state(outer / "libs/inner é").root == outer / "libs/inner é"


def test_a_repository_inside_that_is_not_tracked_is_named(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n"})
    make_repository(directory / "nested", {"n": b"1\n"})
    put(directory, "b", b"2\n")
    patch = patch_of(directory)
    assert patch.left_out == {"nested/": "a repository of its own, which is not tracked"}
    assert set(tree(rebuilt(directory, patch))) == {"a", "b"}


def test_what_is_ignored_or_too_large_is_left_out_and_the_large_is_named(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {".gitignore": b"*.log\n", "tracked": b"1\n"})
    put(directory, "x.log", b"ignored\n")
    put(directory, "tracked", os.urandom(5000))
    put(directory, "large", os.urandom(30_000))
    put(directory, "small", os.urandom(1000))
    patch = patch_of(directory, max_file_bytes=20_000)
    assert patch.left_out == {"large": "0.0 MB"}
    assert set(tree(rebuilt(directory, patch))) == {".gitignore", "tracked", "small"}
    tight = patch_of(directory, max_bytes=3000)
    assert list(tight.left_out) == ["large", "tracked"]
    clone = rebuilt(directory, tight)
    assert (clone / "tracked").read_bytes() == b"1\n"
    assert (clone / "small").read_bytes() == (directory / "small").read_bytes()


def test_what_may_be_secret_is_left_out_and_named_and_stands_nowhere(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"conf.yaml": b"password: hunter2\nlr: 1\n", "a.py": b"x = 1\n"})
    put(directory, "conf.yaml", b"password: hunter2\nlr: 2\n")
    put(directory, ".env", b"TOKEN=other\n")
    put(directory, "deploy/id_rsa", b"other\n")
    put(directory, "new.py", b'password = "hunter2"\n')
    git(directory, "add", "new.py")
    put(directory, "a.py", b"x = 2\n")
    patch = patch_of(directory)
    assert set(patch.left_out) == {"conf.yaml", ".env", "deploy/id_rsa", "new.py"}
    assert b"hunter2" not in patch.data
    assert (rebuilt(directory, patch) / "a.py").read_bytes() == b"x = 2\n"


def test_a_staged_version_of_what_is_left_out_is_not_kept_either(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"large": b"1\n"})
    put(directory, "large", b"staged\n")
    put(directory, "added", b"staged\n")
    git(directory, "add", "-A")
    for name in ("large", "added"):
        put(directory, name, os.urandom(5000))
    assert patch_of(directory, max_file_bytes=100) == Patch(left_out=dict.fromkeys(("added", "large"), "0.0 MB"))


def test_a_large_patch_is_compressed_and_a_damaged_one_is_told(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n"})
    put(directory, "a", b"word\n" * 100_000)
    patch = patch_of(directory)
    file = patch.write(odd_path)
    assert file is not None
    assert file.name.endswith(".patch.gz")
    assert file.stat().st_size < len(patch.data) / 50
    assert read_patch(file) == patch.data
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(OSError, match="cut short"):
        read_patch(file)
    assert Patch().write(odd_path) is None


def test_the_state_tells_tag_remote_and_upstream(odd_path: Path) -> None:
    origin = make_repository(odd_path / "origin", {"a": b"1\n"})
    git(origin, "tag", "v1.0")
    git(odd_path, "clone", "-q", str(origin), "clone")
    clone = odd_path / "clone"
    for _ in range(2):
        git(clone, "commit", "-q", "--allow-empty", "-m", "mine")
    git(origin, "commit", "-q", "--allow-empty", "-m", "theirs")
    git(clone, "fetch", "-q")
    state = read_state(clone)
    assert (state.ahead, state.behind, state.remote) == (2, 1, str(origin))
    assert state.tag == f"v1.0-2-g{(state.sha or '')[:7]}"
    git(clone, "remote", "set-url", "origin", "https://me:ghp_s3cret@example.org/x.git")
    assert read_state(clone).remote == "https://<redacted>@example.org/x.git"
    git(clone, "remote", "remove", "origin")
    state = read_state(clone)
    assert (state.ahead, state.behind, state.remote) == (None, None, None)


def test_folders_of_thousands_of_untracked_files_are_named_as_one(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n"})
    for number in range(5001):
        put(directory, f"data/{number % 10}/{number}.txt", b"x\n")
    put(directory, "new/module.py", b"x = 1\n")
    patch = patch_of(directory)
    assert patch.left_out == {"data/": "5,001 files that are not tracked; should git ignore them?"}
    assert set(tree(rebuilt(directory, patch))) == {"a", "new/module.py"}


def test_a_secret_in_two_bytes_a_character_is_found(odd_path: Path) -> None:
    directory = make_repository(odd_path / "repo", {"a": b"1\n"})
    put(directory, "notes.dat", "it is hunter2".encode("utf-16"))
    assert patch_of(directory).left_out == {"notes.dat": "holds a secret"}


def test_variables_of_another_repository_do_not_count(odd_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_repository(odd_path / "other", {"b": b"1\n"})
    directory = make_repository(odd_path / "repo", {"a": b"1\n"})
    put(directory, "a", b"2\n")
    sha = git(directory, "rev-parse", "HEAD")
    patch = patch_of(directory)
    before = insides(other)
    for name, value in (
        ("GIT_DIR", other / ".git"),
        ("GIT_WORK_TREE", other),
        ("GIT_INDEX_FILE", other / ".git/index"),
    ):
        monkeypatch.setenv(name, str(value))
    state = read_state(directory, changes=True)
    assert (state.sha, state.root, patch_of(directory)) == (sha, directory, patch)
    assert insides(other) == before


def test_a_submodule_comes_back_at_the_commit_that_ran(odd_path: Path) -> None:
    inner = make_repository(odd_path / "inner", {"i": b"1\n"})
    outer = make_repository(odd_path / "outer", {"o": b"1\n"})
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "lib")
    git(outer, "commit", "-q", "-m", "with it")
    put(inner, "i", b"2\n")
    git(inner, "commit", "-q", "-a", "-m", "on")
    git(outer / "lib", "pull", "-q")
    state = read_state(outer, changes=True)
    patch = patch_of(outer)
    code = Code(outer, outer, state.sha, patch.data)
    assert code.rebuild(odd_path / "again") == []
    assert (odd_path / "again/lib/i").read_bytes() == b"2\n"


def test_a_change_in_the_same_moment_as_the_index_and_of_the_same_size(odd_path: Path) -> None:
    """Git looks into a file that is as young as its index; our copy must be no younger."""
    directory = make_repository(odd_path / "repo", {"a": b"1\n", "b": b"1\n"}, "core.trustctime false")
    moment = 1_700_000_000
    for name in ("a", "b"):
        os.utime(directory / name, (moment, moment))
    git(directory, "update-index", "--really-refresh")
    git(directory, "update-index", "--assume-unchanged", "b")
    for name in ("a", "b"):
        (directory / name).write_bytes(b"2\n")
        os.utime(directory / name, (moment, moment))
    os.utime(directory / ".git/index", (moment, moment))
    assert set(tree(rebuilt(directory, assert_rebuilt(directory)))) == {"a", "b"}
