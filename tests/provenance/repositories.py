"""Repositories to make patches of, and what a patch gives in a fresh clone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING, Any

from hydra_callbacks.provenance.git import read_state
from hydra_callbacks.provenance.patch import Patch, make_patch, read_patch

if TYPE_CHECKING:
    from pathlib import Path

ME = ("-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false")


def git(directory: Path, *words: str) -> str:
    done = subprocess.run(["git", *ME, *words], cwd=directory, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return os.fsdecode(done.stdout).strip()


def make_repository(directory: Path, files: dict[str, bytes], *configs: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    git(directory, "init", "-q", "-b", "main")
    for config in configs:
        git(directory, "config", *config.split(" ", 1))
    for name, content in files.items():
        put(directory, name, content)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "--allow-empty", "-m", "first")
    return directory


def put(directory: Path, name: str, content: bytes) -> None:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def tree(directory: Path) -> dict[str, Any]:
    """Return every file that is not ignored: what is in it, and whether it can be run."""
    listed = git(directory, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    found: dict[str, Any] = {}
    for name in filter(None, listed.split("\0")):
        path = directory / name
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = (path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))
    return found


def insides(directory: Path) -> dict[str, bytes]:
    """Return all that git keeps of a repository."""
    return {str(path): path.read_bytes() for path in (directory / ".git").rglob("*") if path.is_file()}


def patch_of(directory: Path, max_bytes: int = 10**8, max_file_bytes: int = 10**8) -> Patch:
    state = read_state(directory, changes=True)
    return make_patch(
        state, max_bytes=max_bytes, max_file_bytes=max_file_bytes, is_secret=lambda _path, text: "hunter2" in text
    )


def rebuilt(directory: Path, patch: Patch) -> Path:
    """Return a fresh clone with the patch applied."""
    clone = directory.with_name(f"{directory.name} clone")
    shutil.rmtree(clone, ignore_errors=True)
    if read_state(directory).sha:
        git(directory.parent, "clone", "-q", str(directory), str(clone))
        for key in ("core.autocrlf", "core.eol"):
            done = subprocess.run(["git", "config", key], cwd=directory, capture_output=True, check=False, text=True)
            if done.stdout.strip():
                git(clone, "config", key, done.stdout.strip())
        git(clone, "rm", "-q", "-r", "--cached", "--ignore-unmatch", ".")
        git(clone, "reset", "-q", "--hard")
    else:
        git(directory.parent, "init", "-q", str(clone))
    if patch.data:
        file = patch.write(directory.parent)
        assert file is not None
        subprocess.run(
            ["git", "apply", "--binary", "--whitespace=nowarn", "-"], cwd=clone, input=read_patch(file), check=True
        )
    return clone


def assert_rebuilt(directory: Path) -> Patch:
    before, index = tree(directory), insides(directory)
    patch = patch_of(directory)
    assert patch.left_out == {}
    assert insides(directory) == index, "nothing of the repository was written"
    assert tree(rebuilt(directory, patch)) == before
    assert tree(directory) == before
    return patch
