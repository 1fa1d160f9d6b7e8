"""`hydra-callbacks reproduce RUN`: does the same code, with the same overrides, still give the same result?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.cli.foreground import run_application
from hydra_callbacks.cli.interpreter import Interpreter
from hydra_callbacks.cli.links import make_links, not_linked
from hydra_callbacks.cli.places import OF_SWEEPS, folder_called
from hydra_callbacks.cli.recorded_packages import to_install
from hydra_callbacks.cli.reproduce_script import script
from hydra_callbacks.cli.reproduced import differences, failed_alike, results
from hydra_callbacks.cli.reproduction import of_run, of_sweep
from hydra_callbacks.runs.find import as_typed
from hydra_callbacks.runs.journal import FILE_NAME
from hydra_callbacks.runs.resolve import LATEST, find_run
from hydra_callbacks.support import texts
from hydra_callbacks.support.redact import Redactor
from hydra_callbacks.support.redact import overrides as redacted
from hydra_callbacks.support.texts import as_words, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_callbacks.cli.reproduction import Reproduction

_MOST_TOLD = 10


@click.command("reproduce", context_settings={"ignore_unknown_options": True})
@click.argument("name", metavar="RUN", shell_complete=options.complete_run)
@click.argument("overrides", nargs=-1, metavar="[OVERRIDES]...")
@options.where_option
@click.option("--compare", is_flag=True, help="Show both results side by side at the end.")
@click.option("--print", "print_", is_flag=True, help="Only print a shell script that does the same by hand.")
@click.option("--create-env", is_flag=True, help="Make an environment with the recorded packages, by uv.")
@click.option("--python", metavar="PYTHON", help="The interpreter.  [default: the one that runs this]")
@click.option(
    "--into", type=click.Path(path_type=Path), metavar="DIR", help="Where code and results go.  [default: beside RUN]"
)
@click.option(
    "--link", "links", multiple=True, metavar="PATH", help="Link what git does not know, as in `--link data`."
)
def command(  # noqa: PLR0913  (a parameter for each option)
    *,
    name: str,
    overrides: tuple[str, ...],
    where: str | None,
    compare: bool,
    print_: bool,
    create_env: bool,
    python: str | None,
    into: Path | None,
    links: tuple[str, ...],
) -> None:
    """Run RUN again: a run, a job of a sweep, or the directory of a whole sweep.

    Its code is rebuilt from its commit and its patch, in a worktree of its own; yours is not touched. The same command
    is run with the same overrides and variables, and its record says what it reproduces. What differs from the recorded
    environment and configuration is told. OVERRIDES take the place of recorded ones. The status is the application's.
    """
    into = into.absolute() if into else None
    if into and into.exists():
        msg = f"{as_typed(into)} is there already; --into names a folder that is to be made"
        raise Failure(msg)
    sweep = _sweep(name)
    what = (into, overrides, links)
    plan = of_sweep(sweep, *what, is_later=print_) if sweep else of_run(find_run(name, where), *what, is_later=print_)
    interpreter = Interpreter.of(python or sys.executable)
    if print_:
        _print(plan, interpreter, create_env=create_env)
        return
    render.tell(f"Rebuilding {(plan.code.sha or '')[:12] or 'what was never committed'} in {as_typed(plan.tree)}")
    try:
        status = _reproduce(plan, interpreter, create_env=create_env, compare=compare)
    finally:
        if plan.code.repository and plan.tree.exists():
            render.tell(f"To remove the code: {as_words(plan.removal())}")
    if status and not links and not failed_alike(plan):
        render.tell("It failed. Where it needs files that git does not know, such as data, link them: --link PATH")
    sys.exit(status)


def _reproduce(plan: Reproduction, interpreter: Interpreter, *, create_env: bool, compare: bool) -> int:
    """Rebuild the code, run it, and return the application's status."""
    _make_shelf(plan)
    lacks = _told_as_missing(not_linked([*plan.code.missing, *plan.code.rebuild(plan.tree)], plan.links))
    if not plan.cwd.is_relative_to(plan.tree):
        render.tell(f"Note: it runs in {plan.cwd}, which is not in the rebuilt tree")
    _tell_what_leads_out(plan)
    make_links(plan.links, plan.code.root, plan.tree)
    if create_env:
        words, unknown = _env_commands(plan, plan.folder / "venv")
        lacks += _told_as_missing(unknown)
        interpreter = _create(plan, words)
    _tell_differences(plan.differences(interpreter), "packages")
    status = _run(plan, interpreter)
    _tell_differences(differences(plan), "settings")
    if compare:
        run(plan, sys.stdout)
    if lacks:
        render.tell(f"It ran without {texts.counted(len(lacks), 'part')} of the original: see `Missing` above")
    return status


def run(plan: Reproduction, out: IO[str], *, width: int | None = None) -> None:
    """Print both results side by side.

    Args:
        plan: What was reproduced.
        out: Where it is printed.
        width: In characters; that of the terminal when None.
    """
    rows = []
    for number, (then, now) in results(plan).items():
        for key in dict.fromkeys([*then, *now]):
            before, after = then.get(key), now.get(key)
            same = "=" if key in then and key in now and before == after else "≠"
            head = {"job": str(number)} if plan.is_sweep else {}
            rows.append({**head, "result": key, "then": shown(before), "now": shown(after), "": same})
    onto = render.console(out, width)
    if rows:
        render.table(rows, onto)
    else:
        onto.print("Neither has a result to compare")


def _print(plan: Reproduction, interpreter: Interpreter, *, create_env: bool) -> None:
    """Print a script, and say what is secret in it."""
    python = interpreter.program
    install: list[list[str]] = []
    unknown: list[str] = []
    if create_env:
        venv = plan.folder / "venv"
        python = str(_python_in(venv))
        install, unknown = _env_commands(plan, venv)
    missing = [*not_linked(plan.code.missing, plan.links), *unknown]
    variables = plan.environment_for(interpreter)
    click.echo(script(plan, variables, python, install=install, missing=missing), nl=False)
    _tell_what_leads_out(plan)
    secret = [word.partition("=")[0] for word in plan.given if _without_secrets([word]) != [word]]
    if secret:
        render.tell(f"Note: the script holds {', '.join(secret)}, which is secret")


def _without_secrets(words: Sequence[str]) -> list[str]:
    """Return words as they may be shown."""
    redactor = Redactor()
    redactor.learn_overrides(words)
    return redacted(words, redactor)


def _sweep(name: str) -> Path | None:
    """Return the directory of a whole sweep, where the name is one's."""
    folder = folder_called(name, OF_SWEEPS) if name != LATEST else None
    return folder.resolve() if folder and (folder / FILE_NAME).is_file() else None


def _tell_what_leads_out(plan: Reproduction) -> None:
    for each in plan.moved.leading_out(_without_secrets(plan.words)):
        render.tell(f"Note: {each} leads out of the tree, and is elsewhere seen from the rebuilt one")


def _make_shelf(plan: Reproduction) -> None:
    """Make the folder beside the run, at which git need not look, as the next run's patch is not about it."""
    if plan.makes_shelf:
        shelf = plan.folder.parent
        shelf.mkdir(parents=True)
        (shelf / ".gitignore").write_text("*\n", encoding="utf-8")


def _tell_differences(differences: Sequence[str], noun: str) -> None:
    for each in differences[:_MOST_TOLD]:
        render.tell(f"Differs: {each}")
    if len(differences) > _MOST_TOLD:
        render.tell(f"Differs: {len(differences) - _MOST_TOLD} more {noun}")


def _told_as_missing(what: list[str]) -> list[str]:
    for each in what:
        render.tell(f"Missing: {each}")
    return what


def _create(plan: Reproduction, commands: Sequence[Sequence[str]]) -> Interpreter:
    """Make an environment with the recorded packages.

    Raises:
        Failure: Uv cannot install them.
    """
    for words in commands:
        render.tell(f"$ {as_words(words[:6])}{' ...' if len(words) > 6 else ''}")  # noqa: PLR2004  (a long list)
        if subprocess.run(words, check=False).returncode:  # noqa: S603  (fixed words, and packages)
            msg = f"{words[0]} failed (above); the code is in {as_typed(plan.tree)}. Where the packages cannot be had,"
            msg += " take a Python that has them: --python PATH"
            raise Failure(msg)
    return Interpreter.of(str(_python_in(plan.folder / "venv")))


def _env_commands(plan: Reproduction, venv: Path) -> tuple[list[list[str]], list[str]]:
    """Return what makes an environment with the recorded packages, and in words what of them cannot be had.

    Raises:
        Failure: They are not known, or there is no uv.
    """
    if not plan.packages():
        msg = "--create-env needs the recorded packages, and EnvironmentInfo was off; leave it out, or name a --python"
        raise Failure(msg)
    uv = shutil.which("uv") or shutil.which("uv", path=os.path.dirname(sys.executable))  # noqa: PTH120  (a text)
    if uv is None:
        msg = "--create-env needs the program uv: pip install uv"
        raise Failure(msg)
    wanted, missing = to_install(plan.packages(), plan.packages("origins"), plan.code, plan.tree)
    version = ["--python", plan.python] if plan.python else []
    install = [uv, "pip", "install", "--quiet", "--no-deps", "--python", str(_python_in(venv))]
    return [[uv, "venv", "--quiet", *version, str(venv)], [*install, *wanted]], missing


def _python_in(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(plan: Reproduction, interpreter: Interpreter) -> int:
    """Run the application to its end."""
    if plan.cwd.is_relative_to(plan.tree):
        plan.cwd.mkdir(parents=True, exist_ok=True)  # git keeps no empty directory
    if not plan.cwd.is_dir():
        msg = f"the run was started in {plan.cwd}, which is not there; the code is in {as_typed(plan.tree)}"
        raise Failure(msg)
    words = [interpreter.program, *plan.command()]
    render.tell(f"$ cd {as_words([as_typed(plan.cwd)])} && {as_words(_without_secrets(words))}")
    return run_application(words, plan.cwd, plan.environment_for(interpreter))
