"""In which environment did a run take place: Python, packages, lock files, machine, command, variables?"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import re
import sys
import threading
import zlib
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from hydra_callbacks.provenance import gpus, machine, packages, schedulers
from hydra_callbacks.provenance.lock_files import lock_files
from hydra_callbacks.support.files import write_whole
from hydra_callbacks.support.plain import text_of
from hydra_callbacks.support.redact import Redactor, overrides

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

SCHEMA = 1
FILE_NAME = "environment.json"


@dataclass(frozen=True, slots=True)
class Application:
    """An application as it is at one moment: all of this the task may change while the rest is read.

    Attributes:
        hydra: Hydra's version.
        cwd: Where it was started.
        program: Its file; None where that is not known.
        command: The whole command line of this process.
        argv: `sys.argv`.
        path: `sys.path`.
        variables: The chosen environment variables; secrets are still among them.
    """

    hydra: str
    cwd: Path
    program: Path | None
    command: list[str]
    argv: list[str]
    path: list[str]
    variables: dict[str, str]

    @classmethod
    def now(cls, *, hydra: str, cwd: Path, program: Path | None = None, variables: Iterable[str] = ()) -> Application:
        """Return what holds now.

        Args:
            hydra: As above.
            cwd: As above.
            program: As above.
            variables: Names of the variables, glob patterns among them.
        """
        path = [os.path.abspath(place) for place in sys.path if isinstance(place, str)]  # noqa: PTH100  (links stay)
        return cls(hydra, cwd, program, list(sys.orig_argv), list(sys.argv), path, chosen(variables))


def capture(app: Application, redactor: Redactor, *, with_packages: bool = True) -> dict[str, Any]:
    """Return what is to be known of this process's environment, plain and without secrets.

    What cannot be told is left out, and `problems` says why.

    Args:
        app: The application; lock files are looked for where it was started, and where its file lies.
        redactor: What takes the secrets out.
        with_packages: Whether to list the installed packages.
    """
    parts: dict[str, Callable[[], Any]] = {
        "captured_at": lambda: datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "python": lambda: {**python_facts(), "path": app.path},
        "hydra": lambda: app.hydra,
        "command": lambda: overrides(app.command, redactor),
        "argv": lambda: overrides(app.argv, redactor),
        "host": platform.node,
        "os": machine.os_facts,
        "cpu": machine.cpu_facts,
        "memory": machine.memory_facts,
        "gpus": gpus.gpu_facts,
        "container": machine.container_facts,
        "scheduler": schedulers.job_facts,
        "variables": lambda: app.variables,
        "lock_files": lambda: lock_files(app.cwd, app.program),
    }
    told: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, tell in parts.items():
        _try(name, tell, told, problems)
    installed: dict[str, Any] = {}
    if with_packages:
        _try("packages", lambda: packages.installed(app.path), installed, problems)
    document = {"schema": SCHEMA, **redactor.data(told)}
    if "packages" in installed:
        # Not by name: what is installed as `tiktoken` is no secret.
        found: list[packages.Package] = installed["packages"]
        document["packages"] = {package.name: package.version for package in found}
        document["origins"] = {package.name: redactor.data(package.origin) for package in found if package.origin}
    document["problems"] = redactor.data(problems)
    return {key: value for key, value in document.items() if value}


def _try(name: str, tell: Callable[[], Any], told: dict[str, Any], problems: dict[str, str]) -> None:
    """Add what a part tells, or why it cannot: an odd system costs that part only."""
    try:
        told[name] = tell()
    except Exception as error:  # noqa: BLE001  (see above)
        problems[name] = f"{type(error).__name__}: {text_of(error)}"


def write(file: Path, document: Mapping[str, Any]) -> None:
    """Write a document in one step, making its folder when missing.

    Raises:
        OSError: It cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode(errors="backslashreplace"))


class Capture:
    """Reads the environment into a file, in a thread of its own, beside what the process does meanwhile.

    Args:
        file: The file; its folder is made when missing.
        app: As `capture` takes it.
        redactor: Likewise.
        with_packages: Likewise.
    """

    def __init__(self, file: Path, app: Application, redactor: Redactor, *, with_packages: bool = True) -> None:
        self._file = file
        self._read = partial(capture, app, redactor, with_packages=with_packages)
        self._error: Exception | None = None
        self._problems: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="environment", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            document = self._read()
            self._problems = document.get("problems", {})
            write(self._file, document)
        except Exception as error:  # noqa: BLE001  (told to who waits)
            self._error = error

    def wait(self, timeout_s: float) -> dict[str, str]:
        """Wait until it is written, and return what could not be told: the part, and why.

        Raises:
            OSError: It could not be written.
            TimeoutError: It takes longer than that; it goes on.
        """
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            msg = f"{self._file} is not written after {timeout_s:g} s: is a file system in the way?"
            raise TimeoutError(msg)
        if self._error:
            raise self._error
        return self._problems


def python_facts() -> dict[str, str]:
    """Return `version`, `implementation`, `executable`, `prefix` and `base_prefix` of this Python."""
    return {
        "version": python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
    }


def python_version() -> str:
    """Return the version of this Python, as in `3.11.7` or `3.14.0rc1`."""
    return sys.version.split(maxsplit=1)[0]


def identity() -> tuple[str, ...]:
    """Return what is the same in two processes whose environments are: machine, interpreter and its installation."""
    return platform.node(), python_version(), sys.executable, sys.prefix


def file_name_of(identity: Sequence[str], stem: str) -> str:
    """Return the name of the file for an environment, beside that of the launching process.

    Args:
        identity: What `identity` returned there.
        stem: Name of the launching process's file, without its ending.
    """
    host = re.sub(r"[^\w.-]", "_", identity[0])[:64]
    return f"{stem}-{host}-{zlib.crc32(repr(tuple(identity)).encode(errors='replace')):08x}.json"


def free_name(folder: Path) -> str:
    """Return the name for the file of a launch: of an earlier launch in the same folder, jobs still name the file."""
    number = 1
    name = FILE_NAME
    while (folder / name).exists():
        number += 1
        name = f"environment-{number}.json"
    return name


def chosen(patterns: Iterable[str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that are on an allow list; secrets are still among them.

    Args:
        patterns: Names, glob patterns among them.
        environ: Variables; the process's own when None.
    """
    variables = os.environ if environ is None else environ
    names = sorted({name for pattern in patterns for name in fnmatch.filter(variables, pattern)})
    return {name: variables[name] for name in names if name in variables}  # one may go meanwhile
