"""ExecShellCommand: the shell does its part, and costs nothing when it cannot."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks import ExecShellCommand
from hydra_callbacks.errors import SettingError

if TYPE_CHECKING:
    from conftest import App

EXEC: dict[str, Any] = {"_target_": "hydra_callbacks.ExecShellCommand"}
SAY = 'echo "$HYDRA_CALLBACKS_APP $HYDRA_CALLBACKS_STATUS [$HYDRA_CALLBACKS_OUTPUT_DIR]"'

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")


def test_the_published_commands_print_to_the_terminal(app: App) -> None:
    app.callbacks({**EXEC, "run_command": 'echo "run done"', "multirun_command": 'echo "multirun done"'})
    single, sweep = app.run(), app.run("-m", "x=1,2")
    assert single.out.splitlines().count("run done") == 1
    assert "multirun done" not in single.out
    assert sweep.out.splitlines().count("multirun done") == 1


@pytest.mark.parametrize(("fail_at", "status"), [(-1, "completed"), (1, "failed")])
@pytest.mark.parametrize("mode", [[], ["-m", "x=1,2"]])
def test_commands_are_told_what_happened(app: App, mode: list[str], fail_at: int, status: str) -> None:
    names = ("run_command", "multirun_command", "run_start_command", "multirun_start_command")
    app.callbacks({**EXEC, **dict.fromkeys(names, SAY)})
    done = app.run(*mode, f"fail_at={fail_at}")
    output_dir = app.one("multirun/*/*" if mode else "outputs/*/*")
    said = [line for line in done.out.splitlines() if line.startswith("app ")]
    assert said == [f"app running [{output_dir}]", f"app {status} [{output_dir}]"]


def test_a_list_of_words_runs_without_a_shell(app: App) -> None:
    app.callbacks({**EXEC, "run_command": [sys.executable, "-c", "import sys; print(sys.argv)", "$HOME; echo é"]})
    assert "['-c', '$HOME; echo é']" in app.run().out


def test_a_bad_end_is_logged_and_costs_nothing(app: App) -> None:
    app.callbacks({**EXEC, "run_command": "exit 7"}, {**EXEC, "run_command": ["no-such-program-here", "secret"]})
    done = app.run()
    assert done.code == 0
    assert "Command 'exit' ended with exit status 7" in done.out
    assert "Command 'no-such-program-here' could not be started" in done.out


def test_a_command_that_takes_too_long_is_killed_with_all_it_started(app: App) -> None:
    app.callbacks({**EXEC, "run_command": "sleep 120 & sleep 120", "timeout_s": 0.2})
    done = app.run()  # returns only when nobody holds its output any more
    assert done.code == 0
    assert "Command 'sleep' was killed: it took longer than timeout_s=0.2" in done.out


@pytest.mark.parametrize(
    "settings", [{"run_command": 5}, {"multirun_command": ["a", 1]}, {"timeout_s": 0}, {"timeout_s": "1"}]
)
def test_wrong_settings_are_told(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"{next(iter(settings))} must be"):
        ExecShellCommand(**settings)
