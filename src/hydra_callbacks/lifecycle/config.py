"""How do Hydra's configurations become plain data, whatever in them is missing or does not resolve?"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from hydra_callbacks.lifecycle.facts import Job, Launch
from hydra_callbacks.runs.record import JobRecord
from hydra_callbacks.support.plain import plain
from hydra_callbacks.support.redact import Redactor, overrides


def task_config(config: DictConfig) -> dict[str, Any]:
    """Return the task's part of a configuration as plain data; what does not resolve stands there unresolved."""
    return {str(plain(key)): _value(config, key) for key in config if key != "hydra"}


def _value(parent: DictConfig | ListConfig, key: Any) -> Any:
    try:
        node = parent._get_node(key)  # noqa: SLF001  (the only way to see a node without resolving it)
        if isinstance(node, (DictConfig, ListConfig)) and not node._is_interpolation():  # noqa: SLF001
            return _container(node)
        value = parent[key]
        return _container(value) if isinstance(value, (DictConfig, ListConfig)) else plain(value)
    except Exception:  # noqa: BLE001  (a missing value, or any error of a user's own resolver)
        return _unresolved(parent, key)


def _container(node: DictConfig | ListConfig) -> Any:
    try:
        return plain(OmegaConf.to_container(node, resolve=True, throw_on_missing=False))
    except Exception:  # noqa: BLE001  (as above; now look at each value alone)
        if isinstance(node, DictConfig):
            return {str(plain(key)): _value(node, key) for key in node}
        return [_value(node, index) for index in range(len(node))]


def _unresolved(parent: DictConfig | ListConfig, key: Any) -> Any:
    try:
        node: Any = parent._get_node(key)  # noqa: SLF001
        return plain(node._value())  # noqa: SLF001
    except Exception:  # noqa: BLE001  (nothing more can be known)
        return "???"


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
    data = task_config(config)
    return Launch(
        app=str(_select(config, "hydra.job.name") or "unknown"),
        config_name=kwargs.get("config_name"),
        config=Redactor(data).data(data),
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
    is_sweep = getattr(hydra.mode, "name", "") == "MULTIRUN"
    launch_dir = (sweep_dir or _select(config, "hydra.sweep.dir") if is_sweep else None) or output_dir
    data = task_config(config)
    redactor = Redactor(data)
    record_dir = output_dir / hydra.output_subdir if hydra.output_subdir else output_dir
    return Job(
        name=str(hydra.job.name),
        num=int(hydra.job.num) if is_sweep else 0,
        id=str(hydra.job.id if is_sweep else hydra.job.name),
        overrides=tuple(overrides(hydra.overrides.task, redactor)),
        output_dir=output_dir,
        record_dir=record_dir,
        launch_dir=_absolute(cwd, launch_dir),
        cwd=cwd,
        is_sweep=is_sweep,
        config_name=_select(config, "hydra.job.config_name"),
        config=redactor.data(data),
        started_at=time.time(),
        record=JobRecord(record_dir, redactor),
        hydra_config=config,
    )


def _absolute(cwd: Path, directory: Any) -> Path:
    return Path(os.path.normpath(cwd / str(directory)))
