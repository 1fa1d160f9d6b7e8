"""`hydra-callbacks plot RUN`: how did a job's use of processors, memory, GPUs and disks go over time?"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.cli.places import folder_called
from hydra_callbacks.cli.plot.curves import default_panels, panels_of
from hydra_callbacks.errors import RunNotFoundError
from hydra_callbacks.monitor.phases import told_spans
from hydra_callbacks.monitor.samples_file import name_in, read_table
from hydra_callbacks.runs.find import as_typed, is_sweep, run_in, runs_below, sweep_of
from hydra_callbacks.runs.record import seconds, section
from hydra_callbacks.runs.resolve import LATEST, find_run
from hydra_callbacks.support.extras import need_extra
from hydra_callbacks.support.files import write_whole
from hydra_callbacks.support.tables import format_header, format_rows
from hydra_callbacks.support.texts import as_words, counted, printable
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_callbacks.cli.plot.curves import Panel
    from hydra_callbacks.monitor.samples_file import Table
    from hydra_callbacks.runs.find import Run

_PICTURES = (".svg", ".png", ".pdf")
_LEAST_ROWS, _MOST_ROWS = 5, 15
_LINES_AROUND = 5  # the heading, the time, and the prompt after it


def check_output(ctx: click.Context, param: click.Parameter, value: str | None) -> Path | None:
    """Return a file to be written.

    Raises:
        click.BadParameter: Its name does not say what it is to be.
    """
    path = Path(value) if value else None
    if path is not None and path.suffix not in {*_PICTURES, ".csv"}:
        msg = f"{value!r} is no name for it: expected {', '.join(_PICTURES)} or .csv"
        raise click.BadParameter(msg, ctx, param)
    return path


@click.command("plot")
@click.argument("name", metavar="RUN|SWEEP|FILE", type=options.PLACE)
@click.option("--job", type=click.IntRange(min=0), metavar="NUMBER", help="Which job of a sweep.")
@click.option(
    "--of",
    "words",
    metavar="COLUMNS",
    default="",
    help="What is drawn: columns of the file, or cpu, memory, gpu_memory, gpu_usage, disk; a panel for each, and one "
    "for those joined by `+`, as in cpu,rss_GiB+vms_GiB.",
)
@click.option(
    *("-o", "--output"),
    metavar="FILE",
    callback=check_output,
    help="A picture, .svg, .png or .pdf (extra `plot`); or the curves as .csv.",
)
def command(*, name: str, job: int | None, words: str, output: Path | None) -> None:
    """Draw what a job has used over time, from the samples of ResourceMonitor.

    RUN is a run, or a job of a sweep; of a SWEEP, --job names the job; FILE is any file with such samples, as that of
    `hydra-callbacks monitor -o FILE.csv`. The time is counted from the job's start. What PerfLogger has timed is marked
    as phases, and the kernel's own mark of the memory's peak stands beside the highest sample. However long the job
    was, no peak among the samples is lost.
    """
    if output is not None and output.suffix in _PICTURES:
        need_extra("matplotlib", "matplotlib", "plot", f"a picture in {output.suffix[1:].upper()}")
    file, run, job = _place(name, job)
    table = read_table(file, job, _began_at(run))
    if table.n_damaged:
        render.tell(f"Passed over: {counted(table.n_damaged, 'damaged line')} in {as_typed(file)}")
    peak_bytes = _peak_rss_bytes(run)
    panels = panels_of(words, table, peak_bytes) if words else default_panels(table, peak_bytes)
    if not panels:
        msg = f"{as_typed(file)} has neither processors nor memory in its columns; name others with --of"
        raise Failure(msg)
    spans = (told_spans(section(run.record, "resources")) if run else None) or table.spans()
    if output is None:
        print_panels(_heading(run, file, table), panels, table.elapsed_s(), sys.stdout, spans=spans)
    elif output.suffix == ".csv":
        _write_csv(output, panels, table)
    else:
        from hydra_callbacks.cli.plot.figure import draw  # noqa: PLC0415  (the terminal needs none of it)

        draw(output, _heading(run, file, table), panels, table.elapsed_s(), spans)
    if output is not None:
        click.echo(f"Written: {as_typed(output)}")


def print_panels(  # noqa: PLR0913  (what is printed, where, and how wide)
    heading: str,
    panels: Sequence[Panel],
    seconds: Sequence[float],
    out: IO[str],
    *,
    spans: Sequence[tuple[str, float, float]] = (),
    width: int | None = None,
) -> None:
    """Print curves one below the other, as high as the terminal lets them be.

    Args:
        heading: What stands above them.
        panels: The curves.
        seconds: Of the samples, from the first on.
        out: Where they are printed.
        spans: Name, beginning and end of each phase, in seconds.
        width: In characters; that of the terminal when None.
    """
    from hydra_callbacks.cli.fitting import fitted  # noqa: PLC0415  (as above)
    from hydra_callbacks.cli.plot import drawing  # noqa: PLC0415  (a picture needs none of it)

    onto = render.console(out, width)
    signs = drawing.signs_for(onto, os.environ.get("TERM", ""))
    if onto.color_system is None:  # then curves in one panel cannot be told apart
        panels = [part for panel in panels for part in panel.parts()]
    room = (onto.height - _LINES_AROUND - bool(spans)) // len(panels) - 1
    n_rows = min(max(room, _LEAST_ROWS), _MOST_ROWS)
    n_rows -= 1 - n_rows % 2  # so that there is a middle
    onto.print(fitted(printable(heading), onto.width, onto), style="bold")
    for panel in panels:
        for line in drawing.panel_lines(panel, seconds, onto.width, n_rows, signs):
            onto.print(line, no_wrap=True, crop=True)
    for line in drawing.time_lines(seconds[-1], spans, onto.width, signs):
        onto.print(line, no_wrap=True, crop=True)


def _heading(run: Run | None, file: Path, table: Table) -> str:
    """Return what the curves are of."""
    place = as_typed(run.directory) if run else as_typed(file)
    words = as_words(run.record.get("overrides") or []) if run else ""
    n_samples = len(table.columns["time"])
    return "  ".join(filter(None, [place, words, counted(n_samples, "sample")]))


def _place(name: str, job: int | None) -> tuple[Path, Run | None, int | None]:
    """Return the file with the samples, the run that they are of, where it is known, and its number in the file.

    Raises:
        Failure: There is no such file.
        RunNotFoundError: There is no such run.
    """
    if Path(name).is_file():
        return Path(name), None, job
    folder = folder_called(name) if name != LATEST else None
    run = run_in(folder) if folder else None
    if folder is not None and run is None and (job is not None or is_sweep(folder)):
        with contextlib.suppress(RunNotFoundError):
            run = find_run(f"{folder}/{job}") if job is not None else None
        file = _samples_in(folder, run or next(runs_below(folder), None))
    else:
        run = run or find_run(f"{name}/{job}" if name == LATEST and job is not None else name)
        sweep_dir = sweep_of(run)
        job = section(run.record, "job").get("num") if sweep_dir and job is None else job
        places = [_samples_in(each, run) for each in (run.directory, sweep_dir) if each]
        file = next(filter(Path.is_file, places), places[0])
    if not file.is_file():
        state = run.record.get("status") if run else None
        why = (
            "it is written when the job ends; until then, see hydra-callbacks top"
            if state == "running"
            else "is the callback ResourceMonitor on?"
        )
        msg = f"there are no samples: no {file.name} in {as_typed(file.parent)} ({why})"
        raise Failure(msg)
    return file, run, job


def _samples_in(directory: Path, run: Run | None) -> Path:
    """Return the file in a directory, by the name that the record of a job in it has."""
    return directory / name_in(section(run.record, "resources") if run else {})


def _began_at(run: Run | None) -> float | None:
    return (seconds(run.record.get("started_at")) or None) if run else None


def _peak_rss_bytes(run: Run | None) -> int | None:
    peak = section(run.record, "resources").get("peak_rss_bytes") if run else None
    return int(peak) if is_number(peak) else None


def _write_csv(path: Path, panels: Sequence[Panel], table: Table) -> None:
    columns: dict[str, Sequence[Any]] = {"elapsed_s": [round(second, 3) for second in table.elapsed_s()]}
    for curve in (curve for panel in panels for curve in panel.curves):
        columns[curve.name] = [None if math.isnan(value) else round(value, 6) for value in curve.values]
    if table.phases:
        columns["phase"] = [phase or None for phase in table.phases]
    write_whole(path, format_header(columns) + format_rows(zip(*columns.values(), strict=True)))
