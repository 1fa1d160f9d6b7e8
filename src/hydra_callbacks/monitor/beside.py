"""How does the job have itself sampled by a process beside it, and get to know what was found?"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.helper import CONTROL, FOUND, HELLO, LENGTH_BYTES, STOP, message
from hydra_callbacks.support import companion

if TYPE_CHECKING:
    from collections.abc import Mapping

if sys.platform != "linux":
    msg = "only Linux shows processes in /proc"
    raise ImportError(msg)

_ANSWER_S = 10.0  # on a machine that swaps
_STEP_BYTES = 1 << 20
_GPU_ANSWER_S = 1.0  # that a driver may take to answer at first, where the job is over before
_HEAD_START_S = 0.3  # that Python may take to start before the first sample is due
_LONGEST_SLEEP_S = 1e6  # the program `sleep` may not know longer ones
_STANDARD_STREAMS = (0, 1, 2)


class Beside:
    """A process that samples this one, or another, until it is told to stop; see `helper`.

    Python starts there shortly before the first sample is due: a job that ends sooner costs no more than a shell.

    Args:
        order: What `helper` needs to know, without `is_soon`.
        at_once: Whether Python starts there at once.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, order: Mapping[str, Any], *, at_once: bool) -> None:
        after_s = 0.0 if at_once else min(max(0.0, order["interval_s"] - _HEAD_START_S), _LONGEST_SLEEP_S)
        self._says_hello = self._is_gone = False
        self._patience_s = _GPU_ANSWER_S if order["gpu_monit"] else 0.0
        theirs, self._socket = socket.socketpair()
        try:
            with theirs:
                self._group = companion.start(
                    "hydra_callbacks.monitor.helper",
                    {CONTROL: theirs.fileno()},
                    closed=_STANDARD_STREAMS,
                    after_s=after_s,
                    path=[entry for entry in sys.path if entry] if order["gpu_monit"] else (),
                )
            self._socket.sendall(message({**order, "is_soon": at_once}))
        except BaseException:
            self._socket.close()
            raise

    def found(self) -> dict[str, Any] | None:
        """Return what was found until now, as `Sampler.findings` does; None when it cannot tell."""
        return self._ask(FOUND) if self._is_up() else None

    def stop(self) -> dict[str, Any] | None:
        """Take the last sample, end, and return what was found; None when it has hardly begun, or cannot tell."""
        try:
            if self._is_up():
                return self._ask(STOP)
            if self._group is not None and not self._is_gone:
                with contextlib.suppress(OSError):
                    os.killpg(self._group, signal.SIGKILL)
            return None
        finally:
            self._socket.close()

    def _is_up(self) -> bool:
        """Tell whether the other process samples; a job that is over at once does not wait for that."""
        if self._says_hello:
            return True
        with contextlib.suppress(OSError):
            if select.select([self._socket], [], [], self._patience_s)[0]:
                self._says_hello = self._socket.recv(1) == HELLO
                self._is_gone = not self._says_hello
        return self._says_hello

    def _ask(self, what: bytes) -> dict[str, Any] | None:
        try:
            self._socket.sendall(what)
            length = int.from_bytes(self._receive(LENGTH_BYTES), "big")
            findings: dict[str, Any] = marshal.loads(self._receive(length))  # noqa: S302  (as in `helper`)
        except (OSError, EOFError, ValueError):
            return None
        return findings

    def _receive(self, n_bytes: int) -> bytes:
        """Return so many bytes.

        Raises:
            OSError: They do not come.
        """
        parts = []
        while n_bytes:
            if not select.select([self._socket], [], [], _ANSWER_S)[0]:
                raise TimeoutError
            part = self._socket.recv(min(n_bytes, _STEP_BYTES))
            if not part:
                raise ConnectionResetError
            parts.append(part)
            n_bytes -= len(part)
        return b"".join(parts)
