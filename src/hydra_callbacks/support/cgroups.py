"""How much memory and processor time does the control group of this process allow?

Both versions of Linux's control groups are read (cgroups(7)), with those above, whose limits hold as well: a container
has a limit of its own, and Slurm one for a job and one for each of its steps.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAIR = 2  # time that may be used, and of how much
_UNLIMITED_BYTES = 1 << 60  # version 1 says the largest number that it can hold
_OCTAL = re.compile(r"\\([0-7]{3})")


def memory_limit_bytes(root: Path = Path("/")) -> int | None:
    """Return the smallest limit of memory, in bytes; None where there is none.

    Args:
        root: Where `/proc` and what is mounted are found.
    """
    found = [_number(group / "memory.max") for group in _groups("", root)]
    found += [_number(group / "memory.limit_in_bytes") for group in _groups("memory", root)]
    return min((limit for limit in found if limit is not None and limit < _UNLIMITED_BYTES), default=None)


def cpu_limit(root: Path = Path("/")) -> float | None:
    """Return the smallest limit of processor time, in cores (1.5 is one and a half); None where there is none.

    Args:
        root: As above.
    """
    found = [_read(group / "cpu.max").split() for group in _groups("", root)]
    files = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    found += [[_read(group / file) for file in files] for group in _groups("cpu", root)]
    cores = [int(pair[0]) / int(pair[1]) for pair in found if len(pair) == _PAIR and all(map(str.isdecimal, pair))]
    return min((limit for limit in cores if limit > 0), default=None)


def memory_group(root: Path = Path("/")) -> Path | None:
    """Return the directory of the group, or the nearest above it, that counts its processes killed for want of memory.

    Args:
        root: As above.
    """
    for controller, name in (("memory", "memory.oom_control"), ("", "memory.events")):
        for group in _groups(controller, root):
            if (group / name).is_file():
                return group
    return None


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Yield the directory of this process's group, and those above it.

    Args:
        controller: Of version 1; empty for version 2.
        root: As above.
    """
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        is_it = controller in controllers.split(",") if controller else number == "0" and not controllers
        for mount_root, mount_point in _mounts(controller, root) if is_it else ():
            top = root / mount_point.lstrip("/")
            inside = Path(path).relative_to(mount_root) if Path(path).is_relative_to(mount_root) else Path()
            yield from (top / part for part in (inside, *inside.parents) if ".." not in part.parts)


def _mounts(controller: str, root: Path) -> Iterator[tuple[str, str]]:
    """Yield which group is mounted where (proc_pid_mountinfo(5))."""
    for line in _read(root / "proc/self/mountinfo").splitlines():
        place, _, kind = line.partition(" - ")
        fields, (file_system, _, options) = place.split(" "), (*kind.split(" ", 2), "", "", "")[:3]
        is_it = file_system == "cgroup" and controller in options.split(",") if controller else file_system == "cgroup2"
        if is_it and len(fields) > 4:  # noqa: PLR2004  (the fourth and fifth are wanted)
            yield _unescaped(fields[3]), _unescaped(fields[4])


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def _number(file: Path) -> int | None:
    text = _read(file)
    return int(text) if text.isdecimal() else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return ""
