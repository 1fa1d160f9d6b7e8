"""How much of what was asked for did the job use?

What was asked for is told by Slurm (sbatch(1) and srun(1), "OUTPUT ENVIRONMENT VARIABLES"), by PBS and Torque (their
user's guides), by the limits of the control group, as Kubernetes and Docker set them, and by the limits that the
process was given itself. The first that tells a figure is believed.
"""

from __future__ import annotations

import os
import sys

from hydra_callbacks.support import cgroups
from hydra_callbacks.support.texts import size

TYPE_CHECKING = False  # as `typing` says it, without loading it
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_MIB = 2**20
_MIB_OF_UNITS = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
_UNLIMITED_S = 365 * 86400  # Slurm says a year hence where there is no limit (its job_end_time_reset)
_SCHEDULERS = ("slurm", "pbs")
_HALF_PERCENT = 0.005


def requested(environ: Mapping[str, str] | None = None, root: str = "/") -> dict[str, Any]:
    """Return what was asked for this process; empty where there is no limit but the machine's.

    Args:
        environ: Variables; the process's own when None.
        root: Where `/proc` and what is mounted are found.

    Returns:
        `cpus` (cores, for example 1.5), `memory_bytes`, `time_s` (wall-clock), `gpus` (their number) and
        `address_space_bytes` (`ulimit -v`), each only where it was asked for; and `by`, who told them:
        "slurm", "pbs", "cgroup", "affinity", "ulimit" or several, as in "slurm, cgroup".
    """
    variables = os.environ if environ is None else environ
    told: dict[str, Any] = {}
    by = []
    for name, figures in (
        ("slurm", _slurm(variables)),
        ("pbs", _pbs(variables)),
        ("cgroup", {"cpus": cgroups.cpu_limit(root), "memory_bytes": cgroups.memory_limit_bytes(root)}),
        ("affinity", {"cpus": _affinity()}),
        ("ulimit", {"address_space_bytes": _address_space_bytes()}),
    ):
        new = {key: value for key, value in figures.items() if value and key not in told}
        told.update(new)
        by += [name] if new else []
    return {**told, "by": ", ".join(by)} if told else {}


def shares(requested: Mapping[str, Any], summary: Mapping[str, Any], duration_s: float) -> dict[str, float]:
    """Return which share was used: `cpus`, `memory`, `time`; 0.5 is half.

    Args:
        requested: What was asked for, as above.
        summary: What was used: `cpu_s`, seconds of processor time, and `peak_rss_bytes`.
        duration_s: How long it took.
    """
    cpu_s, peak_bytes = summary.get("cpu_s"), summary.get("peak_rss_bytes")
    used = {
        "cpus": (cpu_s / duration_s if cpu_s is not None and duration_s > 0 else None, requested.get("cpus")),
        "memory": (peak_bytes, requested.get("memory_bytes")),
        "time": (duration_s, requested.get("time_s")),
    }
    return {name: part / whole for name, (part, whole) in used.items() if part is not None and whole}


def is_of_scheduler(requested: Mapping[str, Any]) -> bool:
    """Tell whether somebody has asked a scheduler for it, and may ask for less."""
    return str(requested.get("by", "")).startswith(_SCHEDULERS)


def words(requested: Mapping[str, Any], shares: Mapping[str, float]) -> str:
    """Return a line for the log: `used 42 % of 4 requested cores, 31 % of 16.0 GiB, 5 % of 1 day`; empty for nothing.

    Args:
        requested: What was asked for.
        shares: Which share was used of it.
    """
    asked = "requested" if is_of_scheduler(requested) else "available"
    parts = []
    if "cpus" in shares:
        cpus = requested["cpus"]
        parts.append(f"{_percent(shares['cpus'])} of {cpus:g} {asked} core{'' if cpus == 1 else 's'}")
    if "memory" in shares:
        parts.append(f"{_percent(shares['memory'])} of {size(requested['memory_bytes'])}")
    if "time" in shares:
        parts.append(f"{_percent(shares['time'])} of {_time(requested['time_s'])}")
    return f"used {', '.join(parts)}" if parts else ""


def _slurm(variables: Mapping[str, str]) -> dict[str, float | None]:
    """Return what Slurm tells of this task, or, where it was not asked for by task, of all tasks on this node."""
    if "SLURM_JOB_ID" not in variables:
        return {}
    cpus = _number(variables.get("SLURM_CPUS_PER_TASK")) or _number(variables.get("SLURM_CPUS_ON_NODE"))
    gpus = _number(variables.get("SLURM_GPUS_ON_NODE"))
    memory_bytes = _bytes(variables.get("SLURM_MEM_PER_NODE"))  # 0: all that the node has
    for each, number in (("SLURM_MEM_PER_CPU", cpus), ("SLURM_MEM_PER_GPU", gpus)):
        per_one = _bytes(variables.get(each))
        memory_bytes = memory_bytes or (per_one and number and per_one * number)
    begin_s, end_s = (_number(variables.get(f"SLURM_JOB_{name}_TIME")) for name in ("START", "END"))  # since 22.05
    time_s = end_s - begin_s if begin_s and end_s and 0 < end_s - begin_s < _UNLIMITED_S else None
    return {"cpus": cpus, "memory_bytes": memory_bytes, "time_s": time_s, "gpus": gpus}


def _pbs(variables: Mapping[str, str]) -> dict[str, float | None]:
    """Return what PBS Professional or OpenPBS (NCPUS) or Torque (PBS_NUM_PPN) tells of this node."""
    if "PBS_JOBID" not in variables:
        return {}
    return {"cpus": _number(variables.get("NCPUS")) or _number(variables.get("PBS_NUM_PPN"))}


def _affinity() -> int | None:
    """Return how many cores this process may run on (`taskset`), where that is not all of them."""
    if sys.platform != "linux":
        return None
    usable = len(os.sched_getaffinity(0))
    return usable if usable < (os.cpu_count() or 0) else None


def _address_space_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  (not on Windows)

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return soft if soft != resource.RLIM_INFINITY else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _bytes(text: str | None) -> int | None:
    """Return what Slurm gives as MiB, or with a unit."""
    number, unit = (text[:-1], text[-1].upper()) if text and text[-1].upper() in _MIB_OF_UNITS else (text, "M")
    mib = _number(number)
    return None if mib is None else int(mib * _MIB_OF_UNITS[unit] * _MIB)


def _percent(share: float) -> str:
    return "under 1 %" if 0 < share < _HALF_PERCENT else f"{share:.0%}".replace("%", " %")


def _time(time_s: float) -> str:
    """Return a limit of time as people ask for it: `1 day`, `90 min`, `36 h`."""
    for unit_s, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if time_s >= unit_s and time_s % unit_s == 0:
            number = time_s // unit_s
            return f"{number:.0f} {unit}{'s' if unit == 'day' and number > 1 else ''}"
    return f"{time_s:.0f} s"
