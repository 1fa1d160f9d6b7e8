"""Which peak is told of a job that has 500 MB for 50 ms?"""

import json
import sys
import time
from pathlib import Path

from hydra_callbacks.monitor import ResourceMonitorService

N_BYTES = 500_000_000

with ResourceMonitorService(interval=1.0) as service:
    time.sleep(float(sys.argv[1]))
    block = bytearray(b"1") * N_BYTES
    begun = time.perf_counter()
    # This one counts all pages; the kernel's quicker figures may lag behind.
    words = Path("/proc/self/smaps_rollup").read_text().split("Rss:")[1].split()
    time.sleep(max(0.0, 0.05 - (time.perf_counter() - begun)))
    del block
    time.sleep(1.1)  # so that there is a sample after it, too
summary = service.summary()
print(
    json.dumps(
        {
            "truth_bytes": int(words[0]) * 1024,
            "peak_bytes": summary["peak_rss_bytes"],
            "sampled_bytes": summary["sampled_peak_rss_bytes"],
        }
    )
)
