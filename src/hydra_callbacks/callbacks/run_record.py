"""What happened in each job, and can I still tell in a year?"""

from __future__ import annotations

import json
import logging
import os
import traceback
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.errors import RunAborted, SweepInUseError
from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback
from hydra_callbacks.runs.record import REPRODUCES, seconds, timestamp
from hydra_callbacks.support.plain import text_of
from hydra_callbacks.support.process import command_words, host_facts
from hydra_callbacks.support.redact import overrides
from hydra_callbacks.support.settings import check_flags, check_name
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hydra_callbacks.support.redact import Redactor

log = logging.getLogger("hydra.callbacks")
_LONGEST_TEXT = 100_000  # characters
_BY_ACCIDENT_S = 2.0  # from one start to the next: Hydra names directories by the second


class RunRecord(RunCallback):
    """Keep one JSON document for each job: `run.json`, in Hydra's own folder of its output directory.

    It is written when the job starts (status `running`) and when it ends, in one step each time, so that also a killed
    job leaves a record. The other callbacks add their sections to it, in whatever order they stand in the
    configuration. A job that starts again in the same directory (a requeue, a retry) keeps its id and counts `attempt`
    up.

    Args:
        result_file: File in the output directory whose JSON object is the record's `result`; when the job writes none,
            what the task returns is.
        guard: Whether a launch refuses to start while another is at work in its directory; single runs that write into
            the working directory itself (`hydra.run.dir=.`) are only warned.
        enabled: When False, no record is kept.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        *,
        result_file: str = "results.json",
        guard: bool = True,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check_name("result_file", result_file)
        check_flags(guard=guard)
        self.result_file = result_file
        self.guard = guard
        self._command: list[str] = []
        self._result_before: tuple[int, int, int] | None = None

    def launch_started(self, launch: Launch) -> None:
        """Remember the command line, which a worker process does not know; begin the journal of a sweep.

        Raises:
            RunAborted: Another launch is at work in the sweep's directory.
        """
        self._command = command_words()
        if launch.journal:
            try:
                launch.journal.keep(guard=self.guard)
            except SweepInUseError as error:
                raise RunAborted(str(error)) from None

    def job_started(self, job: Job) -> None:
        """Write the record of a running job.

        Raises:
            RunAborted: Another run is at work in its directory.
        """
        self._result_before = _stat(job.output_dir / self.result_file)
        job.record.add(
            {
                "app": job.name,
                "config_name": job.config_name,
                "status": "running",
                "started_at": timestamp(job.started_at),
                "job": {"num": job.num, "id": job.id, "sweep": job.is_sweep},
                "overrides": list(job.overrides),
                "config": job.config,
                "command": overrides(self._command, job.redactor),
                "cwd": job.cwd,
                "output_dir": job.output_dir,
                "sweep_dir": job.launch_dir if job.is_sweep else None,
                "host": host_facts(),
                "reproduces": os.environ.get(REPRODUCES),
            }
        )
        if not job.record.claim():
            self._refuse_company(job)
        elif 0 <= job.started_at - seconds(job.record.replaced.get("started_at")) < _BY_ACCIDENT_S:
            _tell_of_replaced(job)
        if job.journal:
            job.journal.result_file = self.result_file
            job.journal.keep()

    def _refuse_company(self, job: Job) -> None:
        """Stop a single run where another process is at work; a job of a sweep, and one that asked for it, go on."""
        told = f"another process ({job.record.company}) is at work in {job.output_dir}"
        if self.guard and not job.is_sweep and job.output_dir != job.cwd:
            remedy = "give this one another hydra.run.dir, or set guard to false in hydra.callbacks"
            reason = f"{told}: both would write the same files; {remedy}"
            raise RunAborted(reason)
        log.warning("%s: give each run its own", told[0].upper() + told[1:])
        job.record.keep()

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Write how it ended."""
        job.record.add(
            {
                "status": outcome.status,
                "ended_at": timestamp(job.started_at + outcome.duration_s),
                "duration_s": round(outcome.duration_s, 6),
            }
        )
        try:
            error = _error(outcome.error, job.redactor) if outcome.status != "completed" else None
            job.record.add({"error": error, "result": self._result(job, outcome)})
            if self.result_file != "results.json":
                job.record.add({"result_file": self.result_file})
        finally:
            job.record.keep()  # how it ended is told whatever else goes wrong

    def _result(self, job: Job, outcome: Outcome) -> Any:
        """Return the object in the result file, or what the task returned, as a mapping; None when there is neither."""
        file = job.output_dir / self.result_file
        if _stat(file) != self._result_before:  # what was there before is an earlier attempt's
            try:
                written = json.loads(file.read_bytes())
            except FileNotFoundError:
                pass
            except (OSError, ValueError, RecursionError) as error:
                instead = "" if outcome.return_value is None else "; what the task returned is recorded instead"
                log.warning("%s is no whole JSON file (%s)%s", file, error, instead)
            else:
                return written if isinstance(written, dict) else {"result": written}
        returned = outcome.return_value
        return returned if returned is None or isinstance(returned, dict) else {"return_value": returned}


def _tell_of_replaced(job: Job) -> None:
    """Warn of runs that were started within a second, and were given the same directory by their time."""
    words = as_words(job.record.replaced.get("overrides") or []) or "no overrides"
    remedy = "hydra.run.dir='outputs/${now:%Y-%m-%d}/${now:%H-%M-%S-%f}'"
    log.warning("%s was another run's a moment ago (%s), and its record is replaced: %s", job.output_dir, words, remedy)


def _stat(file: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written; None when there is none."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _error(error: BaseException | None, redactor: Redactor) -> Mapping[str, str] | None:
    if error is None:
        return None
    from hydra_callbacks.support.short_repr import end_of, start_of  # noqa: PLC0415  (few tasks fail)

    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {
        "type": type(error).__name__,
        "message": start_of(text_of(error), redactor, _LONGEST_TEXT),
        "traceback": end_of(trace, redactor, _LONGEST_TEXT),
    }
