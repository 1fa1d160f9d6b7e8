"""What does a register say of one job? A flat row, made from its record."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from hydra_callbacks.runs import record
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.process import is_gone

Row = dict[str, Any]
"""Column to value: None, text, number, boolean, list or (empty) dict."""

OPEN = {"running", "lost"}
"""States of a job whose end nobody has told."""

OF_A_PROCESS = ("pid", "boot_id", "pid_namespace", "pid_started")
"""What a row tells of the process of a running job, besides its host; each as `run-<key>`."""

_LONGEST_ERROR = 200  # characters
_MOST_RESULTS = 200  # columns


def row_of(data: dict[str, Any], *, seen_from: Path | None = None) -> Row:
    """Return the row of a job.

    Args:
        data: Its run record.
        seen_from: Directory from which the row names the job's; absolute when None, or when it lies elsewhere.

    Returns:
        The flattened configuration, `git.sha` and `git.is_dirty`, `run-dir`, `job_success`, `run-id`, `run-status`,
        `run-started`, `run-duration_s`, what was measured of `record.USED`, `run-error`, `run-app`, `run-num` (None in
        a single run), `run-attempt`, `run-host`, `run-overrides`, and the result's values as `result.<key>`, unless
        there are more than 200. While it is running, also what `OF_A_PROCESS` lists.
    """
    status = record.status(data)
    job, host, git = (record.section(data, key) for key in ("job", "host", "git"))
    used = record.section(data, "resources")
    row = flatten(record.section(data, "config"))
    row |= {f"git.{key}": git[key] for key in ("sha", "is_dirty") if key in git}
    row |= {
        "run-dir": _seen(str(data.get("output_dir") or ""), seen_from),
        "job_success": status == "completed" if status != "unknown" else None,
        "run-id": data.get("id"),
        "run-status": status,
        "run-started": data.get("started_at"),
        "run-duration_s": _rounded(data.get("duration_s")),
        **{f"run-{name}": used[name] for name in record.USED if name in used},
        "run-error": _error(record.section(data, "error")),
        "run-app": data.get("app"),
        "run-num": job.get("num") if job.get("sweep") else None,
        "run-attempt": data.get("attempt"),
        "run-host": host.get("name"),
        "run-overrides": data.get("overrides"),
    }
    if status == "running":
        row |= {f"run-{key}": host.get(key) for key in OF_A_PROCESS}
    result = flatten({"result": data["result"]} if data.get("result") else {})
    if len(result) <= _MOST_RESULTS:
        row |= result
    return {
        key if key.isascii() else _written(key): value if type(value) is str and value.isascii() else _written(value)
        for key, value in row.items()
    }


def key_of(row: Row) -> str:
    """Return what tells a job from all others: its id, or its directory where it never had one."""
    return str(row.get("run-id") or row.get("run-dir") or "")


def replaces(row: Row, older: Row) -> bool:
    """Tell whether a row of a job takes the place of another one: not when only the other says how it ended."""
    is_known = older.get("run-status") not in OPEN and attempt_of(older) >= attempt_of(row)
    return row.get("run-status") not in OPEN or not is_known


def attempt_of(row: Row) -> int:
    """Return which attempt of its job a row tells of; 1 where it does not say."""
    attempt = row.get("run-attempt")
    return attempt if isinstance(attempt, int) else 1


def settled(row: Row) -> Row:
    """Return a row as a reader should see it: `lost` when its process is gone, with a state when it is an old one."""
    status = row.get("run-status")
    if status == "running":
        host = {"name": row.get("run-host"), **{key: row.get(f"run-{key}") for key in OF_A_PROCESS}}
        return {**row, "run-status": "lost"} if is_gone(host) else row
    if status is None and row.get("job_success") is not None:  # from before there was a state
        row["run-status"] = "completed" if row["job_success"] == 1 else "failed"
    return row


def directory_of(row: Row, register: Path | None = None) -> Path | None:
    """Return the job's output directory, absolute; None when it cannot be found any more.

    Args:
        row: Its row.
        register: The file that the row is from: a directory that the row names relatively is looked for below each
            folder above it, nearest first, so that a tree that was moved keeps its runs.
    """
    named = Path(str(row.get("run-dir") or ""))
    if named == Path():
        return None
    bases = [Path.cwd()] if register is None else list(register.absolute().parents)[:-1]  # never below the root
    candidates = [named] if named.is_absolute() else [base / named for base in bases]
    return next((candidate for candidate in candidates if candidate.is_dir()), None)


def _seen(directory: str, seen_from: Path | None) -> str:
    if seen_from is None or not Path(directory).is_relative_to(seen_from):
        return directory
    return os.path.relpath(directory, seen_from)


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _error(error: dict[str, Any]) -> str | None:
    if not error:
        return None
    message = str(error.get("message") or "")
    return f"{error.get('type')}: {message[:_LONGEST_ERROR]}{'...' if len(message) > _LONGEST_ERROR else ''}"


def _written(value: Any) -> Any:
    """Return a value as every register can hold it.

    Half a character, as in an odd file name, becomes its escape, and a number that JSON does not know its name.
    """
    if isinstance(value, str) and not value.isascii():
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list):
        return [_written(item) for item in value]
    return {_written(key): _written(item) for key, item in value.items()} if isinstance(value, dict) else value
