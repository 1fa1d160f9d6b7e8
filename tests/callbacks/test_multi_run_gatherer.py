"""MultiRunGatherer: one table for the whole sweep."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks import MultiRunGatherer
from hydra_callbacks.errors import SettingError

if TYPE_CHECKING:
    from conftest import App

GATHER: dict[str, Any] = {"_target_": "hydra_callbacks.MultiRunGatherer"}


def table(app: App) -> list[list[str]]:
    with app.one("multirun/*/*/agg_results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def columns(app: App, *names: str) -> list[tuple[str, ...]]:
    header, *rows = table(app)
    return [tuple(row[header.index(name)] for name in names) for row in rows]


def test_jobs_are_rows_in_order_with_overrides_and_nested_values_as_columns(app: App) -> None:
    app.callbacks(GATHER)
    done = app.run("-m", "x=range(12)", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert done.code == 0, done.text
    head = ["", "run-status", "run-duration_s", "x", "double", "deep.er", "run-peak_rss_bytes", "run-error"]
    assert table(app)[0] == head
    told = columns(app, "", "run-status", "x", "double", "deep.er", "run-error")
    assert told == [(str(x), "completed", str(x), str(2 * x), "é", "") for x in range(12)]
    assert f"Gathered results in {app.one('multirun/*/*/agg_results.csv')}" in done.out
    assert "12 jobs: 12 completed" in done.out


def test_failed_and_torn_results_are_rows_too_and_named(app: App) -> None:
    app.callbacks(GATHER)
    text = (app.directory / "app.py").read_text()
    torn = "    if cfg.x == 3: output_dir.joinpath('results.json').write_text('{\"double\": 1')\n"
    empty = "    if cfg.x == 4: output_dir.joinpath('results.json').write_text('')\n"
    app.write("app.py", text.replace("    return cfg.x", f"{torn}{empty}    return cfg.x"))
    done = app.run("-m", "x=1,2,3,4,5", "fail_at=2")
    assert done.code == 1
    assert columns(app, "", "run-status", "double", "return_value", "run-error") == [
        ("0", "completed", "2", "", ""),
        ("1", "failed", "", "", "ValueError: x must not be 2"),
        ("2", "completed", "", "3", ""),
        ("3", "completed", "", "4", ""),
        ("4", "completed", "10", "", ""),
    ]
    assert "5 jobs: 4 completed, 1 failed" in done.out
    assert "Failed: 1" in done.out
    assert "a result is left out: 2/results.json is no whole JSON file" in done.out
    assert "a result is left out: 3/results.json is no whole JSON file" in done.out


@pytest.mark.parametrize(("direction", "best"), [("max", "10, of job 2: x=5"), ("min", "6, of job 1: x=3")])
def test_the_best_job_is_told_with_its_overrides(app: App, direction: str, best: str) -> None:
    app.callbacks({**GATHER, "metric": "double", "direction": direction})
    done = app.run("-m", "x=1,3,5", "fail_at=1")
    assert f"Best double: {best} fail_at=1" in done.out


def test_a_metric_that_no_job_has_is_told_with_those_that_there_are(app: App) -> None:
    app.callbacks({**GATHER, "metric": "acuracy"})
    assert "No completed job has a number in 'acuracy'; results: double, deep.er" in app.run("-m", "x=1,3").out


@pytest.mark.parametrize("setting", [{"table_file": "table.xlsx"}, {"direction": "up"}, {"metric": 3}])
def test_wrong_settings_are_told(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(setting))):
        MultiRunGatherer(**setting)


@pytest.mark.parametrize("name", ["table.jsonl", "table.parquet", "table.md", "table.tex"])
def test_the_name_chooses_the_form(app: App, name: str) -> None:
    app.callbacks({**GATHER, "table_file": name})
    done = app.run("-m", "x=1,3")
    assert f"Gathered results in {app.one(f'multirun/*/*/{name}')}" in done.out


@pytest.mark.parametrize(
    "subdir", ["deep/er/${hydra.job.num}", "${hydra.job.override_dirname}", "job ${hydra.job.num} é"]
)
def test_any_subdirectory_at_any_depth(app: App, subdir: str) -> None:
    app.callbacks(GATHER)
    done = app.run("-m", "x=10,9,8", f"hydra.sweep.subdir='{subdir}'")
    assert done.code == 0, done.text
    assert columns(app, "", "double") == [("0", "20"), ("1", "18"), ("2", "16")]
    assert columns(app, "run-dir")[0] != ("",)


@pytest.mark.parametrize("subdir", ["null", "meta"])
def test_hydras_own_folder_has_another_name_or_none(app: App, subdir: str) -> None:
    app.callbacks(GATHER, {"_target_": "hydra_callbacks.RunRecord"})
    overrides = ["hydra.sweep.subdir='${hydra.job.override_dirname}'", f"hydra.output_subdir={subdir}"]
    assert app.run("-m", "x=3,1,2", "fail_at=3", *overrides).code == 1
    assert columns(app, "", "double") == [("0", ""), ("1", "2"), ("2", "4")]


def test_a_result_of_an_earlier_sweep_is_not_taken_for_a_failed_jobs(app: App) -> None:
    app.callbacks(GATHER)
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=multirun/a/b").code == 0
    old = app.write("multirun/a/b/1/results.json", '{"double": 7}')
    os.utime(old, (1, 1))
    done = app.run("-m", "x=1,2", "fail_at=2", "hydra.sweep.dir=multirun/a/b")
    assert "a result is left out: 1/results.json is older than job 1, of an earlier one here" in done.out
    assert columns(app, "", "double") == [("0", "2"), ("1", "")]


def test_secrets_in_results_are_left_out(app: App) -> None:
    app.callbacks(GATHER)
    text = (app.directory / "app.py").read_text()
    app.write("app.py", text.replace('{"double"', '{"api_key": "abcdefgh", "double"'))
    assert app.run("-m", "x=1,2").code == 0
    assert columns(app, "api_key") == [("<redacted>",)] * 2


@pytest.mark.parametrize("aggregator", [None, "hydra_callbacks.MultiRunGatherer._default_aggregator"])
def test_a_secret_of_the_configuration_is_left_out_under_any_name(app: App, aggregator: str | None) -> None:
    app.callbacks({**GATHER, "aggregator": aggregator})
    text = (app.directory / "app.py").read_text()
    app.write("app.py", text.replace('{"double"', '{"used": cfg.password, "double"'))
    assert app.run("-m", "x=1,2", "+password=swordfish-77").code == 0
    assert columns(app, "used") == [("<redacted>",)] * 2


def test_another_aggregator_is_given_relative_paths_in_the_sweeps_directory(app: App) -> None:
    app.callbacks({**GATHER, "aggregator": "mine.Mine.count"})
    app.write(
        "mine.py",
        "from pathlib import Path\nclass Mine:\n    @staticmethod\n    def count(files):\n"
        "        assert all(Path(f).is_file() and not Path(f).is_absolute() for f in files)\n"
        "        Path('count.txt').write_text(' '.join(files))\n        return Path('count.txt')\n",
    )
    done = app.run("-m", "x=1,2", env={"PYTHONPATH": "."})
    assert done.code == 0, done.text
    written = app.one("multirun/*/*/count.txt")
    assert written.read_text() == f"{Path('0/results.json')} {Path('1/results.json')}"
    assert f"Gathered results in {written}" in done.out


def test_an_aggregator_that_fails_costs_nothing_and_the_directory_is_restored(app: App) -> None:
    app.callbacks({"_target_": "mine.Look"}, {**GATHER, "aggregator": "mine.fail"})
    app.write(
        "mine.py",
        "import os\nfrom hydra_callbacks import RunCallback\ndef fail(files): raise RuntimeError('cannot count')\n"
        "class Look(RunCallback):\n"
        "    def launch_ended(self, launch, outcome): print('cwd:', os.getcwd() == str(launch.cwd))\n",
    )
    done = app.run("-m", "x=1,2", env={"PYTHONPATH": "."})
    assert done.code == 0
    assert "MultiRunGatherer.launch_ended failed" in done.out
    assert "cwd: True" in done.out


def test_the_published_dotted_path_is_the_default(app: App) -> None:
    app.callbacks({**GATHER, "aggregator": "hydra_callbacks.MultiRunGatherer._default_aggregator"})
    assert app.run("-m", "x=1,2").code == 0
    assert len(table(app)) == 3


def test_a_function_in_the_config_is_taken_as_it_is() -> None:
    assert MultiRunGatherer(aggregator=len).aggregator is len  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["nowhere.at.all", "os.path.nothing", "", "..", "hydra_callbacks.__version__", "os. path"]
)
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(SettingError, match="aggregator"):
        MultiRunGatherer(aggregator=path)


def test_single_runs_are_not_gathered(app: App) -> None:
    app.callbacks(GATHER)
    done = app.run()
    assert done.code == 0
    assert "Gathered" not in done.out
    assert not list(app.directory.rglob("agg_results.csv"))
