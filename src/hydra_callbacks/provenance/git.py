"""Which commit is checked out, and has anything been changed since?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hydra_callbacks.errors import GitError

_TIMEOUT_S = 60.0
_SHA = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class GitState:
    """The state of a working tree.

    Attributes:
        sha: The commit that is checked out, 40 (or 64) hexadecimal digits; None before the first commit.
        branch: Name of the branch; None when HEAD is detached.
        is_dirty: Whether a tracked file differs from the commit, staged or not; untracked files do not count.
    """

    sha: str | None
    branch: str | None
    is_dirty: bool


def read_state(directory: Path) -> GitState:
    """Read the state of the working tree around a directory, by one `git status` that writes nothing.

    Args:
        directory: Any directory in the tree.

    Returns:
        The state; the format that is read is "Porcelain Format Version 2" of git-status(1).

    Raises:
        GitError: Git is not installed, the directory is in no repository, or git refuses to read it; the message says
            which, and what to do.
    """
    words = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no"]
    done = _git(directory, words)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        if "not a git repository" in said:
            msg = f"{directory} is in no git repository; run `git init`, start in one, or switch GitInfo off"
        else:
            msg = f"git cannot read {directory}: {said}"
        raise GitError(msg)
    return _parse(done.stdout.decode(errors="surrogateescape"))


def commits_between(directory: Path, first: str, last: str) -> list[str] | None:
    """Return the commits that only one of two has in its history, newest first.

    Args:
        directory: Any directory in the repository.
        first: A commit.
        last: Another one.

    Returns:
        For each a line: `>` for those of the last one, `<` for those of the first one, the beginning of its sha, and
        its subject. None when git, the repository or one of the commits is not here.
    """
    if not all(_SHA.fullmatch(commit) for commit in (first, last)):
        return None
    try:
        done = _git(directory, ["log", "--oneline", "--left-right", "--no-color", f"{first}...{last}", "--"])
    except GitError:
        return None
    return done.stdout.decode(errors="replace").splitlines() if done.returncode == 0 else None


def changes_since(directory: Path, sha: str, *, is_dirty: bool, since: float) -> list[str]:
    """Return how a working tree differs from what it was, in words; nothing when it does not, as far as can be told.

    What was changed and not committed, then and now, is told by the times of the files.

    Args:
        directory: Any directory in the tree.
        sha: The commit that was checked out.
        is_dirty: Whether there were changes that were not committed.
        since: When that was, in seconds since the epoch.

    Raises:
        GitError: As `read_state`.
    """
    now = read_state(directory)
    if now.sha != sha:
        commits = commits_between(directory, sha, now.sha or "")
        counted = f" ({len(commits)} commit{'' if len(commits) == 1 else 's'} between)" if commits else ""
        return [f"the commit: {sha[:8]} -> {(now.sha or 'none')[:8]}{counted}"]
    if now.is_dirty != is_dirty:
        return [f"the code on commit {sha[:8]}: {'without' if is_dirty else 'with'} uncommitted changes now"]
    if not is_dirty:
        return []
    root = Path(os.fsdecode(_git(directory, ["rev-parse", "--show-toplevel"]).stdout.removesuffix(b"\n")))
    changed = _git(directory, ["diff", "--name-only", "-z", "--no-ext-diff", "HEAD", "--"]).stdout.split(b"\0")
    newer = [name for name in map(os.fsdecode, changed) if name and _is_newer(root / name, since)]
    return [f"uncommitted code: {', '.join(newer)}"] if newer else []


def _is_newer(path: Path, since: float) -> bool:
    try:
        return path.stat().st_mtime > since
    except OSError:  # it was removed
        return True


def _git(directory: Path, words: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run git without waiting for locks or for a user.

    Raises:
        GitError: It is not installed, or cannot be run.
    """
    git = shutil.which("git")
    if git is None:
        msg = "there is no git program on the PATH; install git, or switch GitInfo off"
        raise GitError(msg)
    try:
        return subprocess.run(  # noqa: S603  (fixed words, and commits that are known to be hexadecimal)
            [git, "--no-optional-locks", *words],
            cwd=directory,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"git {words[0]} in {directory} could not be run: {error}"
        raise GitError(msg) from error


def _parse(status: str) -> GitState:
    headers = {}
    is_dirty = False
    for entry in status.split("\0"):
        if entry.startswith("# "):
            name, _, value = entry[2:].partition(" ")
            headers[name] = value
        elif entry:
            is_dirty = True
    sha, branch = headers.get("branch.oid"), headers.get("branch.head")
    return GitState(
        sha=None if sha == "(initial)" else sha,
        branch=None if branch == "(detached)" else branch,
        is_dirty=is_dirty,
    )
