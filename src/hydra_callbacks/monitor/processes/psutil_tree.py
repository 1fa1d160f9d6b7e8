"""What does each process of a tree use, on systems without Linux's /proc? psutil tells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import psutil

from hydra_callbacks.monitor.processes.figures import Figures

if TYPE_CHECKING:
    from hydra_callbacks.monitor.processes.figures import Tree


class PsutilTree:
    """Reads the processes of a tree again and again; the same as `proc.ProcTree`.

    Args:
        pid: The process at its root.

    Attributes:
        absent: What is not told here: its name to the reason.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._known: dict[tuple[int, float], psutil.Process] = {}
        self.absent: dict[str, str] = {}
        if not hasattr(psutil.Process, "io_counters"):
            self.absent["disk"] = "what the processes read and write: this system does not tell it"

    def read(self) -> Tree:
        """Return what each process of the tree uses.

        Raises:
            ProcessLookupError: The root has ended.
        """
        try:
            root = psutil.Process(self._pid)
            found = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess as error:
            raise self._gone() from error
        for process in found:
            try:
                self._known.setdefault((process.pid, process.create_time()), process)
            except psutil.Error:  # noqa: PERF203  (it ended, or is not ours to look at)
                continue
        tree: Tree = {}
        for key, process in list(self._known.items()):
            try:
                with process.oneshot():
                    tree[key] = self._figures(process)
            except psutil.Error:  # noqa: PERF203  (as above)
                del self._known[key]
        if self._pid not in {pid for pid, _ in tree}:
            raise self._gone()
        return tree

    def close(self) -> None:
        """Have nothing open; as `proc.ProcTree` does it."""

    def _gone(self) -> ProcessLookupError:
        return ProcessLookupError(f"there is no process {self._pid} to measure (any more)")

    @staticmethod
    def _figures(process: psutil.Process) -> Figures:
        cpu, memory = process.cpu_times(), process.memory_info()
        ended_user_s, ended_system_s = getattr(cpu, "children_user", 0.0), getattr(cpu, "children_system", 0.0)
        disk = _told(process, "io_counters")
        n_files = _told(process, "num_fds")
        return Figures(
            cpu_s=cpu.user + cpu.system,
            ended_children_cpu_s=ended_user_s + ended_system_s,
            system_s=cpu.system + ended_system_s,
            rss_bytes=memory.rss,
            vms_bytes=memory.vms,
            peak_rss_bytes=getattr(memory, "peak_wset", 0),  # Windows
            n_threads=process.num_threads(),
            n_files=math.nan if n_files is None else float(n_files),
            read_bytes=float(disk.read_bytes) if disk else math.nan,
            written_bytes=float(disk.write_bytes) if disk else math.nan,
        )


def _told(process: psutil.Process, name: str) -> Any:
    """Return what a process tells under a name; None where it does not."""
    try:
        return getattr(process, name)()
    except (AttributeError, psutil.AccessDenied):
        return None
