"""At which tracked files was git told not to look, so that it says nothing of their changes?

Either as "assume unchanged" or as "skip worktree" (git-update-index(1)), as people do with settings of one machine.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from hydra_callbacks.provenance.git_program import Call, run

if TYPE_CHECKING:
    from pathlib import Path

_WORDS = ["ls-files", "-v", "-z"]
_SPARSE = "--sparse"  # does not list what lies in directories that are not checked out at all
_WRONG_USAGE = 129  # before git 2.36, which has no such option


class Listing:
    """What git is told of its files, asked beside the caller's own work.

    Args:
        root: Top directory of the working tree.

    Raises:
        GitError: Git cannot be run.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._call = Call(root, [*_WORDS, _SPARSE])

    def hidden(self) -> list[str]:
        """Return the files at which git does not look; of those that may be missing, the ones that are there.

        Raises:
            GitError: Git takes too long.
        """
        done = self._call.end()
        told = run(self._root, _WORDS).stdout if done.returncode == _WRONG_USAGE else done.stdout
        if told.startswith(b"H ") + told.count(b"\0H ") == told.count(b"\0"):  # of 100,000 files in some milliseconds
            return []
        entries = [entry.partition(" ") for entry in os.fsdecode(told).split("\0") if not entry.endswith("/")]
        unchanged = [path for letter, _, path in entries if letter.islower() and letter != "s"]
        return unchanged + self._there([path for letter, _, path in entries if letter in {"S", "s"}])

    def _there(self, paths: list[str]) -> list[str]:
        """Return those that are there: in a sparse checkout, most are not, by folders."""
        folders = itertools.groupby(paths, os.path.dirname)
        looked = (list(group) for folder, group in folders if (self._root / folder).is_dir())
        return [path for group in looked for path in group if os.path.lexists(self._root / path)]
