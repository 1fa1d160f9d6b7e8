"""Which run does the user mean? A directory, the beginning of an id, `latest`, or a job's number in its sweep."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RunNotFoundError
from hydra_callbacks.runs import query
from hydra_callbacks.runs.filters import All, Column, Compare, Value
from hydra_callbacks.runs.find import Run, run_in, runs_below
from hydra_callbacks.runs.query import Query
from hydra_callbacks.runs.register.row import directory_of
from hydra_callbacks.runs.sources import Records, sources

if TYPE_CHECKING:
    from hydra_callbacks.runs.register import Register
    from hydra_callbacks.runs.register.row import Row

_ID = re.compile(r"[0-9a-f-]{4,36}", re.IGNORECASE)
_MOST_CANDIDATES = 8
_BASES = ("", "outputs", "multirun", "multiruns")  # where Hydra, and the published default, put runs


def find_run(name: str, where: str | None = None) -> Run:
    """Return the run that a name means.

    Args:
        name: A job's output directory; a sweep's directory with a job's number behind it (`multirun/.../3`); the
            beginning of an id, four characters or more; or `latest`, the one that started last.
        where: Where ids and `latest` are looked up, as in `sources.sources`.

    Raises:
        RegisterError: What `where` names cannot be read.
        RunNotFoundError: It means none, or several; the message lists the nearest.
    """
    if name == "latest":
        return _latest(where)
    found = _by_directory(name)
    if found is None and _ID.fullmatch(name):
        found = _by_id(name.lower(), where)
    if found is None:
        raise _unknown(name, where)
    if found.problem:
        raise RunNotFoundError(found.problem)
    return found


def run_of(row: Row, register: Path | None) -> Run:
    """Return the run that a register's row is about; what the row says stands in when its directory is gone."""
    directory = directory_of(row, register)
    run = run_in(directory) if directory else None
    if run is not None and not run.problem and run.record.get("id") in {None, row.get("run-id")}:
        return run
    return Run(str(directory or row.get("run-dir")), record_of(row))


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


def _latest(where: str | None) -> Run:
    newest: list[tuple[Row, Register | Records]] = []
    for source in sources(where):
        asked = query.ask(source.columns(), limit=1)
        newest += [(row, source) for row in source.select(asked)]
    if not newest:
        msg = f"no run is known {f'in {where}' if where else 'here'}, so none is the latest"
        raise RunNotFoundError(msg)
    row, source = max(newest, key=lambda each: each[0].get("run-started") or "")
    return run_of(row, _file_of(source))


def _by_directory(name: str) -> Run | None:
    for base in _BASES:
        directory = Path(base, name).expanduser()
        if directory.is_dir():
            run = run_in(directory)
            if run is None and (jobs := _some_below(directory)):
                listed = "\n".join(f"  {job.place}" for job in jobs[:_MOST_CANDIDATES])
                more = "" if len(jobs) <= _MOST_CANDIDATES else "\n  ..."
                msg = f"{name} holds several runs; name one of them:\n{listed}{more}"
                raise RunNotFoundError(msg)
            if run is not None:
                return run
        elif directory.name.isdecimal() and directory.parent.is_dir():
            for run in runs_below(directory.parent):
                job = run.record.get("job")
                if isinstance(job, dict) and job.get("sweep") and job.get("num") == int(directory.name):
                    return run
    return None


def _some_below(directory: Path) -> list[Run]:
    """Return the first runs below a directory, one more than are listed."""
    return [run for _, run in zip(range(_MOST_CANDIDATES + 1), runs_below(directory), strict=False)]


def _by_id(start: str, where: str | None) -> Run | None:
    column = Column("run-id")
    asked = Query(All((Compare(column, ">=", Value(start)), Compare(column, "<", Value(f"{start}~")))))  # ~ ends ASCII
    found: dict[str, tuple[Row, Register | Records]] = {}
    for source in sources(where):
        for row in source.select(asked):
            found.setdefault(row["run-id"], (row, source))
    if len(found) > 1:
        listed = "\n".join(f"  {key}  {row['run-dir']}" for key, (row, _) in list(found.items())[:_MOST_CANDIDATES])
        more = "" if len(found) <= _MOST_CANDIDATES else f"\n  ... ({len(found)} in all)"
        msg = f"{len(found)} runs have an id that begins with {start!r}; name more of it:\n{listed}{more}"
        raise RunNotFoundError(msg)
    return next((run_of(row, _file_of(source)) for row, source in found.values()), None)


def _unknown(name: str, where: str | None) -> RunNotFoundError:
    names: dict[str, None] = {}
    for source in sources(where):
        for row in source.select(query.ask(source.columns(), limit=1000)):
            names.update(dict.fromkeys(str(row[column]) for column in ("run-dir", "run-id") if row.get(column)))
    near = difflib.get_close_matches(name, names, n=_MOST_CANDIDATES, cutoff=0.4) or list(names)[:2]
    listed = "".join(f"\n  {each}" for each in near)
    hint = f"; nearest:{listed}" if near else "; no run is known here"
    msg = f"no run is called {name!r}: expected a job's directory, the beginning of an id, or `latest`{hint}"
    return RunNotFoundError(msg)


def _file_of(source: Register | Records) -> Path | None:
    return getattr(source, "path", None)
