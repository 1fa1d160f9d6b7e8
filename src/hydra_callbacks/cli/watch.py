"""`hydra-callbacks watch SWEEP`: how does a sweep fare, that runs elsewhere, has ended, or died?"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.runs import death
from hydra_callbacks.runs.find import as_typed, run_in
from hydra_callbacks.runs.sweep import SweepReader
from hydra_callbacks.runs.sweep_job import Error
from hydra_callbacks.runs.view import View, view_of
from hydra_callbacks.support.texts import as_words, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

    from hydra_callbacks.runs.sweep_job import SweepJob

_MOST_FAILED = 10
_MOST_RUNNING = 8
_LINES_AROUND = 6


@click.command("watch")
@options.sweep_argument
@click.option("--once", is_flag=True, help="Look once, and end; status 0 when all jobs completed, 1 when not.")
@click.option("--metric", help="Show which job is best by this result.")
@click.option("--max/--min", "is_max", default=True, show_default="--max", help="Whether the highest is best.")
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds from look to look."
)
def command(*, sweep: Path, once: bool, metric: str | None, is_max: bool, interval: float) -> None:
    """Watch how SWEEP, a sweep's directory, fares: until it ends, or Ctrl-C.

    Jobs that failed are shown with their error. A sweep that has ended, or whose launching process was killed, is shown
    once. The status is 0 when all of its jobs completed, and else 1.
    """
    reader = SweepReader(sweep)

    def look() -> View:
        return view_of(reader.read(), metric, is_max=is_max)

    view = look()
    if not view.n_jobs and not reader.is_begun:
        msg = f"{as_typed(sweep)} holds no jobs; name a sweep's directory, as in multirun/2026-11-22/10-00-00"
        raise Failure(msg)
    if view.state == "running" and not once:
        view = _follow(look, interval)
    run(view, sys.stdout)
    sys.exit(0 if view.n_jobs and view.counts["completed"] == view.n_jobs else 1)


def run(view: View, out: IO[str], *, width: int | None = None) -> None:
    """Print a look at a sweep.

    Args:
        view: The look.
        out: Where it is printed.
        width: In characters; that of the terminal when None.
    """
    onto = render.console(out, width)
    for each in _lines(view, onto.width, most=_MOST_FAILED):
        onto.print(each, no_wrap=True, overflow="ellipsis")
    if view.state != "running" and view.counts["completed"] < view.n_jobs:
        onto.print(
            f"To run what is not completed: hydra-callbacks resume {as_words([as_typed(view.directory)])}",
            soft_wrap=True,
        )


def _lines(view: View, width: int, *, most: int) -> list[Text]:
    from rich.text import Text  # noqa: PLC0415  (a wrong name needs none of it)

    from hydra_callbacks.progress.panel import failure, panel  # noqa: PLC0415  (as above)

    lines = panel(view, width, most_failed=0)
    lines += [Text(printable(failure(_explained(job, view))), style="red") for job in view.failed[:most]]
    if len(view.failed) > most:
        lines.append(Text(f"  ... and {len(view.failed) - most:,} more"))
    running = (f"▶ job {job.num}: {as_words(job.overrides)}" for job in view.running)
    return [*lines, *(Text(each, style="cyan") for each, _ in zip(running, range(_MOST_RUNNING), strict=False))]


def _explained(job: SweepJob, view: View) -> SweepJob:
    """Return a job that was lost with what this machine can tell of the reason, as its error."""
    run = run_in(job.directory(Path(view.directory))) if job.status == "lost" else None
    cause = death.cause_of(run.record, run.directory) if run else None
    return job.but(error=Error("lost", cause)) if cause else job


def _follow(look: Callable[[], View], interval_s: float) -> View:
    """Look again and again until the sweep ends; return the last look."""
    from rich.console import Group  # noqa: PLC0415  (as above)
    from rich.live import Live  # noqa: PLC0415  (as above)

    from hydra_callbacks.progress.panel import line  # noqa: PLC0415  (as above)

    onto = render.console(sys.stdout)
    if not onto.is_terminal:
        said = ""
        while (view := look()).state == "running":
            if (says := line(view)) != said:
                click.echo(says)
                said = says
            time.sleep(interval_s)  # no process tells another one's reader when there is news
        return view
    with Live(console=onto, transient=True, auto_refresh=False) as live:
        while (view := look()).state == "running":
            most = max(onto.height - _LINES_AROUND - _MOST_RUNNING, 1)
            live.update(Group(*_lines(view, onto.width, most=min(most, _MOST_FAILED))), refresh=True)
            time.sleep(interval_s)
    return view
