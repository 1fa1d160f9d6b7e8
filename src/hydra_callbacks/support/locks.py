"""How does one process at a time change a file, whoever else writes it, and whoever is killed meanwhile?"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from typing import TYPE_CHECKING

from hydra_callbacks.errors import FileLockTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def locked(path: Path, *, timeout_s: float = 60.0) -> Iterator[None]:
    """Hold the one lock that belongs to `path` among all processes and threads of this machine.

    The lock is a file `.<name>.lock` beside it, removed on release; the system drops it when its holder is killed,
    and the next one takes over what was left.

    Args:
        path: What to guard; its folder must be there.
        timeout_s: How long to wait for another holder, in seconds.

    Raises:
        FileLockTimeoutError: Another process holds the lock for longer than `timeout_s`.
        OSError: The folder cannot be written, or its file system knows no locks.
    """
    lock = path.with_name(f".{path.name}.lock")
    fd = _wait_for(lock, timeout_s, f"end it, or remove {lock}")
    try:
        yield
    finally:
        # The name goes before the lock does: whoever opened this file meanwhile finds it replaced and tries again.
        with contextlib.suppress(OSError):  # Windows keeps the name of an open file; then it stays, empty
            lock.unlink()
        os.close(fd)


class OpenFile:
    """A file that is open to read and append, and nobody else's meanwhile.

    Args:
        fd: Its descriptor.
    """

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def before_replacing(self) -> None:
        """Be called before another file takes its place; it cannot be used any more then."""
        if sys.platform == "win32":  # an open file cannot be replaced there
            self.close()

    def close(self) -> None:
        """Close it, once."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@contextlib.contextmanager
def alone(path: Path, *, timeout_s: float = 60.0) -> Iterator[OpenFile]:
    """Open a file as the only one among all processes and threads of this machine that writes it.

    The file itself is locked, and made when missing: that is faster than a lock beside it, and leaves nothing behind.
    Its holder may replace it (`replacing`): who waits finds the new one. On Windows, where an open file cannot be
    replaced, `locked` does it.

    Args:
        path: The file; its folder must be there.
        timeout_s: How long to wait for another holder, in seconds.

    Raises:
        FileLockTimeoutError: Another process holds the file for longer than that.
        OSError: The file cannot be written, or its file system knows no locks.
    """
    if sys.platform == "win32":
        with locked(path, timeout_s=timeout_s):
            file = OpenFile(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_BINARY, 0o666))
            try:
                yield file
            finally:
                file.close()
        return
    file = OpenFile(_wait_for(path, timeout_s, "end it"))
    try:
        yield file
    finally:
        file.close()


def _wait_for(path: Path, timeout_s: float, remedy: str) -> int:
    """Open and lock a file, when its holder lets go; return its descriptor."""
    fd = _try_lock(path)
    if fd is not None:
        return fd
    deadline = time.monotonic() + timeout_s
    pause_s = 0.0005
    while (fd := _try_lock(path)) is None:
        if time.monotonic() > deadline:
            msg = f"{path} stays locked by another process (waited {timeout_s:g} s); {remedy}"
            raise FileLockTimeoutError(msg)
        time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311  (spreads the waiters; no secret)
        pause_s = min(pause_s * 1.5, 0.02)
    return fd


def _try_lock(path: Path) -> int | None:
    """Open and lock a file; None when someone else holds it."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o666)
    except PermissionError:
        if sys.platform == "win32":  # being removed by its last holder
            return None
        raise
    try:
        if _lock_fd(fd) and _is_same_file(fd, path):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


if sys.platform == "win32":
    import msvcrt

    def _lock_fd(fd: int) -> bool:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _is_same_file(_fd: int, _path: Path) -> bool:
        return True

else:
    import fcntl

    def _lock_fd(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _is_same_file(fd: int, path: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), os.stat(path))  # noqa: PTH116  (half the time of Path.stat)
        except FileNotFoundError:
            return False
