"""How much processor time and memory do a process, its children and theirs use?

On Linux the answer is read straight from /proc (proc_pid_stat(5)), some ten microseconds for a process without
children. Each call that gives up Python's global lock may wait milliseconds to get it back from a busy job, so there
are as few of them as can be. Elsewhere psutil reads, and is imported by the first reading.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple


class ProcessUse(NamedTuple):
    """What one process uses.

    Attributes:
        cpu_s: Its own processor time since it began, in seconds.
        ended_children_cpu_s: That of its ended children and theirs; 0 where the system does not tell it.
        rss_bytes: Resident memory.
        vms_bytes: Virtual memory.
    """

    cpu_s: float
    ended_children_cpu_s: float
    rss_bytes: int
    vms_bytes: int


Tree = dict[tuple[int, float], ProcessUse]
"""Processes by pid and start time: a pid alone may belong to another one at the next look."""


class TreeUse(NamedTuple):
    """What a process tree uses; memory that processes share counts in each of them.

    Attributes:
        cpu_s: Processor time since the reading before, in seconds; 0 at the first.
        rss_bytes: Resident memory.
        vms_bytes: Virtual memory.
    """

    cpu_s: float
    rss_bytes: int
    vms_bytes: int


class TreeMeter:
    """Reads a process tree again and again.

    Args:
        pid: The process at its root.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before: Tree | None = None

    def read(self) -> TreeUse:
        """Return what the tree uses now.

        Raises:
            ProcessLookupError: Its root has ended.
        """
        now = read_tree(self._pid)
        cpu_s = 0.0 if self._before is None else _cpu_between(self._before, now)
        self._before = now
        return TreeUse(cpu_s, sum(use.rss_bytes for use in now.values()), sum(use.vms_bytes for use in now.values()))


def _cpu_between(before: Tree, now: Tree) -> float:
    """Return the processor time between two readings in seconds, that of processes that ended meanwhile included."""
    running = ended = 0.0
    for process, use in now.items():
        earlier = before.get(process)
        running += max(0.0, use.cpu_s - (earlier.cpu_s if earlier else 0.0))
        ended += use.ended_children_cpu_s - (earlier.ended_children_cpu_s if earlier else 0.0)
    # A parent is credited with all that its ended child ever used; what we saw of it before was counted then.
    counted = sum(use.cpu_s + use.ended_children_cpu_s for process, use in before.items() if process not in now)
    return running + max(0.0, ended - counted)


def _no_process(pid: int) -> ProcessLookupError:
    return ProcessLookupError(f"there is no process {pid} to measure (any more)")


def read_tree_with_psutil(pid: int) -> Tree:
    """Return what each process of a tree uses, on any system that psutil knows.

    Raises:
        ProcessLookupError: The root has ended.
    """
    import psutil  # noqa: PLC0415  (heavy, and Linux does without)

    tree: Tree = {}
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess as error:
        raise _no_process(pid) from error
    for process in processes:
        try:
            with process.oneshot():
                cpu, memory = process.cpu_times(), process.memory_info()
                ended_children_cpu_s = getattr(cpu, "children_user", 0.0) + getattr(cpu, "children_system", 0.0)
                use = ProcessUse(cpu.user + cpu.system, ended_children_cpu_s, memory.rss, memory.vms)
                tree[process.pid, process.create_time()] = use
        except psutil.Error:  # noqa: PERF203  (it ended, or is not ours to look at)
            continue
    if not tree:
        raise _no_process(pid)
    return tree


if sys.platform == "linux" and Path("/proc/thread-self/children").exists():  # a kernel may be built without it
    _TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
    _PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

    def read_tree(pid: int) -> Tree:
        """Return what each process of a tree uses.

        Raises:
            ProcessLookupError: The root has ended.
        """
        tree: Tree = {}
        pids = [pid]
        while pids:
            one = pids.pop()
            try:
                started_s, use = _read_process(one)
                pids += _children(one)
            except OSError:  # it ended, or is not ours to look at
                continue
            tree[one, started_s] = use
        if not tree:
            raise _no_process(pid)
        return tree

    def _read_process(pid: int) -> tuple[float, ProcessUse]:
        """Return a process's start, in seconds since the system's, and what it uses."""
        # clock_getcpuclockid(3): nanoseconds, where /proc counts ticks of ten milliseconds.
        cpu_s = time.clock_gettime((~pid << 3) | 2)
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()  # from the third field, `state`, on
        ended_children_cpu_s = (int(fields[13]) + int(fields[14])) * _TICK_S
        use = ProcessUse(cpu_s, ended_children_cpu_s, int(fields[21]) * _PAGE_BYTES, int(fields[20]))
        return int(fields[19]) * _TICK_S, use

    def _children(pid: int) -> list[int]:
        """Return the pids of the children, which /proc lists by the thread that made them."""
        if pid == os.getpid() and not _have_children():
            return []
        pids: list[int] = []
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  (many paths, and speed matters)
            try:
                pids += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
            except OSError:  # noqa: PERF203  (the thread ended)
                continue
        return pids

    def _have_children() -> bool:
        """Tell whether this process has children, in one call however many threads it has; it waits for none."""
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def _read(path: str) -> bytes:
        """Return the content of a file in /proc: with three system calls, where `open` needs seven."""
        fd = os.open(path, os.O_RDONLY)
        try:
            return os.read(fd, 1 << 20)
        finally:
            os.close(fd)

else:
    read_tree = read_tree_with_psutil
