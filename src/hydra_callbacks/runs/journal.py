"""How do the jobs of a sweep, wherever they run, tell how it fares?

By lines in `<sweep_dir>/jobs.jsonl`: one when a launch starts, with its plan, one when it ends, and one each at the
start and end of every job; each is appended in one locked write, and a torn tail costs itself only. A job is known by
its directory. The journal is an index: the record in a job's directory is the truth.

A line of a job has the keys job (its number), dir (its directory, relative to the sweep's where it lies below; left out
where it is the number), status, overrides, started_at, attempt (left out where it is the first), and host while it
runs; then duration_s, result, result_file (what was looked for; left out where it is results.json), error,
peak_rss_bytes. A line of a launch has launch ("started" or "ended"), id, at, and what `SweepJournal` is given.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import SweepInUseError
from hydra_callbacks.runs.record import new_id, timestamp
from hydra_callbacks.support.files import write_whole
from hydra_callbacks.support.lines import append_lines, mend_last
from hydra_callbacks.support.locks import alone
from hydra_callbacks.support.process import host_facts
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

FILE_NAME = "jobs.jsonl"
SCHEMA = 1
_STOP = ".jobs.stop"
_TIMEOUT_S = 20.0
_LARGEST_RESULT = 16_384  # characters; a larger one stays in the record alone
_LONGEST_MESSAGE = 2000  # characters


class SweepJournal:
    """The lines of one launch of a sweep.

    Args:
        sweep_dir: The sweep's directory, absolute.
        facts: Returns what the first line tells besides: at, app, config_name, cwd, command, python, host, plan (the
            list of the override sets, in order; absent where the sweeper makes them up as it goes), nums (the jobs'
            numbers where they are not 0, 1, 2, ...), resumes (whether it goes on with what is there).
    """

    def __init__(self, sweep_dir: Path, facts: Callable[[], Mapping[str, Any]]) -> None:
        self.sweep_dir = sweep_dir
        self._facts = facts
        self._id = new_id()
        self._is_open = self._is_left = False

    def keep(self, *, guard: bool = False, jobs: bool = True, facts: Mapping[str, Any] | None = None) -> None:
        """Write the first line, once, and let the jobs start that an earlier launch had stopped.

        Args:
            guard: Whether to make sure that nothing else is at work in the directory.
            jobs: Whether a job that has outlived its launch counts.
            facts: What the line tells besides.

        Raises:
            SweepInUseError: Another launch or job is at work there.
            OSError: It cannot be written.
        """
        if self._is_open or self._is_left:
            return
        self.sweep_dir.mkdir(parents=True, exist_ok=True)
        path = self.sweep_dir / FILE_NAME
        with alone(path, timeout_s=_TIMEOUT_S) as file:
            if guard:
                _refuse_company(self.sweep_dir, jobs=jobs)
            (self.sweep_dir / _STOP).unlink(missing_ok=True)
            told = {**self._facts(), **(facts or {})}
            told |= {"n_planned": len(told["plan"])} if "plan" in told else {}  # who counts need not read them
            _append(path, file.fd, {"launch": "started", "schema": SCHEMA, "id": self._id, **told})
        self._is_open = True

    def leave(self) -> None:
        """Leave the first line to who knows the plan: the resume sweeper."""
        self._is_left = True

    def take(self) -> None:
        """Be the one who knows the plan."""
        self._is_left = False

    def end(self, status: str, at: float) -> None:
        """Write the last line, if there is a first one.

        Raises:
            OSError: It cannot be written.
        """
        if self._is_open and self.sweep_dir.is_dir():
            self._is_open = False
            append(self.sweep_dir, {"launch": "ended", "id": self._id, "at": timestamp(at), "status": status})


class JobJournal:
    """The two lines of one job.

    Args:
        sweep_dir: The sweep's directory, absolute.
        facts: What both lines tell: job, dir, attempt, overrides, started_at.
    """

    def __init__(self, sweep_dir: Path, facts: dict[str, Any]) -> None:
        self._sweep_dir = sweep_dir
        self._facts = facts
        self._is_open = False
        self.fail_fast: int | None = None
        """So many failed jobs stop the sweep; None for any number."""
        self.result_file = ""
        """Name of the file in which the result was looked for; empty when none was."""

    def keep(self) -> None:
        """Write the first line, once.

        Raises:
            OSError: It cannot be written.
        """
        if not self._is_open:
            self._is_open = True
            append(self._sweep_dir, self._line("running", {"host": host_facts()}))

    def end(self, status: str, told: Mapping[str, Any], *, is_recorded: bool) -> None:
        """Write the last line, if there is a first one.

        Args:
            status: How the job ended.
            told: duration_s, result, error, peak_rss_bytes, as far as they are known.
            is_recorded: Whether the job's record tells the same, so that a large result need not stand here, too.

        Raises:
            OSError: It cannot be written.
        """
        if not self._is_open:
            return
        self._is_open = False
        line = self._line(status, {"result_file": self.result_file, **told})
        error = line.get("error")
        if error:
            line["error"] = {**error, "message": error["message"][:_LONGEST_MESSAGE]}
        result = _dumps(line.get("result"))
        if is_recorded and len(result) > _LARGEST_RESULT:
            line |= {"result": None, "is_cut": True}
        path = self._sweep_dir / FILE_NAME
        with alone(path, timeout_s=_TIMEOUT_S) as file:
            _append(path, file.fd, line)
            if self.fail_fast is not None and status == "failed":
                _stop_after(self._sweep_dir, self.fail_fast)

    def _line(self, status: str, more: Mapping[str, Any]) -> dict[str, Any]:
        number = self._facts["job"]
        line = {"job": number, "dir": self._facts["dir"], "status": status, **self._facts, **more}
        usual = {"dir": str(number), "attempt": 1, "result_file": "results.json"}
        return {key: value for key, value in line.items() if value is not None and value != usual.get(key)}


def append(sweep_dir: Path, line: dict[str, Any]) -> None:
    """Add a line to a sweep's journal.

    Raises:
        FileLockTimeoutError: Another process keeps the journal for too long.
        OSError: It cannot be written; the journal is as it was.
    """
    path = sweep_dir / FILE_NAME
    with alone(path, timeout_s=_TIMEOUT_S) as file:
        _append(path, file.fd, line)


def stop_reason(sweep_dir: Path) -> str | None:
    """Return why no further job of a sweep is to start; None when nothing speaks against it."""
    try:
        return (sweep_dir / _STOP).read_text(encoding="utf-8")
    except OSError:
        return None


def _refuse_company(sweep_dir: Path, *, jobs: bool) -> None:
    from hydra_callbacks.runs.journal_lines import at_work  # noqa: PLC0415  (who adds a line does not read)

    launches, running = at_work(sweep_dir / FILE_NAME)
    if launches:
        company = f"another launch (process {launches[0].host['pid']}, since {launches[0].at})"
    elif jobs and running:
        job = running[0]
        company = f"job {job.num} of an earlier launch (process {job.host['pid']}, since {job.started_at})"
    else:
        return
    msg = f"{company} is at work in {sweep_dir}: wait for it, end it, or give this one another hydra.sweep.dir"
    raise SweepInUseError(msg)


def _stop_after(sweep_dir: Path, n_failures: int) -> None:
    """Let no further job start once so many have failed since the last launch began."""
    from hydra_callbacks.runs.journal_lines import parts  # noqa: PLC0415  (as above)

    failed: set[Any] = set()
    for _, launch, jobs in parts(sweep_dir / FILE_NAME):
        if launch and launch.launch == "started":
            failed.clear()
        failed |= {key for key, job in jobs.items() if job.status == "failed"}
    n_failed = len(failed)
    if n_failed >= n_failures:
        told = "a job has failed" if n_failed == 1 else f"{n_failed} jobs have failed"
        remedy = f"hydra-callbacks resume {as_words([sweep_dir])}"
        reason = f"The sweep stops: {told} (fail_fast: {n_failures}). To go on with it: {remedy}"
        write_whole(sweep_dir / _STOP, reason.encode(errors="backslashreplace"))


def _append(path: Path, fd: int, line: dict[str, Any]) -> None:
    mend_last(path, fd, is_whole=_is_whole)
    append_lines(fd, _dumps(line).encode(errors="backslashreplace") + b"\n")


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
