"""`hydra-callbacks report RUN|SWEEP|REGISTER`: one page that shows it at a glance, and opens from disk."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.cli.places import folder_called
from hydra_callbacks.report.links import FILE_NAME
from hydra_callbacks.runs.find import as_typed, is_sweep, run_in, runs_below, sweep_of
from hydra_callbacks.runs.register import is_url
from hydra_callbacks.runs.resolve import LATEST, find_run
from hydra_callbacks.support import texts

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about.

    Attributes:
        kind: "run", "sweep" or "register".
        place: Its directory or file; of a database, the working directory.
        read: Returns the page's data, given the directory that the page will lie in.
    """

    kind: str
    place: Path
    read: Callable[[Path], dict[str, Any]]

    def file(self) -> Path:
        """Return where the page goes when nobody says: into the directory, or beside the register."""
        return (self.place if self.place.is_dir() else self.place.parent) / FILE_NAME


@click.command("report")
@click.argument("subject", metavar="RUN|SWEEP|REGISTER", shell_complete=options.complete_run)
@click.option(
    *("-o", "--output"),
    metavar="FILE",
    type=click.Path(readable=False, allow_dash=True),
    help=f"Where the page goes; - for stdout.  [default: {FILE_NAME} in the directory, or beside the register]",
)
@click.option("--metric", help="The result by which runs are compared.  [default: what the sweep says, or the first]")
@click.option(
    "--max/--min", "is_max", default=None, help="Whether the highest is best.  [default: told by the metric's name]"
)
@click.option("--open", "with_browser", is_flag=True, help="Show it in the browser.")
def command(*, subject: str, output: str | None, metric: str | None, is_max: bool | None, with_browser: bool) -> None:
    """Write a page that shows a run, a sweep or a register at a glance.

    It is one HTML file, which opens from disk, and loads nothing from anywhere. A directory with runs that is no
    sweep's is read like a register; `latest` is the run that started last, or its sweep.
    """
    to_stdout = output == "-"
    if with_browser and to_stdout:
        msg = "--open shows a file, and -o - writes none; name one, or leave out one of them"
        raise click.UsageError(msg)
    found = _subject(subject, metric, is_max)
    if found.kind == "run" and (metric or is_max is not None):
        option = "--metric" if metric else "--max" if is_max else "--min"
        msg = f"{option} compares runs, and this is a single one; name its sweep's directory, or a register"
        raise click.UsageError(msg)
    path = found.file() if output is None or to_stdout else _named(output)
    path = (path / FILE_NAME if path.is_dir() else path).absolute()
    data = found.read(Path.cwd() if to_stdout else path.parent)
    if metric:
        _check_metric(metric, data)
    for note in data["notes"]:
        render.tell(f"Note: {note}")
    if to_stdout:
        from hydra_callbacks.report.write import page_of  # noqa: PLC0415  (a wrong name needs none of it)

        sys.stdout.flush()
        sys.stdout.buffer.write(page_of(data))
        return
    from hydra_callbacks.report.write import write_page  # noqa: PLC0415  (as above)

    n_bytes = write_page(data, path)
    click.echo(f"Wrote {texts.printable(as_typed(path))} ({texts.size(n_bytes)})")
    if with_browser and click.launch(path.as_uri()) != 0:
        render.tell("No browser could be started: open the file yourself")


def _named(output: str) -> Path:
    """Return the file, or the folder, that the page is to be written to.

    Raises:
        Failure: The folder is not there.
    """
    path = Path(output)
    folder = path if output.endswith(("/", os.sep)) else path.parent
    if not folder.is_dir():
        msg = f"there is no folder {as_typed(folder)}; make it, or name another place for the page"
        raise Failure(msg)
    return path


def _subject(name: str, metric: str | None, is_max: bool | None) -> Subject:
    """Return what a name means: a register, a sweep, a folder with runs, or a run.

    Raises:
        RunNotFoundError: It means nothing.
        Failure: It is empty, or a folder without runs.
    """
    if not name:  # as `"$SWEEP"` is when nobody has set it
        msg = "expected a run, a sweep or a register, got an empty name"
        raise Failure(msg)
    path = Path.cwd() if is_url(name) else Path(os.path.expanduser(name))  # noqa: PTH111  (leaves the name of an unknown user as it is)
    if is_url(name) or path.is_file():
        return _register(name if is_url(name) else str(path), path, metric, is_max)
    folder = folder_called(name) if name != LATEST else _latest()
    if folder is None:
        return _run(name)
    folder = folder.resolve() if LATEST in folder.parts else folder  # the link will lead elsewhere tomorrow
    if is_sweep(folder):
        return _sweep(folder, metric, is_max)
    if run_in(folder) is None:
        if next(iter(runs_below(folder)), None) is None:
            msg = f"{as_typed(folder)} holds no runs; name a run's or sweep's directory, or a register"
            raise Failure(msg)
        return _register(str(folder), folder, metric, is_max)
    return _run(str(folder))


def _latest() -> Path:
    """Return the directory of the run that started last, or of its sweep: that is what one would look at."""
    run = find_run(LATEST)
    return sweep_of(run) or run.directory


def _register(where: str, place: Path, metric: str | None, is_max: bool | None) -> Subject:
    def read(page_dir: Path) -> dict[str, Any]:
        from hydra_callbacks.report.register import register_data  # noqa: PLC0415  (one of three)

        return register_data(where, page_dir=page_dir, metric_name=metric, is_max=is_max)

    return Subject("register", place, read)


def _sweep(folder: Path, metric: str | None, is_max: bool | None) -> Subject:
    def read(page_dir: Path) -> dict[str, Any]:
        from hydra_callbacks.report.sweep import sweep_data  # noqa: PLC0415  (as above)

        return sweep_data(folder, page_dir=page_dir, metric_name=metric, is_max=is_max)

    return Subject("sweep", folder, read)


def _run(name: str) -> Subject:
    found = find_run(name)

    def read(page_dir: Path) -> dict[str, Any]:
        from hydra_callbacks.report.run import run_data  # noqa: PLC0415  (as above)

        return run_data(found, page_dir=page_dir)

    if not found.directory.is_dir():
        msg = f"the directory of {name} is gone: {found.place}; `hydra-callbacks show` tells what the register knows"
        raise Failure(msg)
    return Subject("run", found.directory, read)


def _check_metric(name: str, data: dict[str, Any]) -> None:
    """Complain of a metric that is not there, before a page is written that compares by another one.

    Raises:
        Failure: No run has a number of this name.
    """
    told = [data["metric"]] if data["kind"] == "sweep" else [app["best"] for app in data["by_app"]]
    names = [each["name"] for each in told if each]
    asked = name.removeprefix("result.")
    if not any(each == asked or each.endswith(f".{asked}") for each in names):
        columns = [each["label"] for each in data["columns"] if each["role"] == "result" and each["kind"] == "number"]
        msg = f"no completed run has a number in {name!r}; results that are numbers: {', '.join(columns) or 'none'}"
        raise Failure(msg)
