"""Which files differ from the commit? What `git status` tells, and the changes of which it was told to say nothing.

The format is "Porcelain Format Version 2" of git-status(1).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from hydra_callbacks.provenance.git_program import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Change(NamedTuple):  # as `git.GitState`
    """A file that differs from the commit, or is not in it.

    Attributes:
        path: Relative to the tree's top, as the system has it (`os.fsdecode`).
        head: Its mode and blob in the commit, as git's index has them; None when it is not in it.
        is_tracked: Whether git knows it.
        submodule: Of a submodule, git's letters for what has changed in it, as in `SCMU`; empty otherwise.
        is_dirty: Whether it makes the tree dirty; what is not tracked does not, here or in a submodule.
    """

    path: str
    head: tuple[str, str] | None = None
    is_tracked: bool = True
    submodule: str = ""
    is_dirty: bool = True


def asked_for(*, untracked: bool) -> list[str]:
    """Return what git is to be asked."""
    files = "all" if untracked else "no"
    return ["status", "--porcelain=v2", "--branch", "-z", "--no-renames", f"--untracked-files={files}"]


def parse(status: bytes) -> tuple[dict[str, str], list[Change]]:
    """Return the headers of a status, without `branch.` before their names, and the changes."""
    headers, changes = {}, []
    for entry in os.fsdecode(status).split("\0"):
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            headers[name.removeprefix("branch.")] = value
        elif kind == "?":
            changes.append(Change(rest, is_tracked=False, is_dirty=False))
        elif kind == "1":
            letters, sub, head_mode, _, _, head_blob, _, path = rest.split(" ", 7)
            head = None if int(head_mode, 8) == 0 else (head_mode, head_blob)
            submodule = sub if sub.startswith("S") else ""
            changes.append(Change(path, head, submodule=submodule, is_dirty=(letters, sub) != (".M", "S..U")))
        elif kind == "u":  # a conflict: what stands in the file counts; its version in the commit is not told
            changes.append(Change(rest.split(" ", 9)[9]))
    return headers, changes


def with_unsaid(root: Path, hidden: Sequence[str]) -> list[Change] | None:
    """Return all changes, also those that git has passed over in silence; None where there can be no such.

    Args:
        root: Top directory of the working tree.
        hidden: Files at which git was told not to look.

    Raises:
        GitError: Git cannot be run, or fails.
        OSError: There is no room for temporary files.
    """
    if not hidden and not _may_pass_over_submodules(root):
        return None
    from hydra_callbacks.provenance.own_index import own_index  # noqa: PLC0415  (rare, and it takes a moment)

    with own_index(root, hidden) as own:
        return parse(own.output([*asked_for(untracked=True), "--ignore-submodules=none"]))[1]


def _may_pass_over_submodules(root: Path) -> bool:
    """Tell whether git may have been told to say nothing of changes in submodules."""
    modules = root / ".gitmodules"
    if not modules.exists():
        return False
    asked = ["--get-regexp", r"^(diff\.ignoresubmodules|submodule\..*\.ignore)$"]
    return any(run(root, ["config", *file, *asked]).returncode == 0 for file in ([], ["--file", str(modules)]))
