"""What came out of a whole sweep, as one table: a row for each job, whatever became of it?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RecordError
from hydra_callbacks.runs import record
from hydra_callbacks.runs.overrides import parse
from hydra_callbacks.runs.results import read_result
from hydra_callbacks.runs.sweep_job import NOT_STARTED, Found
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.texts import as_words, counted, shown
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hydra_callbacks.runs.sweep_job import SweepJob

NUMBER = ""
"""Name of the first column, the job's number, as published."""

HEAD = (NUMBER, "run-status", "run-duration_s")
TAIL = ("run-peak_rss_bytes", "run-error", "run-dir")
"""What each row has before the overrides, and after the results."""

_OURS = {*HEAD, *TAIL}
_USUAL_FILE = "results.json"
_CLOCK_SLACK_S = 2.0  # a file server's clock may be behind ours
_MOST_NAMED = 10
GOOD = {"completed", "unknown"}
"""States of jobs that are compared."""


@dataclass(slots=True)
class Table:
    """The jobs of a sweep.

    Attributes:
        columns: Name to values, one for each job in order, None where it has none. First `HEAD`; then the overrides'
            keys (with `override.` in front where a result has the same name); the results' keys, nested ones joined by
            dots; at last `TAIL`.
        overrides: Names of the columns that are overrides.
        results: Names of the columns that are results.
        words: The overrides of each job as they were given.
        problems: What could not be read, in words.
    """

    columns: dict[str, Sequence[Any]]
    overrides: list[str]
    results: list[str]
    words: list[list[str]]
    problems: list[str]

    def row(self, index: int) -> dict[str, Any]:
        """Return the row of a job, column to value."""
        return {name: values[index] for name, values in self.columns.items()}


def table_of(jobs: Sequence[SweepJob], sweep_dir: Path, result_file: str | None = _USUAL_FILE) -> Table:
    """Return the table of a sweep.

    Args:
        jobs: Its jobs, as in `runs.sweep.Sweep`.
        sweep_dir: Its directory.
        result_file: Name of the JSON file that holds a job's result; what the task returned stands in where there is
            none. None: whatever the journal or the record has.
    """
    problems: list[str] = []
    results = _columns(_results(jobs, sweep_dir, result_file, problems))
    results = {f"result.{name}" if name in _OURS else name: values for name, values in results.items()}
    words: list[list[str]] = [job.overrides for job in jobs]
    overrides = _overrides(words)
    overrides = {f"override.{name}" if name in results else name: values for name, values in overrides.items()}
    head = [_all("num", jobs), _all("status", jobs), _all("duration_s", jobs)]
    errors = _all("error", jobs)
    tail = [_all("peak_rss_bytes", jobs), [error and str(error) for error in errors] if any(errors) else errors]
    if any(_all("dir", jobs)) and any(job.dir and job.dir != str(job.num) for job in jobs):
        tail.append([job.place for job in jobs])
    columns = dict(zip(HEAD, head, strict=True)) | overrides | results | dict(zip(TAIL, tail, strict=False))
    return Table({**columns}, list(overrides), list(results), words, problems)


def _all(name: str, things: Iterable[Any]) -> list[Any]:
    return [*map(attrgetter(name), things)]


def _results(jobs: Sequence[SweepJob], sweep_dir: Path, result_file: str | None, problems: list[str]) -> list[Any]:
    """Return what each job found out."""
    return [
        job.found
        if not job.is_cut and (result_file is None or job.result_file == result_file)
        else _look_up(job, sweep_dir, result_file, problems)
        for job in jobs
    ]


def _columns(found: list[Any]) -> dict[str, list[Any]]:
    """Return what the jobs found out as columns; nested mappings are flattened."""
    kinds = set(map(type, found))
    kind = next(iter(kinds - {NoneType}), NoneType)
    if kinds <= {kind, NoneType} and issubclass(kind, Found):  # all have the same keys
        names = kind.names()
        nothing = kind(*[None] * len(names))
        filled = [nothing if each is None else each for each in found] if NoneType in kinds else found
        return {name: _all(slot, filled) for name, slot in zip(names, kind.__struct_fields__, strict=True)}
    if any(issubclass(each, Found) for each in kinds):
        found = [each.told() if isinstance(each, Found) else each for each in found]
    return _by_key([each if type(each) is dict else {} if each is None else {"result": each} for each in found])


def _by_key(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return rows as columns; nested mappings are flattened."""
    columns = {key: [row.get(key) for row in rows] for key in dict.fromkeys(chain.from_iterable(rows))}
    if any(dict in set(map(type, values)) for values in columns.values()):
        rows = [flatten(row) if dict in set(map(type, row.values())) else row for row in rows]
        return {key: [row.get(key) for row in rows] for key in dict.fromkeys(chain.from_iterable(rows))}
    return columns


def _overrides(words: list[list[str]]) -> dict[str, list[Any]]:
    """Return the overrides' keys with the value for each job."""
    columns = {}
    try:
        for column in zip(*words, strict=True):  # most sweeps set the same keys in the same order
            parsed = {word: parse(word) for word in set(column)}
            (key,) = {key for key, _ in parsed.values()}
            values = {word: value for word, (_, value) in parsed.items()}
            columns[key] = [*map(values.__getitem__, column)]
    except ValueError:
        return _by_key([dict(map(parse, each)) for each in words])
    return columns


def best_of(table: Table, metric: str, *, is_max: bool) -> tuple[int, str] | None:
    """Return which completed job has the best number in a column: its place in the table, and the column's name.

    Args:
        table: The table.
        metric: A result's column, or its end, as in `accuracy` for `test.accuracy`.
        is_max: Whether the highest is best.

    Returns:
        None when no completed job has such a number. Of several that are equally good, the first.
    """
    states = table.columns["run-status"]
    for name in [metric, *(each for each in table.results if each.endswith(f".{metric}"))]:
        values = table.columns[name] if name in table.results else ()
        fitting = [index for index, value in enumerate(values) if states[index] in GOOD and _is_told(value)]
        if fitting:
            return (max if is_max else min)(fitting, key=values.__getitem__), name
    return None


def _is_told(value: Any) -> bool:
    return is_number(value) and value == value  # noqa: PLR0124  (NaN)


def _look_up(job: SweepJob, sweep_dir: Path, result_file: str | None, problems: list[str]) -> Any:
    """Return a job's result from its own files."""
    if job.status in NOT_STARTED:
        return None
    directory = job.directory(sweep_dir)
    if result_file is not None and job.result_file != result_file:
        file = directory / result_file
        told = f"{job.place}/{result_file}"
        try:
            if file.stat().st_mtime >= record.seconds(job.started_at) - _CLOCK_SLACK_S:
                from hydra_callbacks.runs.hydra_files import redactor_of  # noqa: PLC0415  (most results are recorded)

                return redactor_of(directory).data(read_result(file))
            problems.append(f"a result is left out: {told} is older than job {job.num}, of an earlier one here")
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            problems.append(f"a result is left out: {told} is no whole JSON file ({error})")
    return _recorded(job, directory, problems) if job.is_cut else job.result


def _recorded(job: SweepJob, directory: Path, problems: list[str]) -> Any:
    """Return a result for which the journal has no room."""
    try:
        return record.read(directory).get("result")
    except (RecordError, OSError) as error:
        problems.append(f"a result is left out, that of job {job.num}: {error}")
        return None


def summary(table: Table, metric: str | None = None, *, is_max: bool = True) -> list[str]:
    """Return in a few lines what became of the jobs, and which was the best.

    Args:
        table: The table.
        metric: What is compared, as in `best_of`; None for nothing.
        is_max: Whether the highest is best.
    """
    states = table.columns["run-status"]
    numbers = table.columns[NUMBER]
    lines = [
        f"{counted(len(states), 'job')}: {', '.join(f'{n:,} {state}' for state, n in Counter(states).most_common())}"
    ]
    for state in dict.fromkeys(each for each in states if each not in GOOD):
        which = [str(number) for number, each in zip(numbers, states, strict=True) if each == state]
        more = f", and {len(which) - _MOST_NAMED:,} more" if len(which) > _MOST_NAMED else ""
        lines.append(f"{state.capitalize()}: {', '.join(which[:_MOST_NAMED])}{more}")
    if metric:
        found = best_of(table, metric, is_max=is_max)
        if found is None:
            lines.append(f"No completed job has a number in {metric!r}; results: {', '.join(table.results) or 'none'}")
        else:
            index, name = found
            words = as_words(table.words[index]) or "(no overrides)"
            lines.append(f"Best {name}: {shown(table.columns[name][index])}, of job {numbers[index]}: {words}")
    return lines
