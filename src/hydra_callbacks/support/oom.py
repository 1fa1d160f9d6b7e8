"""Has the kernel killed a process because memory ran out?

It counts such kills: in each control group (cgroups(7); `memory.events` of version 2, `memory.oom_control` of version
1), and for the whole machine (`/proc/vmstat`). And it says so in its log, which not everybody may read.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_ROOT = Path("/")
_COUNT = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_MOST_RECORDS = 1 << 20  # the kernel keeps less
_RECORD_BYTES = 1 << 13  # longer than any record of the log


def kills_in(group: Path) -> int | None:
    """Return how many processes of a control group were killed so far.

    Args:
        group: Its directory.

    Returns:
        None when there is no such group, or it does not tell.
    """
    counts = (_count(group / name) for name in ("memory.events", "memory.oom_control"))
    return next((count for count in counts if count is not None), None)


def kills_of_machine(root: Path = _ROOT) -> int | None:
    """Return how many processes of this machine were killed since it started; None when it does not tell.

    Args:
        root: Where `/proc` and `/dev` are found.
    """
    return _count(root / "proc/vmstat")


def _count(file: Path) -> int | None:
    try:
        found = _COUNT.search(file.read_text(encoding="ascii", errors="replace"))
    except OSError:
        return None
    return int(found[1]) if found else None


def kernel_says(pid: int, since_s: float, root: Path = _ROOT) -> str | None:
    """Return the line of the kernel's log that tells how a process died; None when none does, or it may not be read.

    Args:
        pid: The process, as the kernel counts: that of the machine, not of a container.
        since_s: When it started, in seconds since the machine did: an earlier line is of another process.
        root: As above.
    """
    died = re.compile(
        rf"^\d+,\d+,(\d+),[^;]*;(.*(?:Kill(?:ed)? process {pid} \(|[^\s]\[{pid}\]:? (?:segfault|general protection|"
        rf"trap|bad frame)).*)$",
        re.MULTILINE,
    )
    said = None
    for match in died.finditer(_kernel_log(root / "dev/kmsg")):
        if int(match[1]) / 1e6 >= since_s:
            said = match[2].strip()
    return said


def _kernel_log(file: Path) -> str:
    """Return what the kernel has kept of its log (Documentation/ABI/testing/dev-kmsg); empty when that is secret."""
    try:
        fd = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return ""
    parts: list[bytes] = []
    try:
        while len(parts) < _MOST_RECORDS:
            try:
                part = os.read(fd, _RECORD_BYTES)
            except BrokenPipeError:  # a record was overwritten meanwhile; the next one is there
                continue
            if not part:
                break
            parts.append(part)
    except OSError:  # BlockingIOError: that was all
        pass
    finally:
        os.close(fd)
    return b"".join(parts).decode(errors="replace")
