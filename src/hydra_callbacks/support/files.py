"""How do files stay whole while other processes read and write them?

Whole means: a reader sees the old or the new content, never half of it, also when the writer is killed in the
middle. Nothing is synced to the disk itself: what survives a killed process need not survive a power cut.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import FileLockTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STEP_BYTES = 1 << 14  # most files are shorter, and a larger buffer takes longer to make
_serial = count()


def temporary_name(path: Path) -> Path:
    """Return a hidden name beside `path` that no other live process or thread uses."""
    return path.with_name(f".{path.name}.{os.getpid()}-{next(_serial)}.tmp")


@contextlib.contextmanager
def replacing(path: Path, *, keep_mode: bool = False) -> Iterator[Path]:
    """Give a temporary path to fill; it takes the place of `path` in one step when the block ends well.

    Args:
        path: The file to replace or make; its folder must be there. Where it is a link, the file behind it.
        keep_mode: Whether the new file gets the rights of the old one; it must be there then.

    Raises:
        OSError: The folder cannot be written, or the disk is full; `path` is as it was.
    """
    path = path.resolve() if path.is_symlink() else path
    temporary = temporary_name(path)
    try:
        yield temporary
        if keep_mode and os.name == "posix":
            temporary.chmod(path.stat().st_mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Replace the content of `path` by `data` in one step, making the file when missing.

    Args:
        path: The file to write; its folder must be there.
        data: All of its new content.

    Raises:
        OSError: The folder cannot be written, or the disk is full; `path` is as it was.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_new(path: Path, data: bytes) -> bool:
    """Make a file with this content in one step, unless there is one.

    Args:
        path: The file to make; its folder must be there.
        data: All of its content.

    Returns:
        Whether it was made; of several processes that try at once, one is told so.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    temporary = temporary_name(path)
    try:
        temporary.write_bytes(data)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if path.exists():
                return False
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def read_if_there(file: str) -> bytes | None:
    """Return what is in a file, with as few calls as can be: a listing reads a hundred thousand of them.

    Returns:
        None when there is none.

    Raises:
        OSError: It cannot be read.
    """
    try:
        fd = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        text = part = os.read(fd, _STEP_BYTES)
        while len(part) == _STEP_BYTES:
            text += (part := os.read(fd, _STEP_BYTES))
    finally:
        os.close(fd)
    return text


def write_all(fd: int, data: bytes) -> None:
    """Write every byte of `data`, however many calls the system needs."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


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


def relink(link: Path, target: Path) -> Path:
    """Make `link` a symbolic link to `target` in one step, in place of an older link.

    Where links are not allowed (Windows without the right to), `<link>.txt` holds the path instead.

    Args:
        link: The link; its folder must be there.
        target: What it leads to; stored relative to the link's folder, so that the tree can be moved.

    Returns:
        What was written: `link`, or the text file.

    Raises:
        FileExistsError: `link` is a real file or folder, which is never removed.
    """
    if link.exists() and not link.is_symlink():
        msg = f"{link} is a real file or folder, expected a link or nothing; move it away to get the link"
        raise FileExistsError(msg)
    destination: Any = target
    with contextlib.suppress(ValueError):  # another drive on Windows has no relative path
        destination = os.path.relpath(target, link.parent)
    temporary = temporary_name(link)
    try:
        temporary.symlink_to(destination, target_is_directory=True)
    except (OSError, NotImplementedError):
        if link.is_symlink():
            raise
        text = link.with_name(link.name + ".txt")
        write_whole(text, f"{target}\n".encode())
        return text
    try:
        temporary.replace(link)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return link
