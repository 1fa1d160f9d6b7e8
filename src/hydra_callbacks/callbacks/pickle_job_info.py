"""Can another program load exactly what this job was given, and what it returned?"""

from __future__ import annotations

import copy
import logging
import pickle
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.lifecycle import Job, Outcome, RunCallback
from hydra_callbacks.support.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("hydra.callbacks")
_PROTOCOL = 4  # as Hydra's own wrote, and Python 3.4 and later read


class PickleJobInfo(RunCallback):
    """Pickle the job's configuration to `config.pickle` and Hydra's `JobReturn` to `job_return.pickle`.

    Both lie in Hydra's own folder of the output directory. Takes the place of Hydra's `PickleJobInfoCallback`, which
    Hydra 1.4 drops. What the task returned may not pickle: then its `repr` stands in, with a warning. The files hold
    secrets that the configuration holds.

    Args:
        enabled: When False, nothing is pickled.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(self, *, enabled: bool = True, on_error: Literal["warn", "abort"] = "warn") -> None:
        super().__init__(enabled=enabled, on_error=on_error)

    def job_started(self, job: Job) -> None:
        """Pickle the configuration."""
        _save(job.hydra_config, job.record_dir / "config.pickle")
        log.info("Saving job configs in %s", job.record_dir / "config.pickle")

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Pickle what was returned."""
        if outcome.job_return is None:
            return  # it was interrupted, and Hydra has nothing to tell
        path = job.record_dir / "job_return.pickle"
        try:
            _save(outcome.job_return, path)
        except Exception as error:  # noqa: BLE001  (a value of the user's own may raise anything while it is pickled)
            log.warning("The task's return value does not pickle (%s); its repr is saved instead", error)
            job_return = copy.copy(outcome.job_return)
            job_return._return_value = repr(job_return._return_value)  # noqa: SLF001  (the property would raise it)
            _save(job_return, path)
        log.info("Saving job_return in %s", path)


def _save(value: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, pickle.dumps(value, protocol=_PROTOCOL))
