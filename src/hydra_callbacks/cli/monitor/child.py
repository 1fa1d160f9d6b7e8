"""How is a program run to its end, so that what the kernel knows of its use is known, too?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.marks import MAXRSS_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

NOT_EXECUTABLE, NOT_FOUND = 126, 127
_OF_A_SIGNAL = 128
_LEFT_ALONE = ("SIGINT", "SIGQUIT")
_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


class StartError(Exception):
    """A program cannot be started.

    Args:
        words: The program and its arguments.
        error: What the system says.

    Attributes:
        status: A shell's exit status for it: 127 when it is not found, else 126.
    """

    def __init__(self, words: Sequence[str], error: OSError) -> None:
        is_there = os.path.exists(words[0])  # noqa: PTH110  (a program: its interpreter may be what is missing)
        is_missing = isinstance(error, FileNotFoundError) and not is_there
        self.status = NOT_FOUND if is_missing else NOT_EXECUTABLE
        super().__init__(f"{words[0]}: {'command not found' if is_missing else f'cannot be run: {error.strerror}'}")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        status: Its exit status; 128 and more when a signal ended it, as shells tell it.
        signal_name: That signal, for example "SIGKILL"; None when none did.
        usage: What the kernel told of it and those of its descendants that were waited for, under the names of a run
            record, and `peak_process_rss_bytes`, the highest resident memory of the largest of them, or, where that is
            too little to be told, `peak_process_rss_below_bytes`; empty where it tells nothing.
    """

    status: int
    signal_name: str | None
    usage: dict[str, Any]


class Child:
    """A program that runs with this process's input and output; wait for it once.

    Args:
        words: The program and its arguments.

    Attributes:
        pid: Its process.

    Raises:
        StartError: It cannot be started.
    """

    def __init__(self, words: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(words)  # noqa: S603  (the user's own)
        except OSError as error:
            raise StartError(words, error) from error
        self.pid = self._process.pid
        # Linux counts what it shared with us, before it became another program, as its own peak.
        self._hidden_below_bytes = _own_peak_bytes()

    def get(self, number: int) -> None:
        """Take a signal."""
        self._process.send_signal(number)

    def wait(self, at_end: Callable[[], None]) -> Ended:
        """Wait for its end.

        Args:
            at_end: Called when it has ended; on Linux, /proc still tells its counts then.
        """
        if sys.platform == "win32":
            status = self._process.wait()
            at_end()
            return Ended(status, None, {})
        if sys.platform == "linux":
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            at_end()
        _, told, usage = os.wait4(self.pid, 0)
        if sys.platform != "linux":
            at_end()
        code = self._process.returncode = os.waitstatus_to_exitcode(told)
        peak_bytes = usage.ru_maxrss * MAXRSS_BYTES
        figures = {
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 6),
            "user_s": round(usage.ru_utime, 6),
            "system_s": round(usage.ru_stime, 6),
            "major_faults": usage.ru_majflt,
            "voluntary_switches": usage.ru_nvcsw,
            "involuntary_switches": usage.ru_nivcsw,
            "peak_process_rss_bytes"
            if peak_bytes > self._hidden_below_bytes
            else "peak_process_rss_below_bytes": peak_bytes,
        }
        return Ended(code if code >= 0 else _OF_A_SIGNAL - code, _signal_name(-code) if code < 0 else None, figures)


class Signals:
    """Leaves signals to a program: Ctrl-C reaches it by the terminal, others are passed on; a context manager.

    Those that come before the program is there wait for it.
    """

    def __init__(self) -> None:
        self._child: Child | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Begin."""
        for name in (*_LEFT_ALONE, *_PASSED_ON):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` has it
                self._before[number] = signal.signal(number, self._pass_on if name in _PASSED_ON else lambda *_: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Have them as before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def go_to(self, child: Child) -> None:
        """Pass them on to a program."""
        self._child = child
        for number in self._early:
            child.get(number)

    def _pass_on(self, number: int, _frame: object) -> None:
        if self._child:
            self._child.get(number)
        else:
            self._early.append(number)


def _own_peak_bytes() -> int:
    """Return the highest resident memory that this process has had; 0 but on Linux, where alone it matters."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return int(text.partition("\nVmHWM:")[2].split(maxsplit=1)[0]) * 1024


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
