"""What samples a job from beside it, at a steady rate even while the job holds Python's lock, and sees it killed?

This is a program of its own, which `monitor.beside` starts and talks to. It imports little, to be there soon and to
stay small. Descriptor 3 is a socket to the job; each message is its length in eight bytes and plain data by `marshal`,
for both ends are the same Python. First comes an order; `HELLO` answers that it is being done. Then the job may ask for
what was `FOUND` until now, or say `STOP`. The answer to each is a message with what `Sampler.findings` returns.
"""

from __future__ import annotations

import marshal
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

if sys.platform != "linux":
    msg = "only Linux shows processes in /proc"
    raise ImportError(msg)

CONTROL = 3
HELLO, FOUND, STOP = b"h", b"f", b"s"
LENGTH_BYTES = 8
_FIRST_FOREIGN_FD, _MOST_FDS = 4, 1 << 12
_LONGEST_PAUSE_S = 86400.0  # an interval may be longer than the system can wait
_DYING_S = 5.0  # that a killed process may take until it is gone
_STEP_BYTES = 1 << 16


def message(data: Any) -> bytes:
    """Return plain data as it goes over the socket."""
    text = marshal.dumps(data)
    return len(text).to_bytes(LENGTH_BYTES, "big") + text


def _receive() -> dict[str, Any] | None:
    """Return a message of the job; None when it has ended."""
    text = b""
    while len(text) < LENGTH_BYTES or len(text) < LENGTH_BYTES + int.from_bytes(text[:LENGTH_BYTES], "big"):
        part = _read(_STEP_BYTES)
        if not part:
            return None
        text += part
    order: dict[str, Any] = marshal.loads(text[LENGTH_BYTES:])  # noqa: S302  (it comes from the job, by a private socket)
    return order


def _read(n_bytes: int) -> bytes:
    """Return what the job has said; nothing when it has ended."""
    try:
        return os.read(CONTROL, n_bytes)
    except ConnectionResetError:  # it has ended without reading all that it was told
        return b""


def _send(data: Any) -> None:
    view = memoryview(message(data))
    while view:
        view = view[os.write(CONTROL, view) :]


class _Watch:
    """Samples until the job says stop, or is gone.

    Args:
        order: What to do.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        from hydra_callbacks.monitor.order import sampler_for  # noqa: PLC0415  (the job itself, at the other end, needs none)

        self._order = order
        self._pid = order["pid"]
        self._life = _open_life(self._pid) if order["is_own"] else -1
        self._sampler = sampler_for(order)
        self._is_over = False
        self._trouble = ""

    def run(self) -> None:
        """Sample, and answer."""
        waited = [CONTROL, self._life] if self._life >= 0 else [CONTROL]
        if self._order["is_soon"]:  # so that what counts from its first reading on has one
            self._sample()
        try:
            os.write(CONTROL, HELLO)
        except OSError:  # the job was killed before
            self._job_left()
            return
        while True:
            ready = select.select(waited, [], [], self._pause_s())[0]
            asked = _read(1) if CONTROL in ready else b""
            if asked == STOP:
                self._sample()
            if asked:
                _send(self._findings())
            if asked == STOP:
                return
            if ready and not asked:  # it has ended, though a child of its may have the socket still
                self._job_left()
                return
            if not ready and not self._sampler.until_due_s():
                self._sample()

    def _pause_s(self) -> float | None:
        return None if self._is_over else min(self._sampler.until_due_s(), _LONGEST_PAUSE_S)

    def _sample(self) -> None:
        """Take a sample, if there is still something to be sampled."""
        if self._is_over:
            return
        try:
            self._sampler.sample()
        except ProcessLookupError:
            self._is_over = True
        except Exception as error:  # noqa: BLE001  (what was sampled until now must not be lost)
            self._is_over = True
            self._trouble = f"{type(error).__name__}: {error}"

    def _findings(self) -> dict[str, Any]:
        return {**self._sampler.findings(), "trouble": self._trouble, "own_cpu_s": time.process_time()}

    def _job_left(self) -> None:
        """Write what was found, if the job was killed; else it has closed the socket, and knows why."""
        if self._life >= 0:
            if not select.select([self._life], [], [], _DYING_S)[0]:
                return
        elif os.path.exists(f"/proc/{self._pid}"):  # noqa: PTH110  (no pathlib here)
            return
        leave = self._order["leave"]
        if leave and self._order["is_own"]:
            from hydra_callbacks.monitor.rows import rows_of  # noqa: PLC0415  (most jobs are not killed)

            __import__(leave["module"])
            findings = self._sampler.findings()
            summary = {**findings["summary"], "absent": {**findings["absent"], **leave["absent"]}}
            sys.modules[leave["module"]].leave(leave, rows_of(findings, leave["names"]), summary)


def _open_life(pid: int) -> int:
    """Return a descriptor that tells when a process ends; -1 where there is none (before Linux 5.3)."""
    try:
        return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except OSError:
        return -1


def main() -> None:
    """Sample a job."""
    os.closerange(_FIRST_FOREIGN_FD, _MOST_FDS)
    order = _receive()
    if order is not None:
        _Watch(order).run()
    os._exit(0)  # there is nothing to be tidied up, and who adopts orphans waits for this
