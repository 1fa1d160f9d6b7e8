"""How many samples are there of a job that computes, in Python or within one long call after the other?"""

import json
import sys
import time

from hydra_callbacks.monitor import ResourceMonitorService

kind, interval_s, lasted_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
with ResourceMonitorService(interval=interval_s) as service:
    ended = time.perf_counter() + lasted_s
    while time.perf_counter() < ended:
        if kind == "locked":
            pow(3, 3_000_000)  # some tenths of a second in C, and no other thread may run meanwhile
        else:
            sum(range(10_000))
since = [each - service.columns()["time"][0] for each in service.columns()["time"]]
late = [each % interval_s for each in since[1:-1]]  # the last one is due whenever the job ends
print(json.dumps({"n_samples": sum(each < lasted_s for each in since), "latest_s": max(late)}))
