"""Callbacks of a user's own, written for the published base class or Hydra's, work as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import App

MINE = '''
from hydra.experimental.callback import Callback
from hydra_callbacks import AnyRunCallback

class Mine(AnyRunCallback):
    def __init__(self, word, enabled=True):
        super().__init__(enabled)
        self.word = word
    def _on_anyrun_start(self, config, **kwargs):
        print("start", self.word, config.x, sorted(kwargs), flush=True)
    def _on_anyrun_end(self, config, **kwargs):
        print("end", self.word, config.x, sorted(kwargs), flush=True)

class Older(AnyRunCallback):
    """Never calls our __init__, and overrides Hydra's own events."""
    def __init__(self):
        self.seen = []
    def on_run_start(self, config, **kwargs):
        self.seen.append("run_start")
        super().on_run_start(config, **kwargs)
    def on_job_end(self, config, job_return, **kwargs):
        self.seen.append(job_return.status.name)
        super().on_job_end(config, job_return, **kwargs)
    def on_run_end(self, config, **kwargs):
        super().on_run_end(config, **kwargs)
        print("older", self.seen, flush=True)

class Plain(Callback):
    def on_job_end(self, config, job_return, **kwargs):
        print("plain", job_return.return_value, flush=True)
'''


@pytest.mark.parametrize(("mode", "end"), [([], "['config_name', 'job_return']"), (["-m", "x=1"], "['config_name']")])
def test_a_class_of_ones_own_is_given_what_hydra_gives(app: App, mode: list[str], end: str) -> None:
    app.write("mine.py", MINE)
    entries = [{"_target_": "mine.Mine", "word": "a"}, {"_target_": "mine.Mine", "word": "off", "enabled": False}]
    app.callbacks(
        *entries, {"_target_": "mine.Older"}, {"_target_": "mine.Plain"}, {"_target_": "hydra_callbacks.AnyRunCallback"}
    )
    done = app.run(*mode, env={"PYTHONPATH": "."})
    assert done.code == 0, done.text
    assert "start a 1 ['config_name']" in done.out
    assert f"end a 1 {end}" in done.out
    assert "off" not in done.out
    assert "plain 1" in done.out
    if not mode:
        assert "older ['run_start', 'COMPLETED']" in done.out


def test_the_end_comes_after_a_failed_sweep_too(app: App) -> None:
    app.write("mine.py", MINE)
    app.callbacks({"_target_": "mine.Mine", "word": "a"})
    done = app.run("-m", "x=1,2", "fail_at=2", env={"PYTHONPATH": "."})
    assert done.code == 1
    assert done.out.count("end a 1") == 1
