"""How much memory and processor time does the control group of this process allow?

Both versions of Linux's control groups are read (cgroups(7)), with those above, whose limits hold as well: a container
has a limit of its own, and Slurm one for a job and one for each of its steps.

The resource monitor's small helper process loads this room, too: it does without `re`, `pathlib` and `typing`, which
would cost more memory than all that it measures with.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as `typing` says it, without loading it
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Root = str | os.PathLike[str]

_PAIR = 2  # time that may be used, and of how much
_UNLIMITED_BYTES = 1 << 60  # version 1 says the largest number that it can hold
_ESCAPED = ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\043", "#"), (r"\134", "\\"))  # the backslash last


def memory_limit_bytes(root: Root = "/") -> int | None:
    """Return the smallest limit of memory, in bytes; None where there is none.

    Args:
        root: Where `/proc` and what is mounted are found.
    """
    found = [_number(f"{group}/memory.max") for group in groups("", root)]
    found += [_number(f"{group}/memory.limit_in_bytes") for group in groups("memory", root)]
    return min((limit for limit in found if limit is not None and limit < _UNLIMITED_BYTES), default=None)


def cpu_limit(root: Root = "/") -> float | None:
    """Return the smallest limit of processor time, in cores (1.5 is one and a half); None where there is none.

    Args:
        root: As above.
    """
    return min((cores for _, cores in cpu_limits(root)), default=None)


def cpu_limits(root: Root = "/") -> Iterator[tuple[str, float]]:
    """Yield each group that has a limit of processor time, and the limit in cores.

    Args:
        root: As above.
    """
    found = [(group, _read(f"{group}/cpu.max").split()) for group in groups("", root)]
    files = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    found += [(group, [_read(f"{group}/{file}") for file in files]) for group in groups("cpu", root)]
    for group, pair in found:
        if len(pair) == _PAIR and all(map(str.isdecimal, pair)) and int(pair[0]) and int(pair[1]):
            yield group, int(pair[0]) / int(pair[1])


def memory_group(root: Root = "/") -> Path | None:
    """Return the directory of the group, or the nearest above it, that counts its processes killed for want of memory.

    Args:
        root: As above.
    """
    for controller, name in (("memory", "memory.oom_control"), ("", "memory.events")):
        for group in groups(controller, root):
            if os.path.isfile(f"{group}/{name}"):  # noqa: PTH113  (without pathlib)
                from pathlib import Path  # noqa: PLC0415  (only here, see above)

                return Path(group)
    return None


def groups(controller: str, root: Root = "/") -> Iterator[str]:
    """Yield the directory of this process's group, and those above it.

    Args:
        controller: Of version 1; empty for version 2.
        root: As above.
    """
    for line in _read(f"{_top(root)}/proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        is_it = controller in controllers.split(",") if controller else number == "0" and not controllers
        for mount_root, mount_point in _mounts(controller, root) if is_it else ():
            names = _names_below(mount_root, path)
            for depth in range(len(names), -1, -1):
                if ".." not in names[:depth]:
                    yield "/".join((_top(root) + mount_point.rstrip("/"), *names[:depth]))


def _mounts(controller: str, root: Root) -> Iterator[tuple[str, str]]:
    """Yield which group is mounted where (proc_pid_mountinfo(5))."""
    for line in _read(f"{_top(root)}/proc/self/mountinfo").splitlines():
        place, _, kind = line.partition(" - ")
        fields, (file_system, _, options) = place.split(" "), (*kind.split(" ", 2), "", "", "")[:3]
        is_it = file_system == "cgroup" and controller in options.split(",") if controller else file_system == "cgroup2"
        if is_it and len(fields) > 4:  # noqa: PLR2004  (the fourth and fifth are wanted)
            yield _unescaped(fields[3]), _unescaped(fields[4])


def _names_below(mount_root: str, path: str) -> list[str]:
    """Return the names from what is mounted down to a group; none where the group lies elsewhere."""
    above, names = [[name for name in each.split("/") if name] for each in (mount_root, path)]
    return names[len(above) :] if names[: len(above)] == above else []


def _top(root: Root) -> str:
    return os.fspath(root).rstrip("/")


def _unescaped(text: str) -> str:
    for escaped, character in _ESCAPED:
        text = text.replace(escaped, character)
    return text


def _number(file: str) -> int | None:
    text = _read(file)
    return int(text) if text.isdecimal() else None


def _read(file: str) -> str:
    try:
        fd = os.open(file, os.O_RDONLY)
    except OSError:
        return ""
    parts: list[bytes] = []
    try:
        while part := os.read(fd, 1 << 16):
            parts.append(part)
    except OSError:  # a directory, or the group is gone
        return ""
    finally:
        os.close(fd)
    return b"".join(parts).decode(errors="surrogateescape").strip()
