"""Which run does the user mean? A directory, the beginning of an id, `latest`, or a job's number in its sweep."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RunNotFoundError
from hydra_callbacks.runs.filters import All, Column, Compare, Value
from hydra_callbacks.runs.find import Run, run_in, runs_below, sweep_of
from hydra_callbacks.runs.query import Order, Query
from hydra_callbacks.runs.register.row import directory_of
from hydra_callbacks.runs.sources import opened, with_places

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_callbacks.runs.register import Register
    from hydra_callbacks.runs.register.row import Row
    from hydra_callbacks.runs.sources import Records

_IN_LATEST = re.compile(r"latest[/\\](0|[1-9]\d*)")
_NUMBER = re.compile(r"0|[1-9][0-9]*")
_ID = re.compile(r"[0-9a-f-]{4,36}", re.IGNORECASE)
_NEWEST = Query(order=(Order("run-started", descending=True),))
_NEWEST_OF_A_SWEEP = replace(_NEWEST, filter=Compare(Column("run-num"), "!=", Value(None)))
_MOST_CANDIDATES = 8
LATEST = "latest"
BASES = ("", "outputs", "multirun", "multiruns")
"""Where Hydra, and the published default, put runs."""


def find_run(name: str, where: str | None = None) -> Run:
    """Return the run that a name means.

    Args:
        name: A job's output directory; a sweep's directory with a job's number behind it (`multirun/.../3`); the
            beginning of an id, four characters or more; `latest`, the one that started last; or `latest/3`, a job of
            the sweep that started last.
        where: Where ids and `latest` are looked up, as in `sources.sources`.

    Raises:
        RegisterError: What `where` names cannot be read.
        RunNotFoundError: It means none, or several; the message lists the nearest.
    """
    if name == LATEST:
        return _latest(where)
    if number := _IN_LATEST.fullmatch(name):
        newest = _latest(where, _NEWEST_OF_A_SWEEP)
        found = _in_sweep(sweep_of(newest) or newest.directory.parent, int(number[1]))
    else:
        found = _by_directory(os.path.expanduser(name))  # noqa: PTH111  (leaves the name of an unknown user as it is)
    if found is None and _ID.fullmatch(name):
        found = _by_id(name.lower(), where)
    if found is None:
        raise _unknown(name, where)
    if found.problem:
        raise RunNotFoundError(found.problem)
    return found


def run_of(row: Row, register: Path | None) -> Run:
    """Return the run that a register's row is about; what the row says stands in for a record that is not there."""
    directory = directory_of(row, register)
    run = run_in(directory) if directory else None
    told = record_of(row)
    if run is None or run.problem or run.record.get("id") not in {None, row.get("run-id")}:
        return Run(str(directory or row.get("run-dir")), told)
    if run.record.get("id") is None:
        run.record.update({key: value for key, value in told.items() if key != "config"})
    return run


def record_of(row: Row) -> dict[str, Any]:
    """Return as much of a run record as its row tells; nested keys stay joined by dots."""
    sections: dict[str, dict[str, Any]] = {"config": {}, "git": {}, "result": {}}
    for column, value in row.items():
        section, _, key = column.partition(".")
        if value is None or column.startswith("run-") or column == "job_success":
            continue
        if section in {"git", "result"} and key:
            sections[section][key] = value
        else:
            sections["config"][column] = value
    error, _, message = str(row.get("run-error") or "").partition(": ")
    told = {
        "id": row.get("run-id"),
        "attempt": row.get("run-attempt"),
        "app": row.get("run-app"),
        "status": row.get("run-status"),
        "started_at": row.get("run-started"),
        "duration_s": row.get("run-duration_s"),
        "job": None if row.get("run-num") is None else {"num": row["run-num"], "sweep": True},
        "overrides": row.get("run-overrides"),
        "output_dir": row.get("run-dir"),
        "host": {"name": row["run-host"]} if row.get("run-host") else None,
        "error": {"type": error, "message": message} if error else None,
        **{name: section or None for name, section in sections.items()},
    }
    return {key: value for key, value in told.items() if value is not None}


def _latest(where: str | None, asked: Query = _NEWEST) -> Run:
    with opened(where) as sources:
        newest = [(row, source) for source in sources for row in source.select(replace(asked, limit=1))]
    if not newest:
        kind = "run" if asked is _NEWEST else "sweep"
        msg = f"no {kind} is known {f'in {where}' if where else 'here'}, so none is the latest"
        raise RunNotFoundError(msg)
    row, source = max(newest, key=lambda each: each[0].get("run-started") or "")
    return run_of(row, _file_of(source))


def _by_directory(name: str) -> Run | None:
    for base in BASES:
        directory = Path(base, name)
        if directory.is_dir():
            run = run_in(directory) or _only(runs_below(directory), f"{name} holds several runs")
        elif _NUMBER.fullmatch(directory.name) and directory.parent.is_dir():
            run = _in_sweep(directory.parent, int(directory.name))
        else:
            run = None
        if run is not None:
            return run
    return None


def _in_sweep(directory: Path, number: int) -> Run | None:
    """Return the job of this number; `hydra.sweep.subdir` may have given its directory any other name."""
    jobs = (run for run in runs_below(directory) if isinstance(run.record.get("job"), dict))
    fitting = (run for run in jobs if run.record["job"].get("sweep") and run.record["job"].get("num") == number)
    return _only(fitting, f"several sweeps in {directory} have a job {number}")


def _only(runs: Iterable[Run], complaint: str) -> Run | None:
    """Return the only run; None when there is none; complain of several, and list the first."""
    first = [run for _, run in zip(range(_MOST_CANDIDATES + 1), runs, strict=False)]
    if len(first) > 1:
        listed = "\n".join(f"  {run.place}" for run in first[:_MOST_CANDIDATES])
        more = "" if len(first) <= _MOST_CANDIDATES else "\n  ..."
        msg = f"{complaint}; name one of them:\n{listed}{more}"
        raise RunNotFoundError(msg)
    return first[0] if first else None


def _by_id(start: str, where: str | None) -> Run | None:
    column = Column("run-id")
    begins = All((Compare(column, ">=", Value(start)), Compare(column, "<", Value(f"{start}~"))))  # ~ ends ASCII
    found: dict[str, tuple[Row, Register | Records]] = {}
    with opened(where) as sources:
        for source in sources:
            for row in source.select(replace(_NEWEST, filter=begins)):
                found.setdefault(row["run-id"], (row, source))
    if len(found) > 1:
        first = [with_places([row], source)[0] for row, source in list(found.values())[:_MOST_CANDIDATES]]
        listed = "\n".join(f"  {row['run-id']}  {row['run-dir']}" for row in first)
        more = "" if len(found) <= _MOST_CANDIDATES else f"\n  ... ({len(found)} in all)"
        msg = f"{len(found)} runs have an id that begins with {start!r}; name more of it:\n{listed}{more}"
        raise RunNotFoundError(msg)
    return next((run_of(row, _file_of(source)) for row, source in found.values()), None)


def _unknown(name: str, where: str | None) -> RunNotFoundError:
    names: dict[str, str] = {}  # what a name is compared with: what is shown
    with opened(where) as sources:
        for source in sources:
            for row in with_places(source.select(replace(_NEWEST, limit=1000)), source):
                place, key = (str(row.get(column) or "") for column in ("run-dir", "run-id"))
                names.setdefault(place, place)
                names.setdefault(key[: len(name)], key)
    names.pop("", None)
    near = difflib.get_close_matches(name, names, n=_MOST_CANDIDATES, cutoff=0.4) or list(names)[:2]
    listed = "".join(f"\n  {names[each]}" for each in near)
    hint = f"; nearest:{listed}" if near else "; no run is known here"
    msg = f"no run is called {name!r}: expected a job's directory, the beginning of an id, or `latest`{hint}"
    return RunNotFoundError(msg)


def _file_of(source: Register | Records) -> Path | None:
    return getattr(source, "path", None)
