"""What is a callback told about a launch, a job, and how they ended?"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from omegaconf import OmegaConf, open_dict

from hydra_callbacks.lifecycle.plain_config import plain_config, task_overrides
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.runs.journal import JobJournal, SweepJournal
    from hydra_callbacks.runs.record import JobRecord

Status = Literal["completed", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One start of the application: a single run, or a sweep with all its jobs.

    Attributes:
        app: Name of the application (`hydra.job.name`).
        config_name: Name of the primary config; None when the application has none.
        cwd: Where the application was started, absolute.
        output_dir: The run's output directory, or the sweep's; absolute. None when it cannot be told at the start (its
            interpolations do not resolve yet); at the end of a single run it is always right.
        output_subdir: Name of Hydra's own folder in each job's output directory; None when it is switched off.
        is_sweep: Whether this is a multirun.
        started_at: When it started, in seconds since the epoch.
        program: The file of the task function, absolute; of the program that was started where that cannot be told;
            None in an interactive session.
        journal: The lines of this launch in the sweep's journal, for those who keep it; None in a single run.
        hydra_config: Hydra's own configuration object, for what is not told here; the task sees what is changed in it
            at the start of a single run.
        hydra_kwargs: What else Hydra passed to the event.
    """

    app: str
    config_name: str | None
    cwd: Path
    output_dir: Path | None
    output_subdir: str | None
    is_sweep: bool
    started_at: float
    program: Path | None = None
    journal: SweepJournal | None = field(repr=False, compare=False, default=None)
    hydra_config: Any = field(repr=False, compare=False)
    hydra_kwargs: dict[str, Any] = field(repr=False, compare=False, default_factory=dict)

    def read_config(self) -> dict[str, Any]:
        """Return the task's configuration as plain data without secrets; in a sweep, before its values are applied.

        It is read from a copy: a resolver that remembers what it returned must not do so before the jobs' own values
        are known.
        """
        data = plain_config(copy.deepcopy(self.hydra_config))
        return cast("dict[str, Any]", Redactor(data).data(data))

    def redactor(self) -> Redactor:
        """Return what takes the secrets of the configuration and of the environment out of texts."""
        data = OmegaConf.to_container(self.hydra_config, resolve=False)
        task = {key: value for key, value in data.items() if key != "hydra"} if isinstance(data, dict) else {}
        redactor = Redactor(task)
        redactor.learn_overrides(task_overrides(self.hydra_config))
        return redactor

    def show_task(self, key: str, value: Any) -> bool:
        """Put a value into the configuration that the task will see; only at the start of a single run.

        Args:
            key: Top-level key.
            value: Plain data.

        Returns:
            False, and nothing is changed, when the configuration has something of its own there, or is read-only.

        Raises:
            RuntimeError: In a sweep, where no change here reaches the jobs.
        """
        if self.is_sweep:
            msg = f"config.{key} cannot be shown to the jobs of a sweep: Hydra composes their configurations anew"
            raise RuntimeError(msg)
        config = self.hydra_config
        if OmegaConf.is_readonly(config) or (key in config and config[key] is not None):
            return False
        with open_dict(config):
            config[key] = value
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One execution of the task function; a single run has one, a sweep has many.

    Attributes:
        name: Name of the application (`hydra.job.name`).
        num: Number of the job in its sweep; 0 in a single run.
        id: Hydra's id of the job, as the launcher gave it; the name in a single run.
        overrides: The task's overrides without secrets, for example `("lr=0.1",)`.
        output_dir: Where the job writes, absolute.
        record_dir: Where its run record lies, absolute.
        launch_dir: The sweep's directory, or the run's own; absolute.
        cwd: Where the application was started, absolute.
        is_sweep: Whether it is part of a multirun.
        config_name: Name of the primary config; None when the application has none.
        config: The task's configuration as plain data without secrets; what does not resolve stands there unresolved.
        started_at: When it started, in seconds since the epoch.
        record: Its run record: callbacks add their sections to it.
        journal: Its lines in the sweep's journal, for those who keep it; None in a single run.
        hydra_config: Hydra's own configuration object, for what is not told here.
    """

    name: str
    num: int
    id: str
    overrides: tuple[str, ...]
    output_dir: Path
    record_dir: Path
    launch_dir: Path
    cwd: Path
    is_sweep: bool
    config_name: str | None
    config: dict[str, Any]
    started_at: float
    record: JobRecord = field(repr=False, compare=False)
    journal: JobJournal | None = field(repr=False, compare=False, default=None)
    hydra_config: Any = field(repr=False, compare=False)

    @property
    def attempt(self) -> int:
        """1, or more when the job started before in the same directory (a requeue, a retry)."""
        return self.record.attempt

    @property
    def redactor(self) -> Redactor:
        """What takes the secrets out of texts."""
        return self.record.redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job or a launch ended.

    Attributes:
        status: "completed" (it returned, or left by `sys.exit` with status 0), "failed" (it raised, or left with
            another status) or "interrupted" (Ctrl-C; SIGTERM, where a callback listens to it; a sweep that
            `sys.exit(0)` in a job cut short).
        return_value: What the task returned; None unless it did, and for sweeps.
        error: What was raised, `SystemExit` and `KeyboardInterrupt` included; None after a return.
        duration_s: Wall-clock seconds from start to end.
        job_return: Hydra's own `JobReturn`; None where Hydra gives none.
    """

    status: Status
    return_value: Any = None
    error: BaseException | None = None
    duration_s: float = 0.0
    job_return: Any = field(repr=False, compare=False, default=None)
