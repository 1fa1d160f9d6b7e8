"""What several commands ask for in the same way, and how it becomes rows."""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from click.shell_completion import CompletionItem

from hydra_callbacks.cli import render
from hydra_callbacks.cli.places import OF_SWEEPS, folder_called
from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.runs import query
from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.runs.sources import Records, opened, with_places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hydra_callbacks.runs.find import Run
    from hydra_callbacks.runs.register.row import Row

    Decorated = TypeVar("Decorated", bound="Callable[..., Any]")

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_MOST_NAMED = 3
PLACE = click.Path(readable=False)
FOLDER = click.Path(file_okay=False, readable=False)
"""Types of parameters that take a register or folder, or a folder, so that a shell completes it."""


def as_time(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return a time as records write it, from how long ago it was (`2d`, `12h`, `30m`, `3w`) or a local date and time.

    Raises:
        click.BadParameter: It is neither.
    """
    if value is None:
        return None
    span = _SPAN.fullmatch(value)
    try:
        if span:
            return timestamp(time.time() - float(span[1]) * _SECONDS[span[2]])
        return timestamp(datetime.fromisoformat(value).astimezone().timestamp())
    except (ValueError, OverflowError, OSError) as error:
        msg = f"{value!r} is no time: expected 2d, 12h, 30m, 3w, or a date as in 2026-11-22"
        raise click.BadParameter(msg, ctx, param) from error


def where_argument(command: Decorated) -> Decorated:
    """Add the argument WHERE."""
    return click.argument("where", required=False, metavar="[WHERE]", type=PLACE)(command)


def as_sweep(ctx: click.Context, param: click.Parameter, value: str) -> Path:
    """Return the directory of a sweep, which may be named without the folder that Hydra keeps sweeps in.

    Raises:
        click.BadParameter: There is none.
    """
    folder = folder_called(value, OF_SWEEPS)
    if folder is None:
        msg = f"there is no directory {value!r}; name a sweep's, as in multirun/2026-11-22/10-00-00"
        raise click.BadParameter(msg, ctx, param)
    return folder


def sweep_argument(command: Decorated) -> Decorated:
    """Add the argument SWEEP."""
    return click.argument("sweep", metavar="SWEEP", type=FOLDER, callback=as_sweep)(command)


def where_option(command: Decorated) -> Decorated:
    """Add the option --from, where an argument is taken already."""
    text = "A register, or a directory with runs."
    return click.option("--from", "where", metavar="WHERE", type=PLACE, help=text)(command)


def format_option(command: Decorated) -> Decorated:
    """Add the option --format."""
    return click.option(
        *("--format", "form"),
        type=click.Choice(get_args(render.Format)),
        default="table",
        show_default=True,
        help="A table for people; csv, json and parquet for programs.",
    )(command)


def filter_option(command: Decorated) -> Decorated:
    """Add the options --filter and --since."""
    command = click.option(
        "--since", metavar="TIME", callback=as_time, help="Runs that started then or later: 2d, 12h, 2026-11-22."
    )(command)
    return click.option(
        *("--filter", "filter_"),
        metavar="FILTER",
        default="",
        help="Runs that fit, as in 'lr<0.01 and status=failed and \"adam\" in optimizer'.",
    )(command)


@dataclass(frozen=True, slots=True)
class Found:
    """What was read.

    Attributes:
        rows: The rows, with `run-dir` as it can be typed here.
        columns: All columns that the sources have, in their order.
        places: Where it was read.
    """

    rows: list[Row]
    columns: list[str]
    places: list[str]


def read(
    where: str | None,
    *,
    filter_: str = "",
    sort: str = "-run-started",
    since: str | None = None,
    limit: int | None = None,
) -> Found:
    """Read the rows that are asked for, from wherever they are; damaged records are named on stderr.

    Args:
        where: As in `sources.sources`.
        filter_: As in `query.ask`, like the others.
        sort: Columns to sort by.
        since: UTC time.
        limit: The most rows.
    """
    with opened(where) as sources:
        columns = list(dict.fromkeys(column for source in sources for column in source.columns()))
        asked = query.ask(columns, where=filter_, sort=sort, since=since, limit=limit)
        parts = [with_places(source.select(asked), source) for source in sources]
    for source in sources:
        if isinstance(source, Records):
            tell_problems("Passed over", source.problems)
    places = [source.location for source in sources]
    far = [place for place in places if where is None and os.path.isabs(place)]  # noqa: PTH117  (a text)
    if far and os.getcwd() not in far:  # noqa: PTH109  (as above)
        render.tell(f"Read from {', '.join(far)}")
    return Found(query.merge(parts, asked), columns, places)


def tell_problems(what_became: str, problems: Sequence[Run], *, most: int = _MOST_NAMED) -> None:
    """Name runs that are damaged, on stderr."""
    for run in problems[:most]:
        render.tell(f"{what_became}: {run.problem}")
    if len(problems) > most:
        render.tell(f"{what_became}: {len(problems) - most:,} more")


def complete_run(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what a RUN may be: `latest`, or a directory."""
    found = ["latest"] if "latest".startswith(incomplete) else []
    if re.fullmatch("[0-9a-f-]{4,}", incomplete):
        with contextlib.suppress(HydraCallbacksError, OSError), opened(ctx.params.get("where")) as sources:
            ids = [str(row.get("run-id") or "") for source in sources for row in source.rows()]
            found += [each for each in dict.fromkeys(ids) if each.startswith(incomplete)]
    # Bash forgets what stands before a directory.
    return [CompletionItem(incomplete, type="dir"), *map(CompletionItem, found)]
