"""Have the code or the configuration of a sweep changed since its completed jobs ran?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from omegaconf import OmegaConf

from hydra_callbacks.errors import GitError
from hydra_callbacks.provenance.code_changes import changes_since as code_changes
from hydra_callbacks.runs import record
from hydra_callbacks.runs.find import HYDRA, run_in
from hydra_callbacks.runs.overrides import parse
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.redact import REDACTED, Redactor
from hydra_callbacks.support.texts import shown

if TYPE_CHECKING:
    from pathlib import Path

    from omegaconf import DictConfig

    from hydra_callbacks.runs.resume import Choice
    from hydra_callbacks.runs.sweep import Sweep
    from hydra_callbacks.runs.sweep_job import SweepJob

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_KEYS = 10
_NOTHING = object()


def changes_since(choice: Choice, sweep: Sweep, config: DictConfig, loader: Any, cwd: Path) -> list[str]:
    """Return what has changed since the jobs that are left alone were completed, in words.

    Of jobs with the same keys and the same choices from config groups, one stands for all: they are composed from the
    same files.

    Args:
        choice: What is to run, and what is left alone.
        sweep: The sweep.
        config: Hydra's configuration of the launch.
        loader: Hydra's config loader.
        cwd: Where the application was started.
    """
    done = [job for job in choice.left if job.status == "completed"]
    shapes = {_shape(job, loader): job for job in reversed(done)}
    changes = [change for job in shapes.values() for change in _of_config(job, sweep, config, loader)]
    return [*_of_code(done, sweep.directory, cwd), *dict.fromkeys(changes)]


def _shape(job: SweepJob, loader: Any) -> Any:
    pairs = map(parse, job.overrides)
    return frozenset((key, value if loader.get_group_options(key.partition("@")[0]) else None) for key, value in pairs)


def _of_config(job: SweepJob, sweep: Sweep, config: DictConfig, loader: Any) -> list[str]:
    words = job.overrides
    file = job.directory(sweep.directory) / HYDRA / "config.yaml"
    try:
        then = yaml.load(file.read_bytes(), _LOADER)  # noqa: S506  (a safe loader)
    except (OSError, ValueError, yaml.YAMLError):
        return []
    try:
        composed = loader.load_sweep_config(config, [word for word in words if REDACTED not in word])
    except Exception as error:  # noqa: BLE001  (a key or a file that is not there any more)
        return [f"the configuration of job {job.num} cannot be composed any more: {' '.join(str(error).split())}"]
    now = OmegaConf.to_container(composed, resolve=False)
    now = {key: value for key, value in now.items() if key != "hydra"} if isinstance(now, dict) else {}
    hidden = {parse(word)[0] for word in words if REDACTED in word}
    before, after = (flatten(Redactor().data(_comparable(each))) for each in (then or {}, now))
    keys = [key for key in {**before, **after} if before.get(key, _NOTHING) != after.get(key, _NOTHING)]
    keys = [key for key in keys if key not in hidden]
    told = [f"{key}: {_said(before, key)} -> {_said(after, key)}" for key in keys[:_MOST_KEYS]]
    return [*told, *([f"{len(keys) - _MOST_KEYS} more keys"] if len(keys) > _MOST_KEYS else [])]


def _comparable(value: Any) -> Any:
    """Return what comes back from YAML as it does: a mapping with keys that are texts."""
    text = OmegaConf.to_yaml(OmegaConf.create(value)) if isinstance(value, dict) else ""
    return yaml.load(text, _LOADER) or {}  # noqa: S506  (a safe loader)


def _said(values: dict[str, Any], key: str) -> str:
    return shown(values[key]) or "null" if key in values else "(not there)"


def _of_code(done: list[SweepJob], sweep_dir: Path, cwd: Path) -> list[str]:
    """Return what has changed in the code since the first of the completed jobs that recorded a commit."""
    for job in done:
        run = run_in(job.directory(sweep_dir))
        then = (run.record.get("git") or {}) if run else {}
        if then.get("sha"):
            break
    else:
        return []
    try:
        return code_changes(then, job.directory(sweep_dir), cwd, record.seconds(job.started_at))
    except (GitError, OSError) as error:
        return [f"the code cannot be compared: {error}"]
