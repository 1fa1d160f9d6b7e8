"""With which commands does one go on from a report?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs import record
from hydra_callbacks.runs.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Command = tuple[str, list[str]]
_PROGRAM = "hydra-callbacks"
_MOST_APPS = 5  # of which the best can be asked for


def of_run(data: dict[str, Any], directory: Path, *, label: str = "it", why: str = "") -> list[Command]:
    """Return the commands that run a run again: in the code as it is now, and in its own.

    Args:
        data: Its record.
        directory: Its output directory.
        label: What the run is called in the labels, as in "job 3".
        why: Why it is this one, as in "the best by accuracy"; a page may show another as the best by then.
    """
    words = [str(word) for word in data.get("overrides") or []]
    which = f", {why}" if why else ""
    cwd = data.get("cwd")
    where = f", in {cwd}" if cwd else ""
    found: list[Command] = []
    if data.get("command"):
        again = CommandLine.of(data["command"]).again(words)
        found.append((f"Run {label} again{which}, with the code as it is now{where}", again))
    if record.section(data, "git").get("sha"):
        reproduce = [_PROGRAM, "reproduce", str(directory)]
        found.append((f"Reproduce {label}{which}, with its own code", reproduce))
    return found


def of_sweep(directory: Path, counts: dict[str, int], n_jobs: int) -> list[Command]:
    """Return the commands that go on with a sweep, where there is something left to do.

    Args:
        directory: Its directory.
        counts: How many jobs there are of each status.
        n_jobs: How many there are.
    """
    words = [_PROGRAM, "resume", str(directory)]
    left = n_jobs - counts.get("completed", 0) - counts.get("running", 0)
    return [("Run what is not completed", words)] if left else []


def of_register(location: str, by_app: Sequence[dict[str, Any]]) -> list[Command]:
    """Return the commands that ask a register for more.

    Args:
        location: Its file or URL, or the directory that is read like one.
        by_app: What is told of each application, that with the most runs first.
    """
    found: list[Command] = [("List its runs", [_PROGRAM, "list", location])]
    for told in [each for each in by_app if each["best"]][:_MOST_APPS]:
        best, app = told["best"], told["app"]
        words = [_PROGRAM, "best", f"result.{best['name']}", location, "--max" if best["is_max"] else "--min"]
        which = "them"
        if len(by_app) > 1:
            words += ["--filter", f"run-app = {_quoted(app) if app else 'null'}"]
            which = app or "those of no application"
        found.append((f"The best of {which}", words))
    return found


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
