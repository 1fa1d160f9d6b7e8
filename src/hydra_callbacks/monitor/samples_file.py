"""What is in a file of samples, of one of its jobs?"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.support import csv_lines
from hydra_callbacks.support.cells import decode
from hydra_callbacks.support.tables import read_header
from hydra_callbacks.support.texts import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE_NAME = "resource_monitoring.csv"
_NO_FIGURES = {"", "job_name", "job_id", "phase"}


def name_in(resources: Mapping[str, Any]) -> str:
    """Return the file's name as a record's section has it, relative to the directory of the run or sweep."""
    name = resources.get("samples_file")
    return name if isinstance(name, str) and name else FILE_NAME


class NoSamplesError(HydraCallbacksError):
    """There are none of the job that is asked for."""


@dataclass(slots=True)
class Table:
    """The samples of one job.

    Attributes:
        columns: Column to its numbers, one for each sample; NaN where it is not told.
        phases: The phase at each sample; empty where it is not told.
        job_name: What the job is called; empty when it is not told.
        job_id: Its number, as text; empty likewise.
        n_damaged: How many lines could not be read.
    """

    columns: dict[str, list[float]]
    phases: list[str] = field(default_factory=list)
    job_name: str = ""
    job_id: str = ""
    n_damaged: int = 0

    def elapsed_s(self) -> list[float]:
        """Return the seconds of each sample since the first."""
        times = self.columns["time"]
        return [time - times[0] for time in times]

    def spans(self) -> list[tuple[str, float, float]]:
        """Return the phases one after the other: name, and seconds from its first sample to the next phase's."""
        found: list[tuple[str, float, float]] = []
        before = ""
        for moment_s, name in zip(self.elapsed_s(), self.phases, strict=False):
            if before:
                found[-1] = (*found[-1][:2], moment_s)
            if name and name != before:
                found.append((name, moment_s, moment_s))
            before = name
        return found


def read_table(path: Path, job: int | None = None, began_at: float | None = None) -> Table:
    """Return the samples of a job; of several starts of it, or several runs with one file, one of them.

    Args:
        path: The file.
        job: Its number; None where there is only one.
        began_at: When it began, in seconds since the epoch: the samples that began nearest to that are meant. None for
            the last ones.

    Raises:
        NoSamplesError: There are none.
        HydraCallbacksError: It is no such file, or there are those of several jobs in it.
        OSError: It cannot be read.
    """
    header = read_header(path)
    if not header:
        msg = f"{path} has no samples: it is empty"
        raise NoSamplesError(msg)
    if "time" not in header:
        msg = f"{path} has no samples: expected a column `time` and others"
        raise HydraCallbacksError(msg)
    place = {name: index for index, name in enumerate(header)}
    wanted = None if job is None else str(job)
    jobs: dict[str, str] = {}
    starts: list[list[list[str]]] = []
    n_damaged = 0
    with path.open("rb") as file:
        lines = csv_lines.rows_in(path, file)
        next(lines, None)
        for cells in lines:
            number, name = (_cell(cells, place.get(key)) for key in ("job_id", "job_name"))
            jobs.setdefault(number, name)
            if wanted is not None and number != wanted:
                continue
            if math.isnan(_number(_cell(cells, place["time"]))):
                n_damaged += 1
                continue
            if not starts or _cell(cells, place.get("")) == "0":
                starts.append([])  # the job was started again
            starts[-1].append(cells)
    if wanted is None and len(jobs) > 1:
        msg = f"{path} has the samples of {counted(len(jobs), 'job')}; name one of them: {_options(jobs)}"
        raise HydraCallbacksError(msg)
    if not starts:
        of = f" of job {job}, but of {_options(jobs)}" if jobs and wanted not in {None, *jobs} else ""
        msg = f"{path} has no samples{of}; they are written when a job ends"
        raise NoSamplesError(msg)
    rows = starts[-1]
    if began_at is not None:
        rows = min(reversed(starts), key=lambda each: abs(_number(each[0][place["time"]]) - began_at))
    number = wanted if wanted is not None else next(iter(jobs))
    columns = {
        name: [_number(_cell(cells, index)) for cells in rows]
        for name, index in place.items()
        if name not in _NO_FIGURES
    }
    phases = [str(decode(_cell(cells, place["phase"])) or "") for cells in rows] if "phase" in place else []
    return Table(columns, phases if any(phases) else [], str(decode(jobs[number]) or ""), number, n_damaged)


def _options(jobs: dict[str, str]) -> str:
    numbers = sorted(jobs, key=lambda number: (not number.isdecimal(), int(number) if number.isdecimal() else 0))
    shown = [f"--job {number}" for number in numbers[:4]]
    return ", ".join(shown) + (f", ... --job {numbers[-1]}" if len(numbers) > len(shown) else "")


def _cell(cells: Sequence[str], index: int | None) -> str:
    return cells[index] if index is not None and index < len(cells) else ""


def _number(cell: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(cell)
        return value if math.isfinite(value) else math.nan
    return math.nan
