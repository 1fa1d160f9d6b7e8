"""resume: the words that the application is started with again."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import called

from hydra_callbacks.cli import Failure
from hydra_callbacks.cli.resume import again
from hydra_callbacks.runs.journal import SweepJournal
from hydra_callbacks.runs.journal_lines import Launch

SWEEP = Path("/s")
OURS = ["hydra/sweeper=resume", "hydra.sweep.dir=/s"]


def launched(words: list[str], app: str = "app") -> Launch:
    return Launch(launch="started", id="first", app=app, command=words)


@pytest.mark.parametrize(
    ("words", "overrides", "expected"),
    [
        (["train.py", "-m", "lr=1,2"], [], ["train.py", "-m", *OURS]),
        (["-m", "pkg.train", "-m", "lr=1,2", "-cn", "big"], [], ["-m", "pkg.train", "-cn", "big", "-m", *OURS]),
        (["a.py", "-m", "hydra.sweep.dir=x", "hydra/sweeper=basic"], [], ["a.py", "-m", *OURS]),
        (["a.py", "lr=1,2", "k=3", "-m"], ["lr=1,2,4"], ["a.py", "-m", "k=3", *OURS, "lr=1,2,4"]),
        (["a.py", "-m", "+lr=1,2"], ["++lr=4"], ["a.py", "-m", *OURS, "++lr=4"]),
        (
            ["a.py", "--multirun", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra/callbacks=default"],
            ["hydra/launcher=basic"],
            ["a.py", "-m", "hydra/callbacks=default", *OURS, "hydra/launcher=basic"],
        ),
    ],
)
def test_what_was_said_is_said_again_but_for_what_is_replaced(
    words: list[str], overrides: list[str], expected: list[str]
) -> None:
    assert again(launched(words), SWEEP, overrides) == expected


def test_a_place_with_odd_letters_is_quoted_for_hydra() -> None:
    assert again(launched(["a.py"]), Path("/it's é"), [])[-1] == "hydra.sweep.dir='/it\\'s é'"


def test_a_secret_must_be_given_again() -> None:
    words = ["a.py", "hydra.launcher.api_key=<redacted>"]
    with pytest.raises(Failure, match=r"give it again:\n  hydra-callbacks resume /s hydra.launcher.api_key=..."):
        again(launched(words), SWEEP, [])
    assert "hydra.launcher.api_key=abc" in again(launched(words), SWEEP, ["hydra.launcher.api_key=abc"])


def test_a_sweep_of_hydra_zen_is_started_by_its_own_program() -> None:
    with pytest.raises(Failure, match="among the overrides of the call"):
        again(launched(["a.py"], "zen_launch"), SWEEP, [])


def test_a_project_that_has_moved_is_told(here: Path) -> None:
    SweepJournal(
        here / "s", lambda: {"command": ["a.py", "-m"], "cwd": "/not/there", "host": {}, "plan": [["x=1"]]}
    ).keep()
    done = called("resume", "s")
    assert (done.code, "/not/there, which is not there any more" in done.err) == (2, True)
