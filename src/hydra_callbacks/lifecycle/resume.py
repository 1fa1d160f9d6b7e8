"""How does a sweep go on? By a launch of the jobs that are not completed, numbered as they were."""

from __future__ import annotations

import logging
import time
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins
from omegaconf import OmegaConf

from hydra_callbacks.errors import HydraCallbacksError, RunAborted, SweepError
from hydra_callbacks.lifecycle.changes import changes_since
from hydra_callbacks.lifecycle.config import launch_facts
from hydra_callbacks.lifecycle.flight import launch_under_way
from hydra_callbacks.lifecycle.plan import expanded
from hydra_callbacks.runs.find import as_typed
from hydra_callbacks.runs.resume import Choice, choose
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.support.redact import Redactor, overrides
from hydra_callbacks.support.texts import as_words, counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.lifecycle.facts import Launch
    from hydra_callbacks.runs.journal import SweepJournal
    from hydra_callbacks.runs.resume import Todo
    from hydra_callbacks.runs.sweep import Sweep

log = logging.getLogger("hydra.callbacks")
_MOST_LISTED = 100


def resume(sweeper: Any, words: list[str]) -> Any:
    """Run what a sweep lacks, and return what the launcher returns: one batch, or none.

    Args:
        sweeper: The `ResumeSweeper`, with its settings and what Hydra gave it.
        words: The task's overrides; none for the jobs that the sweep has.

    Raises:
        RunAborted: There is no such sweep, it is under way, or something has changed since; the reason says what.
    """
    config, loader = sweeper.config, sweeper.hydra_context.config_loader
    launch = launch_under_way(config) or launch_facts(config, is_sweep=True, started_at=time.time(), kwargs={})
    try:
        sweep, journal = _sweep_of(launch)
        wanted = expanded(words, loader) if words else None
        choice = choose(sweep, wanted, also=sweeper.also, result_file=sweeper.result_file)
        changes = changes_since(choice, sweep, config, loader, launch.cwd)
        _tell(choice, sweep.directory)
        if sweeper.dry_run:
            for change in changes:
                log.warning("Changed since: %s", change)
            for each in choice.todo[:_MOST_LISTED]:
                log.info("\t#%d (%s) : %s", each.num, each.why, as_words(overrides(each.words, Redactor())))
            if len(choice.todo) > _MOST_LISTED:
                log.info("\t... and %d more", len(choice.todo) - _MOST_LISTED)
            return []
        _refuse_changes(changes, allowed=sweeper.allow_changes or not choice.left)
        if not choice.todo:
            return []
        journal.take()
        plan = [overrides(each.words, Redactor()) for each in choice.todo]
        facts = {"plan": plan, "nums": [each.num for each in choice.todo], "resumes": True}
        journal.keep(guard=True, jobs=False, facts=facts)
    except HydraCallbacksError as error:
        log.error("%s", error)  # noqa: TRY400  (the message says all)
        raise RunAborted(str(error)) from None
    return [_launch(sweeper, choice.todo)]


def _sweep_of(launch: Launch) -> tuple[Sweep, SweepJournal]:
    """Return the sweep that a launch is to go on with.

    Raises:
        SweepError: There is none.
    """
    if launch.output_dir is None or launch.journal is None:
        msg = "the sweep to go on with is not known; say hydra.sweep.dir=DIRECTORY"
        raise SweepError(msg)
    sweep = read_sweep(launch.output_dir)
    if not sweep.jobs:
        msg = f"{as_typed(sweep.directory)} holds no jobs of a sweep; is hydra.sweep.dir right?"
        raise SweepError(msg)
    return sweep, launch.journal


def _launch(sweeper: Any, todo: Sequence[Todo]) -> Any:
    config = sweeper.config
    batch = [[*each.words, *_place(config, each)] for each in todo]
    sweeper.validate_batch_is_legal(batch)
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=sweeper.hydra_context, task_function=sweeper.task_function, config=config
    )
    results = launcher.launch(batch, initial_job_idx=_Numbers.of([each.num for each in todo]))
    for result in results:
        _ = result.return_value  # raises what the job did, as Hydra's own sweeper lets it
    return results


class _Numbers(int):
    """Stands for the number of the first job: launchers add a job's place in the batch to it, and get its number."""

    nums: list[int]

    @classmethod
    def of(cls, nums: list[int]) -> _Numbers:
        self = cls(nums[0])
        self.nums = nums
        return self

    def __add__(self, place: int) -> int:
        return self.nums[place]

    __radd__ = __add__


def _place(config: Any, todo: Todo) -> list[str]:
    """Return the override that keeps a job in its directory, where its number alone does not."""
    sweep = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    is_usual = isinstance(sweep, dict) and sweep.get("subdir") == "${hydra.job.num}"
    is_elsewhere = todo.directory is not None and PurePath(todo.directory).is_absolute()
    if todo.directory is None or is_elsewhere or (is_usual and todo.directory == str(todo.num)):
        return []
    quoted = todo.directory.replace("\\", "\\\\").replace("'", "\\'")
    return [f"hydra.sweep.subdir='{quoted}'"]


def _tell(choice: Choice, directory: Path) -> None:
    left = "".join(f", {count:,} {state}" for state, count in choice.counts().most_common())
    what = ", ".join(dict.fromkeys(each.why for each in choice.todo))
    todo = f"{counted(len(choice.todo), 'job')} to run ({what})" if choice.todo else "nothing to run"
    log.info("Resuming %s: %s%s", as_typed(directory), todo, f"; left alone{left[1:]}" if left else "")


def _refuse_changes(changes: Sequence[str], *, allowed: bool) -> None:
    """Log what has changed.

    Raises:
        HydraCallbacksError: It is not allowed: jobs of two kinds would stand in one table.
    """
    for change in changes:
        log.warning("Changed since: %s", change)
    if changes and not allowed:
        msg = "the completed jobs ran with another code or configuration (above): go back to it, or resume with"
        msg += " hydra.sweeper.allow_changes=true (hydra-callbacks resume --allow-changes)"
        raise HydraCallbacksError(msg)
