"""`hydra-callbacks reproduce RUN`: does the same code, with the same overrides, still give the same result?"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import Failure, options, render
from hydra_callbacks.cli.foreground import run_application
from hydra_callbacks.cli.places import OF_SWEEPS, folder_called
from hydra_callbacks.cli.recorded_packages import to_install
from hydra_callbacks.cli.reproduction import Interpreter, Reproduction, of_run, of_sweep
from hydra_callbacks.runs import record
from hydra_callbacks.runs.find import as_typed, run_in
from hydra_callbacks.runs.journal import FILE_NAME
from hydra_callbacks.runs.resolve import LATEST, find_run
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.support import texts
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.texts import as_words, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    Its code is rebuilt from its commit and its patch, in a worktree of its own; yours is not touched. What differs from
    the recorded environment is told. The same command is run with the same overrides and variables, and its record
    says what it reproduces. OVERRIDES take the place of recorded ones. The status is the application's.
    """
    into = into.absolute() if into else None
    if into and into.exists():
        msg = f"{as_typed(into)} is there already; --into names a folder that is to be made"
        raise Failure(msg)
    sweep = _sweep(name)
    plan = of_sweep(sweep, into, overrides, links) if sweep else of_run(find_run(name, where), into, overrides, links)
    interpreter = Interpreter.of(python or sys.executable)
    if print_:
        click.echo(script(plan, interpreter, create_env=create_env), nl=False)
        return
    render.tell(f"Rebuilding {(plan.code.sha or 'what was never committed')[:12]} in {as_typed(plan.tree)}")
    try:
        status = _reproduce(plan, interpreter, create_env=create_env, compare=compare)
    finally:
        if plan.code.repository and plan.tree.exists():
            render.tell(f"To remove the code: {as_words(_removal(plan))}")
    if status and not links:
        render.tell("It failed. Where it needs files that git does not know, such as data, link them: --link PATH")
    sys.exit(status)


def _reproduce(plan: Reproduction, interpreter: Interpreter, *, create_env: bool, compare: bool) -> int:
    """Rebuild the code, run it, and return the application's status."""
    lacks = _told_as_missing([*plan.code.missing, *plan.code.rebuild(plan.tree)])
    if not plan.cwd.is_relative_to(plan.tree):
        render.tell(f"Note: it runs in {plan.cwd}, which is not in the rebuilt tree")
    _link(plan)
    if create_env:
        words, unknown = _env_commands(plan, plan.folder / "venv")
        lacks += _told_as_missing(unknown)
        interpreter = _create(plan, words)
    _tell_differences(plan.differences(interpreter))
    status = _run(plan, interpreter)
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
    for number, (then, now) in _results(plan).items():
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


def script(plan: Reproduction, interpreter: Interpreter, *, create_env: bool) -> str:
    """Return a shell script that reproduces by hand."""
    code, tree = plan.code, as_words([plan.tree])
    lines = [
        "#!/bin/sh",
        "set -eu",
        "unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE",
        *(f"# Missing: {' '.join(each.split())}" for each in code.missing),
    ]
    if code.repository and code.sha:
        lines.append(f"git -C {as_words([code.repository])} worktree add --detach {tree} {code.sha}")
    else:
        lines.append(f"git init {tree}")
    if code.patch_file and code.patch:
        unpack = "gunzip -c" if code.patch_file.suffix == ".gz" else "cat"
        file = as_words([code.patch_file.absolute()])
        lines.append(f"{unpack} {file} | git -C {tree} apply --index --binary --whitespace=nowarn -")
    if code.root.joinpath(".gitmodules").exists():
        lines.append(f"git -C {tree} submodule update --init --recursive")
    lines += [f"ln -s {as_words([code.root / each, plan.tree / each])}" for each in plan.links]
    python = interpreter.program
    if create_env:
        venv = plan.folder / "venv"
        commands, unknown = _env_commands(plan, venv)
        lines += [f"# Missing: {' '.join(each.split())}" for each in unknown]
        lines += [as_words(words) for words in commands]
        python = str(_python_in(venv))
    for name, value in plan.environment_for(interpreter).items():
        lines.append(f"export {name}={shlex.quote(value)}")
    lines += [f"cd {as_words([plan.cwd])}", as_words([python, *plan.words])]
    lines += [f"# To remove the code: {as_words(_removal(plan))}"] if code.repository else []
    return "".join(f"{line}\n" for line in lines)


def _sweep(name: str) -> Path | None:
    """Return the directory of a whole sweep, where the name is one's."""
    folder = folder_called(name, OF_SWEEPS) if name != LATEST else None
    return folder.resolve() if folder and (folder / FILE_NAME).is_file() else None


def _link(plan: Reproduction) -> None:
    """Link what git does not know into the rebuilt tree.

    Raises:
        Failure: It is there already.
    """
    for each in plan.links:
        link, target = plan.tree / each, plan.code.root / each
        if os.path.lexists(link):
            msg = f"{each} is in the rebuilt tree already: git knows it, so it needs no --link"
            raise Failure(msg)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target, target_is_directory=target.is_dir())


def _tell_differences(differences: Sequence[str]) -> None:
    for each in differences[:_MOST_TOLD]:
        render.tell(f"Differs: {each}")
    if len(differences) > _MOST_TOLD:
        render.tell(f"Differs: {len(differences) - _MOST_TOLD} more packages")


def _told_as_missing(what: list[str]) -> list[str]:
    for each in what:
        render.tell(f"Missing: {each}")
    return what


def _removal(plan: Reproduction) -> list[str]:
    """Return the command by which git forgets the rebuilt tree."""
    return ["git", "-C", str(plan.code.repository), "worktree", "remove", "--force", str(plan.tree)]


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
    render.tell(f"$ cd {as_words([as_typed(plan.cwd)])} && {as_words(words)}")
    return run_application(words, plan.cwd, plan.environment_for(interpreter))


def _results(plan: Reproduction) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """Return what each job found out, then and now; and how it ended, where it did not complete."""
    then = {number: _told(run.record) for number, run in plan.origins.items()}
    if plan.is_sweep:
        jobs = read_sweep(plan.output).jobs if plan.output.is_dir() else []
        found = {job.num: run_in(job.directory(plan.output)) for job in jobs}
    else:
        found = {0: run_in(plan.output)}
    now = {number: _told(run.record) for number, run in found.items() if run}
    pairs = {number: (told, now.get(number, {"status": "(not started)"})) for number, told in then.items()}
    return {number: _without_success(*pair) for number, pair in pairs.items()}


def _told(data: dict[str, Any]) -> dict[str, Any]:
    result, error = data.get("result"), data.get("error")
    told = {"status": record.status(data), **(flatten(result) if isinstance(result, dict) else {})}
    return {**told, **({"error": f"{error.get('type')}: {error.get('message')}"} if isinstance(error, dict) else {})}


def _without_success(then: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    if then["status"] == now["status"] == "completed":
        del then["status"], now["status"]
    return then, now
