"""The signals of a program that is monitored are its own, from the first moment on."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from commands import called

if sys.platform == "win32":
    pytest.skip("Windows has no such signals", allow_module_level=True)

from hydra_callbacks.cli.monitor.child import Child, Signals


def test_one_that_comes_before_the_program_is_there_waits_for_it() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        child = Child(["sleep", "60"])
        signals.go_to(child)
        ended = child.wait(lambda: None)
    assert (ended.status, ended.signal_name) == (128 + signal.SIGUSR1, "SIGUSR1")
    assert signal.getsignal(signal.SIGUSR1) is before


@pytest.mark.parametrize("words", [["-o", "a.csv", "-o", "b.csv"], ["-o", "a.json", "-o", "a.json"]])
def test_two_files_of_one_kind_are_refused_before_anything_runs(words: list[str]) -> None:
    done = called("monitor", *words, "--", "no-such-command")
    assert done.code == 2
    assert "is one too many" in done.err
