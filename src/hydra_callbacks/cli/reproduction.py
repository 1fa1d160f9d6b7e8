"""What does it take to run the same thing again: which code, which command, where, and with what around it?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.cli import Failure
from hydra_callbacks.cli.recorded_packages import place_of
from hydra_callbacks.provenance import packages
from hydra_callbacks.provenance.worktree import Code, code_of, inside, mapped
from hydra_callbacks.runs import environment
from hydra_callbacks.runs.command_line import CommandLine, assigned
from hydra_callbacks.runs.find import Run, run_in
from hydra_callbacks.runs.record import REPRODUCES, section
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.support.redact import REDACTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_THE_MACHINE = {"PATH", "HOME", "PWD", "LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONHOME"}
_TELL_PATH = "import json, platform, sys; print(json.dumps([platform.python_version(), sys.path[1:]]))"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that is to run the application.

    Attributes:
        program: Its path.
        version: Its version.
        path: Where it looks for modules.
    """

    program: str
    version: str
    path: list[str]

    @classmethod
    def of(cls, program: str) -> Interpreter:
        """Ask one.

        Raises:
            Failure: It cannot be run.
        """
        try:
            with tempfile.TemporaryDirectory() as nowhere:
                done = subprocess.run(  # noqa: S603  (the user's own)
                    [program, "-c", _TELL_PATH], cwd=nowhere, capture_output=True, check=True
                )
            version, path = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            msg = f"{program} cannot be run ({error}); name another with --python, or let one be made with --create-env"
            raise Failure(msg) from error
        return cls(program, version, path)

    def packages(self) -> dict[str, str]:
        """Return its packages and their versions."""
        return {package.name: package.version for package in packages.installed(self.path)}


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What is to be done.

    Attributes:
        of: The run's id, or the sweep's directory.
        origins: The runs that are reproduced, by number; a single one has the number 0.
        code: The code.
        folder: Where all is made: `code`, and `run` or `sweep`.
        words: What stands behind `python`.
        is_sweep: Whether it is a whole sweep.
        links: What is linked into the rebuilt tree, relative to its top.
    """

    of: str
    origins: dict[int, Run]
    code: Code
    folder: Path
    words: list[str]
    is_sweep: bool
    links: tuple[str, ...] = ()

    @property
    def tree(self) -> Path:
        """Where the code is rebuilt."""
        return self.folder / "code"

    @property
    def output(self) -> Path:
        """Where the new run or sweep writes."""
        return self.folder / ("sweep" if self.is_sweep else "run")

    def command(self) -> list[str]:
        """Return the words, with paths into the original tree that lead into the rebuilt one, once it is there."""
        return [mapped(word, self.code, self.tree) for word in self.words]

    @property
    def cwd(self) -> Path:
        """Where the application is started."""
        return Path(inside(str(self._run.record.get("cwd") or self.code.root), self.code, self.tree))

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
        first = os.pathsep.join([*places, *filter(None, [os.environ.get("PYTHONPATH")])])
        given = self._section.get("variables")
        told = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
        kept = {
            name: mapped(value, self.code, self.tree)
            for name, value in told.items()
            if REDACTED not in value and _VARIABLE.fullmatch(name) and name not in _OF_THE_MACHINE
        }
        first = os.pathsep.join(filter(None, [first, kept.pop("PYTHONPATH", "")]))
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


def of_run(run: Run, into: Path | None, extra: Sequence[str], links: Sequence[str]) -> Reproduction:
    """Return what it takes to reproduce one run, or one job of a sweep.

    Args:
        run: The run.
        into: A folder for all that is made; None for one beside the run.
        extra: Overrides that take the place of recorded ones.
        links: What is linked into the rebuilt tree, relative to the top of the original one.

    Raises:
        GitError: Its code cannot be had.
        Failure: A secret must be given again.
    """
    record = run.record
    code = code_of(record, run.directory)
    folder = into or _free(
        _base(record, run.directory), re.sub(r"\W", "", str(record.get("id") or run.directory.name))[-12:]
    )
    words = [str(word) for word in record.get("overrides") or []]
    number = (record.get("job") or {}).get("num")
    if isinstance(number, int) and "hydra:job.num" in _config_text(run.directory):
        words.append(f"hydra.job.num={number}")
    line = CommandLine.of(record.get("command"))
    place = assigned("hydra.run.dir", str(folder / "run"))
    final = [*line.places(), *_replaced([*line.of_hydra(), *words], extra), place]
    return Reproduction(
        of=str(record.get("id") or run.place),
        origins={0: run},
        code=code,
        folder=folder,
        words=[*_program(line, code, folder), *_without_secrets(final)],
        links=tuple(links),
        is_sweep=False,
    )


def of_sweep(directory: Path, into: Path | None, extra: Sequence[str], links: Sequence[str]) -> Reproduction:
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
    folder = into or _free(_base(first.record, directory), directory.name)
    line = CommandLine.of(origin.command)
    kept = [word for word in line.overrides if not word.startswith(("hydra.sweep.dir=", "hydra/sweeper=resume"))]
    place = assigned("hydra.sweep.dir", str(folder / "sweep"))
    final = [*line.options, "-m", *_replaced(kept, extra), place]
    return Reproduction(
        of=str(directory),
        origins=runs,
        code=code,
        folder=folder,
        words=[*_program(line, code, folder), *_without_secrets(final)],
        links=tuple(links),
        is_sweep=True,
    )


def _program(line: CommandLine, code: Code, folder: Path) -> list[str]:
    first, *more = line.program
    return [first if first == "-m" else inside(first, code, folder / "code"), *more]


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


def _config_text(directory: Path) -> str:
    try:
        return (
            (directory / ".hydra" / "config.yaml").read_text(encoding="utf-8").replace("hydra.job.num", "hydra:job.num")
        )
    except (OSError, ValueError):
        return ""


def _base(record: Mapping[str, Any], directory: Path) -> Path:
    """Return the folder that the application writes its runs to, as `outputs`; else that in which the run lies."""
    place, cwd = directory.absolute(), Path(str(record.get("cwd") or ""))
    if place.is_relative_to(cwd) and len(place.relative_to(cwd).parts) > 1:
        return cwd / place.relative_to(cwd).parts[0] / "reproduced"
    return place.parent / "reproduced"


def _free(base: Path, name: str) -> Path:
    """Return a folder that is not there yet."""
    names = (name, *(f"{name}-{number}" for number in range(2, 10_000)))
    return next(base / each for each in names if not (base / each).exists())
