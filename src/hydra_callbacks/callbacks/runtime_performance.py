"""How long did it take, and where did the time go?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hydra_callbacks.lifecycle import RunCallback
from hydra_callbacks.lifecycle.callback import log

if TYPE_CHECKING:
    from typing import Literal

    from hydra_callbacks.lifecycle import Job, Launch, Outcome


class RuntimePerformance(RunCallback):
    """Log the total runtime of a run or sweep; add what `PerfLogger` timed in each job to its record.

    The record's section `timers` has the seconds of each timer, all its uses in the job added up. Jobs that share a
    process and a time (threads of one worker) share their timers too.

    Args:
        enabled: When False, nothing is logged or recorded.
        on_error: What becomes of an exception in this callback: "warn" logs it, "abort" also stops the run.
    """

    def __init__(self, enabled: bool = True, *, on_error: Literal["warn", "abort"] = "warn") -> None:
        super().__init__(enabled, on_error=on_error)
        self._spent_before: dict[str, float] = {}

    def job_started(self, job: Job) -> None:  # noqa: ARG002  (the event's signature)
        """Note what the timers have spent in earlier jobs of this process."""
        self._spent_before = _spent()

    def job_ended(self, job: Job, outcome: Outcome) -> None:  # noqa: ARG002  (as above)
        """Add what they spent since."""
        before = self._spent_before
        timers = {name: seconds - before.get(name, 0.0) for name, seconds in _spent().items()}
        timers = {name: round(seconds, 6) for name, seconds in timers.items() if seconds > 0}
        if timers:
            job.record.add({"timers": timers})

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (as above)
        """Log the total."""
        log.info("Total runtime: %.2f seconds", outcome.duration_s)


def _spent() -> dict[str, float]:
    """Return the seconds of each timer of this process; none, and no import, when the application uses no timers."""
    timing = sys.modules.get("hydra_callbacks.timing")
    return timing.PerfLogger.spent() if timing else {}
