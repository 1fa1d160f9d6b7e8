"""Has the sweep been told to stop, so that this job must not start?

A job that leaves may take down the others of its worker pool (joblib, Ray): it waits until those that run have ended.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hydra_callbacks.errors import RunAborted
from hydra_callbacks.runs import journal
from hydra_callbacks.support.process import is_running_here

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.lifecycle.facts import Job

_STEP_S = 0.2


def heed(job: Job) -> None:
    """Let a job start, unless its sweep is to stop.

    Raises:
        RunAborted: It is; the reason says why.
    """
    reason = journal.stop_reason(job.launch_dir) if job.is_sweep else None
    if reason is None:
        return
    while _others_run(job.launch_dir):
        time.sleep(_STEP_S)  # the journal is all that tells when the others end
    raise RunAborted(reason)


def _others_run(sweep_dir: Path) -> bool:
    running: dict[bytes, journal.Event] = {}
    for _, block in journal.events(sweep_dir / journal.FILE_NAME):
        for key, event in block:
            if event.get("status") == "running":
                running[key] = event.get("host") or {}
            else:
                running.pop(key, None)
    return any(host.get("pid") != os.getpid() and is_running_here(host) for host in running.values())
