"""Why did jobs of a sweep fail? Those that failed alike together, with one traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.head import cut
from hydra_callbacks.runs import death
from hydra_callbacks.runs.find import run_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.runs.find import Run
    from hydra_callbacks.runs.sweep_job import SweepJob
    from hydra_callbacks.support.redact import Redactor

_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"")
_MOST_GROUPS = 50
_MOST_ASKED = 200  # jobs that were killed, of which this machine is asked why
LONGEST_MESSAGE = 2000  # characters
LONGEST_TRACEBACK = 20_000  # characters


def failures(
    jobs: Sequence[SweepJob], sweep_dir: Path, redactor: Redactor
) -> tuple[list[dict[str, Any]], list[int | None]]:
    """Return the kinds of failure, the most frequent first, and for each job the index of its kind.

    Failures are of one kind when their type is the same, and their message but for numbers and what is in quotes; when
    there are more than 50 kinds, the type alone decides on the others.

    Args:
        jobs: The jobs.
        sweep_dir: The sweep's directory.
        redactor: What takes the secrets out of texts.
    """
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    n_asked = 0
    for row, job in enumerate(jobs):
        if job.status == "lost":
            n_asked += 1
            kind, message = "killed", (_cause(job, sweep_dir) if n_asked <= _MOST_ASKED else None) or _UNTOLD
        elif job.error is not None:
            kind, message = job.error.type, job.error.message
        elif job.status in {"failed", "interrupted"}:
            kind, message = job.status, "nothing is known of the reason"
        else:
            continue
        key = (kind, _VARYING.sub("#", message))
        if key not in groups and len(groups) >= _MOST_GROUPS:
            key = (kind, "")
        text = cut(redactor.text(message), LONGEST_MESSAGE)
        group = groups.setdefault(key, {"type": cut(kind, 200), "message": text, "rows": [], "traceback": None})
        group["rows"].append(row)
    found = sorted(groups.values(), key=lambda group: -len(group["rows"]))
    kinds: list[int | None] = [None] * len(jobs)
    for index, group in enumerate(found):
        group["count"] = len(group["rows"])
        group["traceback"] = _traceback(jobs[group["rows"][0]], sweep_dir, redactor)
        for row in group["rows"]:
            kinds[row] = index
    return found, kinds


_UNTOLD = "its process is gone without a word"


def traceback_of(data: dict[str, Any], directory: Path, redactor: Redactor) -> str | None:
    """Return the traceback that a record has, or what Python wrote of a fault in compiled code; the end, when long.

    Args:
        data: The record.
        directory: The job's output directory.
        redactor: What takes the secrets out of texts.
    """
    error = data.get("error")
    text = error.get("traceback") if isinstance(error, dict) else None
    text = text if isinstance(text, str) else death.fault_of(data, directory)
    if not text:
        return None
    end = text if len(text) <= LONGEST_TRACEBACK else f"…\n{text[-LONGEST_TRACEBACK:]}"
    return cut(redactor.text(end), LONGEST_TRACEBACK + 2)


def _traceback(job: SweepJob, sweep_dir: Path, redactor: Redactor) -> str | None:
    run = _run(job, sweep_dir)
    return traceback_of(run.record, run.directory, redactor) if run else None


def _cause(job: SweepJob, sweep_dir: Path) -> str | None:
    run = _run(job, sweep_dir)
    return death.cause_of(run.record, run.directory) if run else None


def _run(job: SweepJob, sweep_dir: Path) -> Run | None:
    run = run_in(job.directory(sweep_dir))
    return None if run is None or run.problem else run
