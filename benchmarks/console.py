"""What does it cost a job that ConsoleCapture writes down what it prints?"""

from __future__ import annotations

import ctypes
import os
import shutil
import statistics
import sys
from typing import TYPE_CHECKING

from cases import APPS, Row
from timing import Cost, compare, process, rounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2), Linux


def console(folder: Path, *, quick: bool) -> list[Row]:
    """A job whose 50 MB of output go into a file, as they do without the callback."""
    app = folder / "console"
    shutil.copytree(APPS / "console", app, ignore=shutil.ignore_patterns("outputs"))
    relays_s: list[float] = []
    can_tell = _adopt_orphans()
    rows = []
    for name, compared, words, limit in (
        ("console", "50 MB by the log, captured / not", ["by=log"], 1.10),
        ("console-print", "nothing but 50 MB by print, captured / not", ["by=print"], 1.10),
        ("console-none", "a job that prints nothing, captured / not", ["n_bytes=0"], None),
    ):
        variants = {
            "captured": _runner(app, [*words], relays_s if name == "console" and can_tell else None),
            "not": _runner(app, [*words, "hydra.callbacks.console.enabled=false"], None),
        }
        captured, without = rounds(name, variants, 3 if quick else 11).values()
        rows += [Row(name, compared, kind, compare(captured, without, kind), limit=limit) for kind in ("wall", "cpu")]
    if relays_s:
        told = f"{statistics.median(relays_s):.2f} s"
        rows.append(
            Row("console", "the process beside it, which no row above counts", "cpu", found=(told,), is_over=False)
        )
    return rows


def _runner(app: Path, words: list[str], relays_s: list[float] | None) -> Callable[[], Cost]:
    def run() -> Cost:
        try:
            cost = process([sys.executable, "app.py", *words], cwd=app, log=app / "out.txt")
            relay_s = _wait_for_orphans()
            if relays_s is not None:
                relays_s.append(relay_s)
            return cost
        finally:
            shutil.rmtree(app / "outputs", ignore_errors=True)

    return run


def _adopt_orphans() -> bool:
    """Make this process the parent of the relays, so that it can tell their CPU time; return whether it is."""
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def _wait_for_orphans() -> float:
    """Return the CPU time of those that have ended, in seconds."""
    cpu_s = 0.0
    while True:
        try:
            _, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return cpu_s
        cpu_s += usage.ru_utime + usage.ru_stime


CASES: dict[str, Callable[..., list[Row]]] = {"console": console}
