"""Writers that are killed: a program that forks them, so that each begins at once, and kills them in the middle.

It prints, as JSON, each job to the attempt of which a writer was told that it is in the register.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import sys
import time
from typing import Any

from hydra_callbacks.runs.register import open_register
from hydra_callbacks.runs.register.row import attempt_of


def row(number: int, attempt: int) -> dict[str, Any]:
    return {
        "run-dir": f"outputs/{number}",
        "job_success": True,
        "run-id": f"id-{number}",
        "run-status": "completed",
        "run-attempt": attempt,
        "run-host": "here",
        "text": "t" * 3000,
        f"column {number % 400 // 10}": 1,
    }


def write(place: str, first: int, acknowledge: int) -> None:
    """Start and end jobs, each fourth of them twice, until being killed."""
    for number in itertools.count(first):
        for attempt in (1, 2) if number % 4 == 0 else (1,):
            with contextlib.closing(open_register(place)) as register:
                register.add({**row(number, attempt), "run-status": "running", "run-pid": os.getpid()})
                register.add(row(number, attempt))
            os.write(acknowledge, f"{number} {attempt}\n".encode())


def kill_one(place: str, first: int, n_told: int, wait_s: float) -> dict[int, int]:
    """Kill a writer some time after it was told of so many attempts; return all that it was told of."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        write(place, first, write_end)
    os.close(write_end)
    with os.fdopen(read_end, encoding="ascii") as told:
        lines = [told.readline() for _ in range(n_told)]
        time.sleep(wait_s)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines += told
    assert all(lines[:n_told]), "the writer ended by itself"
    return dict(tuple(map(int, line.split())) for line in lines)  # type: ignore[misc]


def main(place: str, n_kills: int) -> None:
    chance = random.Random(1)  # noqa: S311  (the same moments in each run of the tests)
    told: dict[int, int] = {}
    for number in range(n_kills):
        told |= kill_one(place, number * 1000, chance.randint(1, 3), chance.random() * 0.01)
        if number % 10 == 9:
            check(place, told)
    print(json.dumps(told))  # noqa: T201  (what the program is for)


def check(place: str, told: dict[int, int]) -> None:
    """Read the register, and look whether each job is one row, whole, of the attempt that its writer was told of."""
    with contextlib.closing(open_register(place)) as register:
        rows = list(register.rows())
    found = {int(str(each["run-id"])[3:]): each for each in rows}
    assert len(found) == len(rows), "a job stands there twice"
    for number, attempt in told.items():
        assert attempt_of(found[number]) >= attempt, f"{number} lacks attempt {attempt}"
    for number, each in found.items():
        shown = {name: value for name, value in each.items() if value is not None and name != "run-pid"}
        expected = row(number, attempt_of(each))
        assert {**shown, "run-status": "completed"} == expected, f"{number} is torn"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
