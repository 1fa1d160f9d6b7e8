"""With which commands does one go on from a report?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Command = tuple[str, list[str]]
_PROGRAM = "hydra-callbacks"


def of_run(record: dict[str, Any], directory: Path, *, label: str = "") -> list[Command]:
    """Return the commands that run a run again: in the code as it is now, and in its own.

    Args:
        record: Its record.
        directory: Its output directory.
        label: What is said of the run in the labels, as in "the best job".
    """
    line = CommandLine.of(record.get("command"))
    words = [str(word) for word in record.get("overrides") or []]
    git = record.get("git")
    which = f" {label}" if label else ""
    cwd = record.get("cwd")
    where = f", in {cwd}" if cwd else ""
    found: list[Command] = []
    if record.get("command"):
        again = ["python", *line.program, *line.places(), *line.of_hydra(), *words]
        found.append((f"Run{which or ' it'} again, with the code as it is now{where}", again))
    if isinstance(git, dict) and git.get("sha"):
        reproduce = [_PROGRAM, "reproduce", str(directory)]
        found.append((f"Reproduce{which or ' it'}, with its own code", reproduce))
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


def of_register(location: str, columns: Sequence[str]) -> list[Command]:
    """Return the commands that ask a register for more."""
    found: list[Command] = [("List its runs", [_PROGRAM, "list", location])]
    results = [name for name in columns if name.startswith("result.")]
    return found + ([("The best of them", [_PROGRAM, "best", results[0], location])] if results else [])
