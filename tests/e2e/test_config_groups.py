"""Config groups: found, shown, completed, and overridden by the application's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks.callbacks import ROOMS

if TYPE_CHECKING:
    from conftest import App


@pytest.mark.parametrize("version", ["1.3.2", "1.3.8", "1.4.0rc3"])
def test_the_default_preset_shows_all_it_promises(app: App, version: str, python_with_hydra: Any) -> None:
    app.python = python_with_hydra(version)
    app.commit()
    done = app.run("-m", "x=1,2,3", "fail_at=2", "hydra/callbacks=default")
    assert done.code == 1, done.text
    sweep = app.one("multirun/2*/*")
    assert (app.directory / "multirun/latest").resolve() == sweep
    assert {path.name for path in sweep.iterdir()} >= {"agg_results.csv", "resource_monitoring.csv", "0", "1", "2"}
    register = (app.directory / "multirun/register.csv").read_text().splitlines()
    assert len(register) == 4
    assert "result.double" in register[0]
    seen = app.record("multirun/2*/*/2")
    assert {"git", "resources", "result", "host"} <= seen.keys()
    assert "Total runtime: " in done.out
    assert not (app.directory / "multiruns").exists()
    assert "Traceback" not in done.out


def test_a_list_switches_on_what_it_names_in_its_order(app: App) -> None:
    done = app.run("hydra/callbacks=[run_record,git_info]", "hydra.callbacks.git_info.enabled=false")
    assert done.code == 0, done.text
    assert "git" not in app.record()
    done = app.run("hydra/callbacks=[run_record,git_info]", "--cfg", "hydra", "-p", "hydra.callbacks")
    assert done.out.index("run_record:") < done.out.index("git_info:")


def test_the_config_may_name_them_and_every_setting_overrides_without_a_plus(app: App) -> None:
    app.write(
        "conf/config.yaml", "defaults:\n  - _self_\n  - override hydra/callbacks: [run_record]\nx: 1\nfail_at: -1\n"
    )
    assert app.run("hydra.callbacks.run_record.result_file=other.json").code == 0
    assert app.record()["result"] == {"return_value": 1}


def test_they_are_listed_by_hydras_help_and_completed(app: App) -> None:
    done = app.run("--hydra-help")
    assert done.code == 0
    assert all(f"{room}" in done.out for room in [*ROOMS.values(), "default"])
    done = app.run("-sc", "query=bash", env={"COMP_LINE": "app.py hydra/callbacks=r", "COMP_POINT": "24"})
    assert {"hydra/callbacks=register_run", "hydra/callbacks=run_record"} <= set(done.out.split()), done.text


def test_an_applications_own_group_file_wins(app: App) -> None:
    app.write(
        "conf/hydra/callbacks/run_record.yaml",
        "run_record:\n  _target_: hydra_callbacks.RunRecord\n  result_file: mine.json\n",
    )
    done = app.run("hydra/callbacks=run_record", "--cfg", "hydra", "-p", "hydra.callbacks")
    assert "result_file: mine.json" in done.out
    assert app.run("hydra/callbacks=run_record").code == 0
    assert app.record()["result"] == {"return_value": 1}
