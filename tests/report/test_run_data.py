"""The data of a run's page: real runs, damaged ones, and texts that would like to be more than that."""

from __future__ import annotations

import gzip
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from run_dirs import GONE, failed, job, make_hydra_run, make_run, running, write

from hydra_callbacks.report.run import run_data
from hydra_callbacks.runs.find import Run, run_in
from hydra_callbacks.support.tables import append_rows

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

HTML = "</script><script>alert(1)</script>"
EVERYTHING = ("RunRecord", "ConsoleCapture", "CrashReport", "EnvironmentInfo", "ResourceMonitor", "RuntimePerformance")


def checked(directory: Path, **options: Any) -> dict[str, Any]:
    found = run_in(directory)
    assert found
    data = run_data(found, **options)
    json.dumps(data, allow_nan=False).encode()
    return data


def test_a_real_run_that_failed(app: App) -> None:
    app.callbacks(
        *({"_target_": f"hydra_callbacks.{name}"} for name in EVERYTHING),
        {"_target_": "hydra_callbacks.GitInfo", "patch": True},
    )
    app.commit()
    with (app.directory / "app.py").open("a", encoding="utf-8") as file:
        file.write(f"# changed: {HTML} é\n")
    assert app.run("x=3", "fail_at=3").code == 1
    data = checked(app.one("outputs/*/*"))
    assert (data["kind"], data["app"], data["status"], data["num"], data["attempt"]) == (
        "run",
        "app",
        "failed",
        None,
        1,
    )
    assert data["config"][:2] == [
        {"key": "x", "value": "3", "is_overridden": True},
        {"key": "fail_at", "value": "3", "is_overridden": True},
    ]
    assert {"key": "opt.lr", "value": "0.1", "is_overridden": False} in data["config"]
    assert (data["error"]["type"], data["error"]["why"]) == ("ValueError", None)
    assert "raise ValueError" in data["error"]["traceback"]
    assert f"+# changed: {HTML} é" in data["git"]["patch"]
    assert dict(data["git"]["facts"])["is_dirty"] == "True"
    assert "x is 3" in data["console"]["text"]
    assert data["crash"].startswith("Crash report: ")
    assert "hydra-core" in dict(data["packages"])
    assert dict(data["environment"])["python"]
    assert [each["label"] for each in data["figures"]][:2] == ["peak memory", "processor time"]
    assert data["curves"]["panels"][1]["mark"]["label"] == "kernel's peak"
    assert {each["path"] for each in data["artefacts"]} >= {"console.log", "crash.txt", "resource_monitoring.csv"}
    commands = [each["command"] for each in data["commands"]]
    assert commands[0] == "python app.py x=3 fail_at=3"
    assert commands[1].startswith("hydra-callbacks reproduce ")
    assert data["notes"] == []


def test_a_job_of_a_sweep_leads_to_it_and_has_its_own_curves(app: App) -> None:
    app.callbacks(*({"_target_": f"hydra_callbacks.{name}"} for name in ("RunRecord", "ResourceMonitor")))
    assert app.run("-m", "x=1,2").code == 0
    sweep = app.one("multirun/*/*")
    data = checked(sweep / "1")
    assert (data["num"], data["sweep"]) == (1, {"place": str(sweep), "link": None})
    assert data["result"] == [{"key": "double", "value": 4}, {"key": "deep.er", "value": "é"}]
    assert data["curves"]["time_s"][0] == 0
    write(sweep / "report.html", "<html>")
    assert checked(sweep / "1")["sweep"]["link"] == "../report.html"
    assert checked(sweep / "1", page_dir=app.directory)["sweep"]["link"].startswith("multirun/")


def test_what_is_overridden_comes_first_a_choice_with_all_below(tmp_path: Path) -> None:
    config = {"a": 1, "model": {"size": 5, "deep": {"er": [1, None]}}, "lr": 1e-05, "note": HTML, "opt": {"x": True}}
    words = ["lr=1e-5", "model=big", "db@opt=mysql", "~gone", "+note=x"]
    data = checked(make_run(tmp_path, config=config, overrides=words))
    assert [(each["key"], each["value"], each["is_overridden"]) for each in data["config"]] == [
        ("model.size", "5", True),
        ("model.deep.er", "[1, null]", True),
        ("lr", "1e-05", True),
        ("note", HTML, True),
        ("opt.x", "true", True),
        ("a", "1", False),
    ]


def test_of_very_many_settings_those_that_were_overridden_are_shown(tmp_path: Path) -> None:
    config = {f"key{number}": number for number in range(5101)}
    data = checked(make_run(tmp_path, config=config, overrides=["key5100=7"]))
    assert data["config"][0] == {"key": "key5100", "value": "5100", "is_overridden": True}
    assert len(data["config"]) == 5000
    assert data["notes"] == ["of 5,101 settings, 5,000 are shown"]


def test_all_files_are_counted_also_those_that_are_not_listed(tmp_path: Path) -> None:
    directory = make_run(tmp_path)
    for number in range(510):
        write(directory / f"{number}.txt", "xyz")
    data = checked(directory)
    assert (len(data["artefacts"]), data["n_files"], data["total_bytes"]) == (500, 510, 1530)


def test_the_samples_are_read_by_the_name_that_the_record_has(tmp_path: Path) -> None:
    rows = [{"": index, "time": index, "cpus": 1.0, "job_name": "t", "job_id": 0} for index in range(2)]
    directory = make_run(tmp_path / "run", resources={"samples_file": "mine.csv"})
    append_rows(directory / "mine.csv", rows)
    assert checked(directory)["curves"]["n_samples"] == 2
    for name in ("../mine.csv", str(tmp_path / "mine.csv"), "link.csv"):
        make_run(directory, resources={"samples_file": name})
        (tmp_path / "mine.csv").unlink(missing_ok=True)
        (directory / "link.csv").unlink(missing_ok=True)
        assert (checked(directory)["curves"], checked(directory)["notes"]) == (None, []), "there are none"
        append_rows(tmp_path / "mine.csv", rows)
        (directory / "link.csv").symlink_to("../mine.csv")
        data = checked(directory)
        told = "the samples are outside of the run's directory; hydra-callbacks plot shows them"
        assert (data["curves"], data["notes"]) == (None, [f"the curves are left out: {told}"])
    make_run(directory, resources={"samples_file": "a\0b"})
    assert checked(directory)["notes"] == []


def test_the_samples_of_a_job_may_be_outside_of_its_sweep(tmp_path: Path) -> None:
    directory = make_run(tmp_path / "sweep" / "0", job=job(0), resources={"samples_file": "../up.csv"})
    write(tmp_path / "sweep" / "multirun.yaml", "")
    write(tmp_path / "up.csv", "x")
    (note,) = checked(directory)["notes"]
    assert "outside of the sweep's directory" in note


def test_the_page_of_a_sweep_may_have_any_name(tmp_path: Path) -> None:
    directory = make_run(tmp_path / "0", job=job(0))
    write(tmp_path / "multirun.yaml", "")
    write(tmp_path / "other.html", "<h1>mine</h1>")
    assert checked(directory)["sweep"]["link"] is None
    write(tmp_path / "page.html", '<meta name="generator" content="hydra-callbacks 1.0">')
    assert checked(directory)["sweep"]["link"] == "../page.html"


@pytest.mark.parametrize("text", ["", "{", '{"schema": 1, "status": "comp', "[]", '{"schema": 99}', "\0" * 100])
def test_a_torn_record_is_told_and_the_rest_is_shown(odd_path: Path, text: str) -> None:
    write(odd_path / ".hydra" / "run.json", text)
    write(odd_path / "model.txt", "x")
    data = checked(odd_path)
    assert len(data["notes"]) == 1
    assert "run.json" in data["notes"][0]
    assert data["artefacts"] == [{"path": "model.txt", "bytes": 1}]
    assert data["curves"] is data["console"] is data["git"] is data["error"] is None


def test_no_record_at_all(odd_path: Path) -> None:
    data = checked(make_hydra_run(odd_path / "old"))
    assert (data["status"], data["app"], data["overrides"]) == ("unknown", "train", ["lr=0.1"])
    (odd_path / "nothing").mkdir()
    assert run_data(Run(str(odd_path / "nothing"), {}))["status"] == "unknown"


def test_a_killed_run_says_why(tmp_path: Path) -> None:
    data = checked(make_run(tmp_path, **running(GONE)))
    assert data["status"] == "lost"
    assert data["error"]["type"] == "killed"
    assert data["error"]["why"]


def test_sections_of_any_type_cost_no_page(tmp_path: Path) -> None:
    names = ("result", "resources", "timers", "environment", "console", "crash", "evidence")
    odd: dict[str, Any] = {name: ["not", "a", "section"] for name in names}
    odd |= {"git": {"sha": None, "patch": 7, "left_out": "x"}, "overrides": [1, None], "duration_s": "long"}
    odd |= {"config": {"": None, "a": {"b": {}}}, "command": [None], "error": {"type": 3, "traceback": 7}}
    data = checked(make_run(tmp_path, status="failed", **odd))
    assert data["duration_s"] is None
    assert data["result"] == [{"key": "result", "value": '["not", "a", "section"]'}]
    for timers in ({"a": "nan", "b": 1.5, "c": None}, None):
        data = checked(make_run(tmp_path, timers=timers))
        assert data["timers"] == ([{"name": "b", "seconds": 1.5}] if timers else [])


def test_a_result_of_ten_megabytes_and_numbers_that_are_none(tmp_path: Path) -> None:
    result = {"text": HTML * 300_000, "y": "nan", "deep": {"big": 10**400, "none": None, "ok": True, "list": [1, 2]}}
    data = checked(make_run(tmp_path, result=result))
    found = {each["key"]: each["value"] for each in data["result"]}
    assert found["text"].endswith("… (10,200,000 characters)")
    assert len(json.dumps(data)) < 30_000
    assert (found["y"], found["deep.none"], found["deep.ok"], found["deep.list"]) == ("nan", None, True, "[1, 2]")


def test_of_a_huge_console_the_end_is_shown(tmp_path: Path) -> None:
    directory = make_run(tmp_path, console={"file": "console.log"})
    with (directory / "console.log").open("wb") as file:
        for number in range(400_000):
            file.write(b"line %d of many\n" % number)
    console = checked(directory)["console"]
    assert console["is_cut"]
    assert len(console["text"]) < 65_000
    assert console["text"].splitlines()[0].startswith("line ")
    assert console["text"].endswith("line 399999 of many")


def test_a_binary_console_a_coloured_one_and_progress_bars_become_text(tmp_path: Path) -> None:
    directory = make_run(tmp_path, console={"file": "console.log"})
    (directory / "console.log").write_bytes(
        b"\x1b[31mred\x1b[0m \x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07\r\n"
        b" 1%\r 50%\r100%\ndone\x00\x07 \xff\xfe\n"
    )
    assert checked(directory)["console"] == {"text": "red link\n100%\ndone�� ��", "is_cut": False}
    (directory / "console.log").write_bytes(os.urandom(200_000))
    checked(directory)


def test_hydras_log_stands_in_for_the_console(tmp_path: Path) -> None:
    directory = make_run(tmp_path)
    write(directory / "train.log", "[INFO] accuracy: 0.9\n")
    assert checked(directory)["console"] == {"text": "[INFO] accuracy: 0.9", "is_cut": False}


def test_no_secret_is_shown_whoever_wrote_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "sesame-open-42")
    known, unknown = "sesame-open-42", "hunter2-hunter3"
    text = f"key is {known}\nconnect(password='{unknown}')\nhttps://me:{unknown}@example.org/\n"
    git = {"sha": "1" * 40, "patch": ".hydra/git.patch"}
    files = {"console": {"file": "console.log"}, "crash": {"file": "crash.txt"}}
    directory = make_run(tmp_path, **failed(git=git, app=None, **files))
    for name in ("console.log", ".hydra/git.patch", "crash.txt"):
        write(directory / name, text)
    write(directory / f"{known}.txt", "x")
    data = checked(directory)
    assert data["console"]["text"].startswith("key is <redacted>")
    assert data["git"]["patch"].startswith("key is <redacted>")
    assert data["crash"].startswith("key is <redacted>")
    told = json.dumps(data)
    assert known not in told
    assert unknown not in told


def test_a_patch_is_read_as_it_was_packed_and_cut_where_it_is_long(tmp_path: Path) -> None:
    directory = make_run(
        tmp_path / "0",
        git={
            "sha": "1",
            "patch": "../.provenance/git.patch.gz",
            "left_out": [{"file": "big.bin", "why": "it has 20.0 MB"}],
        },
        job=job(0),
    )
    (tmp_path / ".provenance").mkdir()
    packed = tmp_path / ".provenance" / "git.patch.gz"
    packed.write_bytes(gzip.compress(b"+a line\n" * 1_000_000))
    git = checked(directory)["git"]
    assert git["patch_is_cut"]
    assert 150_000 < len(git["patch"]) <= 200_000
    assert git["patch"].endswith("+a line\n")
    assert git["left_out"] == ["big.bin: it has 20.0 MB"]
    packed.write_bytes(packed.read_bytes()[:2000])
    data = checked(directory)
    assert data["git"]["patch"] is None or data["git"]["patch_is_cut"]
    packed.write_bytes(b"no gzip")
    data = checked(directory)
    assert data["git"]["patch"] is None
    assert "the patch is left out" in data["notes"][0]


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.txt", "link.txt", "a\0b", "", ".", 7, "../../.provenance"])
def test_a_record_from_anywhere_reads_no_file_from_anywhere(tmp_path: Path, name: Any) -> None:
    files = {"console": {"file": name}, "crash": {"file": name}, "environment": {"file": name, "packages": name}}
    evidence = {"fault_log": name}
    directory = make_run(
        tmp_path / "a" / "b", **running(GONE, **files, evidence=evidence), git={"sha": "1", "patch": name}, app="../x"
    )
    write(tmp_path / "a" / "secret.txt", "root: x")
    (directory / "link.txt").symlink_to("/etc/passwd")
    data = checked(directory)
    assert data["console"] is data["crash"] is data["git"]["patch"] is data["error"]["traceback"] is None
    assert data["packages"] == []
    assert "root" not in json.dumps(data["environment"])


def test_a_secret_override_is_in_no_command(tmp_path: Path) -> None:
    data = checked(make_run(tmp_path, overrides=["key=<redacted>"], git={"sha": "1" * 40}))
    assert [each["command"] for each in data["commands"]] == [f"hydra-callbacks reproduce {tmp_path}"]


def test_figures_of_a_gpu(tmp_path: Path) -> None:
    gpu = {"index": 1, "name": HTML, "peak_memory_bytes": 5e9, "mean_usage_percent": 87.4, "energy_j": 1500}
    resources = {"peak_rss_bytes": 1.5e9, "cpu_s": 90, "used_share": {"memory": 0.25}, "gpus": [gpu, "odd"]}
    data = checked(make_run(tmp_path, resources=resources))
    assert [(each["label"], each["value"], each["hint"]) for each in data["figures"]] == [
        ("peak memory", "1.4 GiB", "25 % of what it may use"),
        ("processor time", "1 min 30 s", None),
        ("GPU 1 peak memory", "4.7 GiB", "by all processes"),
        ("GPU 1 busy", "87 %", "mean"),
        ("GPU 1 energy", "1.5 kJ", None),
    ]
