"""The sweeper that goes on with a sweep: `hydra/sweeper=resume hydra.sweep.dir=SWEEP`."""

from __future__ import annotations

from typing import Any

from hydra.plugins.sweeper import Sweeper


class ResumeSweeper(Sweeper):
    """Run the jobs of a sweep that are not completed, with their numbers and directories.

    Args:
        also: Statuses of jobs that are run, too: "completed", "running".
        allow_changes: Whether to go on although the code or the configuration has changed since.
        dry_run: Whether only to list the jobs.
        result_file: Name of the file that marks a job without a run record as completed.
        _others: What the configuration of another sweeper has left here.
    """

    def __init__(
        self,
        *,
        also: list[str] | None = None,
        allow_changes: bool = False,
        dry_run: bool = False,
        result_file: str = "results.json",
        **_others: Any,
    ) -> None:
        self.also = list(also or [])
        self.allow_changes = allow_changes
        self.dry_run = dry_run
        self.result_file = result_file
        self.task_function: Any = None

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        """Take what Hydra gives."""
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config

    def sweep(self, arguments: list[str]) -> Any:
        """Run the jobs, and return what the launcher does."""
        from hydra_callbacks.lifecycle.resume import resume  # noqa: PLC0415  (Hydra imports each plugin at each start)

        return resume(self, [str(word) for word in arguments])
