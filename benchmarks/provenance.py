"""What does it cost to know the commit and to keep the patch? Against `git status` alone on the same repository."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from cases import Row
from timing import Cost, compare, process, rounds

from hydra_callbacks.provenance.git import read_state
from hydra_callbacks.provenance.patch import make_patch
from hydra_callbacks.provenance.patch_secrets import holds_secret
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FILES_A_FOLDER = 250
_MOST_FILES = 100_000
_N_CHANGED = 100
_MOST_STATE = 1.3
_MOST_PATCH = 3.0
_MOST_START_MS = 20.0
_ME = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org", "-c", "commit.gpgsign=false")
_APP = """
import os, time
from pathlib import Path
import hydra

@hydra.main(config_path="conf", config_name="config", version_base="1.3")
def main(cfg):
    Path(os.environ["STAMP"]).write_text(str(time.time_ns()))

if __name__ == "__main__":
    main()
"""
_CONFIG = """
hydra:
  callbacks:
    git_info: {_target_: hydra_callbacks.GitInfo, show_task: false, patch: true, enabled: true}
    run_record: {_target_: hydra_callbacks.RunRecord}
"""


class Repository:
    """A repository with many files.

    Args:
        folder: An empty folder for it.
        n_files: How many files it has.
    """

    def __init__(self, folder: Path, n_files: int) -> None:
        self.folder = folder
        folder.mkdir()
        for number in range(n_files):
            if number % _FILES_A_FOLDER == 0:
                part = folder / f"part{number // _FILES_A_FOLDER}"
                part.mkdir()
            (part / f"module{number}.py").write_text(f"x = {number}\n" * 5)
        self._git("init", "--quiet")
        self._git("add", ".")
        self._git(*_ME, "commit", "--quiet", "--message=benchmark")
        time.sleep(1.1)  # git reads again what is as young as its index
        self._git("status")

    def _git(self, *words: str) -> None:
        process(["git", *words], cwd=self.folder, log=self.folder.with_suffix(".log"))

    def status(self) -> None:
        """Do what the user does."""
        subprocess.run(["git", "status"], cwd=self.folder, stdout=subprocess.DEVNULL, check=True)

    def change(self) -> None:
        """Change some files, and add some."""
        for number in range(0, _N_CHANGED * _FILES_A_FOLDER // 10, _FILES_A_FOLDER // 10):
            file = self.folder / f"part{number // _FILES_A_FOLDER}" / f"module{number}.py"
            file.write_text(file.read_text() + "y = 1\n")
            file.with_name(f"new{number}.py").write_text("z = 1\n" * 20)

    def patch(self) -> None:
        """Do what `GitInfo(patch=true)` does."""
        state = read_state(self.folder, changes=True)
        is_secret = partial(holds_secret, redactor=Redactor())
        patch = make_patch(state, max_bytes=10_000_000, max_file_bytes=1_000_000, is_secret=is_secret)
        if patch.data.count(b"\ndiff --git ") != 2 * _N_CHANGED - 1 or patch.left_out:
            msg = f"the patch is not whole: {len(patch.data)} bytes, without {patch.left_out}"
            raise RuntimeError(msg)


def git(folder: Path, *, quick: bool) -> list[Row]:
    """The state of a tree, and its patch."""
    rows = []
    for n_files in (20_000,) if quick else (20_000, _MOST_FILES):
        repository = Repository(folder / f"files-{n_files}", n_files)
        what = f"{n_files:,} files"
        n_rounds = 5 if quick else 21
        costs = rounds(
            f"git, {what}",
            {
                "status": _timed(repository.status),
                "state": _timed(lambda here=repository: read_state(here.folder)),
            },
            n_rounds,
        )
        rows += _rows(f"the state of a clean tree of {what}", costs["state"], costs["status"], _MOST_STATE)
        if quick or n_files == _MOST_FILES:
            rows.append(_beside(repository, folder, 5 if quick else 15))
        repository.change()
        costs = rounds(
            f"git, {what} with changes",
            {"status": _timed(repository.status), "patch": _timed(repository.patch)},
            n_rounds,
        )
        named = f"the patch of {_N_CHANGED} changed and {_N_CHANGED} new of {what}"
        rows += _rows(named, costs["patch"], costs["status"], _MOST_PATCH)
    return rows


def _rows(what: str, case: list[Cost], baseline: list[Cost], limit: float) -> list[Row]:
    return [
        Row("git", f"{what} / git status", measure, compare(case, baseline, measure), limit=limit)
        for measure in ("cpu", "wall")
    ]


def _beside(repository: Repository, folder: Path, n_rounds: int) -> Row:
    """Tell by how much a job in that repository starts later."""
    app = repository.folder / "app"
    (app / "conf").mkdir(parents=True)
    (app / "app.py").write_text(_APP)
    (app / "conf/config.yaml").write_text(_CONFIG)
    (app / ".gitignore").write_text("*\n")
    stamp = folder / "stamp"
    os.environ["STAMP"] = str(stamp)

    def run(is_enabled: str) -> Cost:
        command = [sys.executable, "app.py", f"hydra.callbacks.git_info.enabled={is_enabled}"]
        begun = time.time_ns()
        process(command, cwd=app, log=folder / "app.log")
        return Cost(cpu_s=0.0, wall_s=(int(stamp.read_text()) - begun) / 1e9)

    costs = rounds("git, start", {"without": lambda: run("false"), "with": lambda: run("true")}, n_rounds)
    later = [one.wall_s - other.wall_s for one, other in zip(costs["with"], costs["without"], strict=True)]
    later_ms = statistics.median(later) * 1e3
    what = "how much later the task begins beside them, wall time in ms"
    return Row("git", what, "wall", found=(f"{later_ms:.1f}",), is_over=later_ms > _MOST_START_MS)


def _timed(act: Callable[[], Any]) -> Callable[[], Cost]:
    """Return what times an act with the processes that it waits for."""

    def used_s() -> float:
        usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    def run() -> Cost:
        begun, begun_cpu = time.perf_counter(), used_s()
        act()
        return Cost(cpu_s=used_s() - begun_cpu, wall_s=time.perf_counter() - begun)

    return run


CASES: dict[str, Callable[..., list[Row]]] = {"git": git}
