"""What does it take to run the same thing again: which code, which command, where, and with what around it?"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.cli import Failure
from hydra_callbacks.cli.links import of_links
from hydra_callbacks.cli.recorded_packages import place_of
from hydra_callbacks.provenance.moved import Moved, inside
from hydra_callbacks.provenance.worktree import Code, code_of
from hydra_callbacks.runs import environment
from hydra_callbacks.runs.command_line import CommandLine, assigned, flags_of
from hydra_callbacks.runs.find import Run, run_in
from hydra_callbacks.runs.record import REPRODUCES, section
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.support.redact import REDACTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hydra_callbacks.cli.interpreter import Interpreter

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SHELF = "reproduced"
"""The folder beside a run in which all stands that reproduces it, or others beside it."""
_OF_THE_MACHINE = {"PATH", "HOME", "PWD", "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONHOME"}


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What is to be done.

    Attributes:
        of: The run's id, or the sweep's directory.
        origins: The runs that are reproduced, by number; a single one has the number 0.
        code: The code.
        folder: Where all is made: `code`, and `run` or `sweep`.
        words: What stood behind `python`, but for what is given anew, and for where it writes.
        is_sweep: Whether it is a whole sweep.
        links: What is linked into the rebuilt tree, relative to its top.
        given: Overrides that take the place of recorded ones.
    """

    of: str
    origins: dict[int, Run]
    code: Code
    folder: Path
    words: list[str]
    is_sweep: bool
    links: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def tree(self) -> Path:
        """Where the code is rebuilt."""
        return self.folder / "code"

    @property
    def output(self) -> Path:
        """Where the new run or sweep writes."""
        return self.folder / ("sweep" if self.is_sweep else "run")

    def command(self) -> list[str]:
        """Return the words behind `python`, with paths into the original tree that lead into the rebuilt one."""
        first, *more = self.words
        program = first if first == "-m" else self.moved.program(first)
        return [*self._flags(), program, *map(self.moved.word, more)]

    def _flags(self) -> list[str]:
        """Return the interpreter's options, where EnvironmentInfo recorded them."""
        words = environment.document(self._run.record, self._run.directory).get("command")
        return flags_of(words) if isinstance(words, list) else []

    @property
    def moved(self) -> Moved:
        """What led into the original tree."""
        return Moved(self.code, self.tree, Path(str(self._run.record.get("cwd") or self.code.root)))

    @property
    def cwd(self) -> Path:
        """Where the application is started."""
        return self.moved.cwd

    @property
    def makes_shelf(self) -> bool:
        """Whether the folder in which it stands beside others is yet to be made."""
        return self.folder.parent.name == SHELF and not self.folder.parent.exists()

    def removal(self) -> list[str]:
        """Return the command by which git forgets the rebuilt tree."""
        return ["git", "-C", str(self.code.repository), "worktree", "remove", "--force", str(self.tree)]

    @property
    def _run(self) -> Run:
        return next(iter(self.origins.values()))

    @property
    def _section(self) -> dict[str, Any]:
        return section(self._run.record, "environment")

    @property
    def python(self) -> str | None:
        """The version of Python that was recorded."""
        version = self._section.get("python")
        return str(version) if version else None

    def packages(self, key: str = "packages") -> dict[str, Any]:
        """Return the packages that were recorded, name to version; or, with the key `origins`, where some came from."""
        found = environment.document(self._run.record, self._run.directory).get(key)
        return found if isinstance(found, dict) else {}

    def environment_for(self, interpreter: Interpreter) -> dict[str, str]:
        """Return the variables that are set: recorded ones, and a path on which the rebuilt code is first."""
        root = str(self.code.root) + os.sep
        here = [place for place in interpreter.path if place == str(self.code.root) or place.startswith(root)]
        for origin in self.packages("origins").values():
            place = place_of(origin) if origin.get("editable") else None
            if place and (place + os.sep).startswith(root):
                here += [each for each in (f"{place}/src", place) if Path(inside(each, self.code, self.tree)).is_dir()]
        places = [inside(place, self.code, self.tree) for place in dict.fromkeys(here)]
        now = Moved(self.code, self.tree, Path.cwd()).search_path(os.environ.get("PYTHONPATH", ""))
        given = self._section.get("variables")
        told = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
        usable = {name: value for name, value in told.items() if REDACTED not in value and _VARIABLE.fullmatch(name)}
        then = self.moved.search_path(usable.pop("PYTHONPATH", ""))
        first = os.pathsep.join(filter(None, [*places, now, then]))
        kept = {name: self.moved.word(value) for name, value in usable.items() if name not in _OF_THE_MACHINE}
        return {**kept, REPRODUCES: self.of, **({"PYTHONPATH": first} if first else {})}

    def differences(self, interpreter: Interpreter) -> list[str]:
        """Return in what an interpreter and its packages differ from what was recorded, in words."""
        then, now = self.packages(), interpreter.packages()
        told = []
        if self.python not in {None, interpreter.version}:
            told.append(f"Python: {self.python} then, {interpreter.version} now")
        if not then:
            return [*told, "the packages are not known: EnvironmentInfo was off"]
        pairs = {name: (then.get(name), now.get(name)) for name in sorted({**then, **now})}
        return told + [
            f"{name}: {before or '(not there)'} then, {after or '(not there)'} now"
            for name, (before, after) in pairs.items()
            if before != after and before is not None
        ]


def of_run(
    run: Run, into: Path | None, extra: Sequence[str], links: Sequence[str], *, is_later: bool = False
) -> Reproduction:
    """Return what it takes to reproduce one run, or one job of a sweep.

    Args:
        run: The run.
        into: A folder for all that is made; None for one beside the run.
        extra: Overrides that take the place of recorded ones.
        links: What is linked into the rebuilt tree, relative to the top of the original one.
        is_later: Whether it is done at another time, maybe after others: then its folder has a name of its own.

    Raises:
        GitError: Its code cannot be had.
        Failure: A secret must be given again.
    """
    record = run.record
    code = code_of(record, run.directory)
    name = re.sub(r"\W", "", str(record.get("id") or run.directory.name))[-12:]
    folder = into or _free(_base(record, run.directory), name, is_later=is_later)
    words = [str(word) for word in record.get("overrides") or []]
    line = CommandLine.of(record.get("command"))
    place = assigned("hydra.run.dir", str(folder / "run"))
    final = [*line.places(), *_replaced([*line.of_hydra(), *_as_a_job(section(record, "job")), *words], extra), place]
    return Reproduction(
        of=str(record.get("id") or run.place),
        origins={0: run},
        code=code,
        folder=folder,
        words=[*line.program, *_without_secrets(final)],
        links=of_links(links, code.root),
        given=tuple(extra),
        is_sweep=False,
    )


def of_sweep(
    directory: Path, into: Path | None, extra: Sequence[str], links: Sequence[str], *, is_later: bool = False
) -> Reproduction:
    """Return what it takes to reproduce a whole sweep; arguments and errors as for `of_run`."""
    sweep = read_sweep(directory)
    origin = sweep.origin or sweep.launch
    found = {job.num: run_in(job.directory(directory)) for job in sweep.jobs if job.num is not None}
    runs = {num: run for num, run in found.items() if run and not run.problem and run.record.get("git")}
    if origin is None or not runs:
        msg = f"{directory} has no journal, or none of its jobs recorded a commit; reproduce a single job instead"
        raise Failure(msg)
    first = next(iter(runs.values()))
    code = code_of(first.record, first.directory)
    folder = into or _free(_base(first.record, directory), directory.name, is_later=is_later)
    line = CommandLine.of(origin.command)
    kept = [word for word in line.overrides if not word.startswith(("hydra.sweep.dir=", "hydra/sweeper=resume"))]
    place = assigned("hydra.sweep.dir", str(folder / "sweep"))
    final = [*line.options, "-m", *_replaced(kept, extra), place]
    return Reproduction(
        of=str(directory),
        origins=runs,
        code=code,
        folder=folder,
        words=[*line.program, *_without_secrets(final)],
        links=of_links(links, code.root),
        given=tuple(extra),
        is_sweep=True,
    )


def _as_a_job(job: Mapping[str, Any]) -> list[str]:
    """Return the overrides that tell a single run what a job of a sweep knows of itself."""
    if not job.get("sweep"):
        return []
    told = [assigned("hydra.job.id", str(job["id"]), is_text=True)] if job.get("id") is not None else []
    return [f"hydra.job.num={job['num']}", *told] if isinstance(job.get("num"), int) else told


def _without_secrets(words: list[str]) -> list[str]:
    """Return words, of which none lacks a value that was secret.

    Raises:
        Failure: One does.
    """
    secret = [word.partition("=")[0] for word in words if REDACTED in word]
    if secret:
        msg = (
            f"the value of {', '.join(secret)} was not kept, as its name says that it is secret; give it again, as in\n"
        )
        msg += f"  hydra-callbacks reproduce RUN {secret[0]}=..."
        raise Failure(msg)
    return words


def _replaced(words: Sequence[str], extra: Sequence[str]) -> list[str]:
    """Return words, with those whose keys are given anew in their new form."""

    def key(word: str) -> str:
        return word.partition("=")[0].lstrip("+~")

    given = {key(word) for word in extra}
    return [*(word for word in words if key(word) not in given), *extra]


def _base(record: Mapping[str, Any], directory: Path) -> Path:
    """Return the folder that the application writes its runs to, as `outputs`; else that in which the run lies."""
    place, cwd = directory.absolute(), Path(str(record.get("cwd") or ""))
    if place.is_relative_to(cwd) and len(place.relative_to(cwd).parts) > 1:
        return cwd / place.relative_to(cwd).parts[0] / SHELF
    return place.parent / SHELF


def _free(base: Path, name: str, *, is_later: bool) -> Path:
    """Return a folder that is not there yet, and will not be at another time, if it must not."""
    if is_later:
        return base / f"{name}-{secrets.token_hex(3)}"
    names = (name, *(f"{name}-{number}" for number in range(2, 10_000)))
    return next(base / each for each in names if not (base / each).exists())
