"""`hydra-callbacks clean`: which runs may go?"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.runs import record
from hydra_callbacks.runs.find import HYDRA, Run, as_typed, run_in, runs_below
from hydra_callbacks.runs.sources import registers_below
from hydra_callbacks.support import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_STATES = ("completed", "failed", "interrupted", "lost", "unknown")
_MOST_NAMED = 20
_KEPT = (".git", "pyproject.toml", "setup.py")
"""What shows that a directory is more than a run's: that of a project, with `hydra.run.dir=.`"""


@click.command("clean")
@click.argument("directory", metavar="[DIR]", required=False, default=".", type=options.FOLDER)
@click.option(
    "--state", "states", multiple=True, type=click.Choice(_STATES), help="Runs in this state; may be repeated."
)
@click.option(
    "--older-than",
    "before",
    metavar="TIME",
    callback=options.as_time,
    help="Runs that started before: 30d, 2026-11-22.",
)
@click.option("--delete", is_flag=True, help="Delete for good, instead of moving to the trash folder.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def command(  # noqa: PLR0913  (a parameter for each option)
    *, directory: str, states: tuple[str, ...], before: str | None, delete: bool, yes: bool, dry_run: bool
) -> None:
    """Move old or failed runs to the trash folder.

    The runs in DIR and below are chosen by state and age, and you are asked before anything is done. At least one of
    --state and --older-than must be given. A run that is running is never touched, nor is anything that is not the
    output directory of a run. Rows in registers stay: they are what is left of the runs.
    """
    if not states and not before:
        msg = "say which runs may go: --state failed, --older-than 30d, or both"
        raise click.UsageError(msg)
    place = Path(directory)
    if not place.is_dir():
        msg = f"there is no directory {directory!r}; name one that holds runs"
        raise Failure(msg)
    chosen, spared = choose(place, set(states or _STATES), before)
    for run, why in spared:
        _leave(run, why)
    if not chosen:
        click.echo("There is nothing to clean up")
        return
    tell(chosen, sys.stdout)
    if dry_run:
        return
    where = "Delete them for good" if delete else "Move them to the trash folder"
    if not yes and not click.confirm(f"{where}?"):
        click.echo("Nothing was done")
        return
    n_left = sum(not remove(run, place, delete=delete) for run in chosen)
    click.echo(f"{'Deleted' if delete else 'Moved to the trash folder'}: {texts.counted(len(chosen) - n_left)}")
    if n_left:
        msg = f"left alone, for the reasons above: {texts.counted(n_left)}"
        raise Failure(msg)


def choose(place: Path, states: set[str], before: str | None) -> tuple[list[Run], list[tuple[Run, str]]]:
    """Return the runs that may go, and those that fit but must be left alone, with the reason.

    Args:
        place: Where the runs are.
        states: The states that may go.
        before: UTC time; only runs that started before that. None for all.
    """
    chosen, spared = [], []
    for run in runs_below(place):
        started = str(run.record.get("started_at") or "")
        if record.status(run.record) not in states or (before and not (started and started < before)):
            continue
        why = why_not(run)
        if why:
            spared.append((run, why))
        else:
            chosen.append(run)
    return chosen, spared


def why_not(run: Run) -> str | None:
    """Return why a run's directory must be left alone; None when it may go."""
    now = run_in(run.directory)
    if run.problem or (now and now.problem):
        return "it cannot be read"
    if now is None:
        return "it is not there any more"
    if record.status(now.record) == "running":
        return "it is running"
    if now.record != run.record:
        return "it has changed meanwhile"
    return _why_not_a_directory(run)


def _why_not_a_directory(run: Run) -> str | None:
    directory = Path(os.path.realpath(run.directory))
    data = run.record
    checks: dict[str, Callable[[], object]] = {
        "it is a link": run.directory.is_symlink,
        "it is the directory of a whole sweep": lambda: (
            (directory / "multirun.yaml").exists() or data.get("sweep_dir", "") == data.get("output_dir")
        ),
        "it is the directory of a project, too": lambda: _is_of_project(directory, run),
        "its record tells of another directory": lambda: Path(str(data.get("output_dir") or "")).name != directory.name,
        "it holds the working directory": lambda: _holds(directory, Path.cwd()),
        "it holds other runs": lambda: _holds_runs(directory),
        "it holds a register": lambda: registers_below(directory),
        "nothing may be removed from its folder": lambda: not os.access(directory.parent, os.W_OK),
    }
    return next((why for why, holds in checks.items() if holds()), None)


def _holds_runs(directory: Path) -> bool:
    """Tell whether there are runs below a run's directory, hidden folders included."""
    own = {directory, directory / HYDRA}
    if not any((folder / record.FILE_NAME).exists() for folder in own):  # `hydra.output_subdir` has another name
        own |= {file.parent for file in directory.glob(f"*/{record.FILE_NAME}")}
    return any(
        Path(root) not in own and (HYDRA in folders or record.FILE_NAME in files)
        for root, folders, files in os.walk(directory)
    )


def _is_of_project(directory: Path, run: Run) -> bool:
    """Tell whether the application was started in a run's directory, or below it: hydra.run.dir=."""
    if any((directory / name).exists() for name in _KEPT):
        return True
    output_dir, started_in = (str(run.record.get(key) or "") for key in ("output_dir", "cwd"))
    was_below = Path(started_in).is_relative_to(output_dir or directory)  # in a tree that has been moved
    return started_in != "" and (was_below or _holds(directory, Path(started_in)))


def tell(chosen: Sequence[Run], out: IO[str], *, width: int | None = None) -> None:
    """Say what is about to go, and how much it is."""
    onto = render.console(out, width)
    sizes = [_size(run.directory) for run in chosen]
    rows = [
        {
            "run": as_typed(run.directory),
            "status": texts.status(record.status(run.record), onto),
            "size": texts.size(size),
        }
        for run, size in zip(chosen[:_MOST_NAMED], sizes, strict=False)
    ]
    render.table(rows, onto)
    if len(chosen) > _MOST_NAMED:
        onto.print(f"... and {len(chosen) - _MOST_NAMED} more")
    counted = ", ".join(f"{n} {state}" for state, n in Counter(record.status(run.record) for run in chosen).items())
    onto.print(f"{texts.counted(len(chosen))} ({counted}), {texts.size(sum(sizes))}")


def remove(run: Run, place: Path, *, delete: bool) -> bool:
    """Remove a run's directory, and the folders above it that are then empty; tell why not, and return False.

    Args:
        run: The run.
        place: Where it was found; only what is below is removed.
        delete: For good, or else into the trash folder.
    """
    why = why_not(run)  # it may have started again while the user thought about it
    if why is None:
        try:
            if delete:
                shutil.rmtree(run.directory)
            else:
                _to_trash(run.directory)
        except OSError as error:
            what = f"some of it could not be deleted: {error.filename}: " if delete else ""
            why = f"{what}{error.strerror or error}{'' if delete else '; --delete does without the trash folder'}"
    if why is not None:
        _leave(run, why)
        return False
    with contextlib.suppress(OSError):  # others are in it
        for folder in run.directory.parents:
            if folder == place or not folder.is_relative_to(place) or _holds(folder, Path.cwd()):
                break
            folder.rmdir()
    return True


def _leave(run: Run, why: str) -> None:
    render.tell(f"Left alone: {as_typed(run.directory)}: {why}")


def _to_trash(directory: Path) -> None:
    from send2trash import send2trash  # noqa: PLC0415  (nothing else needs it)

    send2trash(os.path.abspath(directory))  # noqa: PTH100  (links stay)


def _holds(directory: Path, inner: Path) -> bool:
    return Path(os.path.realpath(inner)).is_relative_to(os.path.realpath(directory))


def _size(directory: Path) -> int:
    total = 0
    for root, _, files in os.walk(directory):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118  (many files)
    return total
