"""How is one thing compared with another on a machine that is never quiet?"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_TAIL = 2000  # characters


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took.

    Attributes:
        cpu_s: CPU time, user and system, in seconds; of a process with all the children that it waited for.
        wall_s: Time that passed, in seconds.
        peak_mb: Memory at its peak, in MB of 1000 kB; 0 where it is not measured.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """One thing over another, from pairs that ran side by side.

    Attributes:
        median: The middle one of the pairs' ratios.
        low: Their first quartile.
        high: Their third quartile.
        least: The lowest cost of the one over the lowest of the other: what disturbs a run only ever adds to it.
        case_s: Median of the one, in seconds.
        baseline_s: Median of the other, in seconds.
    """

    median: float
    low: float
    high: float
    least: float
    case_s: float
    baseline_s: float

    def verdict(self, limit: float | None) -> str:
        """Return in a word whether a limit is kept: "unclear" where the median and the least ratio disagree."""
        if limit is None:
            return "-"
        over = (self.median > limit, self.least > limit)
        return "OVER" if all(over) else "unclear" if any(over) else "within"


def process(command: Sequence[str], *, cwd: Path, log: Path) -> Cost:
    """Run a command to its end, and return what it took.

    Args:
        command: The program and its arguments.
        cwd: Where it runs.
        log: File for what it prints.

    Raises:
        RuntimeError: It failed; the message ends with what it printed last.
    """
    hidden = ("GIT_", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPROFILEIMPORTTIME")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    with log.open("wb") as output:
        begun = perf_counter()
        child = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)  # it is waited for; subprocess need not
    if child.returncode:
        printed = log.read_text(encoding="utf-8", errors="replace")[-_TAIL:]
        msg = f"{' '.join(command)} ended with exit status {child.returncode}:\n{printed}"
        raise RuntimeError(msg)
    peak_kb = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Cost(cpu_s=usage.ru_utime + usage.ru_stime, wall_s=wall_s, peak_mb=peak_kb * 1.024 / 1000)


def rounds(title: str, variants: Mapping[str, Callable[[], Cost]], n_rounds: int) -> dict[str, list[Cost]]:
    """Run every variant once in each round, after a round that does not count.

    Each round begins with another one, and every second one goes the other way (A B C, A C B, B C A, B A C, ...): a
    machine that gets slower or faster meanwhile does so to all alike, and none always runs after the same one.

    Args:
        title: What to call this in the line of progress on stderr.
        variants: Name to what runs it.
        n_rounds: How many rounds count.

    Returns:
        Name to its costs, one for each round.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in variants}
    print(f"{title}: {n_rounds} rounds of {', '.join(variants)}", file=sys.stderr, flush=True)
    for number in range(n_rounds + 1):
        for name in _order(list(variants), number):
            cost = variants[name]()
            if number:
                costs[name].append(cost)
    return costs


def _order(names: list[str], number: int) -> list[str]:
    first = number // 2 % len(names)
    there = names[first:] + names[:first]
    return there if number % 2 == 0 else [there[0], *reversed(there[1:])]


def compare(case: Sequence[Cost], baseline: Sequence[Cost], measure: str) -> Ratio:
    """Compare two lists of costs, round by round.

    Args:
        case: The one.
        baseline: The other, from the same rounds.
        measure: "cpu" or "wall".
    """
    attribute = f"{measure}_s"
    upper = [getattr(cost, attribute) for cost in case]
    lower = [getattr(cost, attribute) for cost in baseline]
    ratios = [one / other for one, other in zip(upper, lower, strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(
        median=median,
        low=low,
        high=high,
        least=min(upper) / min(lower),
        case_s=statistics.median(upper),
        baseline_s=statistics.median(lower),
    )
