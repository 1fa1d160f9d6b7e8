"""What does the page of a sweep show? Its jobs, what came of them, where and when they ran, and what decided on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hydra_callbacks.report import again, metric
from hydra_callbacks.report.columns import column
from hydra_callbacks.report.failures import failures
from hydra_callbacks.report.head import cut, head, number, way_into, without_known
from hydra_callbacks.report.importance import importance
from hydra_callbacks.report.workers import workers
from hydra_callbacks.runs import record
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.runs.gather import HEAD, NUMBER, TAIL, best_of, table_of
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.runs.sweep_job import NOT_STARTED
from hydra_callbacks.runs.view import view_of
from hydra_callbacks.support.redact import REDACTED, Redactor
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.runs.gather import Table
    from hydra_callbacks.runs.sweep import Sweep
    from hydra_callbacks.runs.sweep_job import SweepJob

_LABELS = {NUMBER: "job", "run-status": "status", "run-duration_s": "duration (s)", "run-dir": "directory"}
_LABELS |= {"run-peak_rss_bytes": "peak memory (bytes)", "run-error": "error"}
_MOST_COLUMNS = 200  # of overrides and results, each
_LONGEST_WORDS = 2000  # characters


def sweep_data(  # noqa: PLR0913  (what is read, by keyword, and how it is seen)
    directory: Path,
    *,
    page_dir: Path | None = None,
    metric_name: str | None = None,
    is_max: bool | None = None,
    is_over: bool = False,
    redactor: Redactor | None = None,
) -> dict[str, Any]:
    """Return the data of a sweep's page, as `report.page` draws it.

    Args:
        directory: The sweep's directory.
        page_dir: The directory that the page will lie in; the sweep's when None.
        metric_name: The result by which jobs are compared; found as `report.metric` tells when None.
        is_max: Whether the highest is best; likewise.
        is_over: Whether no further job will start, although this very process has launched it.
        redactor: What takes the secrets out of texts.

    Raises:
        SweepError: There is no such directory.
        OSError: The journal cannot be read.
    """
    directory = directory.absolute()
    page_dir = page_dir or directory
    redactor = redactor or Redactor()
    sweep = read_sweep(directory, is_over=is_over)
    table = table_of(sweep.jobs, directory)
    notes = [*sweep.problems, *table.problems]
    compared = _compared(table, directory, metric_name, is_max, notes)
    shown = _columns(table, notes)
    errors, kinds = failures(sweep.jobs, directory, redactor)
    best = _best(table, sweep.jobs, compared)
    launch = sweep.origin or sweep.launch
    app = (launch.app if launch else "") or _first_app(sweep)
    counts = dict(sweep.counts())
    commands = again.of_sweep(directory, counts, len(sweep.jobs)) if launch and not sweep.is_alive else []
    if best and (run := run_in(sweep.jobs[best["row"]].directory(directory))) and not run.problem:
        commands += again.of_run(run.record, run.directory, label="the best job")
    begun_s = record.seconds(launch.at) if launch else 0.0
    begun_s = begun_s or min((record.seconds(job.started_at) for job in sweep.jobs if job.started_at), default=0.0)
    data = {
        **head("sweep", f"{app or 'Sweep'}: {directory.name}", str(directory), notes=notes, commands=commands),
        "app": cut(app, 200),
        **_when(sweep, begun_s, is_over=is_over),
        "counts": counts,
        "metric": compared,
        "best": best,
        **shown,
        "jobs": _jobs(sweep.jobs, kinds, directory, page_dir, begun_s)
        | {"words": [_pasted(words) for words in table.words]},
        "errors": errors,
        "importance": _importance(table, compared) if compared else None,
    }
    return cast("dict[str, Any]", without_known(data, redactor))


def _compared(
    table: Table, directory: Path, name: str | None, is_max: bool | None, notes: list[str]
) -> dict[str, Any] | None:
    """Return by what jobs are compared; None when no result is a number."""
    names = metric.candidates(table.columns, table.results)
    told, told_max = metric.told_by(directory) if name is None else (None, None)
    found = metric.found_in(name or told or "", names)
    if (name or told) and found is None:
        notes.append(f"no job has a number in {name or told!r}; results that are numbers: {', '.join(names) or 'none'}")
    chosen = found or metric.usual(names)
    if chosen is None:
        return None
    is_max = told_max if is_max is None and found else is_max
    is_guessed = is_max is None
    return {
        "name": chosen,
        "is_max": metric.is_high_good(chosen) if is_max is None else is_max,
        "is_guessed": is_guessed,
        "candidates": names,
    }


def _best(table: Table, jobs: Sequence[SweepJob], compared: dict[str, Any] | None) -> dict[str, Any] | None:
    found = best_of(table, compared["name"], is_max=compared["is_max"]) if compared else None
    if found is None:
        return None
    row, name = found
    words = cut(as_words(table.words[row]), _LONGEST_WORDS)
    return {"row": row, "value": number(table.columns[name][row]), "words": words, "num": jobs[row].num}


def _columns(table: Table, notes: list[str]) -> dict[str, Any]:
    """Return the table's columns, and their values."""
    for kind, names in (("overrides", table.overrides), ("results", table.results)):
        if len(names) > _MOST_COLUMNS:
            notes.append(f"of {len(names):,} {kind}, the first {_MOST_COLUMNS} are shown")
    roles = dict.fromkeys(HEAD, "head")
    roles |= dict.fromkeys(table.overrides[:_MOST_COLUMNS], "override")
    roles |= dict.fromkeys(table.results[:_MOST_COLUMNS], "result")
    roles |= {name: "tail" for name in TAIL if name in table.columns}
    told, values = [], {}
    for name, role in roles.items():
        if role == "tail" and not any(each is not None for each in table.columns[name]):
            continue
        facts, values[name] = column(name, _LABELS.get(name, name), role, table.columns[name])
        told.append(facts)
    return {"columns": told, "values": values}


def _pasted(words: list[str]) -> str | None:
    """Return overrides ready to paste; None when they are too many, or hold what nobody may know."""
    text = as_words(words)
    return text if len(text) <= _LONGEST_WORDS and REDACTED not in text else None


def _jobs(
    jobs: Sequence[SweepJob], kinds: list[int | None], directory: Path, page_dir: Path, begun_s: float
) -> dict[str, Any]:
    return {
        "num": [job.num for job in jobs],
        "status": [job.status for job in jobs],
        "dir": [cut(job.place, _LONGEST_WORDS) if job.status not in NOT_STARTED else None for job in jobs],
        "link": [_link(job, directory, page_dir) for job in jobs],
        "begins_s": [round(record.seconds(job.started_at) - begun_s, 3) if job.started_at else None for job in jobs],
        "duration_s": [job.duration_s if job.duration_s is None else round(job.duration_s, 3) for job in jobs],
        "worker": workers(jobs, directory),
        "peak_rss_bytes": [number(job.peak_rss_bytes) for job in jobs],
        "error": kinds,
    }


def _link(job: SweepJob, directory: Path, page_dir: Path) -> str | None:
    return None if job.status in NOT_STARTED else way_into(job.directory(directory), page_dir)


def _when(sweep: Sweep, begun_s: float, *, is_over: bool) -> dict[str, Any]:
    """Return when it began and ended, and how it stands."""
    state = view_of(sweep).state
    if is_over and state == "died":  # its last line comes after the callbacks
        counts = sweep.counts()
        is_done = not any(counts[each] for each in NOT_STARTED)
        state = ("completed" if counts["completed"] == len(sweep.jobs) else "failed") if is_done else "stopped"
    ends = [record.seconds(job.started_at) + (job.duration_s or 0.0) for job in sweep.jobs if job.started_at]
    ended_s = record.seconds(sweep.ended_at) if sweep.ended_at else max(ends, default=0.0)
    is_running = state == "running"
    return {
        "status": state,
        "started_at": record.timestamp(begun_s) if begun_s else None,
        "ended_at": record.timestamp(ended_s) if ended_s and not is_running else None,
        "duration_s": round(ended_s - begun_s, 3) if begun_s and ended_s >= begun_s and not is_running else None,
    }


def _importance(table: Table, compared: dict[str, Any]) -> dict[str, Any]:
    states = table.columns["run-status"]
    values = table.columns[compared["name"]]
    done = [value if state in {"completed", "unknown"} else None for value, state in zip(values, states, strict=True)]
    return importance(compared["name"], done, {name: table.columns[name] for name in table.overrides[:_MOST_COLUMNS]})


def _first_app(sweep: Sweep) -> str:
    run = run_in(sweep.jobs[0].directory(sweep.directory)) if sweep.jobs else None
    return str(run.record.get("app") or "") if run and not run.problem else ""
