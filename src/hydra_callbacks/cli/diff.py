"""`hydra-callbacks diff RUN RUN ...`: in what do these runs differ?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import options, render
from hydra_callbacks.provenance import git
from hydra_callbacks.runs import environment
from hydra_callbacks.runs.filters import comparable
from hydra_callbacks.runs.find import as_typed
from hydra_callbacks.runs.resolve import find_run
from hydra_callbacks.support import texts
from hydra_callbacks.support.nested import flatten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra_callbacks.runs.find import Run

_SECTIONS = ("app", "config", "overrides", "git", "environment", "packages", "result")
_OF_ITS_OWN = {"file", "packages", "slurm", "ray", "kubernetes"}  # of an environment, what differs in any two runs
_MOST_COMMITS = 20
_SHA = 8  # characters that are shown of it


@click.command("diff")
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True, shell_complete=options.complete_run)
@options.where_option
@options.format_option
def command(runs: tuple[str, ...], where: str | None, form: render.Format) -> None:
    """Show in what two or more runs differ.

    What is compared: configuration, overrides, git, environment, packages and result. Between different commits, those
    that lie between them are listed, if their repository is here.
    """
    if len(runs) < 2:  # noqa: PLR2004  (one differs from nothing)
        msg = f"two runs or more are compared, got {len(runs)}"
        raise click.UsageError(msg)
    run([find_run(name, where) for name in runs], form, sys.stdout)


def run(found: Sequence[Run], form: render.Format, out: IO[str], *, width: int | None = None) -> None:
    """Print what differs.

    Args:
        found: The runs, two or more.
        form: "table", "csv", "json" or "parquet".
        out: Where it is printed.
        width: Of the tables, in characters; that of the terminal when None.
    """
    names = _names(found)
    rows = [
        {"section": section, "key": key, **dict(zip(names, values, strict=True))}
        for section, differing in _differences(found).items()
        for key, values in differing.items()
    ]
    if form != "table":
        render.write(rows, form, out)
        return
    onto = render.console(out, width)
    if not rows:
        onto.print(f"No difference in {', '.join(_SECTIONS[1:])}")
        return
    heads = _heads(names, onto.width)
    cells: list[dict[str, str]] = []
    for section in dict.fromkeys(row["section"] for row in rows):
        cells.append({"": section, **dict.fromkeys(heads, "")})
        for row in rows:
            if row["section"] == section:
                values = [_shown(row["key"], row[name]) for name in names]
                cells.append({"": f"  {row['key']}", **dict(zip(heads, values, strict=True))})
    render.table(cells, onto, numbers=False)
    for line in _commits(found):
        onto.print(line, soft_wrap=True)


def _shown(key: str, value: Any) -> str:
    if value == "":
        return "''"
    return str(value)[:_SHA] if key == "sha" and value else texts.shown(value)


def _differences(found: Sequence[Run]) -> dict[str, dict[str, list[Any]]]:
    """Return, for each section, the keys in which the runs differ, with each run's value."""
    told = [_sections(run) for run in found]
    differences: dict[str, dict[str, list[Any]]] = {}
    for section in _SECTIONS:
        values = [each[section] for each in told]
        known = [each for each in values if each] if section == "packages" else values
        keys = dict.fromkeys(key for each in values for key in each)
        differing = [key for key in keys if len({comparable(each.get(key)) for each in known}) > 1]
        if differing:
            differences[section] = {key: [each.get(key) for each in values] for key in differing}
    return differences


def _sections(run: Run) -> dict[str, dict[str, Any]]:
    data = run.record
    told = {section: flatten(data[section]) if isinstance(data.get(section), dict) else {} for section in _SECTIONS}
    for key in told["git"]:
        told["config"].pop(f"git.{key}", None)  # where GitInfo shows it to the task
    told["app"] = {"app": data.get("app")}
    told["overrides"] = {
        name: value if equals else "(deleted)"
        for name, equals, value in (str(word).partition("=") for word in data.get("overrides") or [])
    }
    told["packages"] = environment.packages_of(data, run.directory)
    facts = environment.facts_of(data, run.directory)
    told["environment"] = flatten({key: value for key, value in facts.items() if key not in _OF_ITS_OWN})
    return told


def _commits(found: Sequence[Run]) -> list[str]:
    """Return the commits between the first run's and the last one's, as text; what keeps them from being told."""
    first, last = (run.record.get("git") or {} for run in (found[0], found[-1]))
    if not first.get("sha") or not last.get("sha") or first["sha"] == last["sha"]:
        return []
    directory = Path(str(found[-1].record.get("cwd") or "."))
    between = git.commits_between(directory if directory.is_dir() else Path.cwd(), first["sha"], last["sha"])
    if between is None:
        return ["The commits between them cannot be told: their repository is not here."]
    shown = [f"  {line}" for line in between[:_MOST_COMMITS]]
    more = [f"  ... and {len(between) - _MOST_COMMITS} more"] if len(between) > _MOST_COMMITS else []
    many = texts.counted(len(between), "commit")
    return [f"{many} between them (> only in the last run, < only in the first):", *shown, *more]


def _names(found: Sequence[Run]) -> list[str]:
    """Return what each run is called at the head of its column: its directory, less what all have in common."""
    places = [as_typed(run.directory) for run in found]
    parts = [Path(place).parts for place in places]
    n_common = 0
    while all(len(each) > n_common + 1 for each in parts) and len({each[n_common] for each in parts}) == 1:
        n_common += 1
    names = [str(Path(*each[n_common:])) for each in parts]
    return names if len(set(names)) == len(names) else [f"{name} ({index})" for index, name in enumerate(names, 1)]


def _heads(names: Sequence[str], width: int) -> list[str]:
    """Return the names as they stand at the head of a table, in several lines where there is little room."""
    fits = max(map(len, names)) < width // (len(names) + 1)
    return list(names) if fits else [name.replace(os.sep, f"{os.sep}\n") for name in names]
