"""The data of a register's page: the same from every form, and with the way into each run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from run_dirs import failed, job, make_run, write

from hydra_callbacks.cli import main
from hydra_callbacks.errors import RegisterError
from hydra_callbacks.report import links
from hydra_callbacks.report.page import render
from hydra_callbacks.report.register import register_data
from hydra_callbacks.runs.index import index
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from pathlib import Path

HTML = "</script><script>alert(1)</script>"


def checked(where: Any, **options: Any) -> dict[str, Any]:
    data = register_data(str(where), **options)
    json.dumps(data, allow_nan=False).encode()
    n_runs = len(data["values"]["run-status"])
    assert set(data["runs"]) == {"link", "path"}
    assert {len(values) for values in [*data["runs"].values(), *data["values"].values()]} <= {n_runs}
    assert [each["name"] for each in data["columns"]] == list(data["values"])
    assert sum(app["n_runs"] for app in data["by_app"]) == n_runs
    return data


@pytest.fixture
def runs(here: Path) -> Path:
    """Five runs of two applications, one of them failed, one gone, one with a page of its own."""
    for number, accuracy in enumerate((0.5, 0.9, 0.7)):
        result = {"accuracy": accuracy, "fit_s": 1.5}
        make_run(
            here / f"é {number}", number, result=result, overrides=[f"lr={number}"], config={"lr": number, "note": HTML}
        )
    make_run(here / "other" / "0", 3, **failed(app="eval", job=job(0), duration_s=3600))
    make_run(here / "gone", 4, app="eval", result={"loss": 3.0})
    write(here / "é 1" / "report.html", "<html>")
    return here


@pytest.mark.parametrize("name", ["register.csv", "register.jsonl", "register.db", "."])
def test_every_form_tells_the_same(runs: Path, name: str) -> None:
    if name != ".":
        index(runs, runs / name)
        shutil.rmtree(runs / "gone")
    data = checked(name)
    assert data["kind"] == "register"
    assert data["values"]["run-status"] == ["completed", "completed", "completed", "failed", "completed"]
    gone = "gone/" if name == "." else None
    assert data["runs"]["link"] == ["%C3%A9%200/", "%C3%A9%201/report.html", "%C3%A9%202/", "other/0/", gone]
    assert data["runs"]["path"][:4] == [str(runs / place) for place in ("é 0", "é 1", "é 2", "other/0")]
    assert data["runs"]["path"][4] == (str(runs / "gone") if name == "." else None)
    assert data["values"]["run-app"] == ["train", "train", "train", "eval", "eval"]
    assert data["by_app"] == [
        {
            "app": "train",
            "n_runs": 3,
            "counts": {"completed": 3},
            "hours": round(37.5 / 3600, 4),
            "best": {"row": 1, "name": "accuracy", "is_max": True, "value": 0.9, "words": "lr=1"},
        },
        {
            "app": "eval",
            "n_runs": 2,
            "counts": {"failed": 1, "completed": 1},
            "hours": round((3600 + 12.5) / 3600, 4),
            "best": {"row": 4, "name": "loss", "is_max": False, "value": 3, "words": ""},
        },
    ]
    kinds = {each["name"]: (each["label"], each["kind"], each["role"]) for each in data["columns"]}
    assert kinds["lr"] == ("lr", "number", "config")
    assert kinds["result.accuracy"] == ("accuracy", "number", "result")
    assert kinds["run-dir"] == ("run", "text", "head")
    assert data["values"]["note"][0] == HTML
    assert data["values"]["run-dir"] == ["é 0", "é 1", "é 2", "other/0", "gone"]
    assert data["commands"][0]["command"].startswith("hydra-callbacks list ")
    assert data["notes"] == []


def test_the_metric_that_is_asked_for(runs: Path) -> None:
    data = checked(".", metric_name="accuracy", is_max=False)
    assert [app["best"] and app["best"]["value"] for app in data["by_app"]] == [0.5, None]


def test_the_best_can_be_asked_for_as_the_page_has_it(here: Path) -> None:
    for number in range(3):
        result = {"name": "x", "fit_s": 1.0 + number, "loss": float(number)}
        make_run(here / str(number), number, result=result, app='a "b"')
    assert [each["command"] for each in checked(".")["commands"]] == [
        f"hydra-callbacks list {as_words([here])}",
        f"hydra-callbacks best result.loss {as_words([here])} --min",
    ]
    (best,) = (each["command"] for each in checked(".", metric_name="fit_s", is_max=True)["commands"][1:])
    assert best == f"hydra-callbacks best result.fit_s {as_words([here])} --max"
    make_run(here / "3", 3, result={"loss": -1.0}, app="other")
    (label, command), (other, of_other) = (each.values() for each in checked(".")["commands"][1:])
    assert (label, other) == ('The best of a "b"', "The best of other")
    done = CliRunner().invoke(main, [*shlex.split(of_other)[1:], "--format", "json"])
    assert json.loads(done.output)[0]["result.loss"] == -1
    words = shlex.split(command)[1:]
    done = CliRunner().invoke(main, [*words, "--format", "json"])
    assert json.loads(done.output)[0]["result.loss"] == 0, "not that of the other application"
    for number in range(4, 8):
        make_run(here / str(number), number, result={"loss": 0.5}, app=f"app {number}" if number > 4 else None)
    make_run(here / "8", 8, result={"loss": 0.5}, app=None)
    labels = [each["label"] for each in checked(".")["commands"]]
    assert labels == ["List its runs", 'The best of a "b"', "The best of those of no application"] + [
        f"The best of {app}" for app in ("other", "app 5", "app 6")
    ], "five at most, those with the most runs"
    for number in range(9):
        make_run(here / str(number), number, result={"name": "x"})
    assert [each["label"] for each in checked(".")["commands"]] == ["List its runs"]


def test_without_a_script_the_latest_runs_are_shown_first(here: Path) -> None:
    lines = [json.dumps({"run-id": str(n), "run-started": f"2026-{n:04}", "run-dir": f"run {n}"}) for n in range(300)]
    write(here / "register.jsonl", "\n".join(lines) + "\n")
    html = render(checked("register.jsonl")).partition("<tbody>")[2].partition("</tbody>")[0]
    shown = re.findall(r"<td[^>]*>run (\d+)</td>", html)
    assert shown == [str(n) for n in range(299, 99, -1)]


def test_a_page_of_another_name_is_the_way_into_a_run(here: Path) -> None:
    make_run(here / "a", 0)
    make_run(here / "b", 1)
    write(here / "a" / "page.html", '<meta name="generator" content="hydra-callbacks 1.0">')
    write(here / "b" / "page.html", "<h1>mine</h1>")
    assert checked(".")["runs"]["link"] == ["a/page.html", "b/"]


def test_from_one_disk_to_another_there_is_no_link(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def relpath(*_: Any) -> str:
        raise ValueError

    make_run(here / "a", 0)
    monkeypatch.setattr(links, "link", lambda *_: None)
    assert checked(".")["runs"]["link"] == [None]
    monkeypatch.undo()
    monkeypatch.setattr(links.os.path, "relpath", relpath)
    assert links.link(here / "a", here) is None


def test_an_application_and_a_state_are_texts_whatever_they_are(here: Path) -> None:
    row = {"run-id": "1", "run-app": 7, "run-dir": "x"}
    write(here / "register.jsonl", json.dumps(row) + "\n" + json.dumps({"run-id": "2", "lr": 1}) + "\n")
    data = checked("register.jsonl")
    assert data["values"]["run-app"] == [None, "7"]
    assert data["values"]["run-status"] == ["unknown", "unknown"]
    assert [(app["app"], app["counts"]) for app in data["by_app"]] == [("", {"unknown": 1}), ("7", {"unknown": 1})]


def test_links_are_seen_from_where_the_page_lies(runs: Path) -> None:
    index(runs, runs / "register.csv")
    assert checked("register.csv", page_dir=runs / "other")["runs"]["link"][3] == "0/"


def test_damaged_records_are_told_and_passed_over(runs: Path) -> None:
    write(runs / "torn" / ".hydra" / "run.json", "{")
    data = checked(".")
    assert len(data["runs"]["link"]) == 5
    assert "torn/.hydra/run.json is no whole run record" in data["notes"][0]


def test_an_empty_register_and_none(here: Path) -> None:
    write(here / "register.jsonl", "")
    assert checked("register.jsonl")["by_app"] == []
    with pytest.raises(RegisterError, match="there is no file or directory"):
        register_data("gone.csv")
    with pytest.raises(RegisterError):
        register_data(str(write(here / "notes.txt", "x")))


def test_of_very_many_runs_the_latest_and_only_in_what_they_differ(here: Path) -> None:
    row = {"run-app": "t", "run-status": "completed", "job_success": True, "same": "x", "run-dir": "gone"}
    lines = [json.dumps({**row, "run-id": str(n), "lr": n, "run-started": f"2026-{n:06}"}) for n in range(10_050)]
    write(here / "register.jsonl", "\n".join(lines) + "\n")
    data = checked("register.jsonl")
    assert data["values"]["lr"][0] == 50
    assert data["values"]["lr"][-1] == 10_049
    assert "same" not in data["values"]
    assert data["notes"] == [
        "there are more than 10,000 runs; the latest are shown",
        "left out, as they are the same in all runs: 1 column",
    ]
