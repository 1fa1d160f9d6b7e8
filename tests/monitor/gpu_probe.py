"""A program that opens GPUs, reads them a few times, and prints what it finds as JSON.

The library that answers is the one that the loader finds: LD_LIBRARY_PATH says whether that is the stub.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from hydra_callbacks.monitor.gpus.gpu import GpuMeter
from hydra_callbacks.monitor.meter import Span


def probe(
    devices: list[int] | None = None,
    at_s: tuple[float, ...] = (0.0, 1.0, 2.0),
    pids: tuple[int, ...] = (),
    proc: str = "/proc",
) -> dict[str, Any]:
    """Return what a meter tells when it is read at these times."""
    clock = iter(at_s)
    meter = GpuMeter(devices, os.environ, proc=proc, now=lambda: next(clock))
    spans = {column: Span() for column in meter.columns}
    readings = []
    for _ in at_s:
        reading = meter.read(set(pids))
        readings.append(dict(zip(meter.columns, reading, strict=True)))
        for column, value in zip(meter.columns, reading, strict=True):
            spans[column].add(value, 1.0)
    early = dict(meter.absent)
    summary = meter.summary(spans)
    meter.close()
    meter.close()
    return {
        "columns": meter.columns,
        "published": meter.published,
        "readings": readings,
        "early": early,
        "absent": meter.absent,
        "summary": summary,
    }


if __name__ == "__main__":
    json.dump(probe(**json.loads(sys.argv[1])), sys.stdout)
