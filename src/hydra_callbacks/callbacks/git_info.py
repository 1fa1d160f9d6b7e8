"""Which commit produced this run, and what was changed since?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.errors import GitError, RunAborted
from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback
from hydra_callbacks.provenance import SWEEP_FOLDER
from hydra_callbacks.support.settings import check, check_flags
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.provenance.git_capture import GitCapture
    from hydra_callbacks.support.redact import Redactor

log = logging.getLogger("hydra.callbacks")
_SHORT_WAIT_S = 0.003
_MOST_NAMED = 5


class GitInfo(RunCallback):
    """Log and record the commit of the application; keep what was changed since; optionally demand a clean tree.

    The tree is read once for a run or a sweep; a single run's start does not wait for it, unless `clean` or `show_task`
    ask for that. The record of every job gets a `git` section:
    sha, branch, is_dirty, root, tag, remote, ahead, behind, submodules, patch and left_out. Changes to tracked files
    make a tree dirty; untracked files, and what `git status` was told not to show, do not.

    Args:
        clean: Refuse to start while the tree has uncommitted changes, or when that cannot be told.
        show_task: In a single run, put `git` (sha, is_dirty) into the configuration that the task sees, unless it has
            such a key of its own. The preset `default` does not: a task may pass its
            configuration on as it is.
        patch: Keep one patch against the commit, with what is staged, changed, removed, or not tracked and not ignored;
            binary files, too, but not what runs have made. It stands beside the run record, or in `.provenance` in the
            sweep's directory.
        max_patch_mb: The patch's largest size, in MB (10^6 bytes); what is left out is named in the record.
        max_file_mb: The largest size of a file in it, in MB.
        repository: "app" for that of the application's own file (that of the working directory, where it is in none);
            "cwd" for that of the working directory; else a directory.
        enabled: When False, nothing is read or recorded.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        clean: bool = False,
        *,
        show_task: bool = True,
        patch: bool = False,
        max_patch_mb: float = 10,
        max_file_mb: float = 1,
        repository: str = "app",
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check_flags(clean=clean, show_task=show_task, patch=patch)
        for name, size in (("max_patch_mb", max_patch_mb), ("max_file_mb", max_file_mb)):
            check(name, size, "a number of MB above 0", is_number(size) and size > 0)
        is_place = isinstance(repository, str) and bool(repository)
        check("repository", repository, "'app', 'cwd', or a directory", is_place)
        self.clean = clean
        self.show_task = show_task
        self.patch = patch
        self.max_patch_mb = max_patch_mb
        self.max_file_mb = max_file_mb
        self.repository = repository
        self._capture: GitCapture | None = None
        self._redactor: Redactor | None = None
        self._is_said = self._is_finished = False

    def __getstate__(self) -> dict[str, Any]:
        """Wait for git before a launcher sends this to the jobs."""
        if self._capture:
            self._finish(self._capture)
        self._redactor = None
        return self.__dict__

    def launch_started(self, launch: Launch) -> None:
        """Begin to read the tree; abort when it must be clean and is not."""
        from hydra_callbacks.provenance.git_capture import GitCapture  # noqa: PLC0415  (nothing heavy yet)

        folder = launch.output_dir / SWEEP_FOLDER if launch.is_sweep and launch.output_dir else None
        is_waited_for = self.clean or self.show_task or launch.is_sweep
        self._is_said = self._is_finished = False
        self._capture = GitCapture(
            self._directory(launch), folder, self._patching(launch) if self.patch else None, gently=not is_waited_for
        )
        if is_waited_for:
            self._look(launch, self._capture)

    def _patching(self, launch: Launch) -> dict[str, Any]:
        """Return what is to be known for a patch."""
        sizes = {"max_bytes": int(self.max_patch_mb * 1e6), "max_file_bytes": int(self.max_file_mb * 1e6)}
        self._redactor = launch.redactor()
        return {**sizes, "outputs": _outputs(launch), "redactor": self._redactor}

    def _directory(self, launch: Launch) -> Path:
        if self.repository not in {"app", "cwd"}:
            return launch.cwd / self.repository
        if self.repository == "app" and launch.program:
            folders = launch.program.parents
            if any((folder / ".git").exists() for folder in folders):
                return launch.program.parent
        return launch.cwd

    def _look(self, launch: Launch, capture: GitCapture) -> None:
        """Wait for the state; abort when it must be clean and is not; show it to the task."""
        try:
            state = capture.state()
        except GitError as error:
            if self.clean:
                self._capture = None
                reason = f"No clean git repository, aborting: {error}"
                raise RunAborted(reason) from error
            self._say(capture)
            return
        self._say(capture)
        if self.clean and state.is_dirty:
            self._capture = None
            reason = f"Repo is dirty, aborting: commit or stash the changes in {state.root}, or set clean=false"
            raise RunAborted(reason)
        if self.show_task and not launch.is_sweep:
            launch.show_task("git", {"sha": state.sha, "is_dirty": state.is_dirty})

    def job_started(self, job: Job) -> None:
        """Record it: now, or as soon as it is known."""
        capture = self._capture
        if capture is None:
            return
        if capture.wait(_SHORT_WAIT_S):
            self._say(capture)
            _record(capture, job)
        else:
            capture.then(lambda: _record_later(capture, job))

    def job_ended(self, job: Job, outcome: Outcome) -> None:  # noqa: ARG002  (however it ended)
        """See to it that it is recorded."""
        if self._capture:
            self._finish(self._capture)

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (as above)
        """Let go of it."""
        if self._capture:
            self._finish(self._capture)
        self._capture = None

    def _say(self, capture: GitCapture) -> None:
        """Wait until the state is known, and log it once."""
        if self._is_said:
            return
        self._is_said = True
        try:
            state = capture.state()
        except GitError as error:
            log.warning("No git information: %s", error)
        else:
            log.warning("Git sha: %s, dirty: %s", state.sha, state.is_dirty)

    def _finish(self, capture: GitCapture) -> None:
        """Wait until all is known, and log what the patch lacks, once."""
        self._say(capture)
        capture.wait()
        names = [] if self._is_finished else capture.left_out
        self._is_finished = True
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            told = ", ".join(names[:_MOST_NAMED])
            told = self._redactor.text(told) if self._redactor else told
            log.warning("The patch lacks %s%s (git.left_out in the run record says why)", told, more)


def _outputs(launch: Launch) -> list[Path]:
    """Return the directories that hold what runs have made: Hydra's usual ones, and that of this launch."""
    usual = [launch.cwd / name for name in ("outputs", "multirun", "multiruns")]
    return [*usual, *([launch.output_dir] if launch.output_dir and launch.output_dir != launch.cwd else [])]


def _record(capture: GitCapture, job: Job) -> None:
    if not job.is_sweep:
        capture.keep(job.record_dir)
    section = capture.section(job.output_dir)
    if section:
        job.record.add({"git": section})


def _record_later(capture: GitCapture, job: Job) -> None:
    try:
        _record(capture, job)
        job.record.flush()
    except Exception as error:  # noqa: BLE001  (a thread has nobody to tell)
        log.warning("The git state of %s could not be recorded: %s", job.output_dir, error)
