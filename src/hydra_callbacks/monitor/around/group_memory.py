"""How much memory is charged to the job's control group, and what was the most?

A limit of memory is held against this figure: it has the pages of files that were read or written besides what
processes hold, and it is that of all processes in the group. Version 2 of control groups is told in the kernel's
Documentation/admin-guide/cgroup-v2.rst, version 1 in cgroup-v1/memory.rst there.
"""

from __future__ import annotations

import math
import os

from hydra_callbacks.monitor.around.kept_file import KeptFile, counter, read_once, why_not
from hydra_callbacks.monitor.processes.tree import GIB
from hydra_callbacks.support import cgroups

TYPE_CHECKING = False  # as `typing` says it, without loading it
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from hydra_callbacks.monitor.meter import Span

_VERSIONS = (  # controller, usage, high-water mark, counter of kills
    ("memory", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"),
    ("", "memory.current", "memory.peak", "memory.events"),
)
_ONLY_IN_ROOT = "release_agent"  # of version 1; in version 2 the root group tells of no memory


class GroupMemory:
    """Reads the memory of a group, as a `Meter` does.

    Args:
        root: Where `/proc` and what is mounted are found.
    """

    def __init__(self, root: str = "/") -> None:
        self.columns: Sequence[str] = ()
        self.absent: Mapping[str, str] = {}
        self._limit_bytes = cgroups.memory_limit_bytes(root)
        self._usage: KeptFile | None = None
        self._mark: _Mark | None = None
        self._pids: Collection[int] = ()
        self._is_shared = False
        found = _charged_group(root)
        if found is None:
            self.absent = {"cgroup_mem": "no control group counts the job's memory, unless for the whole machine"}
            return
        self._group, usage, mark, self._events = found
        self._kills_before = self._kills()
        try:
            self._usage = KeptFile(f"{self._group}/{usage}")
        except OSError as error:
            self.absent = {"cgroup_mem": f"{usage} of the control group: {why_not(error)}"}
            return
        self.columns = ("cgroup_mem_GiB",)
        try:
            self._mark = _Mark(f"{self._group}/{mark}", is_own=mark == "memory.peak")
        except OSError as error:  # as before Linux 5.19
            self.absent = {"cgroup_mem_peak": f"{mark} of the control group: {why_not(error)}"}

    def read(self, pids: Collection[int]) -> Sequence[float]:
        """Return GiB.

        Args:
            pids: The processes of the job.
        """
        if self._usage is None:
            return ()
        if not self._pids and pids:
            self._is_shared = self._has_others(pids)
        self._pids = pids or self._pids
        try:
            return (int(self._usage.read()) / GIB,)
        except (OSError, ValueError):
            return (math.nan,)

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """Return the peak, how it was seen, the limit, kills, and whether others share the group, as `cgroup`."""
        told: dict[str, Any] = {} if self._limit_bytes is None else {"memory_limit_bytes": self._limit_bytes}
        span = spans.get("cgroup_mem_GiB")
        sampled_bytes = None if span is None or math.isnan(span.high) else round(span.high * GIB)
        peak_bytes = self._mark.peak_bytes() if self._mark else None
        if peak_bytes is not None:
            told.update(memory_peak_bytes=max(peak_bytes, sampled_bytes or 0), memory_peak_by="kernel")
        elif sampled_bytes is not None:
            told.update(memory_peak_bytes=sampled_bytes, memory_peak_by="samples")
        if self._usage is None:
            return {"cgroup": told}
        kills = self._kills()
        if kills is not None and self._kills_before is not None:
            told["oom_kills"] = kills - self._kills_before
        if self._is_shared or (self._pids and self._has_others(self._pids)):
            told["shared"] = True
        return {"cgroup": told}

    def close(self) -> None:
        """Close the files."""
        if self._usage is not None:
            self._usage.close()
        if self._mark is not None:
            self._mark.close()

    def _kills(self) -> int | None:
        return counter(read_once(f"{self._group}/{self._events}"), b"oom_kill")

    def _has_others(self, pids: Collection[int]) -> bool:
        """Tell whether the group, or one below it, holds processes that are neither the job's nor this one."""
        ours = {*pids, os.getpid()}
        for directory, _, _ in os.walk(self._group):
            if not ours.issuperset(map(int, read_once(f"{directory}/cgroup.procs").split())):
                return True
        return False


class _Mark:
    """The kernel's high-water mark of a group.

    Since Linux 6.12, version 2 gives a mark of its own to everyone who resets it and keeps the file open, so nobody
    else is disturbed. Other marks stand since the group began: they tell of the job only if they have risen since.

    Args:
        path: The file.
        is_own: Whether to ask for a mark of our own.
    """

    def __init__(self, path: str, *, is_own: bool) -> None:
        self._before_bytes = 0
        if is_own:
            try:
                self._file = KeptFile(path, os.O_RDWR)
            except OSError:  # an older kernel, or the group is not ours to write to
                pass
            else:
                try:
                    self._file.write(b"reset")
                except OSError:
                    self._file.close()
                else:
                    return
        self._file = KeptFile(path)
        self._before_bytes = int(self._file.read())

    def peak_bytes(self) -> int | None:
        """Return the most since this began; None where it is not known, as the group had more before."""
        try:
            now_bytes = int(self._file.read())
        except (OSError, ValueError):
            return None
        return now_bytes if now_bytes > self._before_bytes else None

    def close(self) -> None:
        self._file.close()


def _charged_group(root: str) -> tuple[str, str, str, str] | None:
    """Return the nearest group that counts memory, with its files of usage, mark and kills."""
    for controller, usage, mark, events in _VERSIONS:
        for group in cgroups.groups(controller, root):
            names = _names(group)
            if usage in names and _ONLY_IN_ROOT not in names:
                return group, usage, mark, events
    return None


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)  # noqa: PTH208  (without pathlib)
    except OSError:
        return []
