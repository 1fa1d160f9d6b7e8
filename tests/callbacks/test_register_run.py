"""RegisterRun: every run ever made is a row."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks import RegisterRun
from hydra_callbacks.errors import SettingError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

REGISTER: dict[str, Any] = {"_target_": "hydra_callbacks.RegisterRun"}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
GIT = {"_target_": "hydra_callbacks.GitInfo"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_single_runs_are_rows_with_the_published_columns_first(app: App) -> None:
    app.callbacks(REGISTER, RECORD, GIT)
    sha = app.commit()
    assert app.run("opt.name='a, \"b\" é'").code == 0
    assert app.run("fail_at=1").code == 1
    register = app.directory / "outputs/register.csv"
    first, second = rows(register)
    columns = list(first)
    assert columns[:7] == ["x", "fail_at", "opt.lr", "opt.name", "git.sha", "git.is_dirty", "run-dir"]
    assert columns[7] == "job_success"
    assert (first["x"], first["opt.name"], first["git.sha"]) == ("1", 'a, "b" é', sha)
    assert (first["git.is_dirty"], first["job_success"], second["job_success"]) == ("False", "True", "False")
    assert (app.directory / first["run-dir"] / "results.json").is_file()
    assert first["run-dir"].startswith("outputs")
    assert (first["run-status"], second["run-status"]) == ("completed", "failed")
    assert second["run-error"] == "ValueError: x must not be 1"
    assert (first["result.double"], first["result.deep.er"], second["result.double"]) == ("2", "é", "")
    assert len(first["run-id"]) == 36


@pytest.mark.parametrize("name", ["RegisterRun", "RegisterRunCallback"])
@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]])
def test_each_job_of_a_sweep_is_a_row_of_its_own_file(app: App, launcher: list[str], name: str) -> None:
    app.callbacks({"_target_": f"hydra_callbacks.{name}"})
    assert app.run("-m", "x=1,2,3", "fail_at=2", *launcher).code == 1
    seen = sorted(rows(app.directory / "multiruns/register.csv"), key=lambda row: row["x"])
    assert [row["x"] for row in seen] == ["1", "2", "3"]
    assert [row["job_success"] for row in seen] == ["True", "False", "True"]
    for number, row in enumerate(seen):
        assert (app.directory / row["run-dir"]).samefile(app.one(f"multirun/*/*/{number}"))
    assert not (app.directory / "outputs").exists()


def test_new_columns_appear_when_the_configuration_changes(app: App) -> None:
    app.callbacks({**REGISTER, "run_base_dir": "books", "register_file": "all.csv"})
    assert app.run().code == 0
    assert app.run("+depth.of=3", "~opt.lr").code == 0
    first, second = rows(app.directory / "books/all.csv")
    assert (first["depth.of"], first["opt.lr"]) == ("", "0.1")
    assert (second["depth.of"], second["opt.lr"]) == ("3", "")
    assert second["job_success"] == "True"


def test_an_interrupted_run_is_a_row_too(app: App) -> None:
    app.callbacks(REGISTER)
    app.write("app.py", (app.directory / "app.py").read_text().replace("return cfg.x", "sys.exit(4)"))
    assert app.run().code == 4
    (row,) = rows(app.directory / "outputs/register.csv")
    assert (row["job_success"], row["run-status"], row["run-error"]) == ("False", "failed", "SystemExit: 4")


def test_secrets_stay_out(app: App) -> None:
    app.callbacks(REGISTER, more="db: {password: swordfish, url: 'ftp://me:pw@h/'}\n")
    app.run("+note=swordfish")
    text = (app.directory / "outputs/register.csv").read_text()
    assert "swordfish" not in text
    assert "me:pw" not in text


def test_a_register_that_cannot_be_written_costs_nothing(app: App) -> None:
    app.callbacks(REGISTER)
    app.write("outputs/register.csv/in_the_way", "")
    done = app.run()
    assert done.code == 0
    assert "RegisterRun.job_ended failed; the run goes on" in done.out
    assert app.one("outputs/*/*/results.json").exists()


def test_a_name_of_no_known_form_is_refused() -> None:
    with pytest.raises(SettingError, match=r"register_file must be a file that ends in \.csv, .* got 'register\.txt'"):
        RegisterRun(register_file="register.txt")


@pytest.mark.parametrize("url", ["postgresql://me:swordfish@host/db", "postgresql://me@host/db?password=swordfish"])
def test_a_password_in_an_address_is_refused_and_not_repeated(app: App, url: str) -> None:
    """Hydra itself would write it into the files of every run."""
    app.callbacks({**REGISTER, "register_file": url})
    done = app.run()
    assert done.code == 1
    assert "an address without a password" in done.err
    assert "PGPASSWORD" in done.err
    assert "swordfish" not in done.text.replace(url, "")
    assert not (app.directory / "outputs").exists()
