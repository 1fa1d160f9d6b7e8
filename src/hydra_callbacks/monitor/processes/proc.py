"""What does each process of a tree use, as Linux tells it in /proc?

Who was born is told by the pids that the system has given away meanwhile; the tree is walked only where these are too
many. What is read of each is `process.Process`.

What samples beside a job is to be small and there at once, so neither this module nor those that it needs import
`typing`, `pathlib` and their like.
"""

from __future__ import annotations

import errno
import math
import os
import sys
import time

from hydra_callbacks.monitor.processes.process import FILES_EACH, Process, read_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hydra_callbacks.monitor.processes.figures import Tree

if sys.platform != "linux":
    msg = "only Linux shows processes in /proc"
    raise ImportError(msg)

_MOST_OPEN = min(768, os.sysconf("SC_OPEN_MAX") // 2)  # files; those of more processes are opened each time
_MOST_REPEATS = 3
_LONGEST_UNWALKED_S = 60.0  # all pids may have been given away meanwhile, and then the latest one tells nothing
_MOST_STALE_S = 1.0  # that figures of a process may be which has not run since
# In the words of what `support.companion` starts, and of what `provenance.git_program` does.
_COMPANIONS = (b"sys.modules['hydra_callbacks'] = ours", b"hydracallbacks.own=true")


class ProcTree:
    """Reads the processes of a tree again and again; close it after use. Who was seen once belongs to it for good.

    What works beside a job for us does not belong to it, though it is the child of a job that adopts orphans: the first
    process of a container does.

    Args:
        pid: The process at its root.

    Attributes:
        absent: What is not told here: its name to the reason.

    Raises:
        ProcessLookupError: /proc shows other processes than those of this namespace.
    """

    def __init__(self, pid: int) -> None:
        if os.readlink("/proc/self") != str(os.getpid()):  # noqa: PTH115  (see above)
            msg = "/proc does not show the processes of this namespace; mount one that does (`unshare --mount-proc`)"
            raise ProcessLookupError(msg)
        self._root = pid
        self._known: dict[int, Process] = {}
        self._n_open = 0
        self._latest = _LatestPid()
        self._latest_pid = 0
        self._walked_s = -math.inf
        self.absent: dict[str, str] = {}

    def read(self) -> Tree:
        """Return what each process of the tree uses.

        Raises:
            ProcessLookupError: The root has ended.
        """
        is_first = not self._known
        n_known, tree = len(self._known), self._look([*self._known])
        for _ in range(_MOST_REPEATS):
            if len(self._known) == n_known:
                break
            # Who reaped those that have ended may have been read before that, and they would count in neither.
            n_known, tree = len(self._known), self._look([*self._known], most_stale_s=0.0)
        if is_first or self._root in self._known:
            tree |= self._look(born := self._add_born())
            if not is_first:
                self._hide_shared(born)
        if self._root not in self._known:
            self.close()
            msg = f"there is no process {self._root} to measure (any more)"
            raise ProcessLookupError(msg)
        return tree

    def close(self) -> None:
        """Close all files; another look opens them again."""
        for process in self._known.values():
            process.close()
        self._latest.close()

    def _look(self, pids: Iterable[int], *, most_stale_s: float = _MOST_STALE_S) -> Tree:
        """Return what some of the known ones use, and forget those that have ended."""
        tree: Tree = {}
        now_s = time.monotonic()
        for pid in pids:
            process = self._known[pid]
            try:
                tree[pid, process.started_s] = process.read(self.absent, now_s, most_stale_s)
            except OSError:
                self._drop(pid)
        return tree

    def _hide_shared(self, born: Iterable[int]) -> None:
        """Leave out the memory of who seems not to have begun its own program yet: for a moment, it has its parent's.

        The parent of a process that `vfork` makes waits for that, and both would tell of the same memory.
        """
        for pid in born:
            process = self._known.get(pid)
            parent = self._known.get(process.parent) if process else None
            if process and parent and process.figures.vms_bytes in {parent.figures.vms_bytes, parent.vms_bytes()}:
                process.hide_memory()

    def _add_born(self) -> list[int]:
        """Add who was born since the last look, and return them."""
        now_s = time.monotonic()
        if not self._known:
            self._latest_pid, self._walked_s = self._latest.read(), now_s
            return [*self._add([self._root]), *self._walk([self._root])]
        before, self._latest_pid = self._latest_pid, self._latest.read()
        n_born = self._latest_pid - before
        is_long_ago = now_s - self._walked_s > _LONGEST_UNWALKED_S
        if n_born == 0 and before and not is_long_ago:
            return []
        n_looks = sum(process.n_threads + 1 for process in self._known.values())
        if not (0 < n_born <= n_looks and before) or is_long_ago:
            self._walked_s = now_s
            return self._walk(self._known)
        born: list[int] = []
        for pid in range(before + 1, self._latest_pid + 1):
            if pid not in self._known and _parent_of(pid) in self._known:
                born += self._add([pid])
        return born

    def _walk(self, pids: Iterable[int]) -> list[int]:
        """Add the children of processes, and theirs, and return them."""
        born: list[int] = []
        waiting = list(pids)
        while waiting:
            found = self._add([pid for pid in _children(waiting.pop()) if pid not in self._known])
            born += found
            waiting += found
        return born

    def _add(self, pids: Iterable[int]) -> list[int]:
        """Add processes, and return those that are still there."""
        added = []
        for pid in pids:
            keep = self._n_open + FILES_EACH <= _MOST_OPEN
            try:
                process = Process(pid, keep=keep)
            except OSError as error:  # it has ended, or is not ours to look at
                if error.errno == errno.EMFILE and pid == self._root:
                    raise
                continue
            if pid != self._root and _is_companion(pid):
                process.close()
                continue
            self._known[pid] = process
            self._n_open += FILES_EACH if keep else 0
            added.append(pid)
        return added

    def _drop(self, pid: int) -> None:
        process = self._known.pop(pid)
        self._n_open -= FILES_EACH if process.keeps else 0
        process.close()


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


def _is_companion(pid: int) -> bool:
    try:
        words = read_once(f"/proc/{pid}/cmdline")
    except OSError:
        return False
    return any(mark in words for mark in _COMPANIONS)


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
