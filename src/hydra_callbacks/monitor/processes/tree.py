"""How much do a process and all below it use, those included that end between two looks?"""

from __future__ import annotations

import math

from hydra_callbacks.monitor.processes.figures import FIGURES, HAS_PROC, Figures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any, Protocol

    from hydra_callbacks.monitor.meter import Span
    from hydra_callbacks.monitor.processes.figures import Tree

    class Processes(Protocol):
        """Reads each process of a tree, the root first."""

        absent: dict[str, str]

        def read(self) -> Tree:
            """Return what each process uses."""

        def close(self) -> None:
            """Close what is open."""


GIB = 2**30

COLUMNS = ("rss_GiB", "vms_GiB", "cpu_s", "processes", "threads", "open_files", "read_GiB", "written_GiB")

_LEAST_CREDIT_S = 0.02  # of an ended child's time, which is told in whole ticks of 10 ms, user and system each

_NOTHING = Figures()


def processes_of(pid: int) -> Processes:
    """Return what reads a process tree on this system."""
    if HAS_PROC:
        from hydra_callbacks.monitor.processes.proc import ProcTree  # noqa: PLC0415  (Linux's alone)

        return ProcTree(pid)
    from hydra_callbacks.monitor.processes.psutil_tree import PsutilTree  # noqa: PLC0415  (heavy, and Linux does without)

    return PsutilTree(pid)


class TreeMeter:
    """Reads a process tree again and again; a `meter.Meter`. All counts are since its beginning.

    Memory that processes share counts in each of them. The peak is that of the whole tree, as far as it can be told:
    the highest reading; or, where a process's own mark rose higher between two readings, that mark with what the
    others had at the lower of these.

    Args:
        pid: The process at its root.
        baseline: What `baseline` of another meter returned, whose last reading is this one's first; None for none.
        open_processes: What opens the reader of the processes.

    Attributes:
        absent: What is not told here: its name to the reason.
        peak_rss_bytes: The highest resident memory until now.
        sampled_peak_rss_bytes: The highest that was read.
        pids: The processes at the last reading.
    """

    columns = COLUMNS

    def __init__(
        self,
        pid: int,
        baseline: list[tuple[Any, ...]] | None = None,
        open_processes: Callable[[int], Processes] = processes_of,
    ) -> None:
        self._processes = open_processes(pid)
        self._owed_s = 0.0
        self._cpu_s = self._system_s = self._read_bytes = self._written_bytes = 0.0
        self._before: Tree | None = None
        self.absent = self._processes.absent
        self.peak_rss_bytes = self.sampled_peak_rss_bytes = 0
        self.pids: list[int] = []
        if baseline is not None:
            self._before = {(number, started_s): Figures(*figures) for number, started_s, *figures in baseline}
            self.peak_rss_bytes = self.sampled_peak_rss_bytes = _rss_bytes(self._before)

    def baseline(self) -> list[tuple[Any, ...]]:
        """Return what another meter needs to go on from the last reading."""
        return [(*key, *[getattr(figures, name) for name in FIGURES]) for key, figures in (self._before or {}).items()]

    def read(self, pids: Collection[int] = ()) -> tuple[float, ...]:  # noqa: ARG002  (a meter's signature)
        """Return the numbers for `COLUMNS`; the memory is that of the moment.

        Raises:
            ProcessLookupError: The root has ended.
        """
        tree = self._processes.read()
        before, self._before = self._before or tree, tree
        self._count(before, tree)
        rss_bytes = _rss_bytes(tree)
        self.sampled_peak_rss_bytes = max(self.sampled_peak_rss_bytes, rss_bytes)
        self.peak_rss_bytes = max(self.peak_rss_bytes, rss_bytes, _between(before, tree))
        self.pids = [pid for pid, _ in tree]
        root = next(iter(tree.values()))
        has_disk, has_files = not math.isnan(root.read_bytes), not math.isnan(root.n_files)
        return (
            rss_bytes / GIB,
            sum(figures.vms_bytes for figures in tree.values()) / GIB,
            self._cpu_s,
            sum(figures.vms_bytes > 0 for figures in tree.values()),  # one that has ended waits for its parent
            sum(figures.n_threads for figures in tree.values() if figures.vms_bytes > 0),
            sum(_or_0(figures.n_files) for figures in tree.values()) if has_files else math.nan,
            self._read_bytes / GIB if has_disk else math.nan,
            self._written_bytes / GIB if has_disk else math.nan,
        )

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """See `meter.Meter`."""
        cpu_s = spans["cpu_s"].last
        system_s = min(max(0.0, self._system_s), cpu_s)  # it is told in ticks, and less exactly
        found = {
            "cpu_s": round(cpu_s, 6),
            "user_s": round(cpu_s - system_s, 6),
            "system_s": round(system_s, 6),
            "peak_rss_bytes": self.peak_rss_bytes,
            "sampled_peak_rss_bytes": self.sampled_peak_rss_bytes,
            "mean_rss_bytes": _whole(spans["rss_GiB"].mean * GIB),
            "peak_vms_bytes": _whole(spans["vms_GiB"].high * GIB),
            "max_processes": _whole(spans["processes"].high),
            "max_threads": _whole(spans["threads"].high),
            "max_open_files": _whole(spans["open_files"].high),
            "read_bytes": _whole(spans["read_GiB"].last * GIB),
            "written_bytes": _whole(spans["written_GiB"].last * GIB),
        }
        return {name: value for name, value in found.items() if value is not None}

    def close(self) -> None:
        """Close what is open."""
        self._processes.close()

    def _count(self, before: Tree, tree: Tree) -> None:
        """Add what was used between two readings, by processes that ended meanwhile, too."""
        own = ended = in_system = read_bytes = written_bytes = 0.0
        for key, now in tree.items():
            then = before.get(key, _NOTHING)
            own += max(0.0, now.cpu_s - then.cpu_s)
            ended += now.ended_children_cpu_s - then.ended_children_cpu_s
            in_system += now.system_s - then.system_s
            read_bytes += _or_0(now.read_bytes) - _or_0(then.read_bytes)
            written_bytes += _or_0(now.written_bytes) - _or_0(then.written_bytes)
        # A parent is credited with all that its ended child ever used; what we saw of it before was counted then.
        gone = [figures for key, figures in before.items() if key not in tree]
        credit_s = self._owed_s + ended - sum(figures.cpu_s + figures.ended_children_cpu_s for figures in gone)
        self._cpu_s += own + max(0.0, credit_s)
        self._owed_s = max(-_LEAST_CREDIT_S, min(0.0, credit_s))
        self._system_s += in_system - sum(figures.system_s for figures in gone)
        self._read_bytes += max(0.0, read_bytes - sum(_or_0(figures.read_bytes) for figures in gone))
        self._written_bytes += max(0.0, written_bytes - sum(_or_0(figures.written_bytes) for figures in gone))


def _between(before: Tree, tree: Tree) -> int:
    """Return the highest that the tree had between two readings by the processes' own marks; 0 if none rose."""
    risen = [key for key, now in tree.items() if now.peak_rss_bytes > before.get(key, _NOTHING).peak_rss_bytes]
    if not risen:
        return 0
    least = {key: min(now.rss_bytes, before.get(key, _NOTHING).rss_bytes) for key, now in tree.items()}
    total = sum(least.values())
    return max(tree[key].peak_rss_bytes + total - least[key] for key in risen)


def _rss_bytes(tree: Tree) -> int:
    return sum(figures.rss_bytes for figures in tree.values())


def _or_0(value: float) -> float:
    """Return what is told of one process; of those of other users, it may be nothing."""
    return 0.0 if math.isnan(value) else value


def _whole(value: float) -> int | None:
    return None if math.isnan(value) else round(value)
