"""How do files stay whole while other processes read and write them?

Whole means: a reader sees the old or the new content, never half of it, also when the writer is killed in the
middle. Nothing is synced to the disk itself: what survives a killed process need not survive a power cut.
"""

from __future__ import annotations

import contextlib
import os
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0)
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
        fd = os.open(file, _READ_ONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        part = os.read(fd, _STEP_BYTES)
        if len(part) < _STEP_BYTES:
            return part
        parts = [part]
        while len(part) == _STEP_BYTES:
            parts.append(part := os.read(fd, _STEP_BYTES))
    finally:
        os.close(fd)
    return b"".join(parts)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte of `data`, however many calls the system needs."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


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
