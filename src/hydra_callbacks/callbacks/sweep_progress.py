"""How far is my sweep, how long will it take, and does it fail?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback
from hydra_callbacks.support.settings import check, check_count, check_seconds

if TYPE_CHECKING:
    from hydra_callbacks.progress.follower import Follower


class SweepProgress(RunCallback):
    """Show how a sweep fares where it was launched: jobs that ended, failed and run, time left, and the best so far.

    In a terminal, that is a panel in its last lines, while all that is printed scrolls above it; elsewhere, a plain
    line on stderr from time to time. It reads the sweep's journal, so it works with every launcher.

    Args:
        metric: The result by which jobs are compared, as in `accuracy`; None for no comparison.
        direction: "max" where the highest is best, or "min".
        fail_fast: So many failed jobs stop the sweep: those that run end, and no further one starts. None for never.
        interval: Seconds from look to look in a terminal, at least 0.1.
        line_interval: Seconds from one plain line to the next at first, at least 0.1; later they are further apart.
        enabled: When False, nothing is shown, and nothing stops the sweep.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        *,
        metric: str | None = None,
        direction: Literal["max", "min"] = "max",
        fail_fast: int | None = None,
        interval: float = 0.5,
        line_interval: float = 30.0,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check("metric", metric, "the name of a result, or null", metric is None or isinstance(metric, str))
        check("direction", direction, "'max' or 'min'", direction in {"max", "min"})
        if fail_fast is not None:
            check_count("fail_fast", fail_fast, at_least=1)
        check_seconds("interval", interval, at_least=0.1)
        check_seconds("line_interval", line_interval, at_least=0.1)
        self.metric = metric
        self.direction = direction
        self.fail_fast = fail_fast
        self.interval = interval
        self.line_interval = line_interval
        self._follower: Follower | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the thread out when a launcher sends this to the jobs."""
        return {**self.__dict__, "_follower": None}

    def launch_started(self, launch: Launch) -> None:
        """Begin to look at the journal of a sweep."""
        if launch.journal is None:
            return
        from hydra_callbacks.progress.follower import Follower  # noqa: PLC0415  (nothing heavy until it is used)

        launch.journal.keep()
        self._follower = Follower(
            launch.journal.sweep_dir,
            self.metric,
            is_max=self.direction == "max",
            interval_s=self.interval,
            line_interval_s=self.line_interval,
        )
        self._follower.start()

    def job_started(self, job: Job) -> None:
        """Note it in the journal, which stops the sweep when too many fail."""
        if job.journal:
            job.journal.fail_fast = self.fail_fast
            job.journal.keep()

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (the journal tells)
        """Leave how it ended in plain sight."""
        follower, self._follower = self._follower, None
        if follower:
            follower.stop()
