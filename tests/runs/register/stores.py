"""Rows to be registered, and what is read back."""

from __future__ import annotations

import contextlib
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.register import is_url, open_register
from hydra_callbacks.support.process import boot_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_callbacks.runs.register.row import Row

GONE = 2**22 + 1
"""The id of a process that there cannot be."""


def job(name: str = "a", **values: Any) -> Row:
    """Return the row of a job that has completed, or what `values` say."""
    row = {
        "lr": 0.1,
        "run-dir": f"outputs/{name}",
        "job_success": True,
        "run-id": f"id-{name}",
        "run-status": "completed",
        "run-started": "2026-11-22T09:54:35.120Z",
        "run-attempt": 1,
        "run-host": platform.node(),
    }
    return row | {key.replace("__", "-"): value for key, value in values.items()}


def running(name: str = "a", *, pid: int, **values: Any) -> Row:
    """Return the row of a job that is under way in a process."""
    state = {"job_success": None, "run-status": "running", "run-pid": pid, "run-boot_id": boot_id()}
    return {**job(name, **values), **state}


def add(place: str | Path, *rows: Row) -> None:
    """Add rows one by one, each as a job does it."""
    for row in rows:
        with contextlib.closing(open_register(place)) as register:
            register.add(row)


def merge(place: str | Path, rows: Sequence[Row], *, prune: bool = False) -> None:
    with contextlib.closing(open_register(place)) as register:
        register.merge(rows, prune=prune)


def read(place: str | Path) -> list[Row]:
    """Return all rows without the values that are missing."""
    with contextlib.closing(open_register(place)) as register:
        return [present(row) for row in register.rows()]


def present(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def exact(row: Row) -> dict[str, str]:
    """Return what tells 1, 1.0, True and "1" from each other, anywhere inside of values."""
    return {name: repr(value) for name, value in row.items() if value is not None}


def states(place: str | Path) -> dict[str, str]:
    """Return each job's status, and that each is there once."""
    rows = read(place)
    assert len({row["run-id"] for row in rows}) == len(rows)
    return {row["run-id"].removeprefix("id-"): row["run-status"] for row in rows}


def remove(place: str | Path) -> None:
    """Take a register away, for a test that needs many new ones."""
    if is_url(str(place)):
        import psycopg  # noqa: PLC0415  (only for these)

        with psycopg.connect(str(place)) as connection:
            connection.execute("DROP TABLE IF EXISTS hydra_callbacks_runs")
        return
    for path in Path(place).parent.glob(f"{Path(place).name}*"):
        path.unlink()
