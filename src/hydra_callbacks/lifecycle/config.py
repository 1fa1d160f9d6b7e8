"""What do Hydra's configurations tell of a launch and a job?"""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from hydra_callbacks.lifecycle.facts import Job, Launch
from hydra_callbacks.lifecycle.plain_config import plain_config, task_overrides
from hydra_callbacks.lifecycle.plan import RESUME, planned, sweeper_of
from hydra_callbacks.runs.record import JobRecord, timestamp
from hydra_callbacks.support.process import command_words, host_facts
from hydra_callbacks.support.redact import Redactor, overrides

if TYPE_CHECKING:
    from types import FrameType


def _select(config: DictConfig, key: str) -> Any:
    """Return a value of Hydra's own part; None where it is missing or does not resolve (yet)."""
    try:
        return OmegaConf.select(config, key, throw_on_missing=False)
    except Exception:  # noqa: BLE001  (the user's interpolations in hydra.run.dir and its like)
        return None


def launch_facts(config: DictConfig, *, is_sweep: bool, started_at: float, kwargs: dict[str, Any]) -> Launch:
    """Read the facts of a launch from Hydra's composed configuration."""
    hydra = config.hydra
    cwd = Path(_select(config, "hydra.runtime.cwd") or Path.cwd())
    directory = None
    if not is_sweep:
        directory = _select(config, "hydra.runtime.output_dir")
    directory = directory or _select(config, "hydra.sweep.dir" if is_sweep else "hydra.run.dir")
    app = str(_select(config, "hydra.job.name") or "unknown")
    output_dir = _absolute(cwd, directory) if directory else None
    launch = Launch(
        app=app,
        config_name=kwargs.get("config_name"),
        cwd=cwd,
        output_dir=output_dir,
        output_subdir=hydra.output_subdir,
        is_sweep=is_sweep,
        started_at=started_at,
        program=_program(),
        hydra_config=config,
        hydra_kwargs=kwargs,
    )
    if not is_sweep or launch.output_dir is None:
        return launch
    from hydra_callbacks.runs.journal import SweepJournal  # noqa: PLC0415  (a single run has none)

    journal = SweepJournal(launch.output_dir, lambda: _told(launch))
    if sweeper_of(config) == RESUME:
        journal.leave()
    return dataclasses.replace(launch, journal=journal)


def _program() -> Path | None:
    """Return the file of the task function: Hydra's own frames know it."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (nothing else tells)
    while frame is not None and not (frame.f_code.co_name == "_run_hydra" and "task_function" in frame.f_locals):
        frame = frame.f_back
    task = inspect.unwrap(frame.f_locals["task_function"]) if frame is not None else None
    code = getattr(getattr(task, "func", task), "__code__", None)  # of a partial, too
    file = code.co_filename if code else getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(os.path.abspath(file)) if file and os.path.exists(file) else None  # noqa: PTH100, PTH110  (links stay)


def _told(launch: Launch) -> dict[str, Any]:
    """Return what the journal tells of a launch, without secrets."""
    config, redactor = launch.hydra_config, launch.redactor()
    plan = planned(config)
    return {
        "at": timestamp(launch.started_at),
        "app": launch.app,
        "config_name": launch.config_name,
        "cwd": str(launch.cwd),
        "command": overrides(command_words(), redactor),
        "python": sys.executable,
        "host": host_facts(),
        **({"plan": [overrides(words, redactor) for words in plan]} if plan is not None else {}),
    }


def job_facts(config: DictConfig, sweep_dir: Path | None) -> Job:
    """Read the facts of a job, where it runs, from Hydra's configuration for it.

    Args:
        config: The configuration.
        sweep_dir: The sweep's directory as the controller knows it; None when it must be asked here, which takes time.
    """
    hydra = config.hydra
    cwd = Path(hydra.runtime.cwd)
    output_dir = Path(hydra.runtime.output_dir)
    mode = getattr(hydra.mode, "name", None)  # hydra_zen leaves it empty
    is_sweep = mode == "MULTIRUN" if mode else not OmegaConf.is_missing(hydra.job, "num")
    launch_dir = (sweep_dir or _select(config, "hydra.sweep.dir") if is_sweep else None) or output_dir
    data = plain_config(config)
    redactor = Redactor(data)
    record_dir = output_dir / hydra.output_subdir if hydra.output_subdir else output_dir
    name, words = str(hydra.job.name), tuple(overrides(task_overrides(config), redactor))
    now = time.time()
    launch_dir = _absolute(cwd, launch_dir)
    record = JobRecord(record_dir, redactor, {"app": name, "overrides": list(words)})
    journal = None
    if is_sweep:
        from hydra_callbacks.runs.journal import JobJournal  # noqa: PLC0415  (as above)

        relative = output_dir.relative_to(launch_dir) if output_dir.is_relative_to(launch_dir) else output_dir
        told = {"job": int(hydra.job.num), "dir": relative.as_posix(), "attempt": record.attempt, "overrides": words}
        journal = JobJournal(launch_dir, {**told, "started_at": timestamp(now)})
    return Job(
        name=name,
        num=int(hydra.job.num) if is_sweep else 0,
        id=str(hydra.job.id if is_sweep else hydra.job.name),
        overrides=words,
        output_dir=output_dir,
        record_dir=record_dir,
        launch_dir=launch_dir,
        cwd=cwd,
        is_sweep=is_sweep,
        config_name=_select(config, "hydra.job.config_name"),
        config=redactor.data(data),
        started_at=now,
        record=record,
        journal=journal,
        hydra_config=config,
    )


def _absolute(cwd: Path, directory: Any) -> Path:
    return Path(os.path.normpath(cwd / str(directory)))
