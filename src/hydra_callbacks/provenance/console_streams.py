"""How is what Python's own streams are given heard, where they do not lead to the descriptors of their names?

That is so in a notebook; and on Windows, where nothing else is listened to.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from hydra_callbacks.provenance.console_file import ConsoleFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

STREAMS = {"stdout": 1, "stderr": 2}
_SYNC_S = 1.0


class Tee:
    """A stream that passes on all it is given, and tells of it.

    Args:
        stream: Where it goes; whatever else is asked of this object is asked of that.
        sink: What is told, in UTF-8.
    """

    def __init__(self, stream: Any, sink: Callable[[bytes], object]) -> None:
        self.stream = stream
        self.sink: Callable[[bytes], object] | None = sink

    def write(self, text: str) -> int:
        """Write a text."""
        n_written: int = self.stream.write(text)
        if self.sink is not None and isinstance(text, str):
            with contextlib.suppress(OSError, ValueError):  # what it tells is not the program's concern
                self.sink(text.encode("utf-8", errors="backslashreplace"))
        return n_written

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        """Return what the stream has."""
        return getattr(self.stream, name)


class Tees:
    """Put in the place of `sys.stdout` and `sys.stderr`, and of these in the handlers of the logs.

    Args:
        sink: What is told of all that they are given.
        only_detached: Leave those alone that lead to the descriptor of their name.
    """

    def __init__(self, sink: Callable[[bytes], object], *, only_detached: bool) -> None:
        self._tees: dict[str, Tee] = {}
        for name, fd in STREAMS.items():
            stream = getattr(sys, name)
            if stream is None or (only_detached and _leads_to(stream, fd)):
                continue
            tee = self._tees[name] = Tee(stream, sink)
            setattr(sys, name, tee)
            _swap(stream, tee)

    def stop(self) -> None:
        """Put back what was there."""
        for name, tee in self._tees.items():
            tee.sink = None  # somebody may have kept it
            _swap(tee, tee.stream)
            if getattr(sys, name) is tee:
                setattr(sys, name, tee.stream)


def is_detached() -> bool:
    """Tell whether one of Python's streams does not lead to the descriptor of its name."""
    streams = {fd: getattr(sys, name) for name, fd in STREAMS.items()}
    return any(stream is not None and not _leads_to(stream, fd) for fd, stream in streams.items())


def flush() -> None:
    """Make Python's streams write what they hold."""
    for name in STREAMS:
        with contextlib.suppress(AttributeError, OSError, ValueError):  # none, or closed
            getattr(sys, name).flush()


def _leads_to(stream: Any, fd: int) -> bool:
    """Tell whether what a stream is given comes to a descriptor; also by another stream that it holds."""
    if _fileno(stream) == fd:
        return True
    return any(_fileno(inner) == fd for inner in getattr(stream, "__dict__", {}).values())


def _fileno(stream: Any) -> int | None:
    try:
        number = stream.fileno()
    except Exception:  # noqa: BLE001  (a stranger's method; `io.UnsupportedOperation` and its like)
        return None
    return number if isinstance(number, int) else None


def _swap(old: Any, new: Any) -> None:
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    for handler in {handler for logger in loggers for handler in getattr(logger, "handlers", ())}:
        if isinstance(handler, logging.StreamHandler) and handler.stream is old:
            handler.setStream(new)


class StreamCapture:
    """Writes what Python's streams are given into a file.

    Args:
        fd: Descriptor of the file.
        max_bytes: About as large as it may become.
        secrets: Texts that are replaced in it.
    """

    def __init__(self, fd: int, max_bytes: int, secrets: Sequence[str]) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._synced = time.monotonic()
        self._file = ConsoleFile(fd, max_bytes, [text.encode() for text in secrets])
        flush()
        self._tees = Tees(self._write, only_detached=False)

    def stop(self, last: str, secrets: Sequence[str]) -> dict[str, Any]:
        """See `console.Capture`."""
        self._tees.stop()
        with self._lock:
            return self._file.end(last.encode(), [text.encode() for text in secrets])

    def _write(self, data: bytes) -> None:
        if os.getpid() != self._pid:  # a forked child has a place of its own in the file
            return
        with self._lock:
            self._file.write(data)
            if time.monotonic() - self._synced >= _SYNC_S:
                self._file.sync()
                self._synced = time.monotonic()
