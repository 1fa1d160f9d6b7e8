"""`hydra-callbacks resume SWEEP`: how do I run what failed, was killed, or never started, and nothing else?"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.cli.foreground import run_application
from hydra_callbacks.runs.command_line import HYDRA, CommandLine, assigned
from hydra_callbacks.runs.find import as_typed
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.support.redact import REDACTED
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_callbacks.runs.journal_lines import Launch

_OURS = re.compile(r"hydra(?:\.sweep\.dir|[/.]sweeper\b.*|\.mode)")


@click.command("resume", context_settings={"ignore_unknown_options": True})
@options.sweep_argument
@click.argument("overrides", nargs=-1, metavar="[OVERRIDES]...")
@click.option("--dry-run", is_flag=True, help="Only list the jobs.")
@click.option(
    "--also",
    type=click.Choice(["completed", "running"]),
    multiple=True,
    help="Run these again, too: completed jobs, or those that seem to run (on a machine that died, say).",
)
@click.option("--allow-changes", is_flag=True, help="Go on although the code or the configuration has changed since.")
def command(
    *, sweep: Path, overrides: tuple[str, ...], dry_run: bool, also: tuple[str, ...], allow_changes: bool
) -> None:
    """Run the jobs of SWEEP that failed, were killed or interrupted, or never started.

    They keep their numbers and directories; completed jobs stay as they are, and those that still run are left alone.
    OVERRIDES take the place of those that the sweep was started with: `hydra/launcher=basic` runs the jobs under
    another launcher, `lr=0.01,0.1,1` adds values, of which only the new ones are run. The status is the application's.
    """
    found = read_sweep(sweep)
    origin = found.origin or found.launch
    if origin is None:
        msg = f"{as_typed(sweep)} has no journal that tells how it was started; start the application yourself:\n"
        msg += f"  python your_app.py -m hydra/sweeper=resume {assigned('hydra.sweep.dir', str(sweep.absolute()))}"
        raise Failure(msg)
    settings = ["hydra.sweeper.dry_run=true"] if dry_run else []
    settings += ["hydra.sweeper.allow_changes=true"] if allow_changes else []
    settings += [f"hydra.sweeper.also=[{','.join(also)}]"] if also else []
    words = again(origin, sweep, overrides) + settings
    python, cwd = origin.python or sys.executable, Path(origin.cwd or ".")
    if not cwd.is_dir():
        msg = f"the sweep was started in {cwd}, which is not there any more; start the application yourself:\n"
        msg += f"  {as_words(['python', *words])}"
        raise Failure(msg)
    command_line = [python if Path(python).exists() else sys.executable, *words]
    render.tell(f"$ {as_words(command_line)}")
    sys.exit(run_application(command_line, cwd))


def again(origin: Launch, sweep_dir: Path, overrides: Sequence[str]) -> list[str]:
    """Return the words after `python` that resume a sweep.

    Args:
        origin: The first line of the launch which began it.
        sweep_dir: Its directory.
        overrides: Words that take the place of the launch's own.

    Raises:
        Failure: One of the launch's own words held a secret.
    """
    line = CommandLine.of(origin.command)
    given = {_key(word) for word in overrides}
    with_task = any(not HYDRA.match(key) for key in given)
    kept = [word for word in line.overrides if _stays(_key(word), given, with_task=with_task)]
    secret = [word.partition("=")[0] for word in kept if REDACTED in word]
    if secret:
        msg = f"the value of {', '.join(secret)} was not kept, as its name says that it is secret; give it again:\n"
        msg += f"  hydra-callbacks resume {as_words([as_typed(sweep_dir)])} {secret[0]}=..."
        raise Failure(msg)
    if origin.app == "zen_launch":
        msg = "the sweep was started by hydra_zen.launch, which reads no command line of its own; start it with\n"
        place = assigned("hydra.sweep.dir", str(sweep_dir.absolute()))
        msg += f"  hydra/sweeper=resume {place}\namong the overrides of the call"
        raise Failure(msg)
    ours = ["hydra/sweeper=resume", assigned("hydra.sweep.dir", str(sweep_dir.absolute()))]
    return [*line.program, *line.options, "-m", *kept, *ours, *overrides]


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")


def _stays(key: str, given: set[str], *, with_task: bool) -> bool:
    """Tell whether a word of the first launch is said again."""
    if key in given or _OURS.fullmatch(key):
        return False
    if "hydra/launcher" in given and key.startswith(("hydra/launcher", "hydra.launcher")):
        return False
    return with_task or HYDRA.match(key) is not None
