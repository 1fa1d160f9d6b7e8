"""Why did this task fail, and what were the values at that moment?"""

from __future__ import annotations

import faulthandler
import logging
import os
import platform
import sys
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from hydra_callbacks.errors import RunAborted, Terminated
from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback, sigterm
from hydra_callbacks.support.process import command_words, user
from hydra_callbacks.support.redact import REDACTED, overrides
from hydra_callbacks.support.settings import check_count, check_flags

if TYPE_CHECKING:
    from hydra_callbacks.support.recent_log import RecentLog

log = logging.getLogger("hydra.callbacks")
FILE_NAME = "crash.txt"
FAULT_LOG = "fault.log"
TITLE = "Crash report: "


@dataclass(frozen=True, slots=True)
class _Watch:
    """What watches a job while it runs: the log's last lines, and the open file for Python's fault handler."""

    recent: RecentLog | None = None
    fault_file: IO[str] | None = None


class CrashReport(RunCallback):
    """Write `crash.txt` for a task that fails: traceback, source, local values, the last log lines, configuration.

    The record's section `crash` tells in short where it failed. Secrets are taken out of both, also those in local
    values, whose `repr` is never called. A process that is killed can write nothing: then `hydra-callbacks show` says
    why, from what is noted at the start (section `evidence`) and what Python's fault handler leaves in `fault.log`.

    Args:
        locals: Whether the local values of the failed lines are told.
        log_lines: How many of the last log lines are told; 0 for none.
        on_sigterm: Whether SIGTERM ends the run in order, as Ctrl-C does, where nobody else handles it: `finally`
            clauses run, the callbacks hear of the end, and the process then dies of the same signal.
        enabled: When False, nothing is watched or written.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        *,
        locals: bool = True,  # noqa: A002  (the setting's name)
        log_lines: int = 50,
        on_sigterm: bool = True,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check_flags(locals=locals, on_sigterm=on_sigterm)
        check_count("log_lines", log_lines, at_least=0)
        self.locals = locals
        self.log_lines = log_lines
        self.on_sigterm = on_sigterm
        self._command: list[str] = []
        self._program = self._python_path = ""
        self._watches: dict[Path, _Watch] = {}

    def launch_started(self, launch: Launch) -> None:
        """Remember how it was started, which a worker process does not know, and listen to SIGTERM."""
        self._command, self._program = command_words(), str(launch.program or "")
        self._python_path = os.environ.get("PYTHONPATH", "")
        if self.on_sigterm:
            sigterm.listen()

    def job_started(self, job: Job) -> None:
        """Watch the log, faults in compiled code and SIGTERM; note what tells later whether memory ran out."""
        from hydra_callbacks.runs import death  # noqa: PLC0415  (not when disabled)

        watch = self._watches[job.output_dir] = self._watch_log()
        if self.on_sigterm:
            sigterm.listen()
        _remove_earlier(job.output_dir / FILE_NAME)
        noted = death.evidence(*_memory())
        if not faulthandler.is_enabled():  # else the application, or its launcher, shows faults in its own way
            path = job.record_dir / FAULT_LOG
            job.record_dir.mkdir(parents=True, exist_ok=True)
            file = path.open("w", encoding="utf-8")
            self._watches[job.output_dir] = replace(watch, fault_file=file)
            faulthandler.enable(file)
            noted["fault_log"] = os.path.relpath(path, job.output_dir).replace(os.sep, "/")
        job.record.add({"evidence": noted})

    def _watch_log(self) -> _Watch:
        if not self.log_lines:
            return _Watch()
        from hydra_callbacks.support.recent_log import RecentLog  # noqa: PLC0415  (as above)

        recent = RecentLog(self.log_lines)
        logging.getLogger().addHandler(recent)
        return _Watch(recent)

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Stop watching; of a task that failed, write the report."""
        watch = self._watches.pop(job.output_dir, _Watch())
        if watch.recent:
            logging.getLogger().removeHandler(watch.recent)
            watch.recent.close()
        if watch.fault_file:
            _end_fault_log(watch.fault_file)
        job.record.add({"evidence": None})
        if isinstance(outcome.error, Terminated):
            log.warning("The process was told to end (SIGTERM)")
        error = outcome.error
        if outcome.status == "failed" and error is not None and not isinstance(error, RunAborted):
            self._tell(job, outcome, error, watch.recent.lines() if watch.recent else [])

    def _tell(self, job: Job, outcome: Outcome, error: BaseException, lines: list[str]) -> None:
        """Write the report, and its short form into the record.

        Raises:
            OSError: The file cannot be written; the record has its section all the same.
        """
        from hydra_callbacks.provenance.crash import Crash  # noqa: PLC0415  (few tasks fail)
        from hydra_callbacks.support.files import write_whole  # noqa: PLC0415  (as above)

        known = {"start": str(job.cwd), "program": self._program}
        crash = Crash(error, job.redactor, **known, log=lines, with_locals=self.locals)
        section = crash.section()
        try:
            text = TITLE + crash.text(_facts(job, outcome), self._again(job), job.config)
            write_whole(job.output_dir / FILE_NAME, text.encode(errors="backslashreplace"))
            section["file"] = FILE_NAME
        finally:
            job.record.add({"crash": section})

    def _again(self, job: Job) -> list[str]:
        """Return the commands that run the job again, without secrets."""
        from hydra_callbacks.runs.command_line import CommandLine  # noqa: PLC0415  (as above)
        from hydra_callbacks.support.texts import as_words  # noqa: PLC0415  (as above)

        words = overrides(self._command, job.redactor)
        if job.is_sweep:
            line = CommandLine.of(words)
            words = [*line.program, *line.places(), *job.overrides]
        path = job.redactor.text(self._python_path)
        start = f"PYTHONPATH={as_words([path])} python" if path else "python"
        commands = [as_words(["cd", str(job.cwd)]), f"{start} {as_words(words)}"]
        if job.is_sweep:
            commands.append(f"# or all that failed: {as_words(['hydra-callbacks', 'resume', str(job.launch_dir)])}")
        is_cut = any(REDACTED in word for word in [path, *words])
        return [*commands, *([f"# with the secret in place of each {REDACTED}"] if is_cut else [])]


@lru_cache(maxsize=1)
def _memory() -> tuple[Path | None, int | None]:
    """Return the control group of this process, for its memory, and the limit; they stay what they are."""
    from hydra_callbacks.support import cgroups  # noqa: PLC0415  (as above)

    return cgroups.memory_group(), cgroups.memory_limit_bytes()


def _facts(job: Job, outcome: Outcome) -> dict[str, str]:
    """Return what is told first."""
    from hydra_callbacks.support.texts import as_words, duration  # noqa: PLC0415  (as above)

    began = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(job.started_at))
    facts = {
        "app": job.name,
        "job": f"{job.num} of the sweep in {job.launch_dir}" if job.is_sweep else "",
        "overrides": as_words(job.overrides),
        "attempt": str(job.attempt) if job.attempt > 1 else "",
        "started": f"{began}; it failed after {duration(outcome.duration_s)}",
        "machine": f"{platform.node()}, process {os.getpid()}, user {user()}",
        "python": f"{platform.python_version()}, {sys.executable}",
        "directory": str(job.output_dir),
    }
    return {name: text for name, text in facts.items() if text}


def _remove_earlier(file: Path) -> None:
    """Remove the report of an earlier attempt in the same directory; another file of this name stays."""
    try:
        with file.open("rb") as opened:
            is_ours = opened.read(len(TITLE)) == TITLE.encode()
    except FileNotFoundError:
        return
    if is_ours:
        file.unlink()


def _end_fault_log(file: IO[str]) -> None:
    """Close the file of Python's fault handler; nothing was written into most."""
    faulthandler.disable()
    file.close()
    path = Path(file.name)
    if not path.stat().st_size:
        path.unlink()
