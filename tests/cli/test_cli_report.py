"""`hydra-callbacks report`: the right page, in the right place, or a line that says what is wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from commands import called
from run_dirs import failed, job, make_run, run_id, write

from hydra_callbacks.runs.index import index


def shown(text: str) -> dict[str, Any]:
    (data,) = re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    return dict(json.loads(data))


def page(path: Path | str) -> dict[str, Any]:
    return shown(Path(path).read_text(encoding="utf-8"))


@pytest.fixture
def runs(here: Path) -> Path:
    for num, accuracy in enumerate((0.5, 0.9)):
        told = {"accuracy": accuracy, "loss": 1 - accuracy}
        make_run(here / "multirun" / "a b" / str(num), num, job=job(num), result=told, overrides=[f"lr={num}"])
    make_run(here / "multirun" / "a b" / "2", 2, **failed(job=job(2)))
    make_run(here / "outputs" / "one", 7)
    index(here, here / "multirun" / "register.csv")
    return here


@pytest.mark.parametrize(
    ("words", "kind", "place"),
    [
        ("outputs/one", "run", "outputs/one/report.html"),
        ("one", "run", "outputs/one/report.html"),
        (run_id(7), "run", "outputs/one/report.html"),
        ("latest", "run", "outputs/one/report.html"),
        ("multirun/a b/1", "run", "multirun/a b/1/report.html"),
        ("multirun/a b", "sweep", "multirun/a b/report.html"),
        ("a b", "sweep", "multirun/a b/report.html"),
        ("multirun/register.csv", "register", "multirun/report.html"),
        ("multirun", "register", "multirun/report.html"),
        (".", "register", "report.html"),
    ],
)
def test_what_it_is_about_and_where_it_goes(runs: Path, words: str, kind: str, place: str) -> None:
    done = called("report", words)
    assert re.fullmatch(rf"Wrote {re.escape(place)} \(\d+\.\d KiB\)\n", done.out), done.text
    assert (done.code, done.err) == (0, "")
    assert page(place)["kind"] == kind
    assert called("report", words).code == 0, "an earlier page is replaced"


def test_the_latest_is_the_sweep_where_the_latest_run_is_a_job(runs: Path) -> None:
    make_run(runs / "multirun" / "new" / "0", 9, job=job(0))
    write(runs / "multirun" / "new" / "jobs.jsonl", "")
    index(runs, runs / "multirun" / "register.csv")
    (runs / "outputs" / "latest").symlink_to("one", target_is_directory=True)
    assert called("report", "latest").out.startswith("Wrote multirun/new/report.html (")
    (runs / "multirun" / "latest").symlink_to("new", target_is_directory=True)
    assert called("report", "latest/0").out.startswith("Wrote multirun/new/0/report.html (")


def test_a_place_of_its_own_a_folder_and_stdout(runs: Path) -> None:
    assert called("report", "a b", "-o", "é.html").out.startswith("Wrote é.html (")
    assert page("é.html")["jobs"]["link"][0] == "multirun/a%20b/0/"
    (runs / "pages").mkdir()
    assert called("report", "a b", "-o", "pages").code == 0
    assert page("pages/report.html")["jobs"]["link"][0] == "../multirun/a%20b/0/"
    done = subprocess.run(
        [sys.executable, "-m", "hydra_callbacks", "report", "one", "-o", "-"], capture_output=True, check=True
    )
    assert shown(done.stdout.decode())["kind"] == "run"
    assert done.stderr == b""
    assert not (runs / "outputs" / "one" / "report.html").exists()


def test_the_metric_and_its_direction(runs: Path) -> None:
    called("report", "a b")
    assert page("multirun/a b/report.html")["best"]["num"] == 1
    called("report", "a b", "--metric", "loss")
    assert page("multirun/a b/report.html")["metric"]["is_max"] is False
    called("report", "a b", "--metric", "loss", "--max")
    assert page("multirun/a b/report.html")["best"]["num"] == 0
    called("report", "a b", "--metric", "result.loss")
    assert page("multirun/a b/report.html")["metric"]["name"] == "loss"
    assert page("multirun/a b/report.html")["notes"] == []
    called("report", ".", "--metric", "result.accuracy", "--min")
    assert [app["best"]["value"] for app in page("report.html")["by_app"]] == [0.5]


def test_a_metric_that_is_not_there_writes_no_page(runs: Path) -> None:
    told = "Error: no completed run has a number in 'acuracy'; results that are numbers: accuracy, loss\n"
    for what in ("a b", "."):
        done = called("report", what, "--metric", "acuracy")
        assert (done.code, done.err) == (2, told)
    assert not list(runs.rglob("report.html"))


@pytest.mark.parametrize("options", [("--metric", "accuracy"), ("--max",), ("--min",)])
def test_what_compares_runs_is_refused_for_a_single_one(runs: Path, options: tuple[str, ...]) -> None:
    done = called("report", "one", *options)
    assert done.code == 2
    assert f"{options[0]} compares runs, and this is a single one" in done.err
    assert not list(runs.rglob("report.html"))


def test_a_metric_that_is_the_same_in_all_jobs_can_be_asked_for(runs: Path) -> None:
    for num in range(2):
        make_run(runs / "multirun" / "same" / str(num), num, job=job(num), result={"acc": 1.0, "loss": num})
    assert called("report", "same", "--metric", "acc").code == 0
    assert page("multirun/same/report.html")["metric"]["name"] == "acc"


def test_the_secrets_of_a_runs_configuration_are_not_in_its_page(runs: Path) -> None:
    write(runs / "outputs" / "one" / ".hydra" / "config.yaml", "db: {password: swordfish-77}\n")
    write(runs / "outputs" / "one" / "train.log", "connecting with swordfish-77\n")
    assert called("report", "one").code == 0
    text = (runs / "outputs" / "one" / "report.html").read_text(encoding="utf-8")
    assert shown(text)["console"]["text"] == "connecting with <redacted>"
    assert "swordfish" not in text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nothing", "Error: no run is called 'nothing'"),
        ("empty", "Error: empty holds no runs; name a run's or sweep's directory, or a register"),
        ("notes.txt", "Error: a register must be a file that ends in .csv"),
        ("other.csv", "other.csv"),
        ("torn.db", "torn.db"),
        ("postgresql://me:secret-x@host/db", "without a password"),
        ("", "Error: expected a run, a sweep or a register, got an empty name"),
        ("~nosuchuser/x", "Error: no run is called '~nosuchuser/x'"),
    ],
)
def test_what_is_nothing_of_the_kind_is_told(runs: Path, name: str, says: str) -> None:
    (runs / "empty").mkdir()
    write(runs / "notes.txt", "x")
    write(runs / "other.csv", "a,b\n1,2\n")
    write(runs / "torn.db", "SQLite format 3\0 and no more")
    done = called("report", name)
    assert done.code == 2, done.text
    assert says in done.err
    assert "secret-x" not in done.text


def test_no_file_but_an_earlier_page_is_written_over(runs: Path) -> None:
    write(runs / "thesis.html", "<h1>mine</h1>")
    done = called("report", "one", "-o", "thesis.html")
    assert done.code == 2
    assert "is there already, and no report of hydra-callbacks" in done.err
    assert (runs / "thesis.html").read_text() == "<h1>mine</h1>"


@pytest.mark.parametrize(
    ("place", "folder"),
    [("no/such/page.html", "no/such"), ("nodir/", "nodir"), ("outputs/one/x/page.html", "outputs/one/x")],
)
def test_a_folder_that_is_not_there_is_told_before_anything_is_read(runs: Path, place: str, folder: str) -> None:
    write(runs / "multirun" / "a b" / "3" / ".hydra" / "run.json", "{")
    done = called("report", "a b", "-o", place)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: there is no folder {folder}; make it, or name another place for the page\n"
    assert not Path("nodir").exists()


def test_what_could_not_be_read_is_told(runs: Path) -> None:
    write(runs / "multirun" / "a b" / "3" / ".hydra" / "run.json", "{")
    done = called("report", "a b")
    assert done.code == 0
    assert done.err.startswith("Note: ")
    assert "is no whole run record" in done.err


def test_it_opens_the_browser_when_asked(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", lambda url: opened.append(url) or len(opened) - 1)
    assert called("report", "one", "--open").err == ""
    assert opened == [(runs / "outputs" / "one" / "report.html").as_uri()]
    assert called("report", "one", "--open").err == "No browser could be started: open the file yourself\n"
    done = called("report", "one", "--open", "-o", "-")
    assert (done.code, done.out, len(opened)) == (2, "", 2)
    assert "--open shows a file, and -o - writes none" in done.err
