"""`hydra-callbacks best`: the winner, and words that a shell takes as they were."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, lines, program, ran
from run_dirs import GONE, failed, job, make_hydra_run, make_run, running

from hydra_callbacks.cli import best
from hydra_callbacks.runs.index import index

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

ODD = ["lr=0.1", "opt.name='a b'", 'note="it\'s $HOME ! `x` \\\\"', "+tags=[a, b]", "~seed", "say='é \\n \"x\"'", "a=*"]


@pytest.fixture
def sweep(here: Path) -> Path:
    """A sweep whose best job is the third, but for those that did not complete."""
    sweep = here / "multirun" / "2026-11-22" / "10-00-00"
    command = ["train.py", "-m", "lr=1,2,3", "--config-name", "big", "-cd=my conf"]
    for number, accuracy in enumerate([0.5, 0.25, 0.9876543, 0.9876543]):
        told = {"overrides": [f"lr={number}"], "config": {"lr": number}, "job": job(number), "command": command}
        make_run(sweep / str(number), number, result={"accuracy": accuracy, "loss": 1 - accuracy}, **told)
    better = {"result": {"accuracy": 1.5, "loss": -1}}
    make_run(sweep / "4", 4, **failed(job=job(4), **better))
    make_run(sweep / "5", 5, **running(GONE, job=job(5), **better))
    make_run(sweep / "6", 6, job=job(6), status="interrupted", **better)
    make_hydra_run(sweep / "7", "result: {accuracy: 2}\n", num=7)
    return sweep


def test_the_winner_and_how_to_run_it_again(sweep: Path) -> None:
    done = called("best", "accuracy")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "The highest result.accuracy of 4 completed runs is 0.987654:\n"
        "  multirun/2026-11-22/10-00-00/2\n"
        "\n"
        "Its overrides:\n"
        "  lr=2\n"
        "\n"
        "To run it again, in /home/me/project:\n"
        "  python train.py --config-name big '-cd=my conf' lr=2\n"
    )


def test_the_lowest(sweep: Path) -> None:
    assert called("best", "loss", "--min").out.splitlines()[:2] == [
        "The lowest result.loss of 4 completed runs is 0.0123457:",
        "  multirun/2026-11-22/10-00-00/2",
    ]
    assert "1 completed run is 0.5:" in called("best", "accuracy", "--min", "--filter", "num=0").out


@pytest.mark.parametrize("width", [80, 160])
def test_no_line_is_broken_however_long(here: Path, width: int) -> None:
    row = {"run-dir": "some/" * 40, "result.accuracy": 1, "run-overrides": [f"key{number}=1" for number in range(40)]}
    out = io.StringIO()
    best.run(row, "result.accuracy", 3, "table", out, is_max=True, width=width)
    words = " ".join(row["run-overrides"])
    assert lines(out.getvalue()).splitlines()[1:] == [
        f"  {row['run-dir']}",
        "",
        "Its overrides:",
        f"  {words}",
        "",
        "To run it again:",
        f"  python your_app.py {words}",
    ]


@pytest.mark.skipif(os.name == "nt", reason="words as in POSIX")
def test_the_overrides_survive_a_shell(here: Path) -> None:
    make_run(here / "run", overrides=ODD, command=["my train.py", *ODD], result={"accuracy": 1})
    told = called("best", "accuracy").out.splitlines()
    overrides = told[told.index("Its overrides:") + 1]
    again = told[told.index("To run it again, in /home/me/project:") + 1]
    assert ran(["sh", "-c", f"printf '%s\\0' {overrides}"]).out.split("\0")[:-1] == ODD
    assert ran(["sh", "-c", f"printf '%s\\0' {again}"]).out.split("\0")[:-1] == ["python", "my train.py", *ODD]


def test_only_completed_runs_that_fit_compete(sweep: Path) -> None:
    def winner(filter_: str) -> str:
        return called("best", "accuracy", "--filter", filter_).out.splitlines()[1]

    assert winner("lr<2").endswith("/0")
    assert winner("lr=1 or lr=0 or status=failed").endswith("/0"), "`or` does not let in what has failed"
    assert winner("status=failed or lr=1").endswith("/1")
    assert called("best", "accuracy", "--since", "2026-11-22T10:03").out.splitlines()[1].endswith("/3")


def test_a_column_of_the_configuration_called_status_changes_nothing(here: Path) -> None:
    make_run(here / "a", 1, config={"status": "completed", "started": 2}, **failed(result={"accuracy": 2}))
    make_run(here / "b", 2, config={"status": "failed", "started": 1}, result={"accuracy": 1})
    assert called("best", "accuracy").out.splitlines()[1] == "  b"


def test_when_nothing_is_found_the_status_is_1(sweep: Path) -> None:
    done = called("best", "accuracy", "--filter", "lr>5")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"No completed run that fits in {sweep.parents[2]} has a number in result.accuracy\n"
    assert called("best", "app").code == 1, "a text is no number"
    assert called("best", "success").code == 1, "nor is a boolean"
    done = called("best", "accuracy", str(sweep / "4"))
    assert (done.code, done.err) == (1, f"No completed run in {sweep / '4'} has a number in result.accuracy\n")


def test_an_empty_directory_has_no_winner(here: Path) -> None:
    done = called("best", "accuracy")
    assert (done.code, done.out, done.err) == (1, "", f"No completed run in {here} has a number in accuracy\n")


def test_an_unknown_metric_is_answered_with_the_nearest(sweep: Path) -> None:
    done = called("best", "acuracy")
    assert (done.code, done.out) == (2, "")
    assert done.err == "Error: there is no column 'acuracy'; nearest: result.accuracy\n"


def test_a_filter_that_cannot_be_read_is_shown_as_it_was_typed(sweep: Path) -> None:
    done = called("best", "accuracy", "--filter", "lr<1 or or lr=2")
    assert done.code == 2
    assert done.err == (
        "Error: the filter cannot be read: expected a column or a value, got 'or'\n  lr<1 or or lr=2\n          ^\n"
    )
    done = called("best", "accuracy", "--filter", "lr<1 or lrr=2")
    assert done.err == "Error: there is no column 'lrr'; nearest: lr, error\n  lr<1 or lrr=2\n          ^\n"


def test_the_machine_forms(sweep: Path) -> None:
    told: list[dict[str, Any]] = json.loads(called("best", "accuracy", "--format", "json").out)
    assert told == [
        {
            "run": "multirun/2026-11-22/10-00-00/2",
            "id": "019a0002-0000-7000-8000-000000000000",
            "result.accuracy": 0.9876543,
            "overrides": ["lr=2"],
            "command": "python train.py --config-name big '-cd=my conf' lr=2",
        }
    ]
    text = called("best", "accuracy", "--format", "csv").out
    assert next(csv.DictReader(io.StringIO(text)))["result.accuracy"] == "0.9876543"


def test_a_winner_whose_directory_is_gone(sweep: Path) -> None:
    index(sweep, sweep / "register.csv")
    shutil.rmtree(sweep / "2")
    told = called("best", "accuracy", str(sweep / "register.csv")).out
    assert "To run it again:\n  python your_app.py lr=2\n" in told


@pytest.mark.skipif(os.name == "nt", reason="words as in POSIX")
def test_a_real_sweep_is_run_again_by_what_is_told(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.RunRecord"})
    config = (app.directory / "conf/config.yaml").read_text()
    app.write("conf/big.yaml", config.replace("adam", "sgd"))
    assert app.run("-m", "-cn", "big", "x=1,3,2", "opt.name='it\\'s \"é\"'").code == 0
    done = program("best", "double", cwd=app.directory)
    assert "The highest result.double of 3 completed runs is 6:\n" in done.out
    again = done.out.splitlines()[-1].replace("python ", f"'{app.python}' ", 1)
    assert ran(["sh", "-c", again], cwd=app.directory).code == 0
    kept = app.record()
    assert (kept["config_name"], kept["config"]["x"], kept["config"]["opt"]["name"]) == ("big", 3, 'it\'s "é"')


def test_hydras_own_overrides_the_module_and_the_commit_are_told(here: Path) -> None:
    """What was switched on by the command line is switched on again; what made it a sweep is not."""
    words = [
        "hydra/callbacks=default",
        "hydra/launcher=joblib",
        "hydra.sweep.dir=x",
        "hydra.run.dir=y",
        "hydra.job.name=z",
    ]
    make_run(
        here / "multirun/1/0",
        0,
        command=["-m", "my.app", "-m", *words, "lr=1,2"],
        cwd=str(here),
        git={"sha": "0123456789abcdef", "branch": "main", "is_dirty": True},
        overrides=["lr=1"],
        result={"accuracy": 0.5},
    )
    assert called("best", "accuracy").out.splitlines()[-2:] == [
        "To run it again, on commit 01234567 with changes that were not committed:",
        "  python -m my.app hydra/callbacks=default hydra.job.name=z lr=1",
    ]
