"""What did each job print, itself, its children and its C code, also when it was killed?"""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Literal

from hydra_callbacks.lifecycle import RunCallback
from hydra_callbacks.lifecycle.callback import log
from hydra_callbacks.support.settings import check
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.lifecycle import Job, Outcome
    from hydra_callbacks.provenance.console import Capture

FILE_NAME = "console.log"
_active: set[int] = set()  # processes whose console is written down; a forked child may have jobs of its own


class ConsoleCapture(RunCallback):
    """Write what each job prints into `console.log` in its output directory; the terminal shows it as before.

    The file is text: of a line that is written anew, as by a progress bar, only the last state is kept, and colours are
    left out. Secrets are replaced. When the task fails, its traceback follows. What is printed between the jobs
    of a sweep is in no file. Put this callback first in the configuration, so that it starts first and ends last.

    Args:
        max_mb: How large the file may become, in MB of 1,000,000 bytes. Of longer output, the beginning and the end are
            kept: half of it each, though at most 10 MB of the end.
        enabled: When False, nothing is written.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self, *, max_mb: float = 20, enabled: bool = True, on_error: Literal["warn", "abort"] = "warn"
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        is_size = is_number(max_mb) and 0.001 <= max_mb < float("inf")  # noqa: PLR2004  (as it says)
        check("max_mb", max_mb, "a number of MB, at least 0.001", is_size)
        self.max_mb = max_mb
        self._capture: Capture | None = None

    def job_started(self, job: Job) -> None:
        """Take the console.

        Raises:
            OSError: The file cannot be made.
        """
        from hydra_callbacks.provenance.console import capture  # noqa: PLC0415  (not when disabled)

        if os.getpid() in _active:
            log.warning("The console of %s is not written down: another job of this process has it", job.output_dir)
            return
        path = job.output_dir / FILE_NAME
        if job.attempt > 1:
            _keep(path, job.attempt - 1)
        self._capture = capture(path, int(self.max_mb * 1_000_000), job.redactor.secrets)
        _active.add(os.getpid())
        job.record.add({"console": {"file": FILE_NAME}})

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Give the console back, and say how much was printed."""
        capture, self._capture = self._capture, None
        if capture is None:
            return
        try:
            facts = capture.stop(_trace(outcome), job.redactor.secrets)
        finally:
            _active.discard(os.getpid())
        error = facts.pop("error", None)
        job.record.add({"console": {"file": FILE_NAME, **facts}})
        if error:
            log.warning("%s is not complete: %s", job.output_dir / FILE_NAME, error)


def _keep(path: Path, attempt: int) -> None:
    """Keep what an earlier attempt printed."""
    if path.exists():
        path.replace(path.with_name(f"{path.stem}.{attempt}{path.suffix}"))


def _trace(outcome: Outcome) -> str:
    """Return the traceback that Hydra prints once the job has ended; nothing when it prints none."""
    error = outcome.error
    if not isinstance(error, Exception):
        return ""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))
