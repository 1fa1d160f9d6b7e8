"""A job as callbacks get to know it, without Hydra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_callbacks import Job
from hydra_callbacks.runs.record import JobRecord

if TYPE_CHECKING:
    from pathlib import Path


def make_job(directory: Path, num: int = 0) -> Job:
    """Return a job of the sweep in this directory."""
    output_dir = directory / str(num)
    return Job(
        name="train",
        num=num,
        id=f"train_{num}",
        overrides=(),
        output_dir=output_dir,
        record_dir=output_dir / ".hydra",
        launch_dir=directory,
        cwd=directory,
        is_sweep=True,
        config_name="config",
        config={},
        started_at=0.0,
        record=JobRecord(output_dir / ".hydra"),
        hydra_config=None,
    )
