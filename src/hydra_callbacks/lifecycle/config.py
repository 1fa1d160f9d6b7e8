"""What do Hydra's configurations tell of a launch and a job?"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_callbacks.lifecycle.facts import Job, Launch
from hydra_callbacks.lifecycle.plain_config import plain_config
from hydra_callbacks.lifecycle.plan import RESUME, planned, sweeper_of
from hydra_callbacks.runs.journal import JobJournal, SweepJournal
from hydra_callbacks.runs.record import JobRecord, timestamp
from hydra_callbacks.support.process import command_words, host_facts
from hydra_callbacks.support.redact import Redactor, overrides


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
    facts = {"at": timestamp(started_at), "app": app, "config_name": kwargs.get("config_name"), "cwd": str(cwd)}
    journal = SweepJournal(output_dir, lambda: facts | _of_launch(config)) if is_sweep and output_dir else None
    if journal and sweeper_of(config) == RESUME:
        journal.leave()
    return Launch(
        app=app,
        config_name=kwargs.get("config_name"),
        cwd=cwd,
        output_dir=output_dir,
        output_subdir=hydra.output_subdir,
        is_sweep=is_sweep,
        started_at=started_at,
        journal=journal,
        hydra_config=config,
        hydra_kwargs=kwargs,
    )


def _of_launch(config: DictConfig) -> dict[str, Any]:
    """Return what the journal tells of a launch, without secrets."""
    data = OmegaConf.to_container(config, resolve=False)
    redactor = Redactor({key: value for key, value in data.items() if key != "hydra"} if isinstance(data, dict) else {})
    plan = planned(config)
    return {
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
    name, words = str(hydra.job.name), tuple(overrides(hydra.overrides.task, redactor))
    now = time.time()
    launch_dir = _absolute(cwd, launch_dir)
    record = JobRecord(record_dir, redactor, {"app": name, "overrides": list(words)})
    journal = None
    if is_sweep:
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
