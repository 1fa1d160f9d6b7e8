"""How long do `start` and `stop` take? Once with all that is loaded for it, and once again."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import hydra  # noqa: F401  (a job has it anyway, as the callback)

import hydra_callbacks.callbacks.resource_monitor  # noqa: F401  (as above)

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT_S = 10.0


def timed(name: str, act: Callable[[], Any]) -> Any:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    result = act()
    found[f"{name}, cpu"] = time.process_time() - begun_cpu
    found[f"{name}, wall"] = time.perf_counter() - begun
    return result


def start() -> Any:
    from hydra_callbacks.monitor import ResourceMonitorService  # noqa: PLC0415  (as the callback does it)

    service = ResourceMonitorService(interval=interval_s)
    service.start()
    return service


found: dict[str, float] = {}
interval_s = float(sys.argv[1])
timed("start", start).stop()
service = timed("start again", start)
if interval_s < SHORT_S:  # until it is sampled from beside; with a longer interval, most jobs end before that
    while len(service.rows()) <= 1:
        time.sleep(0.01)
timed("stop", service.stop)
print(json.dumps(found))
