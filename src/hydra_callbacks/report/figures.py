"""What did a run use, in a few figures to be seen at a glance?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.head import cut, number
from hydra_callbacks.support.texts import duration, size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KILO = 1000


def figures(resources: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures that are known: `label`, `value` with its unit, and `hint` or None.

    Args:
        resources: The section of a run record.
    """
    shares = resources.get("used_share")
    shares = shares if isinstance(shares, dict) else {}
    found = [
        _figure(resources, "peak_rss_bytes", "peak memory", size, _share(shares, "memory")),
        _figure(resources, "cpu_s", "processor time", duration, _share(shares, "cpus")),
        _figure(resources, "mean_cpu_percent", "mean processor use", _percent, "100 % is one core"),
        _figure(resources, "max_processes", "processes", _count, "the most at once"),
        _figure(resources, "read_bytes", "read from disk", size),
        _figure(resources, "written_bytes", "written to disk", size),
    ]
    gpus = resources.get("gpus")
    for gpu in gpus if isinstance(gpus, list) else ():
        if isinstance(gpu, dict):
            found += _of_gpu(gpu)
    return [each for each in found if each]


def _of_gpu(gpu: dict[str, Any]) -> list[dict[str, Any] | None]:
    which, name = f"GPU {number(gpu.get('index')) or 0}", cut(str(gpu.get("name") or ""), 100) or None
    energy_j = number(gpu.get("energy_j"))
    return [
        _figure(gpu, "peak_job_memory_bytes", f"{which} peak memory", size, name)
        or _figure(gpu, "peak_memory_bytes", f"{which} peak memory", size, "by all processes"),
        _figure(gpu, "mean_usage_percent", f"{which} busy", _percent, "mean"),
        None if energy_j is None else {"label": f"{which} energy", "value": f"{energy_j / _KILO:.1f} kJ", "hint": None},
    ]


def _figure(
    told: Mapping[str, Any], key: str, label: str, shown: Callable[[Any], str], hint: str | None = None
) -> dict[str, Any] | None:
    value = number(told.get(key))
    return None if value is None else {"label": label, "value": shown(value), "hint": hint}


def _share(shares: Mapping[str, Any], name: str) -> str | None:
    share = number(shares.get(name))
    return None if share is None else f"{_percent(100 * share)} of what it may use"


def _percent(value: float) -> str:
    return f"{value:.0f} %"


def _count(value: float) -> str:
    return f"{value:,.0f}"
