"""LogJobReturn: the job's own log says how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import App


def test_each_job_logs_its_value_or_its_error(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.LogJobReturn"})
    app.run("-m", "x=7,8", "fail_at=8", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    good = app.one("multirun/*/*/0/app.log").read_text()
    bad = app.one("multirun/*/*/1/app.log").read_text()
    assert "[hydra.callbacks][INFO] - Succeeded with return value: 7" in good
    assert "[hydra.callbacks][ERROR] - Job failed: ValueError: x must not be 8" in bad
    assert 'raise ValueError(f"x must not be {cfg.x}")' in bad


def test_a_secret_that_is_returned_is_not_logged(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.LogJobReturn"}, more="api_key: swordfish\n")
    app.write("app.py", (app.directory / "app.py").read_text().replace("return cfg.x", "return {'said': cfg.api_key}"))
    done = app.run()
    assert "Succeeded with return value: {'said': '<redacted>'}" in done.out
