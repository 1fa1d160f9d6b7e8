"""How is all heard that a process, its children and its C code print?

The descriptors 1 and 2 are replaced by pipes, or a pseudo-terminal where they lead to a terminal, and another process
(`console_relay`) reads these. So nothing is lost when this one is killed, nothing waits for Python's lock here, and no
thread disturbs who forks.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":
    msg = "Windows has neither pseudo-terminals nor a way to pass descriptors on"
    raise ImportError(msg)

import fcntl
import termios

from hydra_callbacks.provenance.console_relay import CONTROL, FILE, FIRST_CHANNEL
from hydra_callbacks.provenance.console_streams import STREAMS, Tees, flush, is_detached
from hydra_callbacks.support import companion

if TYPE_CHECKING:
    from collections.abc import Sequence

_WAIT_S = 10.0  # for the relay, which may have to wait for the terminal
_PIPE_BYTES = 1 << 19
_F_SETPIPE_SZ = 1031  # fcntl(2), Linux
_LEAST_FD = 10  # above all that the relay is given


class DescriptorCapture:
    """Writes what comes to the descriptors 1 and 2 into a file, and passes it on.

    Args:
        fd: Descriptor of the file; it is closed here once the relay has it.
        max_bytes: About as large as it may become.
        secrets: Texts that are replaced in it.

    Raises:
        OSError: The relay cannot be started; all is as it was.
    """

    def __init__(self, fd: int, max_bytes: int, secrets: Sequence[str]) -> None:
        flush()
        self._replaced: list[_Replaced] = []
        self._tees: Tees | None = None
        self._quiet_fd: int | None = None
        with contextlib.ExitStack() as stack:

            def own(fd: int) -> int:
                stack.callback(os.close, fd)
                return fd

            ends: list[tuple[int, list[int]]] = []  # where they write, and the descriptors that get it
            reads: list[tuple[int, int | None]] = []
            for fds in _targets():
                read, write = map(own, _pseudo_terminal(fds[0]) if os.isatty(fds[0]) else _pipe())
                ends.append((write, fds))
                reads.append((read, fds[0]))
            if is_detached():
                read, write = map(own, _pipe())
                reads.append((read, None))
                self._quiet_fd = write
            theirs, ours = socket.socketpair()
            stack.callback(theirs.close)
            try:
                self._start_relay(own(_raised(theirs.fileno())), own(_raised(fd)), [read for read, _ in reads])
                channels = [(FIRST_CHANNEL + index, live) for index, (_, live) in enumerate(reads)]
                setup = {"max_bytes": max_bytes, "secrets": list(secrets), "channels": channels}
                ours.sendall(json.dumps(setup).encode() + b"\n")
            except BaseException:
                ours.close()
                raise
            self._control = ours
            if self._quiet_fd is not None:
                self._quiet_fd = fcntl.fcntl(self._quiet_fd, fcntl.F_DUPFD_CLOEXEC, _LEAST_FD)
            for write, fds in ends:
                self._replaced += [_Replaced(number, write) for number in fds]
        os.close(fd)
        if self._quiet_fd is not None:
            self._tees = Tees(self._tell, only_detached=True)

    def stop(self, last: str, secrets: Sequence[str]) -> dict[str, Any]:
        """See `console.Capture`."""
        flush()
        _flush_c()
        if self._tees:
            self._tees.stop()
        if self._quiet_fd is not None:
            os.close(self._quiet_fd)
        for replaced in self._replaced:
            replaced.restore()
        answer = self._ask({"last": last, "secrets": list(secrets)})
        with contextlib.suppress(OSError):  # the task has closed it
            self._control.close()
        return answer

    def _ask(self, told: dict[str, Any]) -> dict[str, Any]:
        """Tell the relay that this is the end, and return what it answers when all is shown."""
        answer = b""
        try:
            self._control.sendall(json.dumps(told).encode() + b"\n")
            while not answer.endswith(b"\n"):
                if not select.select([self._control], [], [], _WAIT_S)[0]:
                    return {}
                part = self._control.recv(1 << 16)
                if not part:
                    break
                answer += part
            return dict(json.loads(answer))
        except (OSError, ValueError):
            return {"error": "the process that wrote it has ended"}

    def _tell(self, data: bytes) -> None:
        """Put into the file what is shown in another way."""
        if self._quiet_fd is not None:
            view = memoryview(data)
            while view:
                view = view[os.write(self._quiet_fd, view) :]

    def _start_relay(self, control: int, file: int, reads: list[int]) -> None:
        fds = {CONTROL: control, FILE: file} | {FIRST_CHANNEL + index: read for index, read in enumerate(reads)}
        seen = {fd for fds in _targets() for fd in fds}
        closed = [fd for fd in STREAMS.values() if fd not in seen]
        companion.start("hydra_callbacks.provenance.console_relay", fds, closed=closed)


class _Replaced:
    """A descriptor that leads to another place for a while.

    Args:
        fd: Its number.
        other: Descriptor of that place.
    """

    def __init__(self, fd: int, other: int) -> None:
        self._fd = fd
        self._saved = _raised(fd)
        self._stats = os.fstat(fd), os.fstat(other)
        os.dup2(other, fd)

    def restore(self) -> None:
        """Lead it back, unless the task has closed what was saved, or has put something else in its place."""
        before, meanwhile = self._stats
        if _is_same(self._saved, before):
            if _is_same(self._fd, meanwhile):
                os.dup2(self._saved, self._fd)
            os.close(self._saved)


def _targets() -> list[list[int]]:
    """Return the descriptors to replace; in one list those that lead to the same place, so that their order is kept."""
    found: list[list[int]] = []
    for name, fd in STREAMS.items():
        if getattr(sys, f"__{name}__") is None:
            continue  # it was closed when the program started: what has its number since is something else
        try:
            stat = os.fstat(fd)
        except OSError:
            continue
        if found and os.path.samestat(os.fstat(found[0][0]), stat):
            found[0].append(fd)
        else:
            found.append([fd])
    return found


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    with contextlib.suppress(OSError):  # another system than Linux, or the user has too many of them
        fcntl.fcntl(write, _F_SETPIPE_SZ, _PIPE_BYTES)
    return _raised(read, keep=False), _raised(write, keep=False)


def _pseudo_terminal(fd: int) -> tuple[int, int]:
    """Return both ends of one that is like the terminal, and changes nothing of what is written."""
    read, write = os.openpty()
    modes = termios.tcgetattr(fd)
    modes[1] &= ~termios.OPOST  # the terminal itself does that
    termios.tcsetattr(write, termios.TCSANOW, modes)
    fcntl.ioctl(write, termios.TIOCSWINSZ, fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))
    return _raised(read, keep=False), _raised(write, keep=False)


def _raised(fd: int, *, keep: bool = True) -> int:
    """Return a copy of a descriptor with a number that nothing here replaces."""
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LEAST_FD)
    finally:
        if not keep:
            os.close(fd)


def _is_same(fd: int, other: os.stat_result) -> bool:
    try:
        stat = os.fstat(fd)
    except OSError:
        return False
    return os.path.samestat(stat, other)


def _flush_c() -> None:
    """Make C's stdout write what it holds; the others are left alone, for another thread may be reading from one."""
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        import ctypes  # noqa: PLC0415  (takes milliseconds)

        library = ctypes.CDLL(None)
        name = "__stdoutp" if sys.platform == "darwin" else "stdout"
        library.fflush(ctypes.c_void_p.in_dll(library, name))
