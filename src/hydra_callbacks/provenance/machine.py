"""On what machine does this process run, and how much of it may it use?"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support import cgroups

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTAINER_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_ROOT = Path("/")


def os_facts() -> dict[str, Any]:
    """Return `system`, `name` ("Debian GNU/Linux 12"), `kernel` (its release) and `machine` (the kind of processor)."""
    told = platform.uname()
    name = None
    if sys.platform == "darwin":
        name = f"macOS {platform.mac_ver()[0]}"
    elif sys.platform == "win32":
        name = f"Windows {told.release} {told.version}"
    else:
        with contextlib.suppress(OSError):
            name = platform.freedesktop_os_release().get("PRETTY_NAME")
    return _known(system=told.system, name=name, kernel=told.release, machine=told.machine)


def cpu_facts(root: Path = _ROOT) -> dict[str, Any]:
    """Return `model`, `n_logical`, `n_usable` (this process may run on so many) and `cgroup_limit` (in cores).

    Args:
        root: Where `/proc` and `/sys` are found.
    """
    usable = None
    if sys.platform == "linux":
        usable = len(os.sched_getaffinity(0))
    return _known(model=_model(root), n_logical=os.cpu_count(), n_usable=usable, cgroup_limit=cgroups.cpu_limit(root))


def _model(root: Path) -> str | None:
    if sys.platform == "win32":
        return os.environ.get("PROCESSOR_IDENTIFIER")
    if sys.platform == "darwin":
        return _of_sysctl(root, "machdep.cpu.brand_string")
    found = re.search(r"^(?:model name|cpu model|cpu)\s*:\s*(.+)$", _read(root / "proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else None


def _of_sysctl(root: Path, name: str) -> str | None:
    """Return what the kernel of macOS tells, which has no files for that."""
    words = [str(root / "usr/sbin/sysctl"), "-n", name]
    try:
        done = subprocess.run(words, capture_output=True, check=True, encoding="utf-8", timeout=5)  # noqa: S603  (fixed words)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def memory_facts(root: Path = _ROOT) -> dict[str, Any]:
    """Return `total_bytes`, `cgroup_limit_bytes` and `address_space_limit_bytes` (of `ulimit -v`).

    Args:
        root: As above.
    """
    address_space = None
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415  (heavy, and only this system needs it)

        total = int(psutil.virtual_memory().total)
    else:
        import resource  # noqa: PLC0415  (not on Windows)

        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        address_space = soft if soft != resource.RLIM_INFINITY else None
    return _known(
        total_bytes=total,
        cgroup_limit_bytes=cgroups.memory_limit_bytes(root),
        address_space_limit_bytes=address_space,
    )


def container_facts(root: Path = _ROOT, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return `kind`, as in "docker", and `image` and `id` as far as they are told; nothing outside of containers.

    Args:
        root: As above.
        environ: Variables; the process's own when None.
    """
    variables = os.environ if environ is None else environ
    image = variables.get("APPTAINER_CONTAINER") or variables.get("SINGULARITY_CONTAINER")
    if image:
        return _known(kind="apptainer", image=image)
    groups = _read(root / "proc/self/cgroup")
    found = _CONTAINER_ID.search(groups)
    if not found:  # version 2 hides the name of the group; what the engine mounts tells it
        lines = _read(root / "proc/self/mountinfo").splitlines()
        found = next((hit for line in lines if "containers/" in line and (hit := _CONTAINER_ID.search(line))), None)
    number = found[0] if found else None
    podman = root / "run/.containerenv"
    if podman.exists():
        told = re.search(r'^image="(.+)"$', _read(podman), re.MULTILINE)
        return _known(kind="podman", image=told[1] if told else None, id=number)
    if variables.get("KUBERNETES_SERVICE_HOST") or "kubepods" in groups:
        return _known(kind="kubernetes", id=number)
    if (root / ".dockerenv").exists() or "docker" in groups:
        return _known(kind="docker", id=number)
    kind = variables.get("container")  # as systemd, LXC and others say
    return _known(kind=kind, id=number) if kind else {}


def _known(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in {None, ""}}


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
