"""How much memory do the job and what samples it from beside have?"""

import json
import os
import time
from pathlib import Path

N_SAMPLES = 10


def rolled_up(pid: int) -> dict[str, int]:
    """Return what the kernel has counted, page by page."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}


before = rolled_up(os.getpid())

from hydra_callbacks.monitor import ResourceMonitorService  # noqa: E402  (it is a part of the growth)

with ResourceMonitorService(interval=0.1) as service:
    while service.summary()["n_samples"] < N_SAMPLES:
        time.sleep(0.02)
    group = service._watch._group  # noqa: SLF001  (which process that is, is nobody's business else)
    pids = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    (helper,) = [pid for pid in pids if os.getpgid(pid) == group]
    beside, after = rolled_up(helper), rolled_up(os.getpid())
job_bytes = after["Private_Dirty"] - before["Private_Dirty"]
print(
    json.dumps(
        {
            "pss_bytes": beside["Pss"],
            "rss_bytes": beside["Rss"],
            "job_bytes": job_bytes,
            "extra_bytes": beside["Pss"] + job_bytes,
        }
    )
)
