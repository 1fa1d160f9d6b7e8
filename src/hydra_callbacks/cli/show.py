"""`hydra-callbacks show RUN`: what was this run, and what became of it?"""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import options, render
from hydra_callbacks.cli.console_end import last_lines
from hydra_callbacks.cli.list import local_time
from hydra_callbacks.cli.used import used_lines
from hydra_callbacks.runs import death, environment, record
from hydra_callbacks.runs.find import as_typed
from hydra_callbacks.runs.resolve import find_run
from hydra_callbacks.support import texts
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from hydra_callbacks.runs.find import Run

_SHOWN_ABOVE = {
    *("schema", "id", "attempt", "app", "config_name", "status", "started_at", "ended_at", "duration_s", "job"),
    *("error", "overrides", "command", "cwd", "output_dir", "sweep_dir", "host"),
    "evidence",
}
_TOLD_ABOVE = {("git", "sha"), ("git", "branch"), ("git", "is_dirty"), ("crash", "log")}  # that stands in the report
_FIRST = ("result", "config")
_UNITS: dict[str, Callable[[float], str]] = {
    "_bytes": texts.size,
    "_s": texts.duration,
    "_percent": lambda value: f"{value:.0f} %",
}
"""Endings of the names that this library gives to figures, to how those are told."""


@click.command("show")
@click.argument("run_", metavar="RUN", shell_complete=options.complete_run)
@options.where_option
@click.option("--json", "as_json", is_flag=True, help="Print the run record as it is.")
def command(run_: str, where: str | None, as_json: bool) -> None:
    """Show what is known of one run.

    Of a failed one, the traceback, too. Of what it has used, the figures that people ask for; --json has all. What has
    no run record any more is shown as the register knows it.
    """
    run(find_run(run_, where), sys.stdout, as_json=as_json)


def run(found: Run, out: IO[str], *, as_json: bool = False, width: int | None = None) -> None:
    """Print a run.

    Args:
        found: The run.
        out: Where it is printed.
        as_json: Print the record as JSON.
        width: In characters; that of the terminal when None.
    """
    if as_json:
        render.as_json(found.record, out)
        return
    onto = render.console(out, width)
    data = found.record
    state = record.status(data)
    _print_head(found, state, onto)
    _print_pairs({name: value for name, value in _facts(found).items() if value}, onto)
    for name in sorted(data.keys() - _SHOWN_ABOVE, key=lambda name: (*(name != each for each in _FIRST), name)):
        shown = _shown(name, found)
        section = flatten(shown) if isinstance(shown, dict) else {"": shown}
        section = {key: value for key, value in section.items() if (name, key) not in _TOLD_ABOVE}
        if section:
            onto.print(f"\n{name}")
            _print_pairs({key: _told(name, key, value) for key, value in section.items()}, onto)
    printed = last_lines(found.directory, data) if state in {"failed", "lost"} else []
    if printed:
        onto.print("\nprinted last")
        onto.print("\n".join(f"  {line}".rstrip() for line in printed), soft_wrap=True)
    trace = record.section(data, "error").get("traceback")
    if not trace and state == "lost":
        trace = death.fault_of(data, found.directory)
    if trace:
        onto.print(f"\n{str(trace).rstrip()}", soft_wrap=True)


def _shown(name: str, found: Run) -> Any:
    """Return a section as it is shown."""
    if name == "environment":
        return _environment(found)
    if name == "resources":  # all of its figures would fill the screen
        return used_lines(record.section(found.record, name)) or found.record[name]
    return found.record[name]


def _environment(found: Run) -> Any:
    """Return the section, with what stands in the file that it names: of the packages, their number."""
    section = found.record["environment"]
    if not environment.document(found.record, found.directory):
        return section
    packages = environment.packages_of(found.record, found.directory)
    return {
        **environment.facts_of(found.record, found.directory),
        **({"n_packages": len(packages)} if packages else {}),
    }


def _print_head(found: Run, state: str, onto: Console) -> None:
    sign = onto.render_str(texts.status(state, onto), style=texts.style_of(state))
    place = onto.render_str(as_typed(found.directory), style="bold")
    onto.print(sign, place, sep="   ", soft_wrap=True)
    error = record.section(found.record, "error")
    if error:
        text = f"{error.get('type')}: {error.get('message')}".replace("\n", "\n  ")
        onto.print(f"  {text}", style=texts.style_of(state), soft_wrap=True)
    if state == "lost":
        onto.print(f"  Its process is gone: {death.cause_of(found.record, found.directory)}", soft_wrap=True)
    if state == "unknown":
        onto.print("  It has no run record: this is what Hydra's own files tell.")
    if not found.directory.is_dir():
        onto.print("  Its directory is gone: this is what the register tells.")
    onto.print()


def _print_pairs(pairs: dict[str, str], onto: Console) -> None:
    """Print names and values, each as a line that can be copied, however long it is."""
    names = list(map(texts.printable, pairs))
    wide = max(map(len, names))
    for name, value in zip(names, pairs.values(), strict=True):
        text = value.replace("\n", "\n" + " " * (wide + 4))
        onto.print(f"  {name:<{wide}}  {text}".rstrip(), soft_wrap=True)


def _facts(found: Run) -> dict[str, str]:
    """Return what is told first, each in a line."""
    data = found.record
    job, host, git = (record.section(data, key) for key in ("job", "host", "git"))
    attempt = data.get("attempt") or 1
    app = [str(data.get("app") or ""), f"job {job.get('num')} of its sweep" if job.get("sweep") else ""]
    app.append(f"attempt {attempt}" if attempt != 1 else "")
    took = texts.duration(data.get("duration_s"))
    machine = [str(host.get("name") or ""), f"process {host['pid']}" if host.get("pid") else ""]
    machine += [f"user {host['user']}" if host.get("user") else ""]
    machine += [f"Slurm job {host['slurm_job_id']}" if host.get("slurm_job_id") else ""]
    commit = [str(git.get("sha") or ""), str(git.get("branch") or ""), "dirty" if git.get("is_dirty") else ""]
    return {
        "app": ", ".join(filter(None, app)),
        "started": local_time(str(data.get("started_at") or "")) + (f", took {took}" if took else ""),
        "id": str(data.get("id") or ""),
        "overrides": texts.as_words(data.get("overrides") or []),
        "command": texts.as_words(data.get("command") or []),
        "in": str(data.get("cwd") or ""),
        "git": ", ".join(filter(None, commit)),
        "host": ", ".join(filter(None, machine)),
    }


def _told(section: str, key: str, value: Any) -> str:
    """Return a value with its unit, where the name is this library's and says it; timers are in seconds."""
    if (section, key) == ("git", "left_out") and isinstance(value, list):
        return "\n".join(map(_left_out, value))
    if section not in _FIRST and is_number(value):
        for ending, told in _UNITS.items():
            if key.endswith(ending) or (section, ending) == ("timers", "_s"):
                return told(value)
    return "null" if value is None else texts.shown(value)


def _left_out(lacking: Any) -> str:
    """Return a file that the patch lacks, and why."""
    return f"{lacking.get('file')}: {lacking.get('why')}" if isinstance(lacking, dict) else texts.shown(lacking)
