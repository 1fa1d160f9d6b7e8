"""Why did jobs of a sweep fail? Those that failed alike together, with one traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.head import cut
from hydra_callbacks.runs import death
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.runs.hydra_files import redactor_of
from hydra_callbacks.runs.record import section
from hydra_callbacks.support.short_repr import end_of, start_of

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
_LONGEST_TRACEBACK = 20_000  # characters
_LONGEST_TRACEBACKS = 200_000  # characters of all in a page


def failures(
    jobs: Sequence[SweepJob], sweep_dir: Path, redactor: Redactor
) -> tuple[list[dict[str, Any]], list[int | None]]:
    """Return the kinds of failure, the most frequent first, and for each job the index of its kind.

    Failures are of one kind when their type is the same, and their message but for numbers and what is in quotes; when
    there are more than 50 kinds, the type alone decides on the others.

    Args:
        jobs: The jobs.
        sweep_dir: The sweep's directory.
        redactor: What takes the secrets out of texts; it learns those of the jobs whose texts are shown.
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
        if key not in groups:
            redactor.learn_texts(redactor_of(job.directory(sweep_dir)).secrets)
            text = cut(start_of(message, redactor, LONGEST_MESSAGE), LONGEST_MESSAGE + 3)
            groups[key] = {"type": cut(redactor.known(kind), 200), "message": text, "rows": []}
        groups[key]["rows"].append(row)
    found = sorted(groups.values(), key=lambda group: -len(group["rows"]))
    kinds: list[int | None] = [None] * len(jobs)
    left = _LONGEST_TRACEBACKS
    for index, group in enumerate(found):
        group["count"] = len(group["rows"])
        longest = min(_LONGEST_TRACEBACK, left // (len(found) - index))  # what others do not need is for those behind
        trace = group["traceback"] = _traceback(jobs[group["rows"][0]], sweep_dir, redactor, longest)
        left -= len(trace or "")
        for row in group["rows"]:
            kinds[row] = index
    return found, kinds


_UNTOLD = "its process is gone without a word"


def traceback_of(
    data: dict[str, Any], directory: Path, redactor: Redactor, longest: int = _LONGEST_TRACEBACK
) -> str | None:
    """Return the traceback that a record has, or what Python wrote of a fault in compiled code; the end, when long.

    Args:
        data: The record.
        directory: The job's output directory.
        redactor: What takes the secrets out of texts.
        longest: Characters of it.
    """
    text = section(data, "error").get("traceback")
    text = text if isinstance(text, str) else death.fault_of(data, directory)
    return cut(end_of(text, redactor, longest), longest + 3) if text else None


def _traceback(job: SweepJob, sweep_dir: Path, redactor: Redactor, longest: int) -> str | None:
    run = _run(job, sweep_dir)
    return traceback_of(run.record, run.directory, redactor, longest) if run else None


def _cause(job: SweepJob, sweep_dir: Path) -> str | None:
    run = _run(job, sweep_dir)
    return death.cause_of(run.record, run.directory) if run else None


def _run(job: SweepJob, sweep_dir: Path) -> Run | None:
    run = run_in(job.directory(sweep_dir))
    return None if run is None or run.problem else run
