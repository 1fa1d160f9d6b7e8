"""What shall the shell do when a run starts or ends: copy a file, send a message, start the next step?"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, Literal

from hydra_callbacks.lifecycle import Launch, Outcome, RunCallback
from hydra_callbacks.support.settings import check, check_seconds

log = logging.getLogger("hydra.callbacks")


class ExecShellCommand(RunCallback):
    """Run a shell command when a single run or a sweep starts or ends, however it ended.

    Its output goes straight to the terminal. It finds in its environment `HYDRA_CALLBACKS_STATUS` (`running`,
    `completed`, `failed` or `interrupted`), `HYDRA_CALLBACKS_OUTPUT_DIR` and `HYDRA_CALLBACKS_APP`. An exit status
    other than 0 is logged as a warning. An empty command is none. A text is given to the shell, a list of words is run
    as it is.

    Args:
        run_command: Command at the end of a single run.
        multirun_command: Command at the end of a sweep.
        run_start_command: Command at the start of a single run.
        multirun_start_command: Command at the start of a sweep.
        timeout_s: Longest time that a command may take, in seconds; then it is killed, with all it started. None is no
            limit.
        enabled: When False, nothing is run.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        run_command: str | Sequence[str] = "",
        multirun_command: str | Sequence[str] = "",
        *,
        run_start_command: str | Sequence[str] = "",
        multirun_start_command: str | Sequence[str] = "",
        timeout_s: float | None = None,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        self.run_command = _command("run_command", run_command)
        self.multirun_command = _command("multirun_command", multirun_command)
        self.run_start_command = _command("run_start_command", run_start_command)
        self.multirun_start_command = _command("multirun_start_command", multirun_start_command)
        if timeout_s is not None:
            check_seconds("timeout_s", timeout_s, at_least=0.001)
        self.timeout_s = timeout_s

    def launch_started(self, launch: Launch) -> None:
        """Run the start command."""
        self._run(self.multirun_start_command if launch.is_sweep else self.run_start_command, launch, "running")

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:
        """Run the end command."""
        self._run(self.multirun_command if launch.is_sweep else self.run_command, launch, outcome.status)

    def _run(self, command: str | list[str], launch: Launch, status: str) -> None:
        if not command:
            return
        environment = {
            **os.environ,
            "HYDRA_CALLBACKS_STATUS": status,
            "HYDRA_CALLBACKS_OUTPUT_DIR": str(launch.output_dir or ""),
            "HYDRA_CALLBACKS_APP": launch.app,
        }
        import subprocess  # noqa: PLC0415  (nothing heavy until it is used)

        sys.stdout.flush()  # what was printed before comes first
        try:
            code = _call(command, environment, self.timeout_s)
        except OSError as error:
            log.warning("Command %s could not be started: %s", _shown(command), error)
            return
        except subprocess.TimeoutExpired:
            log.warning("Command %s was killed: it took longer than timeout_s=%g", _shown(command), self.timeout_s)
            return
        if code:
            log.warning("Command %s ended with exit status %d", _shown(command), code)


def _command(name: str, value: Any) -> str | list[str]:
    is_text = isinstance(value, str)
    good = is_text or (isinstance(value, Sequence) and all(isinstance(word, str) for word in value))
    check(name, value, "a text for the shell, or a list of words", good)
    return str(value).strip() if is_text else list(value)


def _shown(command: str | list[str]) -> str:
    """Return the first word of a command: the rest may hold secrets, and the configuration has it all."""
    return repr(command.split()[0] if isinstance(command, str) else command[0])


def _call(command: str | list[str], environment: dict[str, str], timeout_s: float | None) -> int:
    """Run a command to its end, and return its exit status; with a limit, in a session of its own, to kill it whole."""
    import subprocess  # noqa: PLC0415  (as above)

    own_session = timeout_s is not None and sys.platform != "win32"
    # The command is the user's own, from the user's own configuration.
    process = subprocess.Popen(  # noqa: S603
        command, shell=isinstance(command, str), env=environment, start_new_session=own_session
    )
    try:
        return process.wait(timeout=timeout_s)
    except BaseException:
        if sys.platform != "win32" and own_session:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        raise
