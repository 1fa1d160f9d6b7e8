"""On which machine and in which process are we, and is a process that was recorded still there?"""

from __future__ import annotations

import getpass
import os
import platform
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def boot_id() -> str | None:
    """Return a text that changes when this machine (or its container's host) starts anew; None where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None


def user() -> str | None:
    """Return the login name; None where the system does not know it (a container without a passwd entry)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return None


def host_facts() -> dict[str, Any]:
    """Return the record's `host` section for this process: name, pid, boot_id, user, slurm_job_id."""
    return {
        "name": platform.node(),
        "pid": os.getpid(),
        "boot_id": boot_id(),
        "user": user(),
        "slurm_job_id": os.environ.get("SLURM_JOB_ID"),
    }


def is_gone(host: dict[str, Any]) -> bool:
    """Tell whether the process of a `host` section has certainly ended.

    Args:
        host: The section; `name`, `pid` and `boot_id` are read.

    Returns:
        True only for a process of this machine that no longer runs; a process elsewhere cannot be judged from here.
    """
    return _is_of_this_machine(host) and not is_running_here(host)


def is_running_here(host: dict[str, Any]) -> bool:
    """Tell whether the process of a `host` section certainly still runs, on this machine."""
    return _is_of_this_machine(host) and host.get("boot_id") in {None, boot_id()} and _is_running(host["pid"])


def _is_of_this_machine(host: dict[str, Any]) -> bool:
    pid = host.get("pid")
    return host.get("name") == platform.node() and isinstance(pid, int) and pid > 0


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415  (heavy, and only this system needs it)

        return psutil.pid_exists(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # a zombie has ended, though its parent has not looked yet
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
