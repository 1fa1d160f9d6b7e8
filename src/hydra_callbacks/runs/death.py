"""Why did a process end without a word?

A job that is killed cannot say so. What was noted when it started (section `evidence` of its record, by the CrashReport
callback) is compared with what the same machine tells now, by the next one who reads the record.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hydra_callbacks.runs import record
from hydra_callbacks.runs.named_file import named_file
from hydra_callbacks.support import oom
from hydra_callbacks.support.process import boot_id
from hydra_callbacks.support.texts import size

_ROOT = Path("/")
_FIRST_NAMESPACE = "pid:[4026531836]"  # of the machine itself (include/linux/proc_ns.h, PROC_PID_INIT_INO)
_LONGEST_FAULT = 20_000  # bytes
_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def evidence(group: Path | None, limit_bytes: int | None, root: Path = _ROOT) -> dict[str, Any]:
    """Return what is to be noted of this machine at the start of a job.

    Args:
        group: The control group of the process, for its memory; None where there is none.
        limit_bytes: How much memory it may use.
        root: Where `/proc` and `/dev` are found.
    """
    told = {
        "cgroup": str(group) if group else None,
        "oom_kills": oom.kills_in(group) if group else None,
        "memory_limit_bytes": limit_bytes,
        "machine_oom_kills": oom.kills_of_machine(root),
    }
    return {key: value for key, value in told.items() if value is not None}


def fault_of(data: dict[str, Any], directory: Path) -> str | None:
    """Return what Python's fault handler wrote when the process died of a fatal signal; None when it wrote nothing.

    Args:
        data: The job's record.
        directory: The job's output directory.
    """
    file = named_file(directory, record.section(data, "evidence").get("fault_log"))
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            return opened.read(_LONGEST_FAULT).decode(errors="replace").strip() or None
    except OSError:
        return None


def cause_of(data: dict[str, Any], directory: Path, root: Path = _ROOT) -> str | None:
    """Return in a sentence why the process of a job is gone, as far as this machine can tell.

    Args:
        data: The job's record.
        directory: The job's output directory.
        root: As above.

    Returns:
        None when the job is not lost.
    """
    if record.status(data) != "lost":
        return None
    fault = fault_of(data, directory)
    if fault:
        return f"it died of a fault in compiled code ({fault.splitlines()[0]})"
    host = record.section(data, "host")
    if host.get("boot_id") not in {None, boot_id()}:
        return "the machine was restarted since"
    return _kernel_says(host, root) or _counters_say(record.section(data, "evidence"), root)


def _kernel_says(host: dict[str, Any], root: Path) -> str | None:
    """Return what the kernel's log tells of the process, which it knows by its number outside of any container."""
    started = host.get("pid_started")
    if host.get("pid_namespace") != _FIRST_NAMESPACE or not isinstance(started, int):
        return None
    said = oom.kernel_says(host["pid"], started / _TICKS_PER_S, root)
    if said is None:
        return None
    kind = "it was killed, out of memory" if "Kill" in said else "it died of a fault in compiled code"
    return f"{kind}; the kernel says: {said}"


def _counters_say(then: dict[str, Any], root: Path) -> str:
    before = then.get("oom_kills")
    now = oom.kills_in(Path(str(then["cgroup"]))) if "cgroup" in then else None
    if isinstance(before, int) and now is not None:
        if now > before:
            limit = then.get("memory_limit_bytes")
            limited = f"its limit is {size(limit)}, " if isinstance(limit, int) else ""
            return f"it was killed, out of memory ({limited}oom_kill {before} -> {now} in its control group)"
        return _UNTOLD  # the group counts each of its processes that is killed, whatever ran out
    before, now = then.get("machine_oom_kills"), oom.kills_of_machine(root)
    if isinstance(before, int) and now is not None:
        if now > before:
            return f"probably out of memory: the machine has killed a process since (oom_kill {before} -> {now})"
        return _UNTOLD
    return "it was killed, perhaps out of memory"


_UNTOLD = (
    "it was killed by a signal (SIGKILL; SIGHUP, when its terminal was closed), or left by os._exit, or the disk was "
    "too full for its end to be written; memory had not run out"
)
