"""How does what a program prints without end become a file of limited size, without secrets, at any time of use?

The first half of the file is written as it comes. Of what follows, the last part is kept in memory, and is written now
and then and at the end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re

from hydra_callbacks.provenance.console_secrets import without_secrets
from hydra_callbacks.provenance.console_text import LONGEST_LINE, Paper

_REDACTED = b"<redacted>"
_SHORTEST_SECRET = 6  # bytes, as everywhere
_ROOM_BYTES = 1 << 18  # that are given back to a full disk: the record matters more
_MOST_TAIL_BYTES = 10_000_000  # what is kept in memory may be twice as much for a moment


class Cleaner:
    """Takes known secrets out of a stream of bytes, wherever it is cut.

    Args:
        secrets: Their texts; of one with several lines, each line is a secret, too.

    Attributes:
        held: The end of the stream as far as it may be the beginning of a secret.
        longest: Length of the longest secret, in bytes.
    """

    def __init__(self, secrets: list[bytes]) -> None:
        texts = {text for secret in secrets for text in (secret, *secret.splitlines())}
        self.secrets = sorted((text for text in texts if len(text) >= _SHORTEST_SECRET), key=lambda text: -len(text))
        self.longest = len(self.secrets[0]) if self.secrets else 0
        self.held = b""
        self._pattern = re.compile(b"|".join(map(re.escape, self.secrets)) or rb"(?!)")

    def new(self) -> Cleaner:
        """Return one for another stream."""
        return Cleaner(self.secrets)

    def write(self, data: bytes) -> bytes:
        """Take in the next bytes, and return those that are settled, without secrets."""
        data, self.held = self.held + data, b""
        if not self.secrets:
            return data
        parts, done = [], 0
        while True:
            end = self._beginning(data, done)
            is_there = any(data.find(text, done) >= 0 for text in self.secrets)  # far faster than the pattern
            match = self._pattern.search(data, done) if is_there else None
            if match is None or match.start() >= end:
                break
            parts += [data[done : match.start()], _REDACTED]
            done = match.end()
        self.held = data[end:]
        return b"".join([*parts, data[done:end]])

    def all(self, data: bytes) -> bytes:
        """Return a whole text without secrets."""
        return self._pattern.sub(_REDACTED, data) if any(text in data for text in self.secrets) else data

    def beyond(self, data: bytes) -> int:
        """Return where data whose first part is missing can begin: where no part of a secret is left."""
        place = min(self.longest, len(data))
        for match in self._pattern.finditer(data, 0, 2 * self.longest):
            if match.start() < place:
                place = max(place, match.end())
        return place

    def _beginning(self, data: bytes, start: int) -> int:
        """Return where the first secret begins that is not whole at the end of the data; the end when none does."""
        first = len(data)
        for text in self.secrets:
            at = data.find(text[:1], max(start, len(data) - len(text) + 1))
            while 0 <= at < first:
                if text.startswith(data[at:]):
                    first = at
                at = data.find(text[:1], at + 1)
        return first


class ConsoleFile:
    """A file that gets what a program prints.

    Args:
        fd: Descriptor of an empty file, to read and write; it is closed at the end.
        max_bytes: About as large as the file may become.
        secrets: Texts that are replaced.

    Attributes:
        error: Why it is not written any more; empty while it is.
    """

    def __init__(self, fd: int, max_bytes: int, secrets: list[bytes]) -> None:
        self.error = ""
        self._fd = fd
        self._n_tail = min(max_bytes // 2, _MOST_TAIL_BYTES)
        self._n_head = max_bytes - self._n_tail
        self._slack = min(LONGEST_LINE, self._n_head // 8)
        self._paper = Paper()
        self._cleaner = Cleaner(secrets)
        self._n_bytes = self._n_in_head = self._n_dropped = 0
        self._end = self._length = 0  # of what is settled in the file, and of all of it
        self._head_end: int | None = None
        self._is_broken_off = False  # whether the head ends within a line
        self._tail = bytearray()  # what came after the head, or the last of it
        self._n_written = 0  # bytes of the tail that are in the file; -1 when it must be written anew

    def write(self, data: bytes) -> None:
        """Take in what the program has written."""
        self._n_bytes += len(data)
        self._place(self._paper.write(data))

    def sync(self) -> None:
        """Bring the file up to date, also with the last line, which may still change."""
        self._write_tail(self._tail)
        open_text = without_secrets(self._paper.open_text)
        self._put(self._cleaner.all(self._cleaner.held + open_text), is_settled=False)

    def end(self, last: bytes = b"", secrets: list[bytes] | None = None) -> dict[str, object]:
        """Write what is left, and close the file.

        Args:
            last: Text that is added.
            secrets: Those that are known by now.

        Returns:
            `bytes` that the program wrote, `lines` of text, `is_cut` when some of it is left out, and `error` when the
            file could not be written.
        """
        self._place(self._paper.close())
        self._place(last)
        tail = self._tail
        if len(tail) > self._n_tail:
            tail = tail[-self._n_tail :]
            self._n_dropped += len(self._tail) - len(tail)
            self._n_written = -1
        self._write_tail(tail)
        self._put(self._cleaner.all(self._cleaner.held))
        self._clean_again(Cleaner(secrets or []))
        os.close(self._fd)
        facts: dict[str, object] = {"bytes": self._n_bytes, "lines": self._paper.n_lines}
        return facts | ({"is_cut": True} if self._n_dropped else {}) | ({"error": self.error} if self.error else {})

    def _place(self, text: bytes) -> None:
        """Put settled text where it belongs, into the head or the tail."""
        if self._head_end is not None:
            self._tail += text
            if len(self._tail) > 2 * self._n_tail:
                n_more = len(self._tail) - self._n_tail
                del self._tail[:n_more]
                self._n_dropped += n_more
                self._n_written = -1
            return
        cut = self._cut(text)
        if cut is not None and text[cut - 1 : cut] != b"\n":  # a secret must not be cut in two
            start, end = text.rfind(b"\n", 0, cut) + 1, text.find(b"\n", cut)
            line = without_secrets(text[start:] if end < 0 else text[start:end])
            text, cut = text[:start] + line + (b"" if end < 0 else text[end:]), min(cut, start + len(line))
        head = text if cut is None else text[:cut]
        self._n_in_head += len(head)
        self._put(self._cleaner.write(without_secrets(head)))
        if cut is not None:
            self._head_end, self._is_broken_off = self._end, not head.endswith(b"\n")
            text, self._cleaner = self._cleaner.held + text[cut:], self._cleaner.new()
            self._place(text)

    def _cut(self, text: bytes) -> int | None:
        """Return where the head ends in this text, after a line if there is one near; None when it does not."""
        n_left = self._n_head - self._n_in_head
        most = n_left + self._slack
        line_end = text.find(b"\n", max(0, n_left - 1), max(0, most))
        if line_end >= 0:
            return line_end + 1
        return most if len(text) >= most else None

    def _write_tail(self, tail: bytearray) -> None:
        """Write what is new in the tail, or all of it."""
        if self._head_end is None:
            return
        if self._n_written < 0:
            # A line of which the first part is left out might begin with half a secret.
            n_skipped = tail.find(b"\n", 0, LONGEST_LINE) + 1 or self._cleaner.beyond(bytes(tail))
            self._end, self._n_written, self._cleaner = self._head_end, n_skipped, self._cleaner.new()
            self._put(b"\n" * self._is_broken_off + b"... %s left out ...\n" % _size(self._n_dropped + n_skipped))
        self._put(self._cleaner.write(without_secrets(bytes(tail[self._n_written :]))))
        self._n_written = len(tail)

    def _put(self, data: bytes, *, is_settled: bool = True) -> None:
        """Write data after what is settled."""
        if self.error:
            return
        try:
            os.lseek(self._fd, self._end, os.SEEK_SET)
            write_all(self._fd, data)
            if self._length > self._end + len(data):
                os.ftruncate(self._fd, self._end + len(data))
        except OSError as error:
            self.error = error.strerror or type(error).__name__
            if error.errno == errno.ENOSPC:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, max(0, self._end - _ROOM_BYTES))
            return
        self._length = self._end + len(data)
        self._end += len(data) if is_settled else 0

    def _clean_again(self, cleaner: Cleaner) -> None:
        """Take out the secrets that were not known when they were printed."""
        if self.error or not set(cleaner.secrets) - set(self._cleaner.secrets):
            return
        os.lseek(self._fd, 0, os.SEEK_SET)
        data = b"".join(iter(lambda: os.read(self._fd, 1 << 20), b""))
        clean = cleaner.all(data)
        if clean != data:
            self._end = 0
            self._put(clean)


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, however many calls the system needs."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _size(n_bytes: int) -> bytes:
    return b"%.1f MB" % (n_bytes / 1e6) if n_bytes >= 100_000 else b"%.1f kB" % (n_bytes / 1e3)  # noqa: PLR2004
