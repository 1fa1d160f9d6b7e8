"""PickleJobInfo: another program loads what the job was given and what it returned."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import App

INFO = {"_target_": "hydra_callbacks.PickleJobInfo"}


@pytest.mark.parametrize("version", ["1.3.8", "1.4.0rc3"])
def test_both_are_pickled(app: App, version: str, python_with_hydra: object) -> None:
    app.python = python_with_hydra(version)  # type: ignore[operator]
    app.callbacks(INFO)
    done = app.run("x=4")
    assert done.code == 0, done.text
    app.write(
        "load.py",
        "import pickle, sys\nfrom pathlib import Path\n"
        "load = lambda name: pickle.loads(Path(sys.argv[1], name).read_bytes())\n"
        "config, job_return = load('config.pickle'), load('job_return.pickle')\n"
        "print(config.x, config.hydra.job.name, job_return.return_value, job_return.status.name, job_return.cfg.x)\n",
    )
    folder = app.one("outputs/*/*/.hydra")
    assert f"Saving job configs in {folder / 'config.pickle'}" in done.out
    assert f"Saving job_return in {folder / 'job_return.pickle'}" in done.out
    app_command = app.command
    app.command = lambda *args, **_: [app.python, "load.py", *args]  # type: ignore[method-assign]
    assert app.run(str(folder)).out.split() == ["4", "app", "4", "COMPLETED", "4"]
    app.command = app_command  # type: ignore[method-assign]


def test_a_value_that_does_not_pickle_costs_that_value_only(app: App) -> None:
    app.callbacks(INFO)
    app.write("app.py", (app.directory / "app.py").read_text().replace("return cfg.x", "return lambda: cfg.x"))
    done = app.run()
    assert done.code == 0
    assert "return value does not pickle" in done.out
    job_return = pickle.loads(app.one("outputs/*/*/.hydra/job_return.pickle").read_bytes())  # noqa: S301  (our own)
    assert "<lambda>" in job_return.return_value
    assert job_return.cfg.x == 1
