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


def test_jobs_are_rows_in_order_and_nested_values_columns(app: App) -> None:
    app.callbacks(GATHER)
    done = app.run("-m", "x=range(12)", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert done.code == 0, done.text
    assert table(app) == [["", "double", "deep.er"], *([str(x), str(2 * x), "é"] for x in range(12))]
    assert f"Gathered results in {app.one('multirun/*/*/agg_results.csv')}" in done.out


def test_failed_torn_and_missing_results_cost_their_own_row_and_are_named(app: App) -> None:
    app.callbacks(GATHER)
    text = (app.directory / "app.py").read_text()
    torn = "    if cfg.x == 3: output_dir.joinpath('results.json').write_text('{\"double\": 1')\n"
    empty = "    if cfg.x == 4: output_dir.joinpath('results.json').write_text('')\n"
    app.write("app.py", text.replace("    return cfg.x", f"{torn}{empty}    return cfg.x"))
    done = app.run("-m", "x=1,2,3,4,5", "fail_at=2")
    assert done.code == 1
    assert [row[0] for row in table(app)] == ["", "0", "4"]
    assert "No results.json from 1 of 5 jobs: 1" in done.out
    assert "is left out: 2/results.json is no whole JSON file" in done.out
    assert "is left out: 3/results.json is no whole JSON file" in done.out


@pytest.mark.parametrize(
    "subdir", ["deep/er/${hydra.job.num}", "${hydra.job.override_dirname}", "job ${hydra.job.num} é"]
)
def test_any_subdirectory_at_any_depth(app: App, subdir: str) -> None:
    app.callbacks(GATHER)
    done = app.run("-m", "x=10,9,8", f"hydra.sweep.subdir='{subdir}'")
    assert done.code == 0, done.text
    assert [row[:2] for row in table(app)] == [["", "double"], ["0", "20"], ["1", "18"], ["2", "16"]]


@pytest.mark.parametrize("subdir", ["null", "meta"])
def test_hydras_own_folder_has_another_name_or_none(app: App, subdir: str) -> None:
    app.callbacks(GATHER, {"_target_": "hydra_callbacks.RunRecord"})
    overrides = ["hydra.sweep.subdir='${hydra.job.override_dirname}'", f"hydra.output_subdir={subdir}"]
    assert app.run("-m", "x=3,1,2", "fail_at=3", *overrides).code == 1
    assert [row[:2] for row in table(app)] == [["", "double"], ["1", "2"], ["2", "4"]]


def test_a_number_that_nothing_tells_is_left_out(app: App) -> None:
    app.callbacks(GATHER)
    overrides = ["hydra.sweep.subdir='${hydra.job.override_dirname}'", "hydra.output_subdir=null"]
    assert app.run("-m", "x=3,1", *overrides).code == 0
    assert [row[0] for row in table(app)] == ["", "", ""]


def test_results_of_an_earlier_sweep_are_named_and_secrets_left_out(app: App) -> None:
    app.callbacks(GATHER)
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=multirun/a/b").code == 0
    old = app.write("multirun/a/b/1/results.json", '{"api_key": "abcdefgh", "double": 7}')
    os.utime(old, (1, 1))
    done = app.run("-m", "x=1,2", "fail_at=2", "hydra.sweep.dir=multirun/a/b")
    assert "1 results are from before this sweep, of an earlier one here: 1/results.json" in done.out
    assert "abcdefgh" not in (app.directory / "multirun/a/b/agg_results.csv").read_text()


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
