"""`hydra-callbacks top RUN|SWEEP`: what do the jobs that run now use?"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.cli.places import folder_called
from hydra_callbacks.cli.top.running import Look, Use, Watched
from hydra_callbacks.runs.find import as_typed, is_sweep, run_in, sweep_of
from hydra_callbacks.runs.resolve import LATEST, find_run

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.cli.top.running import Running
    from hydra_callbacks.monitor.gpus.gpu import GpuMeter

_FIRST_S = 0.5
"""From the first reading to the second, at most: rates need two."""


@click.command("top")
@click.argument("name", metavar="RUN|SWEEP", type=options.PLACE)
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds from look to look."
)
@options.format_option
def command(*, name: str, once: bool, interval: float, form: render.Format) -> None:
    """Show what the running jobs of RUN or SWEEP use: until none runs any more, or Ctrl-C.

    It is read from the jobs' processes, so they need no callback but RunRecord. Processor use is in percent of one
    core, and the peak is the highest resident memory that is known: of the looks, or the kernel's mark. The memory of
    GPUs is shown where the driver tells it by process (extra `gpu`). Jobs on other machines are named only.

    `latest` is the run that started last, or its sweep. Any other folder stands for all runs below it. What has ended
    is shown once, with what it has used. Forms for programs are given once.
    """
    directory, is_run = _place(name)
    watched = Watched(directory, is_run=is_run, gpus=_gpus())
    look = watched.look()
    if not is_run and not look.running and look.sweep and not look.sweep.jobs and look.sweep.launch is None:
        msg = f"{as_typed(directory)} holds no jobs; name a run's or a sweep's directory, as in"
        msg += " multirun/2026-11-22/10-00-00"
        raise Failure(msg)
    if not look.is_over:
        time.sleep(min(interval, _FIRST_S))  # a rate needs two looks
        look = watched.look()
    if form != "table":
        render.write(rows(watched, look), form, sys.stdout)
        if look.is_over:
            render.tell("No job runs.")
        return
    with contextlib.suppress(KeyboardInterrupt):  # it is how people end it
        if not once and not look.is_over:
            look = _follow(watched, look, interval)
        run(watched, look, sys.stdout)


def run(watched: Watched, look: Look, out: IO[str], *, width: int | None = None) -> None:
    """Print a look: the jobs that run, or how all of them ended.

    Args:
        watched: What is looked at.
        look: The look.
        out: Where it is printed.
        width: In characters; that of the terminal when None.
    """
    from hydra_callbacks.cli.top import screen  # noqa: PLC0415  (a wrong name needs none of it)

    onto = render.console(out, width)
    if look.is_over:
        screen.print_end(watched, look, onto)
        return
    for line in screen.lines(watched, look, onto):
        onto.print(line, no_wrap=True, overflow="ignore", crop=False)


def rows(watched: Watched, look: Look) -> list[dict[str, Any]]:
    """Return a row for each job, for programs; a process that several jobs share is told with the first of them."""
    above = watched.directory.parent if watched.is_run else watched.directory
    return [
        {
            "job": each.job.num,
            "run-dir": as_typed(each.job.directory(above)),
            "overrides": each.job.overrides,
            "host": each.job.host.get("name"),
            "pid": each.job.host.get("pid"),
            "elapsed_s": round(each.elapsed_s, 3),
            **_figures(each),
            "note": each.note or None,
        }
        for each in look.running
    ]


def _figures(running: Running) -> dict[str, Any]:
    values = {name: getattr(running.use, name, None) for name in Use.__slots__}
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in values.items()}


def _place(name: str) -> tuple[Path, bool]:
    """Return a directory, and whether it is that of one run."""
    folder = None if name == LATEST else folder_called(name)
    if folder is not None and (is_sweep(folder) or run_in(folder) is None):
        return folder, False
    found = find_run(name)
    sweep_dir = sweep_of(found) if name == LATEST else None
    return sweep_dir or found.directory, sweep_dir is None


def _gpus() -> GpuMeter | None:
    """Return what reads the jobs' memory on GPUs; None where there are none, or nothing to read them with."""
    if importlib.util.find_spec("pynvml") is None and importlib.util.find_spec("amdsmi") is None:
        return None
    from hydra_callbacks.monitor.gpus.gpu import GpuMeter  # noqa: PLC0415  (seldom there)

    meter = GpuMeter(None, {})  # of the jobs' own variables nothing is known here, so all GPUs are looked at
    return meter if meter.columns else None


def _follow(watched: Watched, look: Look, interval_s: float) -> Look:
    """Look again and again until nothing runs; return the last look."""
    from hydra_callbacks.cli.top import screen  # noqa: PLC0415  (as above)

    onto = render.console(sys.stdout)
    if not onto.is_terminal or onto.is_dumb_terminal:
        while not look.is_over:
            run(watched, look, sys.stdout)
            onto.print()
            sys.stdout.flush()
            time.sleep(interval_s)
            look = watched.look()
        return look
    from rich.console import Group  # noqa: PLC0415  (as above)
    from rich.live import Live  # noqa: PLC0415  (as above)

    with Live(console=onto, screen=True, auto_refresh=False) as live:
        while not look.is_over:
            live.update(Group(*screen.lines(watched, look, onto, most=onto.height)), refresh=True)
            time.sleep(interval_s)
            look = watched.look()
    return look
