"""SetEnvironment: variables are there when they are needed, and gone afterwards."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks import SetEnvironment
from hydra_callbacks.errors import SettingError

if TYPE_CHECKING:
    from conftest import App

SHOW = (
    "import json, os, hydra\nfrom pathlib import Path\nfrom hydra_callbacks import RunCallback\n"
    "NAMES = ('TEXT', 'NUMBER', 'FLAG', 'GONE', 'KEPT')\n"
    "def show(where): Path(f'{where}.json').write_text(json.dumps({name: os.environ.get(name) for name in NAMES}))\n"
    "class Before(RunCallback):\n"
    "    def launch_started(self, launch): show('before')\n"
    "    def launch_ended(self, launch, outcome): show('after')\n"
    "class Later(RunCallback):\n"
    "    def launch_started(self, launch): show('controller')\n"
    "@hydra.main(version_base=None, config_path='conf', config_name='config')\n"
    "def main(cfg): show(f'job{cfg.x}')\n"
    "if __name__ == '__main__':\n    main()\n"
)
ENV: dict[str, Any] = {"TEXT": "é '\"$x", "NUMBER": 1.5, "FLAG": True, "GONE": None}
SET = {"TEXT": "é '\"$x", "NUMBER": "1.5", "FLAG": "True", "GONE": None, "KEPT": "kept"}
UNSET = {"TEXT": "old", "NUMBER": None, "FLAG": None, "GONE": "was here", "KEPT": "kept"}


@pytest.mark.parametrize(
    ("args", "jobs"),
    [
        ([], [1]),
        (["-m", "x=1,2"], [1, 2]),
        (["-m", "x=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], [1, 2]),
    ],
)
def test_they_are_set_in_the_controller_and_every_job_and_restored(app: App, args: list[str], jobs: list[int]) -> None:
    app.write("app.py", SHOW)
    set_environment = {"_target_": "hydra_callbacks.SetEnvironment", "env": ENV}
    app.callbacks({"_target_": "app.Before"}, set_environment, {"_target_": "app.Later"})
    done = app.run(*args, env={"TEXT": "old", "GONE": "was here", "KEPT": "kept", "PYTHONPATH": "."})
    assert done.code == 0, done.text
    seen = {path.stem: json.loads(path.read_text()) for path in app.directory.glob("*.json")}
    assert seen.pop("before") == UNSET
    assert seen.pop("after") == UNSET
    assert seen == dict.fromkeys(["controller", *(f"job{number}" for number in jobs)], SET)


def test_a_wrong_variable_is_told_without_its_value() -> None:
    with pytest.raises(SettingError, match=r"env\.A must be a text, number, boolean or null, got 'list'"):
        SetEnvironment(env={"A": ["swordfish"]})  # type: ignore[dict-item]
    with pytest.raises(SettingError, match="named without '='"):
        SetEnvironment(env={"A=B": "x"})


def test_off_means_off(app: App) -> None:
    app.write("app.py", SHOW)
    app.callbacks({"_target_": "hydra_callbacks.SetEnvironment", "env": ENV, "enabled": False})
    assert app.run(env={"TEXT": "old"}).code == 0
    assert json.loads((app.directory / "job1.json").read_text())["TEXT"] == "old"
    assert "TEXT" not in os.environ
