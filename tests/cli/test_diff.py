"""`hydra-callbacks diff`: only what differs, between two runs or more."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, lines, program
from run_dirs import job, make_hydra_run, make_run, write

from hydra_callbacks.cli import diff
from hydra_callbacks.runs.resolve import find_run

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

ONE: dict[str, Any] = {
    "config": {"lr": 0.1, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "seed": 1},
    "overrides": ["lr=0.1", "seed=1", "~opt.momentum", "+note="],
    "git": {"sha": "1" * 40, "branch": "main", "is_dirty": False},
    "environment": {"python": "3.11.7", "packages": "packages.txt"},
    "result": {"accuracy": 0.9123456789, "loss": 1},
}
OTHER: dict[str, Any] = {
    "config": {"lr": 0.01, "opt": {"name": "sgd", "betas": [0.9, 0.999]}, "seed": 1, "new": {"key": True}},
    "overrides": ["lr=0.01", "seed=1"],
    "git": {"sha": "2" * 40, "branch": "main", "is_dirty": True},
    "environment": {"python": "3.12.1", "packages": "packages.txt"},
    "result": {"accuracy": 0.95, "loss": 1},
}
NO_REPOSITORY = "The commits between them cannot be told: their repository is not here."


@pytest.fixture
def runs(here: Path) -> list[str]:
    """Three runs; of the last one, the packages are not known."""
    names = ["outputs/2026-11-22/10-00-00", "outputs/2026-11-22/10-01-00", "multirun/2026-11-22/11-00-00/3"]
    make_run(here / names[0], 1, **ONE)
    make_run(here / names[1], 2, **OTHER)
    make_run(here / names[2], 3, **{**ONE, "config": {**ONE["config"], "seed": 2}}, job=job(3))
    write(here / names[0] / ".hydra/packages.txt", "# made by hand\nnumpy==1.26.0\nrich==13.0\nold==1\n-e file:///x\n")
    write(here / names[1] / ".hydra/packages.txt", "numpy==2.0.0\nrich==13.0\nnew==2\n")
    return names


def differences(*names: str, width: int = 80) -> str:
    out = io.StringIO()
    diff.run([find_run(name) for name in names], "table", out, width=width)
    return lines(out.getvalue())


@pytest.mark.parametrize("width", [80, 160])
def test_two_runs_and_only_what_differs(runs: list[str], width: int) -> None:
    assert differences(*runs[:2], width=width) == (
        "\n"
        "                    10-00-00       10-01-00\n"
        " ───────────────────────────────────────────\n"
        "  config\n"
        "    lr              0.1            0.01\n"
        "    opt.name        adam           sgd\n"
        "    new.key                        True\n"
        "  overrides\n"
        "    lr              0.1            0.01\n"
        "    ~opt.momentum   (deleted)\n"
        "    +note           ''\n"
        "  git\n"
        "    sha             11111111       22222222\n"
        "    is_dirty        False          True\n"
        "  environment\n"
        "    python          3.11.7         3.12.1\n"
        "  packages\n"
        "    numpy           1.26.0         2.0.0\n"
        "    old             1\n"
        "    -e file:///x    (no version)\n"
        "    new                            2\n"
        "  result\n"
        "    accuracy        0.912346       0.95\n"
        "\n"
        f"{NO_REPOSITORY}"
    )


def test_three_runs_where_there_is_little_room(runs: list[str]) -> None:
    assert differences(*runs[1:], runs[0]) == (
        "\n"
        "                                  multirun/\n"
        "                    outputs/      2026-11-22/   outputs/\n"
        "                    2026-11-22/   11-00-00/     2026-11-22/\n"
        "                    10-01-00      3             10-00-00\n"
        " ────────────────────────────────────────────────────────────\n"
        "  config\n"
        "    lr              0.01          0.1           0.1\n"
        "    opt.name        sgd           adam          adam\n"
        "    seed            1             2             1\n"
        "    new.key         True\n"
        "  overrides\n"
        "    lr              0.01          0.1           0.1\n"
        "    ~opt.momentum                 (deleted)     (deleted)\n"
        "    +note                         ''            ''\n"
        "  git\n"
        "    sha             22222222      11111111      11111111\n"
        "    is_dirty        True          False         False\n"
        "  environment\n"
        "    python          3.12.1        3.11.7        3.11.7\n"
        "  packages\n"
        "    numpy           2.0.0                       1.26.0\n"
        "    new             2\n"
        "    old                                         1\n"
        "    -e file:///x                                (no version)\n"
        "  result\n"
        "    accuracy        0.95          0.912346      0.912346\n"
        "\n"
        f"{NO_REPOSITORY}"
    )


def test_three_runs_where_there_is_room(runs: list[str]) -> None:
    head, _, *rows = differences(*runs, width=160).splitlines()[1:]
    assert head.split() == runs
    assert "    seed            1                             1                             2" in rows
    assert NO_REPOSITORY not in rows, "the first and the last run have the same commit"


def test_runs_that_are_equal(runs: list[str]) -> None:
    done = called("diff", runs[0], "019a0001")
    assert (done.code, done.err) == (0, "")
    assert done.out == "No difference in config, overrides, git, environment, packages, result\n"
    assert called("diff", runs[0], runs[0], "--format", "json").out == "[]\n"


def test_what_ended_otherwise_or_is_of_another_application(here: Path) -> None:
    make_run(here / "a", 1, result={"accuracy": 0.5})
    make_run(here / "b", 2, status="failed", app="other")
    make_hydra_run(here / "c", "lr: 0.1\nopt: {name: adam}\n")
    assert differences("a", "b") == (
        "\n"
        "               a       b\n"
        " ────────────────────────────\n"
        "  app\n"
        "    app        train   other\n"
        "  result\n"
        "    accuracy   0.5\n"
    )
    assert "overrides\n    lr         0.1" in differences("c", "a")


def test_the_machine_forms(runs: list[str]) -> None:
    rows = json.loads(called("diff", *runs[:2], "--format", "json").out)
    assert rows[0] == {"section": "config", "key": "lr", "10-00-00": 0.1, "10-01-00": 0.01}
    assert {"section": "git", "key": "sha", "10-00-00": "1" * 40, "10-01-00": "2" * 40} in rows
    assert {"section": "packages", "key": "new", "10-00-00": None, "10-01-00": "2"} in rows
    text = called("diff", *runs[:2], "--format", "csv").out
    assert [row["10-01-00"] for row in csv.DictReader(io.StringIO(text))][:3] == ["0.01", "sgd", "True"]
    assert "overrides,'+note,'," in text, "no formula"


def test_one_run_is_bad_usage(runs: list[str]) -> None:
    done = called("diff", runs[0])
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("Error: two runs or more are compared, got 1\n")


def test_the_commits_between_two_runs(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.GitInfo"}, {"_target_": "hydra_callbacks.RunRecord"})
    app.commit()
    assert app.run("hydra.run.dir=outputs/first").code == 0
    for number in range(3):
        app.git("commit", "-q", "--allow-empty", "-m", f"Change {number} \x1b[31m")
    assert app.run("hydra.run.dir=outputs/last").code == 0

    done = program("diff", "outputs/first", "outputs/last", cwd=app.directory)
    assert (done.code, done.err) == (0, "")
    shas = app.git("log", "--format=%h").split()
    assert lines(done.out).partition("3 commits")[2] == (
        " between them (> only in the last run, < only in the first):\n"
        f"  > {shas[0]} Change 2 \\x1b[31m\n"
        f"  > {shas[1]} Change 1 \\x1b[31m\n"
        f"  > {shas[2]} Change 0 \\x1b[31m"
    )
    assert f"< {shas[0]} Change 2" in program("diff", "outputs/last", "outputs/first", cwd=app.directory).out

    shutil.rmtree(app.directory / ".git")
    assert program("diff", "outputs/first", "outputs/last", cwd=app.directory).out.endswith(f"{NO_REPOSITORY}\n")


def test_a_run_that_differs_in_what_was_changed_but_not_committed(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.GitInfo"}, {"_target_": "hydra_callbacks.RunRecord"})
    app.commit()
    assert app.run("hydra.run.dir=outputs/first").code == 0
    app.write("app.py", (app.directory / "app.py").read_text() + "# more\n")
    assert app.run("hydra.run.dir=outputs/last").code == 0
    assert lines(program("diff", "outputs/first", "outputs/last", cwd=app.directory).out) == (
        "\n               first   last\n ───────────────────────────\n  git\n    is_dirty   False   True\n"
    )
