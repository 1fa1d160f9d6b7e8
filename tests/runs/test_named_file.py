"""Of the files that a record names, only those are read that its writers may have written: it may be a stranger's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from run_dirs import make_run, record, write

from hydra_callbacks.runs import death, environment
from hydra_callbacks.runs.named_file import named_file

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_of_the_run_and_what_the_jobs_of_its_sweep_share(here: Path) -> None:
    run = make_run(here / "sweep" / "0")
    console, shared = write(run / "console.log", "x"), write(here / "sweep" / ".provenance" / "git.patch", "x")
    assert named_file(run, "console.log") == console
    assert named_file(run, "../.provenance/git.patch") == shared


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret", "link", ".", "", "none", "a\0b", "../0/../secret", 3, None]
)
def test_no_other_file(here: Path, name: object) -> None:
    run = make_run(here / "sweep" / "0")
    (run / "link").symlink_to(write(here / "sweep" / "secret", "x"))
    assert named_file(run, name) is None


@pytest.mark.parametrize("name", ["../secret", "a\0b"])
def test_a_strangers_record_shows_no_other_file(here: Path, name: str) -> None:
    run = make_run(here / "runs" / "a")
    write(here / "runs" / "secret", "hunter2==1\n")
    told = record(environment={"packages": name, "file": name}, evidence={"fault_log": name})
    assert environment.packages_of(told, run) == {}
    assert environment.facts_of(told, run).keys() <= {"packages", "file", "lock_files", "container"}
    assert death.fault_of(told, run) is None
