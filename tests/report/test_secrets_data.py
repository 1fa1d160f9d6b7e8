"""Secrets: whoever has the page made, and wherever a text is cut, none is in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from run_dirs import GONE, failed, job, make_run, running, write

from hydra_callbacks.report.page import render
from hydra_callbacks.report.register import register_data
from hydra_callbacks.report.run import run_data
from hydra_callbacks.report.sweep import sweep_data
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from pathlib import Path

SWORDFISH = "swordfish-77-swordfish-78"
CONFIG = f"db: {{password: {SWORDFISH}}}\n"


def of_run(directory: Path, redactor: Redactor | None = None) -> dict[str, Any]:
    found = run_in(directory)
    assert found
    return run_data(found, redactor=redactor)


def test_the_secrets_of_a_runs_configuration_are_known_to_who_reads_it_later(tmp_path: Path) -> None:
    directory = make_run(tmp_path)
    write(directory / ".hydra" / "config.yaml", CONFIG)
    write(directory / "train.log", f"connecting with {SWORDFISH}\n")
    data = of_run(directory)
    assert data["console"]["text"] == "connecting with <redacted>"
    assert SWORDFISH not in render(data)


def test_in_a_sweep_each_job_knows_its_own(tmp_path: Path) -> None:
    for num in range(2):
        changes = running(GONE, job=job(num), evidence={"fault_log": "fault.log"}, overrides=[f"n={num}"])
        directory = make_run(tmp_path / str(num), num, **changes)
        write(directory / ".hydra" / "config.yaml", f"db: {{password: secret-of-{num}-x}}\n")
        write(directory / "fault.log", f"Fatal Python error: {'ab'[num]}\n  in connect to secret-of-{num}-x\n")
    data = sweep_data(tmp_path)
    assert [each["traceback"].splitlines()[-1] for each in data["errors"]] == ["  in connect to <redacted>"] * 2
    assert "secret-of" not in json.dumps(data)


@pytest.mark.parametrize("shift", [0, 5, len(SWORDFISH) - 1])
def test_a_secret_on_the_edge_of_what_is_shown_does_not_leave_its_half(tmp_path: Path, shift: int) -> None:
    redactor = Redactor({"password": SWORDFISH})
    files = {"crash": {"file": "crash.txt"}, "git": {"sha": "1", "patch": ".hydra/git.patch"}}
    error = {"type": "E", "message": "m", "traceback": f"{SWORDFISH}\n{'x' * (20_000 - shift - 1)}"}
    directory = make_run(tmp_path / str(shift), **failed(**files, console={"file": "console.log"}, error=error))
    for name, n_bytes in (("crash.txt", 50_000), (".hydra/git.patch", 200_000)):
        write(directory / name, f"a line\n{'x' * (n_bytes - shift - 7)}{SWORDFISH}\nthe rest")
    write(directory / "console.log", f"{SWORDFISH} {'x' * (64_000 - shift - 3)}\n\n")
    data = of_run(directory, redactor)
    assert (data["crash"], data["git"]["patch"]) == ("a line\n…", "a line\n")
    told = json.dumps(data)
    assert not any(part in told for part in ("swordfish", SWORDFISH[-5:], "d-78"))


def test_of_a_single_long_line_no_half_word_is_shown(tmp_path: Path) -> None:
    directory = make_run(tmp_path, console={"file": "console.log"})
    write(directory / "console.log", f"{SWORDFISH} " * 4000)
    console = of_run(directory, Redactor({"password": SWORDFISH}))["console"]
    assert set(console["text"].split()) == {"<redacted>"}
    write(directory / "console.log", "x" * 100_000)
    assert of_run(directory)["console"] is None


def test_a_command_that_lacks_a_secret_is_left_out_and_overrides_that_do_are_not_pasted(tmp_path: Path) -> None:
    for num in range(2):
        words = [f"api_key=<redacted>{num}"] if num else ["lr=1"]
        make_run(tmp_path / "s" / str(num), num, job=job(num), result={"y": num}, overrides=words)
    data = sweep_data(tmp_path / "s")
    assert (data["best"]["num"], data["best"]["words"], data["jobs"]["words"]) == (1, None, ["lr=1", None])
    assert "None" not in render(data).partition("Best job")[2].partition("</p>")[0]
    make_run(tmp_path / "s" / "2", 2, job=job(2), result={"y": -1}, overrides=[f"note={SWORDFISH}"])
    data = sweep_data(tmp_path / "s", redactor=Redactor({"password": SWORDFISH}), is_max=False)
    assert (data["best"]["num"], data["best"]["words"], data["jobs"]["words"][2]) == (2, None, None)
    assert [each["label"] for each in data["commands"] if "again" in each["label"]] == []
    make_run(tmp_path / "long", overrides=["x=" + "y" * 3000], result={"y": 1})
    (app,) = register_data(str(tmp_path / "long"))["by_app"]
    assert app["best"]["words"] is None


def test_a_folder_with_a_secret_name_is_not_pasted_and_no_command_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", SWORDFISH)
    make_run(tmp_path / SWORDFISH, result={"y": 1})
    make_run(tmp_path / "b" / "c", result={"y": 1})
    data = register_data(str(tmp_path))
    assert sorted(map(str, data["runs"]["path"])) == sorted(["None", str(tmp_path / "b" / "c")])
    assert SWORDFISH not in render(data)
    assert register_data(str(tmp_path / SWORDFISH))["commands"] == []
