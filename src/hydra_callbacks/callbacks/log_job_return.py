"""How did the job end? Said in its own log, which is all that a remote cluster leaves."""

from __future__ import annotations

import logging
import traceback
from typing import Literal

from hydra_callbacks.lifecycle import Job, Outcome, RunCallback
from hydra_callbacks.support.plain import text_of

log = logging.getLogger("hydra.callbacks")


class LogJobReturn(RunCallback):
    """Log the job's return value, or its error with the traceback, when it ends.

    Takes the place of Hydra's own `LogJobReturnCallback`, which does nothing from Hydra 1.4 on.

    Args:
        enabled: When False, nothing is logged.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(self, *, enabled: bool = True, on_error: Literal["warn", "abort"] = "warn") -> None:
        super().__init__(enabled=enabled, on_error=on_error)

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Log it."""
        if outcome.status == "completed":
            log.info("Succeeded with return value: %s", job.redactor.text(text_of(outcome.return_value)))
        else:
            error = outcome.error
            told = f"{type(error).__name__}: {text_of(error)}\n{''.join(traceback.format_exception(error))}"
            log.error("Job %s: %s", outcome.status, job.redactor.text(told).rstrip())
