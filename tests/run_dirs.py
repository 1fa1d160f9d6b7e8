"""Output directories of jobs, made at once: what Hydra and RunRecord leave there, without the time of a run."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.process import boot_id

if TYPE_CHECKING:
    from pathlib import Path

GONE = 2**22 + 1
"""The id of a process that there cannot be."""


def run_id(number: int) -> str:
    return f"019a{number:04x}-0000-7000-8000-000000000000"


def record(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the record of a job that has completed, or what `changes` say; None takes a key away."""
    data = {
        "schema": 1,
        "id": run_id(number),
        "attempt": 1,
        "app": "train",
        "config_name": "config",
        "status": "completed",
        "started_at": f"2026-11-22T09:{number:02}:00.000Z",
        "ended_at": f"2026-11-22T09:{number:02}:12.500Z",
        "duration_s": 12.5,
        "job": {"num": 0, "id": "train", "sweep": False},
        "overrides": [],
        "config": {"lr": 0.1, "opt": {"name": "adam"}},
        "command": ["train.py"],
        "cwd": "/home/me/project",
        "host": host(7),
        **changes,
    }
    return {key: value for key, value in data.items() if value is not None}


def failed(**changes: Any) -> dict[str, Any]:
    error = {
        "type": "ValueError",
        "message": "lr must not be 1",
        "traceback": "Traceback (most recent call last):\n"
        '  File "train.py", line 7, in main\n'
        "    raise ValueError\n"
        "ValueError: lr must not be 1\n",
    }
    return {"status": "failed", "error": error, **changes}


def running(pid: int, **changes: Any) -> dict[str, Any]:
    """Return what the record of a job says whose process has this id, on this machine."""
    return {"status": "running", "ended_at": None, "duration_s": None, "host": host(pid), **changes}


def host(pid: int) -> dict[str, Any]:
    return {"name": platform.node(), "pid": pid, "boot_id": boot_id(), "user": "me", "slurm_job_id": None}


def job(number: int) -> dict[str, Any]:
    """Return what the record of a sweep's job says of it."""
    return {"num": number, "id": f"train_{number}", "sweep": True}


def make_run(directory: Path, number: int = 0, **changes: Any) -> Path:
    """Make a job's output directory with its record, and return it."""
    data = record(number, **{"output_dir": str(directory), **changes})
    write(directory / ".hydra" / "run.json", json.dumps(data))
    return directory


def make_hydra_run(
    directory: Path, config: str = "lr: 0.1\n", *, num: int | None = None, cwd: str = "/home/me"
) -> Path:
    """Make the output directory of a job without RunRecord: only Hydra's own files."""
    write(directory / ".hydra" / "config.yaml", config)
    write(directory / ".hydra" / "overrides.yaml", "- lr=0.1\n")
    told = f"    num: {num}\n" if num is not None else ""
    runtime = f"    version: 1.3.2\n    cwd: {cwd}\n    output_dir: {directory}\n"
    hydra = f"hydra:\n  job:\n    name: train\n{told}  runtime:\n{runtime}  verbose: false\n"
    write(directory / ".hydra" / "hydra.yaml", hydra)
    return directory


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
