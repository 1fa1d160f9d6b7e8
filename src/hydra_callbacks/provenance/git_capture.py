"""How does a run learn its commit and its patch without waiting for git? By a thread that ends when both are known."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import GitError
from hydra_callbacks.provenance.git import GitState, read_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra_callbacks.provenance.patch import Patch
    from hydra_callbacks.support.redact import Redactor

_log = logging.getLogger("hydra.callbacks")
_MOST_NAMED = 100


class GitCapture:
    """Reads the state of a working tree, and makes its patch, beside the caller's own work.

    It can be pickled: then it waits, and what comes out knows the record's section, and no more.

    Args:
        directory: Any directory in the tree.
        folder: Where the patch is written as soon as it is made; None when `keep` is to tell.
        patching: What `patch.make_patch` is to be told, and `redactor`, which knows the secrets; None for no patch.
        gently: Whether git is to leave the other processors alone, as nobody waits for it.
    """

    def __init__(
        self, directory: Path, folder: Path | None, patching: dict[str, Any] | None = None, *, gently: bool = False
    ) -> None:
        self._state: GitState | None = None
        self._error: GitError | None = None
        self._patch: Patch | None = None
        self._file: Path | None = None
        self._folder = folder
        self._section: dict[str, Any] = {}
        self._lacking: list[str] = []
        self._has_state, self._lock = threading.Event(), threading.Lock()
        self._waiting: list[Callable[[], None]] | None = []
        self._thread = threading.Thread(
            target=self._run, args=(directory, patching, gently), name="hydra-callbacks-git", daemon=True
        )
        self._thread.start()

    def state(self) -> GitState:
        """Return the state, once it is known.

        Raises:
            GitError: Git cannot tell.
        """
        self._has_state.wait()
        if self._error or self._state is None:
            raise self._error or GitError("git could not be asked")
        return self._state

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all is known, or for so long; return whether it is."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def keep(self, folder: Path) -> None:
        """Write the patch to this folder, unless it has been written.

        Raises:
            OSError: It cannot be written.
        """
        if self._file is None and self._patch is not None:
            self._file = self._patch.write(folder)

    @property
    def left_out(self) -> list[str]:
        """Files that the patch lacks."""
        return self._lacking

    def section(self, output_dir: Path) -> dict[str, Any]:
        """Return a job's section of the record: what git could not tell is its `problem`.

        Args:
            output_dir: The job's directory, to which the patch's path is relative.
        """
        if self._file is None:
            return self._section
        try:
            told = Path(os.path.relpath(self._file, output_dir)).as_posix()
        except ValueError:  # on another drive
            told = str(self._file)
        return {**self._section, "patch": told}

    def then(self, act: Callable[[], None]) -> None:
        """Do something once all is known: now, or in the thread."""
        with self._lock:
            if self._waiting is not None:
                self._waiting.append(act)
                return
        act()

    def __getstate__(self) -> dict[str, Any]:
        """Wait for the end, and leave the thread out."""
        self.wait()
        kept = {"_section": self._section, "_file": self._file, "_error": self._error, "_lacking": self._lacking}
        return {**kept, "_thread": None, "_waiting": None, "_patch": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what is known."""
        self.__dict__ |= {**state, "_lock": threading.Lock()}

    def _run(self, *what: Any) -> None:
        try:
            self._learn(*what)
        except GitError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001  (a thread has nobody to tell)
            self._error = GitError(f"the patch could not be made: {error}")
        finally:
            if self._error:
                self._section.pop("patch", None)
                self._section["problem"] = str(self._error)
            self._has_state.set()
            with self._lock:
                waiting, self._waiting = self._waiting or [], None
            for act in waiting:
                act()

    def _learn(self, directory: Path, patching: dict[str, Any] | None, gently: bool) -> None:
        state = read_state(directory, changes=patching is not None, gently=gently)
        self._state, self._section = state, _section_of(state)
        self._has_state.set()
        if patching is None:
            return
        self._section["patch"] = None  # nothing differs, as far as is known
        if not state.changes:
            return
        from hydra_callbacks.provenance.patch import make_patch  # noqa: PLC0415  (most trees are clean)
        from hydra_callbacks.provenance.patch_secrets import holds_secret  # noqa: PLC0415  (as above)

        redactor: Redactor = patching.pop("redactor")
        self._patch = make_patch(state, **patching, is_secret=lambda path, text: holds_secret(path, text, redactor))
        self._lacking = list(self._patch.left_out)[:_MOST_NAMED]
        told = {**self._patch.left_out, **self._patch.converted}
        lacks = [{"file": file, "why": why} for file, why in told.items()]
        if lacks:
            more = len(lacks) - _MOST_NAMED
            self._section["left_out"] = lacks[:_MOST_NAMED] + (
                [{"file": "...", "why": f"{more} more"}] if more > 0 else []
            )
        if self._folder is not None:
            self.keep(self._folder)


def _section_of(state: GitState) -> dict[str, Any]:
    told = {
        "sha": state.sha,
        "branch": state.branch,
        "is_dirty": state.is_dirty,
        "root": str(state.root),
        "tag": state.tag,
        "remote": state.remote,
        "ahead": state.ahead,
        "behind": state.behind,
        "submodules": state.submodules or None,
    }
    return {key: value for key, value in told.items() if value is not None or key in {"sha", "branch"}}
