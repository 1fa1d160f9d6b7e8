"""What does the page of a register show? All runs over time, what became of them, the best, and the way into each."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report import again, metric
from hydra_callbacks.report.columns import LONGEST_CELL, column
from hydra_callbacks.report.head import cut, head, number, pasted, text_of, without_known
from hydra_callbacks.report.links import way_into
from hydra_callbacks.runs.query import Order, Query
from hydra_callbacks.runs.register import is_url
from hydra_callbacks.runs.register.row import OF_A_PROCESS, directory_of
from hydra_callbacks.runs.sources import Records, opened
from hydra_callbacks.support.redact import REDACTED, Redactor
from hydra_callbacks.support.texts import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_callbacks.runs.register.row import Row

MOST_RUNS = 10_000
_MOST_COLUMNS = 150
_MANY = 500  # runs, of which columns that are the same in all are left out
_RESULT = "result."
_HEAD = {"run-dir": "run", "run-app": "app", "run-status": "status", "run-started": "started"}
_HEAD |= {"run-duration_s": "duration (s)"}
_HEAD |= {"run-peak_rss_bytes": "peak memory (bytes)", "run-cpu_s": "processor time (s)"}
_TAIL = {"run-error": "error", "run-host": "host", "git.sha": "commit", "git.is_dirty": "dirty"}
_UNSEEN = {
    *("run-id", "run-num", "run-overrides", "run-attempt", "job_success"),
    *(f"run-{key}" for key in OF_A_PROCESS),
}


def register_data(
    where: str, *, page_dir: Path | None = None, metric_name: str | None = None, is_max: bool | None = None
) -> dict[str, Any]:
    """Return the data of a register's page, as `report.page` draws it.

    Args:
        where: A register's file or URL, or a directory, whose run records are read.
        page_dir: The directory that the page will lie in; that of the register when None.
        metric_name: The result by which the runs of an application are compared; its first number when None.
        is_max: Whether the highest is best; told by the metric's name when None.

    Raises:
        RegisterError: There is no such register, or it cannot be read.
    """
    redactor = Redactor()
    notes: list[str] = []
    with opened(where) as (source,):
        rows = source.select(Query(order=(Order("run-started", descending=True),), limit=MOST_RUNS + 1))
        names = source.columns()
        if isinstance(source, Records):
            notes += [str(run.problem) for run in source.problems]
    if len(rows) > MOST_RUNS:
        rows.pop()
        notes.append(f"there are more than {MOST_RUNS:,} runs; the latest are shown")
    rows.reverse()  # they come over time
    place = redactor.known(where) if is_url(where) else os.path.abspath(where)  # noqa: PTH100  (links stay)
    file = None if is_url(where) or Path(where).is_dir() else Path(where)
    page_dir = page_dir or page_dir_of(where)
    folders = [directory_of(row, file) for row in rows]
    values: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in names}
    values |= {name: [_text(each) for each in values[name]] for name in ("run-app", "run-started") if name in values}
    values["run-status"] = list(map(_state, rows))
    if "run-dir" in values:
        values["run-dir"] = _without_common(values["run-dir"])
    title = f"Runs in {place.rstrip('/').rpartition('/')[2]}" if is_url(where) else f"Runs in {Path(place).name}"
    shown = _columns(values, len(rows), notes)
    by_app = _by_app(rows, names, metric_name, is_max, redactor)
    data = {
        **head("register", title, place, notes=notes, commands=again.of_register(place, by_app)),
        **shown,
        "by_app": by_app,
        "runs": {
            "link": [folder and way_into(folder, page_dir) for folder in folders],
            "path": [folder and _path(folder, redactor) for folder in folders],
        },
    }
    return without_known(data, redactor)


def page_dir_of(where: str) -> Path:
    """Return the directory in which the page of a register lies: its own; the working directory of a database's."""
    if is_url(where):
        return Path.cwd()
    path = Path(where).absolute()
    return path if path.is_dir() else path.parent


def _without_common(places: Sequence[Any]) -> list[Any]:
    """Return directories without the folder that all lie in, which would leave no room for what tells them apart."""
    folders = {os.path.dirname(place) for place in places if isinstance(place, str) and place}  # noqa: PTH120  (many)
    try:
        common = os.path.commonpath(folders) if folders else ""
    except ValueError:  # some are absolute, or on another disk
        common = ""
    start = len(common.rstrip("/\\")) + 1 if common else 0
    return [place[start:] if isinstance(place, str) and place else place for place in places]


def _columns(values: dict[str, list[Any]], n_rows: int, notes: list[str]) -> dict[str, Any]:
    """Return the columns that tell runs apart: what is known of each run, the configuration, and the results."""
    inner = [name for name in values if name not in {*_HEAD, *_TAIL, *_UNSEEN}]
    same = [name for name in inner if n_rows > _MANY and len({repr(value) for value in values[name]}) == 1]
    if same:
        notes.append(f"left out, as they are the same in all runs: {counted(len(same), 'column')}")
        inner = [name for name in inner if name not in set(same)]
    results = [name for name in inner if name.startswith(_RESULT)]
    config = [name for name in inner if not name.startswith(_RESULT)]
    for kind, there in (("settings", config), ("results", results)):
        if len(there) > _MOST_COLUMNS:
            notes.append(f"of {len(there):,} {kind}, the first {_MOST_COLUMNS} are shown")
    roles = {name: ("head", label) for name, label in _HEAD.items()}
    roles |= {name: ("config", name) for name in config[:_MOST_COLUMNS]}
    roles |= {name: ("result", name.removeprefix(_RESULT)) for name in results[:_MOST_COLUMNS]}
    roles |= {name: ("tail", label) for name, label in _TAIL.items()}
    told, shown = [], {}
    for name, (role, label) in roles.items():
        if name in values:
            facts, shown[name] = column(name, label, role, values[name])
            told.append(facts)
    return {"columns": told, "values": shown}


def _by_app(
    rows: Sequence[Row], names: Sequence[str], metric_name: str | None, is_max: bool | None, redactor: Redactor
) -> list[dict[str, Any]]:
    """Return what is to be told of each application, that with the most runs first."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        places[_text(row.get("run-app")) or ""].append(index)
    results = [name for name in names if name.startswith(_RESULT)]
    return [
        {
            "app": app,
            "n_runs": len(indices),
            "counts": dict(Counter(_state(rows[index]) for index in indices)),
            "hours": round(sum(number(rows[index].get("run-duration_s")) or 0.0 for index in indices) / 3600, 4),
            "best": _best([(index, rows[index]) for index in indices], results, metric_name, is_max, redactor),
        }
        for app, indices in sorted(places.items(), key=lambda each: -len(each[1]))
    ]


def _best(
    rows: Sequence[tuple[int, Row]], results: Sequence[str], name: str | None, is_max: bool | None, redactor: Redactor
) -> dict[str, Any] | None:
    """Return the best run of an application; None when its runs have no number to compare."""
    done = [(index, row) for index, row in rows if _state(row) == "completed"]  # as `hydra-callbacks best`
    values = {each: [row.get(each) for _, row in done] for each in results}
    names = metric.numbers(values, results) if name else metric.candidates(values, results)
    chosen = metric.found_in(name, names) if name else metric.usual(names)
    told = [(index, row) for index, row in done if chosen and number(row.get(chosen)) is not None]
    if chosen is None or not told:
        return None
    high = metric.is_high_good(chosen) if is_max is None else is_max
    index, best = (max if high else min)(told, key=lambda each: each[1][chosen])
    words = best.get("run-overrides")
    return {
        "row": index,
        "name": chosen.removeprefix(_RESULT),
        "is_max": high,
        "value": number(best[chosen]),
        "words": pasted(words if isinstance(words, list) else [], redactor),
    }


def _state(row: Row) -> str:
    return _text(row.get("run-status")) or "unknown"


def _path(folder: Path, redactor: Redactor) -> str | None:
    """Return a directory as it can be pasted; None when it holds what nobody may know, or half of a character."""
    text = str(folder)
    known = redactor.known(text)
    return known if REDACTED not in known and cut(known, len(known)) == known else None


def _text(value: Any) -> str | None:
    return None if value is None else cut(text_of(value), LONGEST_CELL)
