"""Which commit is checked out, where does it come from, and has anything been changed since?"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hydra_callbacks.errors import GitError
from hydra_callbacks.provenance.changes import asked_for, parse, with_unsaid
from hydra_callbacks.provenance.git_program import SHA, Call, of_another_user, output, run
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from hydra_callbacks.provenance.changes import Change
    from hydra_callbacks.provenance.hidden_files import Listing


class GitState(NamedTuple):  # in each launch's way: a dataclass takes ten times as long to be made
    """The state of a working tree.

    Attributes:
        root: Its top directory.
        sha: The commit that is checked out, 40 (or 64) hexadecimal digits; None before the first commit.
        branch: Name of the branch; None when HEAD is detached.
        is_dirty: Whether a tracked file differs from the commit, staged or not; untracked files do not count.
        tag: The nearest tag, with the number of commits since and the beginning of the sha behind it, as in
            `v1.2-3-gd974be3`; None without one.
        remote: URL of the branch's remote, or of `origin`, or the only one, without credentials; None without one.
        ahead: Number of commits that the branch's upstream lacks; None without an upstream.
        behind: Number of commits that it has besides; likewise.
        submodules: Path of each submodule to the commit that it is to be on.
        changes: The files that differ, and those that are not tracked, where that was asked for; with those of which
            git was told to say nothing.
        hidden: The files at which git was told not to look, likewise.
    """

    root: Path
    sha: str | None
    branch: str | None
    is_dirty: bool
    tag: str | None
    remote: str | None
    ahead: int | None
    behind: int | None
    submodules: dict[str, str]
    changes: tuple[Change, ...]
    hidden: tuple[str, ...]


def read_state(directory: Path, *, changes: bool = False, gently: bool = False) -> GitState:
    """Read the state of the working tree around a directory; nothing is written.

    Args:
        directory: Any directory in the tree.
        changes: Whether to list the files that differ, and those that are not tracked and not ignored.
        gently: Whether git is to leave the other processors alone, as nobody waits for it.

    Returns:
        The state.

    Raises:
        GitError: Git is not installed, the directory is in no repository, or git refuses to read it; the message says
            which, and what to do.
    """
    words = asked_for(untracked=changes)
    status = Call(directory, ["-c", "core.preloadIndex=false", *words] if gently else words)
    root = _root(directory)
    listing = _hidden_in(root or directory) if changes else None
    described = Call(directory, ["describe", "--tags"]) if _may_have_tags(root) else None
    asked = ["config", "-z", "--get-regexp", r"^(remote\..*\.url|branch\..*\.remote)$"]
    configured = Call(directory, asked) if _may_have_remotes(root) else None
    done = status.end()
    tag, remotes = (os.fsdecode(call.end().stdout) if call else "" for call in (described, configured))
    hidden = listing.hidden() if listing else []
    if done.returncode != 0:
        raise GitError(_why_not(directory, done.stderr.decode(errors="replace").strip()))
    root = root or Path(os.fsdecode(output(directory, ["rev-parse", "--show-toplevel"]).removesuffix(b"\n")))
    headers, found = parse(done.stdout)
    all_found = with_unsaid(root, hidden) if changes else []
    branch, sha = headers.get("head"), headers.get("oid")
    branch = None if branch == "(detached)" else branch
    counts = re.fullmatch(r"\+(\d+) -(\d+)", headers["ab"]) if "ab" in headers else None
    return GitState(
        root=root,
        sha=None if sha == "(initial)" else sha,
        branch=branch,
        is_dirty=any(change.is_dirty for change in found),
        tag=tag.strip() or None,
        remote=_remote(remotes, branch),
        ahead=int(counts[1]) if counts else None,
        behind=int(counts[2]) if counts else None,
        submodules=_submodules(root) if (root / ".gitmodules").exists() else {},
        changes=tuple(found if all_found is None else all_found),
        hidden=tuple(hidden),
    )


def _why_not(directory: Path, said: str) -> str:
    """Return why git could not tell, and what to do."""
    if "not a git repository" in said:
        return f"{directory} is in no git repository; run `git init`, start in one, or switch GitInfo off"
    return of_another_user(directory, said) or f"git cannot read {directory}: {said}"


def _hidden_in(root: Path) -> Listing:
    from hydra_callbacks.provenance.hidden_files import Listing  # noqa: PLC0415  (only a patch needs it)

    return Listing(root)


def _root(directory: Path) -> Path | None:
    """Return the tree's top directory; None where it is not found by a look."""
    return next((each for each in (directory, *directory.parents) if (each / ".git").exists()), None)


def _may_have_tags(root: Path | None) -> bool:
    """Tell whether it is worth while to start git for them: only a plain repository can be seen through."""
    git = root / ".git" if root else None
    if git is None or not git.is_dir():
        return True
    try:
        return any((git / "refs" / "tags").iterdir()) or b" refs/tags/" in (git / "packed-refs").read_bytes()
    except FileNotFoundError:
        return (git / "reftable").exists()
    except OSError:
        return True


def _may_have_remotes(root: Path | None) -> bool:
    git = root / ".git" if root else None
    try:
        return git is None or not git.is_dir() or b"[remote" in (git / "config").read_bytes()
    except OSError:
        return True


def _remote(configured: str, branch: str | None) -> str | None:
    """Return the URL that a branch follows, without credentials."""
    pairs = [entry.partition("\n") for entry in configured.split("\0") if entry]
    urls = {name.removeprefix("remote.").removesuffix(".url"): url for name, _, url in pairs if name.endswith(".url")}
    follows = {name: remote for name, _, remote in pairs if name.startswith("branch.")}
    name = follows.get(f"branch.{branch}.remote", "origin")
    url = urls.get(name) or (next(iter(urls.values())) if len(urls) == 1 else None)
    return None if url is None else Redactor(environ={}).text(url)


def _submodules(root: Path) -> dict[str, str]:
    from hydra_callbacks.provenance.submodules import listed  # noqa: PLC0415  (few trees have any)

    return {each.path: each.sha for each in listed(root)}


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
    if not all(SHA.fullmatch(commit) for commit in (first, last)):
        return None
    try:
        done = run(directory, ["log", "--oneline", "--left-right", "--no-color", f"{first}...{last}", "--"])
    except GitError:
        return None
    return done.stdout.decode(errors="replace").splitlines() if done.returncode == 0 else None
