"""`hydra-callbacks gather` makes a table of one sweep, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import called
from run_dirs import job, make_hydra_run, make_run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_sweep_from_before_this_library_is_gathered(here: Path) -> None:
    for number in range(2):
        make_hydra_run(here / "multirun" / "a" / str(number), num=number)
    done = called("gather", "a")
    assert (done.code, done.out.splitlines()[0]) == (0, "Gathered results in multirun/a/agg_results.csv")


@pytest.mark.parametrize(
    ("place", "told"), [("multirun", "holds the jobs of several sweeps"), ("multirun/a/0", "is a run's directory")]
)
def test_what_is_no_sweep_gets_no_table(here: Path, place: str, told: str) -> None:
    for sweep in ("a", "b"):
        for number in range(2):
            folder = here / "multirun" / sweep
            make_run(folder / str(number), number, job=job(number), sweep_dir=str(folder))
    done = called("gather", place)
    assert done.code == 2
    assert done.err == f"Error: {place} {told}; name one sweep's, as in multirun/2026-11-22/10-00-00\n"
    assert not list(here.rglob("agg_results.csv"))
