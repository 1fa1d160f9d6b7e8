"""`hydra-callbacks best METRIC`: which run won, and how do I run it again?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import options, render
from hydra_callbacks.runs.command_line import CommandLine
from hydra_callbacks.runs.query import find_column
from hydra_callbacks.runs.resolve import run_of
from hydra_callbacks.support import texts
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from hydra_callbacks.runs.register.row import Row


@click.command("best")
@click.argument("metric")
@options.where_argument
@click.option(
    "--max/--min", "is_max", default=True, show_default="--max", help="Whether the highest or the lowest is best."
)
@options.filter_option
@options.format_option
def command(  # noqa: PLR0913  (a parameter for each option)
    *, metric: str, where: str | None, is_max: bool, filter_: str, since: str | None, form: render.Format
) -> None:
    """Tell which completed run has the best METRIC.

    Its overrides are printed ready to paste. METRIC is a column or its end: accuracy, result.accuracy, duration. Of
    several that are equally good, the one that started first. The status is 1 when no completed run has such a number.
    """
    found = options.read(where, filter_=filter_, since=since, sort="run-started")
    column = find_column(metric, found.columns)
    numbers = [row for row in found.rows if row.get("run-status") == "completed" and is_number(row.get(column))]
    if not numbers:
        fitting = " that fits" if filter_ or since else ""
        render.tell(f"No completed run{fitting} in {', '.join(found.places)} has a number in {column}")
        sys.exit(1)
    chosen = (max if is_max else min)(numbers, key=lambda row: row[column])
    run(chosen, column, len(numbers), form, sys.stdout, is_max=is_max)


def run(  # noqa: PLR0913  (what is told, and how)
    row: Row, column: str, n_runs: int, form: render.Format, out: IO[str], *, is_max: bool, width: int | None = None
) -> None:
    """Print the winner.

    Args:
        row: Its row.
        column: The metric.
        n_runs: How many it was compared with, itself included.
        form: "table", "csv", "json" or "parquet".
        out: Where it is printed.
        is_max: Whether the highest was sought.
        width: In characters; that of the terminal when None.
    """
    record = run_of(row, None).record
    words = [str(word) for word in record.get("overrides") or []]
    again = texts.as_words(CommandLine.of(record.get("command")).again(words))
    if form != "table":
        told = {"run": row.get("run-dir"), "id": row.get("run-id"), column: row[column], "overrides": words}
        render.write([{**told, "command": again}], form, out)
        return
    onto = render.console(out, width)
    kind = "highest" if is_max else "lowest"
    among = texts.counted(n_runs, "completed run")
    onto.print(f"The {kind} {column} of {among} is {texts.shown(row[column])}:", soft_wrap=True)
    onto.print(f"  {row.get('run-dir')}\n", soft_wrap=True)
    onto.print(
        "Its overrides:",
        f"  {texts.as_words(words) or '(none)'}\n",
        f"To run it again{_where(record)}:",
        f"  {again}",
        sep="\n",
        soft_wrap=True,
    )


def _where(record: dict[str, Any]) -> str:
    """Return in which directory and on which commit a run was made, as far as it must be told."""
    started_in, git = record.get("cwd"), record.get("git") or {}
    told = "" if started_in in {None, str(Path.cwd())} else f", in {started_in}"
    if git.get("sha"):
        told += f", on commit {str(git['sha'])[:8]}"
        told += " with changes that were not committed" if git.get("is_dirty") else ""
    return told
