"""Process trees to be read: real ones, and what one might have told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hydra_callbacks.monitor.processes.tree import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hydra_callbacks.monitor.processes.figures import Tree
    from hydra_callbacks.monitor.processes.tree import TreeMeter


class Told:
    """Has told `trees`, one at each reading; stands for the processes of a tree."""

    def __init__(self, *trees: Tree) -> None:
        self.trees = list(trees)
        self.absent: dict[str, str] = {}

    def __call__(self, _pid: int) -> Told:
        return self

    def read(self) -> Tree:
        return self.trees.pop(0)

    def close(self) -> None:
        self.trees.clear()


def figures_of(meter: TreeMeter) -> dict[str, float]:
    """Return what a meter tells at its next reading."""
    return dict(zip(COLUMNS, meter.read(), strict=True))


@contextmanager
def child(code: str) -> Iterator[subprocess.Popen[str]]:
    """Give a process that runs `code`, once it has printed a line; kill it in the end, with all that it started."""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
