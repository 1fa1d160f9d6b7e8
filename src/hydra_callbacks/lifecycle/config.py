"""What do Hydra's configurations tell of a launch and a job?"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_callbacks.lifecycle.facts import Job, Launch
from hydra_callbacks.lifecycle.plain_config import plain_config
from hydra_callbacks.runs.record import JobRecord
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
    return Launch(
        app=str(_select(config, "hydra.job.name") or "unknown"),
        config_name=kwargs.get("config_name"),
        cwd=cwd,
        output_dir=_absolute(cwd, directory) if directory else None,
        output_subdir=hydra.output_subdir,
        is_sweep=is_sweep,
        started_at=started_at,
        hydra_config=config,
        hydra_kwargs=kwargs,
    )


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
    return Job(
        name=name,
        num=int(hydra.job.num) if is_sweep else 0,
        id=str(hydra.job.id if is_sweep else hydra.job.name),
        overrides=words,
        output_dir=output_dir,
        record_dir=record_dir,
        launch_dir=_absolute(cwd, launch_dir),
        cwd=cwd,
        is_sweep=is_sweep,
        config_name=_select(config, "hydra.job.config_name"),
        config=redactor.data(data),
        started_at=time.time(),
        record=JobRecord(record_dir, redactor, {"app": name, "overrides": list(words)}),
        hydra_config=config,
    )


def _absolute(cwd: Path, directory: Any) -> Path:
    return Path(os.path.normpath(cwd / str(directory)))
