"""What has a program or job used, in lines that people read?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor import requested
from hydra_callbacks.monitor.meter import absence_lines
from hydra_callbacks.support.texts import counted, duration, size
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KILO = 1000
_ALL_BUT = 0.98  # of the memory: then there is but one process, as good as


def used_lines(resources: Mapping[str, Any]) -> dict[str, str]:
    """Return a line for each kind of resource, its name to what was used of it; without what was not measured.

    Args:
        resources: The section of a run record; and `peak_process_rss_bytes` or `peak_process_rss_below_bytes`, as
            `child.Ended` has them.
    """
    lines = {
        "processor": _processor(resources),
        "memory": _memory(resources),
        "processes": _processes(resources),
        "disk": _joined(_told(resources, "read_bytes", "read {}"), _told(resources, "written_bytes", "written {}")),
        **{f"GPU {gpu.get('index', '')}".strip(): _gpu(gpu) for gpu in _mappings(resources.get("gpus"))},
        "waiting": _waiting(resources),
        "cgroup": _group(_mapping(resources.get("cgroup"))),
        "machine": _machine(_mapping(resources.get("machine"))),
        **{f"phase {name}": _phase(used) for name, used in _phases(resources).items()},
    }
    asked, shares = resources.get("requested"), resources.get("used_share")
    if isinstance(asked, dict) and isinstance(shares, dict):
        by = asked.get("by")
        lines["limits"] = requested.words(asked, shares) + (f" ({by})" if by else "")
    absent = resources.get("absent")
    if isinstance(absent, dict):
        of_gpus = {name: reason for name, reason in absent.items() if str(name).startswith(("gpu", "peak"))}
        lines["not measured"] = "; ".join(absence_lines(of_gpus))
    return {name: line for name, line in lines.items() if line}


def _processor(used: Mapping[str, Any]) -> str:
    if not is_number(used.get("cpu_s")):
        return ""
    parts = [f"{name} {duration(used[f'{name}_s'])}" for name in ("user", "system") if f"{name}_s" in used]
    text = duration(used["cpu_s"]) + (f" ({', '.join(parts)})" if parts else "")
    mean = used.get("mean_cpu_percent")
    return f"{text}, {mean:.0f} % of one core" if is_number(mean) else text


def _memory(used: Mapping[str, Any]) -> str:
    peak, process = used.get("peak_rss_bytes"), used.get("peak_process_rss_bytes")
    below = _told(used, "peak_process_rss_below_bytes", "no process above {}")
    shown = _told(used, "peak_rss_bytes", "peak {} seen" if below else "peak {}")
    if is_number(peak) and is_number(process) and process < _ALL_BUT * peak:
        shown += f" (largest process {size(process)})"
    return _joined(shown, below, _told(used, "mean_rss_bytes", "mean {}"))


def _processes(used: Mapping[str, Any]) -> str:
    n_processes, n_threads, n_files = (used.get(f"max_{name}") for name in ("processes", "threads", "open_files"))
    parts = [f"{n_processes:,} seen at a time" if is_number(n_processes) else ""]
    parts += [counted(int(n_threads), "thread") if is_number(n_threads) else ""]
    return _joined(*parts, counted(int(n_files), "open file") if is_number(n_files) else "")


def _gpu(gpu: Mapping[str, Any]) -> str:
    usage = gpu.get("mean_usage_percent")
    whole = f" of {size(gpu['memory_bytes'])}" if is_number(gpu.get("memory_bytes")) else ""
    return _joined(
        str(gpu.get("name") or ""),
        _told(gpu, "peak_job_memory_bytes", "peak memory {}"),
        _told(gpu, "peak_memory_bytes", f"{{}}{whole} by all processes"),
        f"busy {usage:.0f} % of the time" if is_number(usage) else "",
        _energy(gpu.get("energy_j")),
    )


def _group(group: Mapping[str, Any]) -> str:
    """Return how the job's control group fared; what its limits have done comes first."""
    kills, throttled_s, cores = (group.get(name) for name in ("oom_kills", "throttled_s", "cpu_limit"))
    processes = "" if not is_number(kills) or not kills else "1 process" if kills == 1 else f"{kills:,} processes"
    by = f" by its limit of {cores:g} core{'' if cores == 1 else 's'}" if is_number(cores) else ""
    of = _told(group, "memory_limit_bytes", " of {}")
    return _joined(
        f"{processes} killed for want of memory" if processes else "",
        f"held back {duration(throttled_s)}{by}" if is_number(throttled_s) and throttled_s else "",
        _told(group, "memory_peak_bytes", f"memory {{}}{of} at most, pages of files included"),
        "also used by other processes" if group.get("shared") is True else "",
    )


def _machine(machine: Mapping[str, Any]) -> str:
    energy = _energy(machine.get("cpu_energy_j"))
    return _joined(
        _told(machine, "received_bytes", "received {}"),
        _told(machine, "sent_bytes", "sent {}"),
        f"processors {energy}" if energy else "",
    )


def _energy(energy_j: Any) -> str:
    if not is_number(energy_j):
        return ""
    return f"{energy_j:.0f} J" if energy_j < _KILO else f"{energy_j / _KILO:.1f} kJ"


def _waiting(used: Mapping[str, Any]) -> str:
    names = (
        ("major_faults", "page read from disk", "pages read from disk"),
        ("voluntary_switches", "voluntary switch", "voluntary switches"),
        ("involuntary_switches", "forced switch of processor", "forced switches of processor"),
    )
    told = ((used.get(key), one, many) for key, one, many in names)
    return _joined(*(f"{number:,} {one if number == 1 else many}" for number, one, many in told if is_number(number)))


def _phases(used: Mapping[str, Any]) -> dict[str, Any]:
    phases = used.get("phases")
    return {name: each for name, each in phases.items() if isinstance(each, dict)} if isinstance(phases, dict) else {}


def _phase(used: Mapping[str, Any]) -> str:
    n_times, lasted_s, cpu_s = (used.get(name) for name in ("n_times", "duration_s", "cpu_s"))
    return _joined(
        duration(lasted_s) if is_number(lasted_s) else "",
        f"in {n_times:,} parts" if is_number(n_times) and n_times > 1 else "",
        f"processor {duration(cpu_s)}" if is_number(cpu_s) else "",
        _told(used, "peak_rss_bytes", "memory {}"),
    )


def _told(used: Mapping[str, Any], key: str, words: str) -> str:
    value = used.get(key)
    return words.format(size(value)) if is_number(value) else ""


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> Iterable[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
