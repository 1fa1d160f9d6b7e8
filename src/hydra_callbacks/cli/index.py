"""`hydra-callbacks index [DIR]`: is every run in the register, also those that could not be told?"""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.runs.index import Indexed, index
from hydra_callbacks.runs.register import is_url
from hydra_callbacks.runs.sources import VARIABLE, registers_near
from hydra_callbacks.support import texts

if TYPE_CHECKING:
    from collections.abc import Callable

_EACH_S = 0.5
_MOST_NAMED = 20
_BEGIN = "\r\033[K"  # of the terminal's line, which is emptied


@click.command("index")
@click.argument("directory", metavar="[DIR]", required=False, default=".", type=options.FOLDER)
@click.option(
    "--register",
    type=options.PLACE,
    metavar="REGISTER",
    envvar=VARIABLE,
    help="A file (.csv, .jsonl, .db, .sqlite) or a postgresql:// address.  [default: the registers in DIR and below]",
)
@click.option("--prune", is_flag=True, help="Take away the rows of runs that are gone.")
def command(directory: str, register: str | None, prune: bool) -> None:
    """Make registers anew from the run records.

    The records in DIR and below are the truth, and a register can be made from them at any time. Rows of runs whose
    directories are gone stay, unless --prune is given. A directory that only has Hydra's own files is registered, too,
    with the status `unknown`. Damaged records are named. Without --register, each register in DIR and below gets the
    runs in its own folder; where there is none, DIR/register.csv is made.
    """
    place = Path(directory)
    if not place.is_dir():
        msg = f"there is no directory {directory!r}; name one that holds runs"
        raise Failure(msg)
    for where, target in _targets(place, register):
        done = index(where, target, prune=prune, progress=_progress())
        if sys.stderr.isatty():
            click.echo(_BEGIN, nl=False, err=True)
        _tell(done, where, target)


def _targets(place: Path, register: str | None) -> list[tuple[Path, str | Path]]:
    if register:
        return [(place, register if is_url(register) else os.path.expanduser(register))]  # noqa: PTH111  (a text)
    near = [path for path in registers_near(place) if path.absolute().is_relative_to(place.absolute())]
    return [(path.parent, path) for path in near] or [(place, place / "register.csv")]


def _progress() -> Callable[[int], None]:
    """Return what tells now and then how far it has come: on a terminal in one line, else in a line each time."""
    is_terminal = sys.stderr.isatty()
    told_at = time.monotonic()

    def tell(n_runs: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > (_EACH_S if is_terminal else 10 * _EACH_S):
            told_at = time.monotonic()
            click.echo(f"{_BEGIN if is_terminal else ''}{n_runs:,} runs ...", nl=not is_terminal, err=True)

    return tell


def _tell(done: Indexed, where: Path, target: str | Path) -> None:
    unknown = f", {done.n_unknown:,} of them with Hydra's own files only" if done.n_unknown else ""
    click.echo(texts.printable(f"{target}: {texts.counted(done.n_runs)} from {where}{unknown}"))
    options.tell_problems("Not registered", done.problems, most=_MOST_NAMED)
    if not done.n_runs:
        render.tell(f"If its runs are elsewhere: hydra-callbacks index DIR --register {shlex.quote(str(target))}")
