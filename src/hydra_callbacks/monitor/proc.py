"""What does each process of a tree use, as Linux tells it in /proc?

The files of a process (proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5)) are opened once and read again and again:
that costs a third, and an open file stays that of its process when another one gets its pid. Who was born is told by
the pids that the system has given away meanwhile; the tree is walked only where these are too many.

What samples beside a job is to be small and there at once, so neither this module nor those that it needs import
`typing`, `pathlib` and their like.
"""

from __future__ import annotations

import math
import os
import sys
import time

from hydra_callbacks.monitor.figures import Figures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_callbacks.monitor.figures import Tree

if sys.platform != "linux":
    msg = "only Linux shows processes in /proc"
    raise ImportError(msg)

_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MOST_OPEN = 768  # files; those of more processes are opened each time
_FILES_EACH = 3
_STEP_BYTES = 1 << 14


class ProcTree:
    """Reads the processes of a tree again and again; close it after use. Who was seen once belongs to it for good.

    Args:
        pid: The process at its root.

    Attributes:
        absent: What is not told here: its name to the reason.
    """

    def __init__(self, pid: int) -> None:
        self._root = pid
        self._known: dict[int, _Process] = {}
        self._n_open = 0
        self._latest = _LatestPid()
        self._latest_pid = 0
        self.absent: dict[str, str] = {}

    def read(self) -> Tree:
        """Return what each process of the tree uses.

        Raises:
            ProcessLookupError: The root has ended.
        """
        if not self._known:
            self._latest_pid = self._latest.read()
            self._add([self._root])
            self._walk([self._root])
        else:
            self._add_born()
        tree: Tree = {}
        for pid, process in list(self._known.items()):
            try:
                tree[pid, process.started_s] = process.read(self.absent)
            except OSError:  # noqa: PERF203  (it has ended)
                self._drop(pid)
        if self._root not in self._known:
            self.close()
            msg = f"there is no process {self._root} to measure (any more)"
            raise ProcessLookupError(msg)
        return tree

    def close(self) -> None:
        """Close all files."""
        for pid in list(self._known):
            self._drop(pid)
        self._latest.close()

    def _add_born(self) -> None:
        """Add who was born since the last look."""
        before, self._latest_pid = self._latest_pid, self._latest.read()
        n_born = self._latest_pid - before
        if n_born == 0 and before:
            return
        n_looks = sum(process.n_threads + 1 for process in self._known.values())
        if 0 < n_born <= n_looks and before:
            for pid in range(before + 1, self._latest_pid + 1):
                if _parent_of(pid) in self._known:
                    self._add([pid])
        else:
            self._walk(self._known)

    def _walk(self, pids: Iterable[int]) -> None:
        """Add the children of processes, and theirs."""
        waiting = list(pids)
        while waiting:
            born = [pid for pid in _children(waiting.pop()) if pid not in self._known]
            self._add(born)
            waiting += born

    def _add(self, pids: Iterable[int]) -> None:
        for pid in pids:
            keep = self._n_open + _FILES_EACH <= _MOST_OPEN
            try:
                self._known[pid] = _Process(pid, keep=keep)
            except OSError:  # it has ended, or is not ours to look at
                continue
            self._n_open += _FILES_EACH if keep else 0

    def _drop(self, pid: int) -> None:
        process = self._known.pop(pid)
        self._n_open -= _FILES_EACH if process.keeps else 0
        process.close()


class _Process:
    """One process.

    Args:
        pid: Its number.
        keep: Whether its files stay open.

    Raises:
        OSError: It has ended, or is not ours to look at.
    """

    __slots__ = ("_clock", "_fds", "_folder", "_has_disk", "_has_files", "keeps", "n_threads", "started_s")

    def __init__(self, pid: int, *, keep: bool) -> None:
        self._folder = f"/proc/{pid}/"
        self._clock = (
            ~pid << 3
        ) | 2  # clock_getcpuclockid(3): nanoseconds, where /proc counts ticks of ten milliseconds
        self._fds: dict[str, int] = {}
        self._has_disk = self._has_files = True
        self.keeps = keep
        fields = self._stat()
        self.started_s = int(fields[19]) * _TICK_S
        self.n_threads = int(fields[17])

    def read(self, absent: dict[str, str]) -> Figures:
        """Return what it uses.

        Raises:
            OSError: It has ended.
        """
        fields = self._stat()
        if int(fields[19]) * _TICK_S != self.started_s:
            raise ProcessLookupError(self._folder)
        user, system, ended_user, ended_system = map(int, fields[11:15])
        try:
            cpu_s = time.clock_gettime(self._clock)
        except OSError:  # nobody has waited for it yet
            cpu_s = (user + system) * _TICK_S
        self.n_threads = int(fields[17])
        read_bytes, written_bytes = self._disk(absent)
        return Figures(
            cpu_s,
            (ended_user + ended_system) * _TICK_S,
            (system + ended_system) * _TICK_S,
            int(fields[21]) * _PAGE_BYTES,
            int(fields[20]),
            self._peak_rss_bytes(),
            self.n_threads,
            self._n_files(absent),
            read_bytes,
            written_bytes,
        )

    def close(self) -> None:
        """Close its files."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}

    def _stat(self) -> list[bytes]:
        """Return the fields of `stat` from the third, `state`, on."""
        return self._text("stat").rpartition(b")")[2].split()

    def _peak_rss_bytes(self) -> int:
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

    def _n_files(self, absent: dict[str, str]) -> float:
        if not self._has_files:
            return math.nan
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


class _LatestPid:
    """Tells which pid the system has given away last, to a process or thread; 0 where it does not tell."""

    def __init__(self) -> None:
        try:
            self._fd = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._fd = -1

    def read(self) -> int:
        """Return that pid."""
        return int(os.pread(self._fd, 128, 0).rsplit(None, 1)[-1]) if self._fd >= 0 else 0

    def close(self) -> None:
        """Close its file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _parent_of(pid: int) -> int:
    """Return the parent of a process; 0 when there is none of this number (any more), or it is a thread's."""
    try:
        text = read_once(f"/proc/{pid}/status")
    except OSError:
        return 0
    tgid, parent = (int(text.partition(name)[2].split(None, 1)[0]) for name in (b"\nTgid:", b"\nPPid:"))
    return parent if tgid == pid else 0


def _children(pid: int) -> list[int]:
    """Return the pids of the children, which /proc lists by the thread that made them."""
    pids: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  (as above)
            pids += map(int, read_once(f"/proc/{pid}/task/{thread}/children").split())
    except OSError:  # it ended meanwhile
        pass
    return pids


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
