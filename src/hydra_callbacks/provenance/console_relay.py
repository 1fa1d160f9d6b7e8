"""How does what a job prints reach the terminal and a file, also when it is killed in the middle of a line?

This is a program of its own. It reads the pipes or pseudo-terminals that the job has as its stdout and stderr to their
end, which comes when the last process that holds them is gone. It imports little, to start fast, and has a session of
its own, so that Ctrl-C and a kill of the job's process group do not reach it.

Descriptors: 1 and 2 are the job's own stdout and stderr, 3 a socket to it, 4 the file. On the socket, the job sends a
line of JSON with `max_bytes`, `secrets`, and `channels` (pairs of a descriptor and that which shows it live, or null),
and at its end a line with `last` and `secrets`; the answer is a line with what `ConsoleFile.end` returns.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import sys
import time

if sys.platform == "win32":
    msg = "this program needs pipes that can be waited for"
    raise ImportError(msg)

import fcntl
import termios

from hydra_callbacks.provenance.console_file import ConsoleFile, write_all

CONTROL, FILE, FIRST_CHANNEL = 3, 4, 5
_STEP_BYTES = 1 << 18
_MOST_WAITING_BYTES = 1 << 22  # more than any pipe holds: so much is read when the job ends, if others go on writing
_REST_S = 0.0005  # nobody sees that
_MUCH_BYTES = 1 << 16
_MOST_FDS = 1 << 12
_SYNC_S = 1.0
_SYNC_SHARE = 0.03  # of the time at most: a job that prints without end waits meanwhile
_SIZE_S = 0.5


class Channel:
    """A pipe or pseudo-terminal that is read, and where that is shown.

    Args:
        fd: What is read.
        live: Where it is shown; None for nowhere.
    """

    def __init__(self, fd: int, live: int | None) -> None:
        self.fd = fd
        self.live = live
        self.is_terminal = live is not None and os.isatty(fd)
        self._size = b""

    def read(self) -> bytes:
        """Return what is there; nothing at the end."""
        if self.is_terminal:
            self.follow_size()
        try:
            return os.read(self.fd, _STEP_BYTES)
        except OSError:  # how the end of a pseudo-terminal is told
            return b""

    def show(self, data: bytes) -> None:
        """Show what was read, as long as there is somebody to see it."""
        if self.live is None:
            return
        try:
            write_all(self.live, data)
        except OSError as error:
            if error.errno != errno.ENOSPC:  # `head` has seen enough, or the terminal is closed
                self.live = None
                self.is_terminal = False

    def follow_size(self) -> None:
        """Give the pseudo-terminal the size of the real one."""
        try:
            size = fcntl.ioctl(self.live or 0, termios.TIOCGWINSZ, b"\0" * 8)
            if size != self._size:
                self._size = size
                fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)
        except OSError:
            self.is_terminal = False


class Control:
    """The socket to the job.

    Attributes:
        is_open: Whether more may come.
        line: What the job has said last; empty when it has said nothing new.
    """

    def __init__(self) -> None:
        self.is_open = True
        self.line = b""
        self._part = b""

    def read(self) -> None:
        """Take in what is there."""
        try:
            part = os.read(CONTROL, _STEP_BYTES)
        except OSError:  # the job was killed
            part = b""
        self.is_open = bool(part)
        self._part += part
        self.split()

    def split(self) -> None:
        """Make the next line of what was taken in, if there is none and a whole one is there."""
        if not self.line and b"\n" in self._part:
            self.line, _, self._part = self._part.partition(b"\n")


class Relay:
    """Reads channels until nobody can write to them any more.

    Args:
        channels: What is read.
        control: What says when the job ends.
        file: What gets it.
    """

    def __init__(self, channels: list[Channel], control: Control, file: ConsoleFile) -> None:
        self._channels = channels
        self._control = control
        self._file: ConsoleFile | None = file
        self._trouble = ""
        self._is_behind = False  # whether the file lacks something
        self._due_s = time.monotonic() + _SYNC_S

    def run(self) -> None:
        """Relay; the file ends when the job says so, or when all who could write to it are gone."""
        while self._control.is_open or self._channels:
            n_bytes = self._relay_ready(self._pause_s())
            if 0 < n_bytes < _MUCH_BYTES and not any(channel.is_terminal for channel in self._channels):
                time.sleep(_REST_S)  # so that who prints much in small pieces does not wake us for each
            if self._control.line:
                self._answer(self._control.line)
            self._tick()
        self._end(b"", [])

    def _pause_s(self) -> float | None:
        if any(channel.is_terminal for channel in self._channels):
            return _SIZE_S
        return _SYNC_S if self._is_behind else None

    def _relay_ready(self, pause_s: float | None) -> int:
        """Wait for what comes, and pass it on; return the number of bytes."""
        control = [CONTROL] if self._control.is_open else []
        ready = select.select([*control, *(channel.fd for channel in self._channels)], [], [], pause_s)[0]
        n_bytes = sum(self._relay(channel) for channel in self._channels[:] if channel.fd in ready)
        if CONTROL in ready:
            self._control.read()
        return n_bytes

    def _relay(self, channel: Channel) -> int:
        """Pass on what is there in a channel, and return how many bytes that was."""
        data = channel.read()
        if not data:
            os.close(channel.fd)
            self._channels.remove(channel)
        elif self._file:
            self._is_behind = True
            try:
                self._file.write(data)
            except Exception as error:  # noqa: BLE001  (whatever is wrong here, the job's output goes on)
                self._trouble, self._file = f"{type(error).__name__}: {error}", None
        channel.show(data)
        return len(data)

    def _tick(self) -> None:
        """Do what is due: the size of terminals, the file's last lines."""
        for channel in self._channels:
            if channel.is_terminal:
                channel.follow_size()
        began_s = time.monotonic()
        if self._file and self._is_behind and began_s >= self._due_s:
            self._file.sync()
            ended_s = time.monotonic()
            self._is_behind, self._due_s = False, ended_s + max(_SYNC_S, (ended_s - began_s) / _SYNC_SHARE)

    def _answer(self, line: bytes) -> None:
        """End the file with what the job has written until now, and tell it what that was."""
        self._control.is_open, self._control.line = False, b""  # it says no more
        n_waiting = 0
        while n_waiting < _MOST_WAITING_BYTES and (n_bytes := self._relay_ready(0)):
            n_waiting += n_bytes
        told = json.loads(line)
        facts = self._end(told["last"].encode(), _encoded(told["secrets"]))
        with contextlib.suppress(OSError):  # the job may be gone meanwhile
            write_all(CONTROL, json.dumps(facts).encode() + b"\n")
        os.close(CONTROL)

    def _end(self, last: bytes, secrets: list[bytes]) -> dict[str, object]:
        file, self._file = self._file, None
        try:
            return file.end(last, secrets) if file else {"error": self._trouble}
        except OSError as error:
            return {"error": str(error)}


def _encoded(texts: list[str]) -> list[bytes]:
    return [text.encode() for text in texts]


def main() -> None:
    """Relay what a job prints."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        with contextlib.suppress(OSError, ValueError):  # this system does not allow it
            signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # it has one already
        os.setsid()
    control = Control()
    while control.is_open and not control.line:
        control.read()
    if not control.line:  # the job was killed before it could say what to do; it has printed nothing
        return
    setup, control.line = json.loads(control.line), b""
    control.split()
    os.closerange(FIRST_CHANNEL + len(setup["channels"]), _MOST_FDS)
    channels = [Channel(fd, live) for fd, live in setup["channels"]]
    Relay(channels, control, ConsoleFile(FILE, setup["max_bytes"], _encoded(setup["secrets"]))).run()
