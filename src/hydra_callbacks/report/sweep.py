"""What does the page of a sweep show? Its jobs, what came of them, where and when they ran, and what decided on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.report import again, metric
from hydra_callbacks.report.columns import column
from hydra_callbacks.report.failures import failures
from hydra_callbacks.report.head import cut, head, number, pasted, without_known
from hydra_callbacks.report.importance import importance
from hydra_callbacks.report.launches import launches_of
from hydra_callbacks.report.links import way_into
from hydra_callbacks.report.workers import begun_s, workers
from hydra_callbacks.runs import record
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.runs.gather import GOOD, HEAD, NUMBER, TAIL, best_of, table_of
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.runs.sweep_job import NOT_STARTED
from hydra_callbacks.runs.view import view_of
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.report.launches import Launches
    from hydra_callbacks.runs.gather import Table
    from hydra_callbacks.runs.sweep import Sweep
    from hydra_callbacks.runs.sweep_job import SweepJob

_LABELS = {NUMBER: "job", "run-status": "status", "run-duration_s": "duration (s)", "run-dir": "directory"}
_LABELS |= {"run-peak_rss_bytes": "peak memory (bytes)", "run-error": "error"}
_MOST_COLUMNS = 200  # of overrides and results, each
_LONGEST_NAME = 200  # characters


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
    redactor = redactor or Redactor()  # which learns what the jobs that failed know
    sweep = read_sweep(directory, is_over=is_over)
    table = table_of(sweep.jobs, directory)
    notes = [*sweep.problems, *table.problems]
    compared = _compared(table, directory, metric_name, is_max, notes)
    shown = _columns(table, notes)
    errors, kinds = failures(sweep.jobs, directory, redactor)
    best = _best(table, sweep.jobs, compared, redactor)
    launch = sweep.origin or sweep.launch
    app = (launch.app if launch else "") or _first_app(sweep)
    counts = dict(sweep.counts())
    commands = again.of_sweep(directory, counts, len(sweep.jobs)) if launch and not sweep.is_alive else []
    if best and (run := run_in(sweep.jobs[best["row"]].directory(directory))) and not run.problem:
        which = "the best job" if best["num"] is None else f"job {best['num']}"
        by = f"the best by {cut(compared['name'], _LONGEST_NAME)}" if compared else ""
        commands += again.of_run(run.record, run.directory, label=which, why=by)
    launches = launches_of(directory)
    launches.begun_s = record.seconds(launch.at) if launch else 0.0
    launches.begun_s = launches.begun_s or min(filter(None, map(begun_s, sweep.jobs)), default=0.0)
    data = {
        **head("sweep", f"{app or 'Sweep'}: {directory.name}", str(directory), notes=notes, commands=commands),
        "app": cut(app, 200),
        **_when(sweep, launches, is_over=is_over),
        "counts": counts,
        "metric": compared,
        "best": best,
        **shown,
        "jobs": {
            "link": [_link(job, directory, page_dir) for job in sweep.jobs],
            "words": [pasted(words, redactor) for words in table.words],
            "begins_s": [launches.own_s(begun) if (begun := begun_s(job)) else None for job in sweep.jobs],
            "worker": workers(sweep.jobs, directory, launches.hosts),
            "error": kinds,
        },
        "errors": errors,
        "importance": _importance(table, compared) if compared else None,
    }
    return without_known(data, redactor)


def _compared(
    table: Table, directory: Path, name: str | None, is_max: bool | None, notes: list[str]
) -> dict[str, Any] | None:
    """Return by what jobs are compared; None when no result is a number."""
    told, numbers = metric.told_by(directory), metric.numbers(table.columns, table.results)
    names = metric.candidates(table.columns, table.results)
    asked = name or told.name
    found = metric.found_in(asked, numbers) if asked else None
    if asked and found is None:
        notes.append(f"no job has a number in {asked!r}; results that are numbers: {', '.join(numbers) or 'none'}")
    usual = (metric.found_in(told.name, numbers) if told.name else None) or metric.usual(names)
    chosen = found or usual
    if chosen is None:
        return None
    asked_way = None if name and found is None else is_max  # else it was said of another one

    def way(column: str) -> dict[str, Any]:
        known = asked_way if column == chosen else None
        if known is None:
            known = told.way_of(column, numbers, is_usual=column == usual)
        is_max = metric.is_high_good(column) if known is None else known
        return {"name": column, "is_max": is_max, "is_guessed": known is None}

    return {**way(chosen), "candidates": list(map(way, names if chosen in names else [chosen, *names]))}


def _best(
    table: Table, jobs: Sequence[SweepJob], compared: dict[str, Any] | None, redactor: Redactor
) -> dict[str, Any] | None:
    found = best_of(table, compared["name"], is_max=compared["is_max"]) if compared else None
    if found is None:
        return None
    row, name = found
    value, words = number(table.columns[name][row]), pasted(table.words[row], redactor)
    return {"row": row, "value": value, "words": words, "num": jobs[row].num}


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
        told_values = table.columns[name]
        if name == "run-duration_s":
            told_values = [None if each is None else round(each, 3) for each in told_values]
        facts, values[name] = column(name, _LABELS.get(name, name), role, told_values)
        told.append(facts)
    return {"columns": told, "values": values}


def _link(job: SweepJob, directory: Path, page_dir: Path) -> str | None:
    return None if job.status in NOT_STARTED else way_into(job.directory(directory), page_dir)


def _when(sweep: Sweep, launches: Launches, *, is_over: bool) -> dict[str, Any]:
    """Return when it began and ended, and how it stands."""
    state = view_of(sweep, is_over=is_over).state
    ends = [begun + (job.duration_s or 0.0) for job in sweep.jobs if (begun := begun_s(job))]
    ended_s = (record.seconds(sweep.ended_at) if sweep.ended_at else 0.0) or max(ends, default=0.0)
    ended_s = 0.0 if state == "running" else ended_s
    is_told = launches.begun_s and ended_s >= launches.begun_s
    return {
        "status": state,
        "started_at": record.timestamp(launches.begun_s) if launches.begun_s else None,
        "ended_at": record.timestamp(ended_s) if ended_s else None,
        "duration_s": launches.own_s(ended_s) if is_told else None,
        **launches.told(),
    }


def _importance(table: Table, compared: dict[str, Any]) -> dict[str, Any]:
    states = table.columns["run-status"]
    values = table.columns[compared["name"]]
    done = [value if state in GOOD else None for value, state in zip(values, states, strict=True)]
    return importance(compared["name"], done, {name: table.columns[name] for name in table.overrides[:_MOST_COLUMNS]})


def _first_app(sweep: Sweep) -> str:
    run = run_in(sweep.jobs[0].directory(sweep.directory)) if sweep.jobs else None
    return str(run.record.get("app") or "") if run and not run.problem else ""
