"""What does the kernel remember of a process, whether anybody looks or not?

A process's highest resident memory is remembered since its beginning, and a process may work for several jobs. So the
mark is set back when a job begins (`5` in /proc/self/clear_refs, proc_pid_clear_refs(5)), unless another job is at work
here whose mark that would be, too.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""How many bytes one is in `ru_maxrss`."""

_lock = threading.Lock()
_opener_pid = 0
_n_open = 0


class KernelMarks:
    """The marks of this process from now on; `finish` it once.

    Attributes:
        absent: What cannot be told: its name to the reason.
    """

    def __init__(self) -> None:
        global _n_open, _opener_pid  # noqa: PLW0603  (the jobs of a process know nothing of each other)
        self.absent: dict[str, str] = {}
        with _lock:
            if _opener_pid != os.getpid():  # what a forked child has inherited is none of its jobs
                _opener_pid, _n_open = os.getpid(), 0
            if _n_open:
                self.absent["peak_rss"] = "peaks between samples: other jobs share this process"
            else:
                self._reset()
            _n_open += 1
        self._before = _usage()

    def forget_children(self) -> None:
        """Have no child that has ended until now count: those that this library has started."""
        self._before = {**self._before, "child_faults": _usage().get("child_faults", 0)}

    def finish(self) -> dict[str, Any]:
        """Return what has come together since the beginning.

        Returns:
            `voluntary_switches` and `involuntary_switches` of the processor, `major_faults` (pages read from disk), of
            this process and its ended children, and `peak_child_rss_bytes`, the highest resident memory of an ended
            child, if it is one that ended meanwhile; `peak_child_rss_below_bytes` if children ended, and an earlier one
            had more. Without what is not told.
        """
        global _n_open  # noqa: PLW0603  (as above)
        with _lock:
            _n_open -= 1
        now = _usage()
        found = {name: now[name] - self._before[name] for name in now}
        n_faults = found.pop("child_faults", 0)
        if found.pop("peak_child_rss_bytes", 0):
            found["peak_child_rss_bytes"] = now["peak_child_rss_bytes"]
        elif n_faults:
            found["peak_child_rss_below_bytes"] = now["peak_child_rss_bytes"]
        return found

    def _reset(self) -> None:
        try:
            with open("/proc/self/clear_refs", "wb", buffering=0) as file:  # noqa: PTH123  (pathlib is slower)
                file.write(b"5")
        except OSError as error:
            self.absent["peak_rss"] = (
                "peaks between samples that are lower than one before this job: the kernel's mark cannot be set back "
                f"({error.strerror})"
            )


def _usage() -> dict[str, int]:
    """Return what getrusage(2) tells, under our names; nothing on Windows, which has no such call."""
    if sys.platform == "win32":
        return {}
    import resource  # noqa: PLC0415  (not on Windows)

    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "voluntary_switches": own.ru_nvcsw + ended.ru_nvcsw,
        "involuntary_switches": own.ru_nivcsw + ended.ru_nivcsw,
        "major_faults": own.ru_majflt + ended.ru_majflt,
        "peak_child_rss_bytes": ended.ru_maxrss * MAXRSS_BYTES,
        "child_faults": ended.ru_minflt + ended.ru_majflt,
    }
