"""Has the sweep been told to stop, so that this job must not start?

A job that leaves may take down the others of its worker pool (joblib, Ray): it waits until those that run have ended.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hydra_callbacks.errors import RunAborted

if TYPE_CHECKING:
    from hydra_callbacks.lifecycle.facts import Job

_STEP_S = 0.2


def heed(job: Job) -> None:
    """Let a job start, unless its sweep is to stop.

    Raises:
        RunAborted: It is; the reason says why.
    """
    if not job.is_sweep:
        return
    from hydra_callbacks.runs import journal  # noqa: PLC0415  (a single run has none)

    reason = journal.stop_reason(job.launch_dir)
    if reason is None:
        return
    from hydra_callbacks.runs.journal_lines import at_work  # noqa: PLC0415  (few sweeps are stopped)

    while at_work(job.launch_dir / journal.FILE_NAME)[1]:
        time.sleep(_STEP_S)  # the journal is all that tells when the others end
    raise RunAborted(reason)
