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
from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.runs import query
from hydra_callbacks.runs.filter_parser import parse
from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.runs.register.row import directory_of
from hydra_callbacks.runs.sources import Records, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hydra_callbacks.runs.register import Register
    from hydra_callbacks.runs.register.row import Row

    Decorated = TypeVar("Decorated", bound="Callable[..., Any]")

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_MOST_NAMED = 3


def as_time(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return a time as records write it, from how long ago it was (`2d`, `12h`, `30m`, `3w`) or a local date and time.

    Raises:
        click.BadParameter: It is neither.
    """
    if value is None:
        return None
    span = _SPAN.fullmatch(value)
    if span:
        return timestamp(time.time() - float(span[1]) * _SECONDS[span[2]])
    try:
        return timestamp(datetime.fromisoformat(value).astimezone().timestamp())
    except (ValueError, OverflowError, OSError) as error:
        msg = f"{value!r} is no time: expected 2d, 12h, 30m, 3w, or a date as in 2026-11-22"
        raise click.BadParameter(msg, ctx, param) from error


def where_argument(command: Decorated) -> Decorated:
    """Add the argument WHERE."""
    return click.argument("where", required=False, metavar="[WHERE]")(command)


def where_option(command: Decorated) -> Decorated:
    """Add the option --from, where an argument is taken already."""
    return click.option("--from", "where", metavar="WHERE", help="A register, or a directory with runs.")(command)


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
    where: str | None, *, filter_: str = "", sort: str = "-started", since: str | None = None, limit: int | None = None
) -> Found:
    """Read the rows that are asked for, from wherever they are; damaged records are named on stderr.

    Args:
        where: As in `sources.sources`.
        filter_: As in `query.ask`, like the others.
        sort: Columns to sort by.
        since: UTC time.
        limit: The most rows.
    """
    opened = sources(where)
    try:
        columns = list(dict.fromkeys(column for source in opened for column in source.columns()))
        asked = query.ask(columns, where=filter_, sort=sort, since=since, limit=limit)
        parts = [_with_places(source, source.select(asked)) for source in opened]
    finally:
        for source in opened:
            if not isinstance(source, Records):
                source.close()
    for source in opened:
        if isinstance(source, Records):
            warn_of(source.problems)
    return Found(query.merge(parts, asked), columns, [source.location for source in opened])


def warn_of(problems: Sequence[Any]) -> None:
    """Name runs that are damaged, on stderr."""
    for run in problems[:_MOST_NAMED]:
        click.echo(f"Warning: passed over: {run.problem}", err=True)
    if len(problems) > _MOST_NAMED:
        click.echo(f"Warning: {len(problems) - _MOST_NAMED} more damaged records were passed over", err=True)


def check_filter(text: str) -> None:
    """Raise a FilterError when a filter cannot be read."""
    parse(text)


def complete_run(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what a RUN may be: `latest`, or a directory."""
    where = ctx.params.get("where")
    found = [CompletionItem("latest")] if "latest".startswith(incomplete) else []
    if re.fullmatch("[0-9a-f-]{4,}", incomplete):
        with contextlib.suppress(HydraCallbacksError):
            ids = (str(row.get("run-id") or "") for row in read(where).rows)
            found += [CompletionItem(each) for each in ids if each.startswith(incomplete)]
    return [*found, CompletionItem(incomplete, type="dir")]


def as_typed(directory: Path) -> str:
    """Return a directory as it is shortest to type from here."""
    here = os.getcwd()  # noqa: PTH109  (once for each row)
    text = os.path.abspath(directory)  # noqa: PTH100  (links stay)
    return os.path.relpath(text, here) if text.startswith(here + os.sep) else text


def _with_places(source: Register | Records, rows: list[Row]) -> list[Row]:
    register = getattr(source, "path", None)
    placed = []
    for row in rows:
        directory = directory_of(row, register)
        placed.append({**row, "run-dir": as_typed(directory)} if directory else row)
    return placed
