"""`hydra-callbacks list [WHERE]`: which runs are there, what became of them, and in what do they differ?"""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import options, render
from hydra_callbacks.runs.filters import comparable
from hydra_callbacks.runs.query import SHORT, find_column
from hydra_callbacks.runs.record import USED
from hydra_callbacks.runs.register.row import OF_A_PROCESS
from hydra_callbacks.support import texts
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from hydra_callbacks.runs.register.row import Row

_MOST_IN_TABLE = 50
_WIDEST = 36  # characters, of a cell in a table
_GAP, _EDGE = 3, 2  # characters: between columns, and of the table's sides
_NARROWEST_ERROR = 20  # characters
_ALWAYS = ("run-dir", "run-status")
_NAMES = {name: short for short, name in SHORT.items() if short not in {"dir", "duration_s"}}
_NAMES |= {"run-peak_rss_bytes": "memory", "run-cpu_s": "processor"}
_TOLD_ALREADY = {
    *("run-id", "run-num", "run-overrides", "run-attempt", "job_success"),
    *(f"run-{key}" for key in OF_A_PROCESS),
    *(f"run-{key}" for key in USED),  # who asks for them gets them
}
_LAST = ("run-duration_s", "run-started", "run-app", "run-host", "git.sha", "git.is_dirty", "run-error")
_TOLD_BY: dict[str, Callable[[Any], str]] = {
    "run-duration_s": texts.duration,
    "run-cpu_s": texts.duration,
    "run-peak_rss_bytes": lambda value: texts.size(value) if is_number(value) else "",
    "git.sha": lambda value: str(value or "")[:8],
}


@click.command("list")
@options.where_argument
@options.filter_option
@click.option(
    "--sort",
    default="-run-started",
    help="Columns, separated by commas; -COLUMN: high first.  [default: -started]",
)
@click.option(
    "--limit", type=click.IntRange(min=0), help=f"The most runs, 0 for all.  [default: {_MOST_IN_TABLE} in a table]"
)
@click.option("--columns", help="Columns, separated by commas, or `all`.  [default in a table: those that differ]")
@click.option("--exit-code", is_flag=True, help="End with status 1 when there is no such run.")
@options.format_option
def command(  # noqa: PLR0913  (a parameter for each option)
    *,
    where: str | None,
    filter_: str,
    since: str | None,
    sort: str,
    limit: int | None,
    columns: str | None,
    exit_code: bool,
    form: render.Format,
) -> None:
    """List runs, the newest first.

    A table shows in what the runs differ; the other forms have every column. A column may be called by its short name
    (status, started, duration, error, id, ...) or by its end (lr for optimizer.lr).
    """
    most = _MOST_IN_TABLE if limit is None and form == "table" else limit or None
    found = options.read(where, filter_=filter_, sort=sort, since=since, limit=most)
    run(found, columns, form, sys.stdout, limit=most)
    if exit_code and not found.rows:
        sys.exit(1)


def run(  # noqa: PLR0913  (what is told, and how)
    found: options.Found,
    columns: str | None,
    form: render.Format,
    out: IO[str],
    *,
    limit: int | None = None,
    width: int | None = None,
) -> None:
    """Print runs.

    Args:
        found: The runs.
        columns: Columns, separated by commas; "all"; None for the usual ones.
        form: "table", "csv", "json" or "parquet".
        out: Where it is printed.
        limit: How many were asked for at the most.
        width: Of the table, in characters; that of the terminal when None.

    Raises:
        FilterError: A column does not exist.
    """
    chosen = _chosen(columns, found)
    if form != "table":
        names = chosen or list(dict.fromkeys(column for row in found.rows for column in row))
        render.write([{name: row.get(name) for name in names} for row in found.rows], form, out)
    elif not found.rows:
        render.tell(f"No run{' that fits' if found.columns else ''} in {', '.join(found.places)}")
    else:
        _print(found.rows, chosen, render.console(out, width), limit=limit)


def _chosen(columns: str | None, found: options.Found) -> list[str]:
    if not columns:
        return []
    if columns == "all":
        return list(dict.fromkeys([*_ALWAYS, *(column for row in found.rows for column in row)]))
    names = (name.strip() for name in columns.split(",") if name.strip())
    return list(dict.fromkeys(find_column(name, found.columns) for name in names))


def _print(rows: Sequence[Row], chosen: list[str], onto: Console, *, limit: int | None) -> None:
    from rich.cells import cell_len  # noqa: PLC0415  (the machine forms need none of it)

    above = _common_folder([str(row.get("run-dir") or "") for row in rows])
    names = chosen or [*_ALWAYS, *_differing(rows)]
    cells = {name: [_cell(row, name, above, onto) for row in rows] for name in names}
    heads = _heads(names)
    if not chosen:
        names = _fitting({name: max(map(cell_len, [heads[name], *cells[name]])) for name in names}, onto.width)
    left_out = [heads[name] for name in cells if name not in names]
    if above and "run-dir" in names:
        onto.print(f"In {above}", soft_wrap=True)
    told = [{heads[name]: cells[name][index] for name in names} for index in range(len(rows))]
    render.table(told, onto, whole=bool(chosen) or len(names) == len(_ALWAYS))
    counted = Counter(str(row.get("run-status") or "unknown") for row in rows)
    states = ", ".join(f"{count} {state}" for state, count in counted.most_common())
    onto.print(f"{texts.counted(len(rows))}: {states}")
    if limit is not None and len(rows) == limit:
        onto.print(f"No more than {limit} were asked for: --limit 0 lists all.")
    if left_out:
        onto.print(f"Left out for want of room: {', '.join(left_out)} (--columns, --format csv).")


def _differing(rows: Sequence[Row]) -> list[str]:
    """Return the columns in which runs differ: the configuration's, the results, then what is known of the run."""
    everything = dict.fromkeys(column for row in rows for column in row)
    differing = [
        name
        for name in everything
        if name not in _TOLD_ALREADY and name not in _ALWAYS and len({comparable(row.get(name)) for row in rows}) > 1
    ]
    if len(rows) == 1:
        differing = [name for name in everything if name.startswith("result.")]
    differing += [name for name in ("run-duration_s", "run-started") if name in everything and name not in differing]
    return sorted(differing, key=lambda name: (_LAST.index(name) + 2 if name in _LAST else name.startswith("result."),))


def _heads(names: Sequence[str]) -> dict[str, str]:
    """Return what each column is called in a table: as short as it can be told from the others."""
    short = {name: _NAMES.get(name) or name.rpartition(".")[2] for name in names}
    taken = Counter(short.values())
    return {name: texts.printable(short[name] if taken[short[name]] == 1 else name) for name in names}


def _fitting(widths: dict[str, int], room: int) -> list[str]:
    """Return as many columns as there is room for; an error may be folded into what is left."""
    fitting = []
    room -= _EDGE
    for name, width in widths.items():
        needed = _GAP + (min(width, max(room - _GAP, _NARROWEST_ERROR)) if name == "run-error" else width)
        if name in _ALWAYS or needed <= room:
            fitting.append(name)
            room -= needed
    return fitting


def _cell(row: Row, name: str, above: str, onto: Console) -> str:
    value: Any = row.get(name)
    if name == "run-status":
        return texts.status(value, onto)
    if name == "run-dir":
        return str(value or "")[len(above) :].lstrip("/\\") if above else str(value or "")
    if name == "run-started" and isinstance(value, str):
        return local_time(value)
    if name in _TOLD_BY:
        return texts.printable(_TOLD_BY[name](value))
    text = texts.printable(" ".join(texts.shown(value).split()))
    return text if len(text) <= _WIDEST or name == "run-error" else text[: _WIDEST - 3] + "..."


def local_time(moment: str) -> str:
    """Return a record's UTC time as local time, `2026-11-22 10:54:35`; as it is when it is none."""
    try:
        return f"{datetime.fromisoformat(moment.replace('Z', '+00:00')).astimezone():%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return moment


def _common_folder(directories: Sequence[str]) -> str:
    """Return the folder that all have in common, when it is worth a line of its own."""
    if len(directories) < 2:  # noqa: PLR2004  (one shares its folder with none)
        return ""
    try:
        folder = os.path.commonpath([os.path.dirname(each) for each in directories])  # noqa: PTH120  (texts)
    except ValueError:  # relative and absolute ones
        return ""
    return "" if folder in {"", os.sep} else folder
