"""`hydra-callbacks gather SWEEP`: what came out of a sweep, failed, killed or unfinished, as one table?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.runs.find import as_typed, run_in
from hydra_callbacks.runs.gather import Table, summary, table_of
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.runs.table_files import complaint, write_table
from hydra_callbacks.support.texts import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_callbacks.runs.sweep_job import SweepJob


@click.command("gather")
@options.sweep_argument
@click.option(
    *("-o", "--output"),
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The table: .csv, .jsonl, .parquet, .md or .tex; `-` prints CSV.  [default: agg_results.csv in SWEEP]",
)
@click.option("--metric", help="Name the job that is best by this result.")
@click.option("--max/--min", "is_max", default=True, show_default="--max", help="Whether the highest is best.")
@click.option(
    "--result-file", default="results.json", show_default=True, help="Name of the file with a job's result, in JSON."
)
def command(*, sweep: Path, output: str | None, metric: str | None, is_max: bool, result_file: str) -> None:
    """Gather the results of SWEEP, a sweep's directory, into one table.

    It has a row for each job, also for those that failed, were killed or never started. It is what the callback
    MultiRunGatherer makes, for a sweep that ended without it.
    """
    path = Path(output) if output else sweep / "agg_results.csv"
    wrong = None if output == "-" else complaint(path.name)
    if wrong:
        msg = f"{output!r} is no name for a table: expected {wrong}"
        raise Failure(msg)
    found = read_sweep(sweep)
    if not found.jobs and not found.problems:
        msg = f"{as_typed(sweep)} holds no jobs; name a sweep's directory, as in multirun/2026-11-22/10-00-00"
        raise Failure(msg)
    if found.launch is None and (run_in(sweep) or _has_twins(found.jobs)):
        what = "is a run's directory" if run_in(sweep) else "holds the jobs of several sweeps"
        msg = f"{as_typed(sweep)} {what}; name one sweep's, as in multirun/2026-11-22/10-00-00"
        raise Failure(msg)
    table = table_of(found.jobs, sweep, result_file)
    for problem in (*found.problems, *table.problems):
        render.tell(f"Note: {problem}")
    if found.older:
        render.tell(f"Passed over: {counted(len(found.older), 'job')} of an earlier sweep in the same directory")
    if output == "-":
        _print(table)
        return
    write_table(table, path)
    click.echo(f"Gathered results in {as_typed(path)}")
    for line in summary(table, metric, is_max=is_max):
        click.echo(line)


def _has_twins(jobs: Sequence[SweepJob]) -> bool:
    """Tell whether several jobs have the same number."""
    numbers = [job.num for job in jobs if job.num is not None]
    return len(set(numbers)) < len(numbers)


def _print(table: Table) -> None:
    names = [name or "job" for name in table.columns]
    rows = zip(*table.columns.values(), strict=True)
    render.as_csv([dict(zip(names, row, strict=True)) for row in rows], sys.stdout)
