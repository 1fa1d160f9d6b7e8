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
import os
import re
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import SweepInUseError
from hydra_callbacks.runs.record import new_id, timestamp
from hydra_callbacks.support.files import alone, write_whole
from hydra_callbacks.support.lines import append_lines, mend_last
from hydra_callbacks.support.process import host_facts, is_running_here
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

FILE_NAME = "jobs.jsonl"
SCHEMA = 1
_STOP = ".jobs.stop"
_TIMEOUT_S = 20.0
_BLOCK_BYTES = 1 << 22
_LARGEST_RESULT = 16_384  # characters; a larger one stays in the record alone
_LONG_NUMBER = re.compile(r"\d{19}")  # its last digits would be lost to who reads it quickly
_LONGEST_MESSAGE = 2000  # characters
_STATUS = b',"status":"'
_LAUNCH = b'{"launch":"started"'

Event = dict[str, Any]
"""What a line holds."""


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
            _append(
                path, file.fd, {"launch": "started", "schema": SCHEMA, "id": self._id, **self._facts(), **(facts or {})}
            )
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
        facts: What both lines tell: job, dir, attempt, id, overrides, started_at.
    """

    def __init__(self, sweep_dir: Path, facts: Event) -> None:
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
        if is_recorded and (len(result) > _LARGEST_RESULT or _LONG_NUMBER.search(result)):
            line |= {"result": None, "is_cut": True}
        path = self._sweep_dir / FILE_NAME
        with alone(path, timeout_s=_TIMEOUT_S) as file:
            _append(path, file.fd, line)
            if self.fail_fast is not None and status == "failed":
                _stop_after(self._sweep_dir, self.fail_fast)

    def _line(self, status: str, more: Mapping[str, Any]) -> Event:
        number = self._facts["job"]
        line = {"job": number, "dir": self._facts["dir"], "status": status, **self._facts, **more}
        usual = {"dir": str(number), "attempt": 1, "result_file": "results.json"}
        return {key: value for key, value in line.items() if value is not None and value != usual.get(key)}


def append(sweep_dir: Path, line: Event) -> None:
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


def events(path: Path, offset: int = 0) -> Iterator[tuple[int, list[tuple[bytes, Event]]]]:
    """Yield the whole lines of a journal in blocks of a few MB at most, with the offset behind each block.

    A launch's first line begins a block. Within a block, a line of a job that another one follows is left out: the
    latest tells all. What is no JSON object is passed over.

    Args:
        path: The journal.
        offset: Where to begin, as it was yielded before; in bytes.

    Yields:
        The offset, and pairs of what identifies the job (or launch) and the line's content.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(_BLOCK_BYTES):
            block += file.readline() if block[-1:] != b"\n" else b""
            whole = block.rfind(b"\n") + 1
            offset += whole
            first, *others = block[:whole].split(b"\n" + _LAUNCH)
            for part in (first, *(_LAUNCH + other for other in others)):
                yield offset, _parsed(part.split(b"\n"))
            if whole < len(block):  # the rest of the line is still being written
                return


def live_company(sweep_dir: Path, *, jobs: bool = True) -> str | None:
    """Return which other process is at work in a sweep's directory, in words; None when none is, as far as is known.

    Only processes of this machine count: whether one on another still runs, nobody here can tell.

    Args:
        sweep_dir: The directory.
        jobs: Whether a job that has outlived its launch counts.

    Raises:
        OSError: The journal cannot be read.
    """
    launches: dict[str, Event] = {}
    running: dict[bytes, Event] = {}
    for _, block in events(sweep_dir / FILE_NAME):
        for key, event in block:
            if event.get("launch") == "started":
                launches[str(event.get("id"))] = event
            elif event.get("launch") == "ended":
                launches.pop(str(event.get("id")), None)
            elif event.get("status") == "running":
                running[key] = event
            else:
                running.pop(key, None)
    for what, found in (("launch", launches), ("job", running if jobs else {})):
        for event in found.values():
            host = event.get("host") or {}
            if host.get("pid") != os.getpid() and is_running_here(host):
                name = "another launch" if what == "launch" else f"job {event.get('job')} of an earlier launch"
                return f"{name} (process {host['pid']}, since {event.get('at') or event.get('started_at')})"
    return None


def _refuse_company(sweep_dir: Path, *, jobs: bool) -> None:
    company = live_company(sweep_dir, jobs=jobs)
    if company:
        msg = f"{company} is at work in {sweep_dir}: wait for it, end it, or give this one another hydra.sweep.dir"
        raise SweepInUseError(msg)


def _stop_after(sweep_dir: Path, n_failures: int) -> None:
    """Let no further job start once so many have failed since the last launch began."""
    n_failed = 0
    for _, block in events(sweep_dir / FILE_NAME):
        if any(event.get("launch") == "started" for _, event in block):
            n_failed = 0
        n_failed += sum(event.get("status") == "failed" and "job" in event for _, event in block)
    if n_failed >= n_failures:
        failed = "a job has failed" if n_failed == 1 else f"{n_failed} jobs have failed"
        remedy = f"hydra-callbacks resume {as_words([sweep_dir])}"
        reason = f"The sweep stops: {failed} (fail_fast: {n_failures}). To go on with it: {remedy}"
        write_whole(sweep_dir / _STOP, reason.encode(errors="backslashreplace"))


def _parsed(lines: Sequence[bytes]) -> list[tuple[bytes, Event]]:
    from hydra_callbacks.support.fast_json import loads_lines  # noqa: PLC0415  (who adds a line does not read)

    latest = {line[: line.find(_STATUS)]: line for line in lines}
    latest.pop(b"", None)
    found = zip(latest, loads_lines(list(latest.values())), strict=True)
    return [(key, event) for key, event in found if isinstance(event, dict)]


def _append(path: Path, fd: int, line: Event) -> None:
    mend_last(path, fd, is_whole=_is_whole)
    append_lines(fd, _dumps(line).encode(errors="backslashreplace") + b"\n")


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
