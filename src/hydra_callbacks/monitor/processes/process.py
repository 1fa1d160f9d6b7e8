"""What does one process use, as Linux tells it in /proc?

Its files (proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5)) are opened once and read again and again: that costs a
third, and an open file stays that of its process when another one gets its pid. A process that has not run meanwhile,
which its clock tells at a tenth of the cost, has nothing new to tell.
"""

from __future__ import annotations

import math
import os
import sys
import time

from hydra_callbacks.monitor.processes.figures import Figures

if sys.platform != "linux":
    msg = "only Linux shows processes in /proc"
    raise ImportError(msg)

FILES_EACH = 3
"""That are kept open of one process."""
_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_STEP_BYTES = 1 << 14
_HOLD_S = 0.05  # for which the number of open files holds good


class Process:
    """One process.

    Args:
        pid: Its number.
        keep: Whether its files stay open.

    Raises:
        OSError: It has ended, or is not ours to look at.
    """

    __slots__ = (
        *("_clock", "_clock_s", "_fds", "_folder", "_counted_s", "_has_disk", "_has_files", "_n_faults", "_read_s"),
        *("figures", "keeps", "n_threads", "parent", "session", "started_s"),
    )

    def __init__(self, pid: int, *, keep: bool) -> None:
        self._folder = f"/proc/{pid}/"
        self._clock = (~pid << 3) | 2  # clock_getcpuclockid(3): nanoseconds; /proc counts ticks of ten milliseconds
        self._clock_s = self._read_s = self._counted_s = -math.inf
        self.figures = Figures()
        self._n_faults: list[bytes] = []
        self._fds: dict[str, int] = {}
        self._has_disk = self._has_files = True
        self.keeps = keep
        try:
            fields = self._stat()
        except OSError:
            self.close()
            raise
        self.started_s = int(fields[19]) * _TICK_S
        self.n_threads = int(fields[17])
        self.parent, self.session = int(fields[1]), fields[3]

    def read(self, absent: dict[str, str], now_s: float, most_stale_s: float) -> Figures:
        """Return what it uses.

        Args:
            absent: Takes what is not told.
            now_s: When this is, on any steady clock.
            most_stale_s: For how long figures hold good while it does not run.

        Raises:
            OSError: It has ended.
        """
        before_s = self._clock_s
        try:
            self._clock_s = cpu_s = time.clock_gettime(self._clock)
        except OSError:  # it has ended, though nobody may have waited for it yet
            self._clock_s, cpu_s = math.nan, self.figures.cpu_s
        # Without running, it can lose memory, yet to the system alone.
        if self._clock_s == before_s and now_s - self._read_s < most_stale_s:
            return self.figures
        fields = self._stat()
        if int(fields[19]) * _TICK_S != self.started_s:
            raise ProcessLookupError(self._folder)
        user, system, ended_user, ended_system = map(int, fields[11:15])
        self._read_s = now_s
        self.n_threads = int(fields[17])
        read_bytes, written_bytes = self._disk(absent)
        self.figures = Figures(
            max(cpu_s, (user + system) * _TICK_S) if math.isnan(self._clock_s) else cpu_s,
            (ended_user + ended_system) * _TICK_S,
            (system + ended_system) * _TICK_S,
            int(fields[21]) * _PAGE_BYTES,
            int(fields[20]),
            self._peak_rss_bytes(fields[7:11:2]),
            self.n_threads,
            self._n_files(absent, now_s),
            read_bytes,
            written_bytes,
        )
        return self.figures

    def vms_bytes(self) -> int:
        """Return its virtual memory now; 0 when it has ended."""
        try:
            return int(self._stat()[20])
        except OSError:
            return 0

    def hide_memory(self) -> None:
        """Take back what was read of its resident memory, until the next look."""
        self.figures.rss_bytes = self.figures.peak_rss_bytes = 0
        self._read_s, self._n_faults = -math.inf, []

    def close(self) -> None:
        """Close its files."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}

    def _stat(self) -> list[bytes]:
        """Return the fields of `stat` from the third, `state`, on."""
        return self._text("stat").rpartition(b")")[2].split()

    def _peak_rss_bytes(self, n_faults: list[bytes]) -> int:
        if n_faults == self._n_faults:  # no new pages
            return self.figures.peak_rss_bytes
        self._n_faults = n_faults
        _, _, rest = self._text("status").partition(b"\nVmHWM:")
        return int(rest.split(None, 1)[0]) * 1024 if rest else 0  # an ended one has no memory

    def _disk(self, absent: dict[str, str]) -> tuple[float, float]:
        if not self._has_disk:
            return math.nan, math.nan
        try:
            words = self._text("io").split()
        except PermissionError as error:
            absent["disk"] = f"what a process reads and writes: {self._folder}io cannot be read ({error.strerror})"
        except FileNotFoundError:
            absent["disk"] = "what the processes read and write: this kernel does not count it"
        else:
            return float(words[9]), float(words[11])
        self._has_disk = False
        return math.nan, math.nan

    def _n_files(self, absent: dict[str, str], now_s: float) -> float:
        if not self._has_files or now_s - self._counted_s < _HOLD_S:
            return self.figures.n_files
        self._counted_s = now_s
        try:
            n_files = os.stat(f"{self._folder}fd").st_size  # noqa: PTH116  (as above) since Linux 6.2
            return n_files or len(os.listdir(f"{self._folder}fd"))  # noqa: PTH208  (as above)
        except PermissionError as error:
            absent["open_files"] = f"a process's open files: {self._folder}fd cannot be read ({error.strerror})"
            self._has_files = False
            return math.nan

    def _text(self, name: str) -> bytes:
        fd = self._fds.get(name)
        if fd is not None:
            return os.pread(fd, _STEP_BYTES, 0)
        fd = os.open(self._folder + name, os.O_RDONLY | os.O_CLOEXEC)
        if self.keeps:
            self._fds[name] = fd
            return os.pread(fd, _STEP_BYTES, 0)
        try:
            return os.pread(fd, _STEP_BYTES, 0)
        finally:
            os.close(fd)


def read_once(path: str) -> bytes:
    """Return the content of a file in /proc: with three system calls, where `open` needs seven.

    Raises:
        OSError: It cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 1 << 20)
    finally:
        os.close(fd)
