"""On which machine and in which process are we, and is a process that was recorded still there?"""

from __future__ import annotations

import os
import platform
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

_LARGEST_PID = 2**31 - 1


@lru_cache(maxsize=1)
def boot_id() -> str | None:
    """Return a text that changes when this machine (or its container's host) starts anew; None where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return None


def user() -> str | None:
    """Return the login name; None where the system does not know it (a container without a passwd entry)."""
    # As `getpass.getuser` does it, which would load what asks for passwords in a terminal, too.
    named = next(filter(None, map(os.environ.get, ("LOGNAME", "USER", "LNAME", "USERNAME"))), None)
    if named is not None or sys.platform == "win32":
        return named
    import pwd  # noqa: PLC0415  (seldom needed, and not on Windows)

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except (KeyError, OSError):
        return None


def host_facts() -> dict[str, Any]:
    """Return the record's `host` section for this process.

    Its keys: name, pid, boot_id, pid_namespace (of a container), pid_started (in clock ticks since the machine's start,
    so that another process with the same number is known as another one), user, slurm_job_id.
    """
    return {
        "name": platform.node(),
        "pid": os.getpid(),
        "boot_id": boot_id(),
        "pid_namespace": _pid_namespace(),
        "pid_started": _started(os.getpid()),
        "user": user(),
        "slurm_job_id": os.environ.get("SLURM_JOB_ID"),
    }


def command_words() -> list[str]:
    """Return the words after `python`: the program's name and its arguments, or `-m` and a module's."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None and spec.origin == sys.argv[0]:
        return ["-m", spec.name.removesuffix(".__main__"), *sys.argv[1:]]
    return list(sys.argv)


def is_gone(host: dict[str, Any]) -> bool:
    """Tell whether the process of a `host` section has certainly ended.

    Args:
        host: The section; `name`, `pid`, `boot_id`, `pid_namespace` and `pid_started` are read.

    Returns:
        True only for a process of this machine that no longer runs; a process elsewhere, or in another container,
        cannot be judged from here.
    """
    return _is_of_this_machine(host) and not is_running_here(host)


def is_running_here(host: dict[str, Any]) -> bool:
    """Tell whether the process of a `host` section certainly still runs, on this machine."""
    if not _is_of_this_machine(host) or host.get("boot_id") not in {None, boot_id()} or not _is_running(host["pid"]):
        return False
    return host.get("pid_started") in {None, _started(host["pid"])}


def _is_of_this_machine(host: dict[str, Any]) -> bool:
    pid = host.get("pid")
    is_here = host.get("name") == platform.node() and host.get("pid_namespace") in {None, _pid_namespace()}
    return is_here and isinstance(pid, int) and 0 < pid <= _LARGEST_PID


def _pid_namespace() -> str | None:
    """Return what tells a container's processes from those of others; None where there is no such thing."""
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115  (in each job's way)
    except OSError:
        return None


def _started(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the machine did (proc_pid_stat(5), field 22)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  (as above)
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


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
