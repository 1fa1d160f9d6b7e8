"""Which commit produced this run?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from hydra_callbacks.errors import GitError, RunAborted
from hydra_callbacks.lifecycle import Job, Launch, RunCallback
from hydra_callbacks.support.settings import check

if TYPE_CHECKING:
    from hydra_callbacks.provenance.git import GitState

log = logging.getLogger("hydra.callbacks")


class GitInfo(RunCallback):
    """Log and record the commit of the working directory; optionally demand a clean tree.

    The tree is read once for a run or a sweep. The record of every job gets a `git` section (sha, branch, is_dirty).
    Changes to tracked files make a tree dirty;
    untracked files do not.

    Args:
        clean: Refuse to start while the tree has uncommitted changes, or when that cannot be told.
        show_task: In a single run, put `git` (sha, is_dirty) into the configuration that the task sees, unless it has
            such a key of its own. The preset `default` does not: a task may pass its configuration on as it is.
        enabled: When False, nothing is read or recorded.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        clean: bool = False,
        *,
        show_task: bool = True,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check("clean", clean, "true or false", isinstance(clean, bool))
        check("show_task", show_task, "true or false", isinstance(show_task, bool))
        self.clean = clean
        self.show_task = show_task
        self._state: GitState | None = None

    def launch_started(self, launch: Launch) -> None:
        """Read the tree; abort when it must be clean and is not."""
        from hydra_callbacks.provenance import git  # noqa: PLC0415  (nothing heavy until it is used)

        self._state = None
        try:
            state = git.read_state(launch.cwd)
        except GitError as error:
            if self.clean:
                reason = f"No clean git repository, aborting: {error}"
                raise RunAborted(reason) from error
            log.warning("No git information: %s", error)
            return
        log.warning("Git sha: %s, dirty: %s", state.sha, state.is_dirty)
        if self.clean and state.is_dirty:
            reason = f"Repo is dirty, aborting: commit or stash the changes in {launch.cwd}, or set clean=false"
            raise RunAborted(reason)
        self._state = state
        if self.show_task and not launch.is_sweep:
            launch.show_task("git", {"sha": state.sha, "is_dirty": state.is_dirty})

    def job_started(self, job: Job) -> None:
        """Record it."""
        if self._state is not None:
            state = self._state
            job.record.add({"git": {"sha": state.sha, "branch": state.branch, "is_dirty": state.is_dirty}})
