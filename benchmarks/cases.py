"""What is measured, against what, and how much more may it be?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from timing import Cost, Ratio, compare, process, rounds

if TYPE_CHECKING:
    from collections.abc import Callable

APPS = Path(__file__).parent / "apps"
_TROUBLE = ("Traceback", "UserWarning")  # as the lifecycle, and Hydra itself, tell of a callback that failed
_FOREIGN_MODULES = """
import json, sys
before = set(sys.modules)
import hydra_callbacks
known = {"hydra_callbacks", *sys.stdlib_module_names}
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before} - known)))
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        name: What was measured.
        compared: The one over the other.
        measure: "cpu" or "wall"; what is counted where the row tells no ratio.
        ratio: What came out; None where the row tells no ratio.
        limit: Most that the ratio may be; None where there is no limit.
        found: What came out where that is no ratio: nothing, unless a figure is told.
        is_over: Whether such a figure is more than it may be.
    """

    name: str
    compared: str
    measure: str
    ratio: Ratio | None = None
    limit: float | None = None
    found: tuple[str, ...] = ()
    is_over: bool | None = None


class TrivialApp:
    """The application in `apps/trivial`, in a git repository of its own.

    Args:
        folder: An empty folder for it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "trivial"
        self._log = folder / "trivial.log"
        shutil.copytree(APPS / "trivial", self._folder, ignore=shutil.ignore_patterns("outputs", "multirun*"))
        who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org", "-c", "commit.gpgsign=false")
        for words in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--message=benchmark")):
            process(["git", *words], cwd=self._folder, log=self._log)

    def runner(self, config: str, *words: str) -> Callable[[], Cost]:
        """Return what runs it once with a config of `apps/trivial/conf`, and removes what it wrote."""

        def run() -> Cost:
            try:
                command = [sys.executable, "app.py", f"--config-name={config}", *words]
                cost = process(command, cwd=self._folder, log=self._log)
                printed = self._log.read_text(encoding="utf-8")
                if any(word in printed for word in _TROUBLE):
                    msg = f"a callback failed, which must not pass for speed:\n{printed}"
                    raise RuntimeError(msg)
                return cost
            finally:
                for written in ("outputs", "multirun", "multiruns"):
                    shutil.rmtree(self._folder / written, ignore_errors=True)

        return run


def start(folder: Path, *, quick: bool) -> list[Row]:
    """A single run."""
    app = TrivialApp(folder)
    costs = rounds("start", {name: app.runner(name) for name in ("bare", "empty", "published")}, 7 if quick else 61)
    bare, empty, published = costs.values()
    return [
        Row("start-empty", "nine empty / no callback", "cpu", compare(empty, bare, "cpu")),
        Row("start", "nine published / nine empty", "cpu", compare(published, empty, "cpu"), limit=1.10),
        Row("start", "nine published / nine empty", "wall", compare(published, empty, "wall")),
    ]


def sweep(folder: Path, *, quick: bool) -> list[Row]:
    """A sweep of forty jobs with the basic launcher."""
    app = TrivialApp(folder)
    words = ("--multirun", "seed=range(40)")
    names = ("empty", "published", "default")
    costs = rounds("sweep", {name: app.runner(name, *words) for name in names}, 2 if quick else 11)
    empty, published, default = costs.values()
    return [
        *(
            Row("sweep", "nine published / nine empty", measure, compare(published, empty, measure), limit=1.05)
            for measure in ("cpu", "wall")
        ),
        *(
            Row("sweep-default", "default preset / nine empty", measure, compare(default, empty, measure), limit=1.08)
            for measure in ("cpu", "wall")
        ),
    ]


def import_(folder: Path, *, quick: bool) -> list[Row]:
    """The import of the package, in a fresh interpreter."""
    command = [sys.executable, "-c", _FOREIGN_MODULES]
    foreign = json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout)

    def runner(program: str) -> Callable[[], Cost]:
        return lambda: process([sys.executable, "-c", program], cwd=folder, log=folder / "import.log")

    variants = {program: runner(program) for program in ("pass", "import hydra_callbacks")}
    nothing, package = rounds("import", variants, 11 if quick else 61).values()
    return [
        Row("import", "modules not of the standard library", "count", found=tuple(foreign)),
        Row("import", "import hydra_callbacks / pass", "cpu", compare(package, nothing, "cpu")),
    ]


CASES: dict[str, Callable[..., list[Row]]] = {"start": start, "sweep": sweep, "import": import_}
