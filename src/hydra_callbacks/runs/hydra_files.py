"""What do Hydra's own files tell of a job that never had a run record?"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from hydra_callbacks.errors import RecordError
from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.support.files import read_if_there
from hydra_callbacks.support.plain import plain
from hydra_callbacks.support.redact import Redactor, overrides

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is installed
_WORDS = re.compile(rb"(?:- [A-Za-z_+][\w.@/+]*=[\w.@/+,-]*\n)+")  # overrides that YAML does not read in another way
_SECRET = re.compile(rb"key|token|secret|pass|pw|cred", re.IGNORECASE)
_NUM = re.compile(r"^    num: (\d+)\s*$", re.MULTILINE)
_NUM_IN_BYTES = re.compile(rb"\n    num: (\d+)")
_NAME = re.compile(r"^    name: (\S.*?)\s*$", re.MULTILINE)
_RUNTIME = re.compile(r"^  runtime:\n((?: {4}.*\n)*)", re.MULTILINE)


def record_of(directory: Path, folder: Path) -> dict[str, Any]:
    """Return what stands in for a job's run record, with the status `unknown`, and without secrets.

    Args:
        directory: The job's output directory.
        folder: Hydra's own folder in it, with `config.yaml`, `overrides.yaml` and `hydra.yaml`.

    Raises:
        RecordError: One of the files is missing or damaged.
    """
    try:
        config = yaml.load((folder / "config.yaml").read_bytes(), _LOADER)  # noqa: S506  (a safe loader)
        words = yaml.load((folder / "overrides.yaml").read_bytes(), _LOADER)  # noqa: S506  (as above)
        hydra = (folder / "hydra.yaml").read_text(encoding="utf-8")
        runtime = yaml.load(found[1], _LOADER) if (found := _RUNTIME.search(hydra)) else {}  # noqa: S506  (as above)
        started_at = (folder / "config.yaml").stat().st_mtime
    except (OSError, ValueError, yaml.YAMLError) as error:
        msg = f"{folder} is damaged: {' '.join(str(error).split())}"
        raise RecordError(msg) from error
    config = plain(config) if isinstance(config, dict) else {}
    redactor = Redactor(config)
    num, name = _NUM.search(hydra), _NAME.search(hydra.partition("\n  job:")[2])
    return {
        "status": "unknown",
        "app": name[1] if name else None,
        "started_at": timestamp(started_at),
        "overrides": overrides(map(str, words if isinstance(words, list) else []), redactor),
        "config": redactor.data(config),
        "cwd": runtime.get("cwd"),
        "output_dir": runtime.get("output_dir") or str(directory.absolute()),
        "job": {"num": int(num[1]) if num else 0, "sweep": num is not None},
    }


def job_of(directory: str) -> dict[str, Any]:
    """Return as much of `record_of` as tells of a job in its sweep, without a look at what takes long.

    Args:
        directory: The job's output directory, with Hydra's folder `.hydra` in it.

    Raises:
        RecordError: As `record_of`.
    """
    folder = f"{directory}/.hydra"
    try:
        config, words, hydra = (
            read_if_there(f"{folder}/{name}.yaml") or b"" for name in ("config", "overrides", "hydra")
        )
        started_at = os.stat(f"{folder}/config.yaml").st_mtime  # noqa: PTH116  (many)
    except OSError as error:
        msg = f"{folder} is damaged: {error}"
        raise RecordError(msg) from error
    if _SECRET.search(config) or not (_WORDS.fullmatch(words) or words == b"[]\n"):
        return record_of(Path(directory), Path(folder))
    num = _NUM_IN_BYTES.search(hydra)
    lines = words.decode().splitlines() if words != b"[]\n" else []
    return {
        "status": "unknown",
        "started_at": timestamp(started_at),
        "overrides": overrides([line[2:] for line in lines], _redactor()),
        "job": {"num": int(num[1]) if num else 0},
    }


def redactor_of(directory: Path) -> Redactor:
    """Return what takes the secrets of a job's configuration out of its results; that may be none of Hydra's.

    Args:
        directory: The job's output directory.
    """
    try:
        text = read_if_there(f"{directory}/.hydra/config.yaml") or b""
        config = yaml.load(text, _LOADER) if _SECRET.search(text) else None  # noqa: S506  (a safe loader)
    except (OSError, ValueError, yaml.YAMLError):
        config = None
    return Redactor(config) if isinstance(config, dict) else _redactor()


@lru_cache(maxsize=1)
def _redactor() -> Redactor:
    """Return one that knows the environment, which does not change while jobs are read."""
    return Redactor()
