"""LatestRunLink: the latest run is found without reading dates."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import App

LINK: dict[str, Any] = {"_target_": "hydra_callbacks.LatestRunLink"}


def test_it_leads_to_the_latest_run_and_says_so(app: App) -> None:
    app.callbacks(LINK)
    app.run("hydra.run.dir=outputs/first")
    done = app.run()
    (latest,) = [
        path
        for path in app.directory.glob("outputs/*/*")
        if path.parent.name not in {"latest", "first"} and not path.name.startswith((".", "app", "res"))
    ]
    assert (app.directory / "outputs/latest").resolve() == latest
    assert not os.path.isabs(os.readlink(app.directory / "outputs/latest")), "the tree may be moved"  # noqa: PTH115, PTH117
    assert f"Latest run is at: {latest.relative_to(app.directory)}" in done.out
    assert f"Latest run is also at: {app.directory / 'outputs/latest'}" in done.out


@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]])
@pytest.mark.parametrize("absolute", [True, False])
def test_it_leads_to_the_sweep_also_when_a_job_failed(app: App, launcher: list[str], absolute: bool) -> None:
    app.callbacks(LINK)
    directory = app.directory / "multirun" / "it" if absolute else "multirun/it"
    done = app.run("-m", "x=1,2", "fail_at=2", f"hydra.sweep.dir='{directory}'".replace("d'été", "d\\'été"), *launcher)
    assert done.code == 1, done.text
    assert os.readlink(app.directory / "multirun/latest") == "it", done.text  # noqa: PTH115
    assert "Latest run is at: multirun/it" in done.out


def test_directories_elsewhere_and_a_changed_working_directory(app: App) -> None:
    base = app.directory / "elsewhere"
    app.callbacks({**LINK, "run_base_dir": str(base)})
    done = app.run("hydra.job.chdir=true")
    assert done.code == 0, done.text
    assert (base / "latest").resolve() == app.one("outputs/*/*")


@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_a_real_file_or_directory_called_latest_is_left_alone(app: App, make: str) -> None:
    app.callbacks(LINK)
    (app.directory / "outputs").mkdir()
    getattr(app.directory / "outputs/latest", make)()
    done = app.run()
    assert done.code == 0
    assert not (app.directory / "outputs/latest").is_symlink()
    assert "is a real file or folder, expected a link or nothing" in done.out
