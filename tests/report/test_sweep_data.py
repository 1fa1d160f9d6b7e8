"""The data of a sweep's page: every job, whatever became of it, and nothing that is not JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from run_dirs import GONE, failed, job, make_hydra_run, make_run, running, write

from hydra_callbacks.errors import SweepError
from hydra_callbacks.report.page import render
from hydra_callbacks.report.sweep import sweep_data
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from conftest import App

HTML = "</script><script>alert(1)</script>"


def checked(data: dict[str, Any]) -> dict[str, Any]:
    """Return data that a page can hold: strict JSON, a value for each job in each column."""
    json.dumps(data, allow_nan=False).encode()
    n_jobs = len(data["values"][""])
    assert set(data["jobs"]) == {"link", "words", "begins_s", "worker", "error"}
    assert {len(values) for values in [*data["jobs"].values(), *data["values"].values()]} <= {n_jobs}
    assert [each["name"] for each in data["columns"]] == list(data["values"])
    assert sum(data["counts"].values()) == n_jobs
    for error, group in enumerate(data["errors"]):
        assert [row for row, index in enumerate(data["jobs"]["error"]) if index == error] == group["rows"]
        assert len(group["rows"]) == group["count"]
    return data


def column(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in data["columns"] if each["name"] == name)


def make_sweep(folder: Path, *results: Any, words: tuple[str, ...] = ("lr=0.1", "opt=adam")) -> Path:
    for num, result in enumerate(results):
        make_run(folder / str(num), num, job=job(num), overrides=list(words), result=result, app="train")
    return folder


@pytest.fixture
def sweep(app: App) -> Path:
    """A real sweep of five jobs, of which one failed, with what the callbacks have kept of it."""
    app.callbacks(
        *({"_target_": f"hydra_callbacks.{name}"} for name in ("RunRecord", "ResourceMonitor")),
        {"_target_": "hydra_callbacks.MultiRunGatherer", "metric": "deep.er", "direction": "min"},
        {"_target_": "hydra_callbacks.SweepProgress", "metric": "double", "direction": "min"},
    )
    app.commit()
    assert app.run("-m", "x=1,10,2,100,1000", "fail_at=2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2").code == 1
    return app.one("multirun/*/*")


def test_a_real_sweep(sweep: Path) -> None:
    data = checked(sweep_data(sweep))
    assert (data["kind"], data["app"], data["status"]) == ("sweep", "app", "failed")
    assert data["counts"] == {"completed": 4, "failed": 1}
    assert "run-dir" not in data["values"], "the number tells"
    assert data["jobs"]["link"] == ["0/", "1/", "2/", "3/", "4/"]
    assert len(set(data["jobs"]["worker"])) <= 2, "joblib's processes, of which one may have done it all"
    assert all(worker.startswith(("process ", "slot ")) for worker in data["jobs"]["worker"])
    assert all(0 <= begins <= data["duration_s"] for begins in data["jobs"]["begins_s"])
    assert all(data["values"]["run-peak_rss_bytes"])
    assert (data["launches_s"], data["idle_s"]) == ([0], 0)
    x = column(data, "x")
    assert (x["kind"], x["role"], x["is_log"]) == ("number", "override", True)
    assert data["values"]["x"] == [1, 10, 2, 100, 1000]
    assert data["values"]["double"] == [2, 20, None, 200, 2000]
    assert column(data, "deep.er")["kind"] == "category"
    (error,) = data["errors"]
    assert (error["type"], error["message"], error["rows"]) == ("ValueError", "x must not be 2", [2])
    assert error["traceback"].startswith("Traceback")
    assert data["commands"][0]["command"].startswith("hydra-callbacks resume ")
    assert data["importance"]["why_not"] == "Too few jobs to tell: 4 have a number in double, and it takes 8"
    assert data["notes"] == ["no job has a number in 'deep.er'; results that are numbers: double"]


def test_the_metric_is_what_is_asked_for_else_what_the_sweep_says(sweep: Path) -> None:
    yaml = (sweep / "multirun.yaml").read_text()
    (sweep / "multirun.yaml").write_text(yaml.replace("metric: deep.er", "metric: double"))
    data = sweep_data(sweep)
    way = {"name": "double", "is_max": False, "is_guessed": False}
    assert data["metric"] == {**way, "candidates": [way]}
    assert data["best"] == {"row": 0, "value": 2, "words": "x=1 fail_at=2", "num": 0}
    assert data["notes"] == []
    asked = sweep_data(sweep, metric_name="double", is_max=True)["best"]
    assert (asked["value"], asked["num"]) == (2000, 4)
    assert "no job has a number in 'nothing'" in sweep_data(sweep, metric_name="nothing")["notes"][0]


def test_the_commands_name_the_job_that_they_run_again(tmp_path: Path) -> None:
    """The page's reader may compare by another result by then, and see another job as the best."""
    folder = make_sweep(tmp_path, {"acc": 0.5, "loss": 1.0}, {"acc": 0.9, "loss": 2.0})
    for num in range(2):
        make_run(folder / str(num), num, job=job(num), result={"acc": num}, git={"sha": "1" * 40}, command=["t.py"])
    assert [(each["label"].partition(", in /")[0]) for each in sweep_data(folder)["commands"]] == [
        "Run job 1 again, the best by acc, with the code as it is now",
        "Reproduce job 1, the best by acc, with its own code",
    ]


def test_numbers_that_are_none_are_null(tmp_path: Path) -> None:
    results = [{"y": "nan", "z": 10**400}, {"y": 0.5, "z": 2**60}, {"y": "inf", "z": 1}, {"y": None, "z": -1.5}]
    data = checked(sweep_data(make_sweep(tmp_path, *results)))
    assert column(data, "y")["kind"] == column(data, "z")["kind"] == "number"
    assert data["values"]["y"] == ["nan", 0.5, "inf", None]
    assert data["values"]["z"] == [None, 2.0**60, 1, -1.5]
    assert data["best"]["value"] == 0.5


def test_a_result_of_ten_megabytes_does_not_make_a_page_of_ten_megabytes(tmp_path: Path) -> None:
    data = checked(sweep_data(make_sweep(tmp_path, {"y": 1.0, "text": "x" * 10_000_000}, {"y": 2.0, "text": HTML})))
    assert data["values"]["text"] == ["x" * 200 + "… (10,000,000 characters)", HTML]
    assert column(data, "text")["kind"] == "text"
    many = {f"key{number}": number for number in range(5000)}
    data = checked(sweep_data(make_sweep(tmp_path / "many", many, many)))
    assert "of 5,000 results, the first 200 are shown" in data["notes"]


def test_jobs_that_were_killed_never_started_or_are_damaged(odd_path: Path) -> None:
    plan = [["x=1"], ["x=2"], ["x=3"], ["x=4"], ["x=5"]]
    line = {"launch": "started", "id": "a", "at": "2026-11-22T09:00:00.000Z", "app": "train", "plan": plan}
    host = {"name": "far.example.org", "pid": 12}
    lines = [
        {**line, "n_planned": 5, "host": {"name": "elsewhere"}},
        {"job": 0, "status": "running", "overrides": ["x=1"], "started_at": "2026-11-22T09:01:00.000Z", "host": host},
        {
            "job": 0,
            "status": "completed",
            "overrides": ["x=1"],
            "started_at": "2026-11-22T09:01:00.000Z",
            "duration_s": 5,
        },
        {"launch": "ended", "id": "a", "at": "2026-11-22T10:00:00.000Z", "status": "failed"},
    ]
    write(
        odd_path / "jobs.jsonl", "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in lines) + '{"job":'
    )
    make_run(odd_path / "1", 2, **running(GONE, job=job(1), overrides=["x=2"]))
    make_run(odd_path / "2", 3, **failed(job=job(2), overrides=["x=3"]))
    write(odd_path / "3" / ".hydra" / "run.json", '{"schema": 1, "status": ')
    data = checked(sweep_data(odd_path))
    assert data["values"]["run-status"] == ["completed", "lost", "failed", "missing", "missing"]
    assert data["jobs"]["begins_s"][0] == 60
    assert data["jobs"]["worker"][0] == "far slot 1"
    assert data["jobs"]["link"][3] is None
    assert {error["type"] for error in data["errors"]} == {"killed", "ValueError"}
    assert any("is no whole run record" in note for note in data["notes"])
    assert data["status"] == "stopped"


def test_failures_are_of_one_kind_when_they_differ_in_numbers_and_quotes_only(tmp_path: Path) -> None:
    messages = ["no file 'a.txt'", "no file 'b.txt'", "loss is 3.5e-5", "loss is nan", f"loss is {HTML}"]
    for num, message in enumerate(messages):
        error = {"type": "ValueError", "message": message, "traceback": f"Traceback\n{num}"}
        make_run(tmp_path / str(num), num, **failed(job=job(num), error=error))
    data = checked(sweep_data(tmp_path))
    assert [(each["message"], each["rows"]) for each in data["errors"]] == [
        ("no file 'a.txt'", [0, 1]),
        *((messages[num], [num]) for num in (2, 3, 4)),
    ]
    assert data["errors"][0]["traceback"] == "Traceback\n0"


def test_hundreds_of_kinds_of_failure_become_few(tmp_path: Path) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    for num in range(70):
        error = {"type": "E", "message": f"{letters[num % 26]}{letters[num // 26]}", "traceback": ""}
        make_run(tmp_path / str(num), 0, **failed(job=job(num), error=error))
    data = checked(sweep_data(tmp_path))
    assert len(data["errors"]) == 51
    assert sum(each["count"] for each in data["errors"]) == 70


def test_long_tracebacks_of_many_kinds_stay_small(tmp_path: Path) -> None:
    line = '  File "<string>", line 7, in main\n    raise ValueError\n'
    for num in range(100):
        words = "".join(chr(97 + int(digit)) for digit in f"{num:02}")
        error = {"type": "ValueError", "message": f"it is {words}", "traceback": line * 600 + f"the end of {num}"}
        make_run(tmp_path / str(num), num % 60, **failed(job=job(num), error=error))
    data = checked(sweep_data(tmp_path))
    html = render(data)
    assert len(html.encode()) < 700e3
    assert html.count("<pre") == 5
    assert len(data["errors"]) == 51
    assert all(each["traceback"].startswith("...") for each in data["errors"])
    last = data["errors"][-1]
    assert last["traceback"].endswith(f"the end of {last['rows'][0]}")
    assert sum(len(each["traceback"]) for each in data["errors"]) < 201_000


def test_a_single_long_traceback_is_shown_as_long_as_can_be(tmp_path: Path) -> None:
    for num, name in enumerate("abc"):
        error = {"type": "E", "message": name, "traceback": "x" * 15_000 if num else "short"}
        make_run(tmp_path / str(num), 0, **failed(job=job(num), error=error))
    assert [len(each["traceback"]) for each in sweep_data(tmp_path)["errors"]] == [5, 15_000, 15_000]


def test_secrets_that_are_known_are_not_shown_whoever_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", "sesame-open-42")
    error = {"type": "E", "message": "got sesame-open-42", "traceback": "password='hunter2-x' sesame-open-42"}
    make_run(tmp_path / "0", 0, **failed(job=job(0), error=error))
    text = json.dumps(sweep_data(tmp_path))
    assert "sesame" not in text
    assert "hunter2" not in text
    assert "<redacted>" in text


def test_a_sweep_without_any_record_and_an_empty_one(odd_path: Path) -> None:
    for num in range(3):
        make_hydra_run(odd_path / "old" / str(num), num=num)
        write(odd_path / "old" / str(num) / "results.json", json.dumps({"y": num}))
    data = checked(sweep_data(odd_path / "old"))
    assert data["counts"] == {"unknown": 3}
    assert data["best"]["num"] == 2
    (odd_path / "empty").mkdir()
    data = checked(sweep_data(odd_path / "empty"))
    assert (data["counts"], data["best"], data["metric"], data["importance"]) == ({}, None, None, None)
    with pytest.raises(SweepError, match="there is no directory"):
        sweep_data(odd_path / "gone")


def test_links_lead_to_the_jobs_pages_from_wherever_the_page_lies_and_run_no_script(tmp_path: Path) -> None:
    folder = tmp_path / "a sweep"
    name = "javascript:alert(1)"
    make_run(folder / name, 0, job=job(0))
    make_run(folder / "100% #1?", 1, job=job(1))
    write(folder / "100% #1?" / "report.html", "<html>")
    assert sweep_data(folder)["jobs"]["link"] == ["javascript%3Aalert%281%29/", "100%25%20%231%3F/report.html"]
    seen = sweep_data(folder, page_dir=tmp_path)["jobs"]["link"]
    assert seen == ["a%20sweep/javascript%3Aalert%281%29/", "a%20sweep/100%25%20%231%3F/report.html"]


def test_ten_thousand_jobs_stay_small(tmp_path: Path) -> None:
    launch = {"launch": "started", "id": "a", "at": "2026-11-22T09:00:00.000Z", "app": "t", "command": ["t.py"]}
    lines = [json.dumps(launch, separators=(",", ":"))]
    for num in range(10_000):
        facts = {"job": num, "overrides": [f"lr={1 / (num + 1):.6f}", f"seed={num % 7}"]}
        facts["started_at"] = f"2026-11-22T09:{num // 60 % 60:02}:{num % 60:02}.000Z"
        lines.append(json.dumps({**facts, "status": "running", "host": {"name": "n", "pid": num % 16}}))
        lines.append(json.dumps({**facts, "status": "completed", "duration_s": num / 7, "result": {"y": num / 3}}))
    write(tmp_path / "jobs.jsonl", "\n".join(lines) + "\n")
    data = checked(sweep_data(tmp_path, is_over=True))
    assert len(data["values"][""]) == 10_000
    assert len(json.dumps(data, separators=(",", ":"))) < 1_700_000
    assert data["importance"]["is_enough"]
    assert Path(data["place"]).is_absolute()


def test_a_result_that_is_no_number_stays_by_its_name(tmp_path: Path) -> None:
    make_sweep(tmp_path, {"loss": 1.0}, {"loss": float("nan")}, {"loss": float("-inf")})
    assert sweep_data(tmp_path)["values"]["loss"] == [1.0, "nan", "-inf"]


def test_a_secret_is_taken_out_under_any_column_and_of_their_names(tmp_path: Path) -> None:
    make_sweep(tmp_path, {"kind": "swordfish-77", "uri": "swordfish-77", "a.swordfish-77": 1, "b": 2})
    data = sweep_data(tmp_path, redactor=Redactor({"password": "swordfish-77"}))
    assert "swordfish" not in json.dumps(data)
    assert {column["name"] for column in data["columns"]} == set(data["values"])
    assert data["values"]["a.<redacted>"] == [1]
    assert "swordfish" not in render(data)
