"""How are small files of the kernel's read again and again, at a microsecond each?

Opening one costs more than reading it, so it stays open. What /proc and /sys tell is made anew by every read from the
beginning.
"""

from __future__ import annotations

import os
import sys

_PART_BYTES = 1 << 14


class KeptFile:
    """A file that stays open; close it after use.

    Args:
        path: Where it is.
        flags: As `os.open` takes them.

    Raises:
        OSError: It cannot be opened, or not be read.
    """

    __slots__ = ("_fd",)

    def __init__(self, path: str, flags: int = os.O_RDONLY) -> None:
        self._fd = os.open(path, flags)
        try:
            self.read()
        except OSError:
            self.close()
            raise

    def read(self, offset: int = 0) -> bytes:
        """Return what stands there now: of a long file only a part, about a page.

        Args:
            offset: Where to begin.

        Raises:
            OSError: What it told of is gone.
        """
        if sys.platform == "win32":  # has none of these files
            return b""
        return os.pread(self._fd, _PART_BYTES, offset)

    def read_all(self) -> bytes:
        """Return what stands there now, to its end.

        Raises:
            OSError: As above.
        """
        whole = part = self.read()
        while part:
            part = self.read(len(whole))
            whole += part
        return whole

    def write(self, text: bytes) -> None:
        """Tell the kernel something.

        Raises:
            OSError: It does not take that.
        """
        os.write(self._fd, text)

    def close(self) -> None:
        """Give the descriptor back, once."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read_once(path: str) -> bytes:
    """Return what stands in a file; nothing where it cannot be read."""
    try:
        file = KeptFile(path)
    except OSError:
        return b""
    try:
        return file.read_all()
    except OSError:
        return b""
    finally:
        file.close()


def counter(text: bytes, name: bytes) -> int | None:
    """Return a number from lines such as `oom_kill 3`; None where there is no such line."""
    for line in text.splitlines():
        key, _, value = line.partition(b" ")
        if key == name and value.isdigit():
            return int(value)
    return None


def why_not(error: OSError) -> str:
    """Return why a file cannot be read, in the words of the system."""
    return (error.strerror or type(error).__name__).lower()
