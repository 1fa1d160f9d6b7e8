"""What is told of one process?"""

from __future__ import annotations

import math
import os
import sys

FIGURES = (
    *("cpu_s", "ended_children_cpu_s", "system_s", "rss_bytes", "vms_bytes", "peak_rss_bytes"),
    *("n_threads", "n_files", "read_bytes", "written_bytes"),
)
HAS_PROC = sys.platform == "linux" and os.path.exists("/proc/thread-self/children")  # noqa: PTH110  (see `proc`)


class Figures:
    """What one process uses.

    Attributes:
        cpu_s: Its own processor time since it began, in seconds.
        ended_children_cpu_s: That of its ended children and theirs; 0 where the system does not tell it.
        system_s: How much of both was spent in the system.
        rss_bytes: Resident memory.
        vms_bytes: Virtual memory.
        peak_rss_bytes: The highest resident memory since it began, or since that mark was reset; 0 where not told.
        n_threads: Threads.
        n_files: Open files; NaN where not told.
        read_bytes: Read from disks by it and its ended children since it began; NaN where not told.
        written_bytes: Written to disks by the same; NaN where not told.
    """

    __slots__ = FIGURES

    def __init__(  # noqa: PLR0913, PLR0917  (they come in a row, and a NamedTuple would need `typing`)
        self,
        cpu_s: float = 0.0,
        ended_children_cpu_s: float = 0.0,
        system_s: float = 0.0,
        rss_bytes: int = 0,
        vms_bytes: int = 0,
        peak_rss_bytes: int = 0,
        n_threads: int = 0,
        n_files: float = math.nan,
        read_bytes: float = math.nan,
        written_bytes: float = math.nan,
    ) -> None:
        self.cpu_s = cpu_s
        self.ended_children_cpu_s = ended_children_cpu_s
        self.system_s = system_s
        self.rss_bytes = rss_bytes
        self.vms_bytes = vms_bytes
        self.peak_rss_bytes = peak_rss_bytes
        self.n_threads = n_threads
        self.n_files = n_files
        self.read_bytes = read_bytes
        self.written_bytes = written_bytes


Tree = dict[tuple[int, float], Figures]
"""Processes by pid and start, in seconds since the system's: a pid alone may belong to another one at the next look."""
