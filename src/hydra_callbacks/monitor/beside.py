"""How does the job have itself sampled by a process beside it, and get to know what was found?"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import signal
import socket
import sys
import threading
import time
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
_LONGEST_END_S = 0.1  # that it may take to be gone once it has answered
_GPU_ANSWER_S = 1.0  # that a driver may take to answer at first, where the job is over before
_HEAD_START_S = 0.3  # that Python may take to start before the first sample is due
_LATEST_S = 0.7  # whatever the interval: who is not there sees no job killed
_STANDARD_STREAMS = (0, 1, 2)
_MOST_UNREAD_BYTES = 1 << 15  # that the system surely takes before anybody reads


class Beside:
    """A process that samples this one, or another, until it is told to stop; see `helper`.

    Python starts there shortly before the first sample is due: a job that ends sooner costs no more than a shell.

    Args:
        order: What `helper` needs to know, without `is_soon`.
        at_once: Whether Python starts there at once.

    Raises:
        OSError: It cannot be started.

    Attributes:
        why: What has become of it, where it cannot tell; empty when it has hardly begun.
    """

    def __init__(self, order: Mapping[str, Any], *, at_once: bool) -> None:
        text = message({**order, "is_soon": at_once})
        is_now = at_once or len(text) > _MOST_UNREAD_BYTES
        after_s = 0.0 if is_now else min(max(0.0, order["interval_s"] - _HEAD_START_S), _LATEST_S)
        self.why = "was killed"
        self._says_hello = self._is_gone = False
        self._lock = threading.Lock()
        self._n_unanswered = 0
        self._patience_s = _GPU_ANSWER_S if order["gpu_monit"] else 0.0
        theirs, self._socket = socket.socketpair()
        for end in (theirs, self._socket):
            end.settimeout(None)  # whatever `socket.setdefaulttimeout` says here
        self._mark = self._mark_now()
        try:
            with theirs:
                self._group = companion.start(
                    "hydra_callbacks.monitor.helper",
                    {CONTROL: theirs.fileno()},
                    closed=_STANDARD_STREAMS,
                    after_s=after_s,
                    path=[entry for entry in sys.path if entry] if order["gpu_monit"] else (),
                )
            self._socket.sendall(text)
        except BaseException:
            self._socket.close()
            raise

    def found(self) -> dict[str, Any] | None:
        """Return what was found until now, as `Sampler.findings` does; None when it cannot tell."""
        return self._ask(FOUND) if self._is_ours() and self._is_up() else None

    def stop(self) -> dict[str, Any] | None:
        """Take the last sample, end, and return what was found; None when it has hardly begun, or cannot tell."""
        if not self._is_ours():
            self.why = "is out of reach, for the job has closed a descriptor that was not its own"
            self._socket.detach()  # its number may be that of another file now
            return None
        try:
            is_up = self._is_up()
            found = self._ask(STOP) if is_up else None
            if not is_up and not self._is_gone:
                self.why = ""
            if found is None and self._group is not None and not self._is_gone:
                with contextlib.suppress(OSError):
                    os.killpg(self._group, signal.SIGKILL)
            return found
        finally:
            self._socket.close()
            self._reap()

    def _reap(self) -> None:
        """Wait for what it leaves, if this process is who adopts orphans: the first one of a container is."""
        with contextlib.suppress(ChildProcessError):
            deadline_s = time.monotonic() + _LONGEST_END_S
            while self._group is not None and time.monotonic() < deadline_s:
                if os.waitpid(-self._group, os.WNOHANG)[0] == 0:
                    time.sleep(0.001)  # it was killed, and dies in a moment

    def _is_ours(self) -> bool:
        """Tell whether the socket is still there, and in the process that opened it."""
        return self._mark_now() == self._mark

    def _mark_now(self) -> tuple[int, int, int] | None:
        try:
            status = os.fstat(self._socket.fileno())
        except OSError:
            return None
        return os.getpid(), status.st_dev, status.st_ino

    def _is_up(self) -> bool:
        """Tell whether the other process samples; a job that is over at once does not wait for that."""
        if self._says_hello:
            return True
        with contextlib.suppress(OSError):
            if self._is_readable(self._patience_s):
                self._says_hello = self._socket.recv(1) == HELLO
                self._is_gone = not self._says_hello
        return self._says_hello

    def _ask(self, what: bytes) -> dict[str, Any] | None:
        findings: dict[str, Any] | None = None
        try:
            with self._lock:  # a thread may look at the samples while another one stops
                self._socket.sendall(what)
                self._n_unanswered += 1
                while self._n_unanswered:  # an answer may have come too late for who has asked for it
                    length = int.from_bytes(self._receive(LENGTH_BYTES), "big")
                    findings = marshal.loads(self._receive(length))  # noqa: S302  (as in `helper`)
                    self._n_unanswered -= 1
        except TimeoutError:
            self.why = f"did not answer for {_ANSWER_S:.0f} s"
            return None
        except (OSError, EOFError, ValueError):
            self._is_gone = True
            return None
        return findings

    def _is_readable(self, most_s: float) -> bool:
        poll = select.poll()  # `select` knows no descriptors from 1024 on
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(1000 * most_s))

    def _receive(self, n_bytes: int) -> bytes:
        """Return so many bytes.

        Raises:
            OSError: They do not come.
        """
        parts = []
        while n_bytes:
            if not self._is_readable(_ANSWER_S):
                raise TimeoutError
            part = self._socket.recv(min(n_bytes, _STEP_BYTES))
            if not part:
                raise ConnectionResetError
            parts.append(part)
            n_bytes -= len(part)
        return b"".join(parts)
