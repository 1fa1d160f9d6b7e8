"""A job with children that sleep; it computes or waits until its input ends."""

import subprocess
import sys
import threading

children = [subprocess.Popen(["sleep", "3600"]) for _ in range(int(sys.argv[1]))]
ended = threading.Event()
waiter = threading.Thread(target=lambda: (sys.stdin.read(), ended.set()))
waiter.start()
print("ready", flush=True)
while sys.argv[2] == "busy" and not ended.is_set():
    sum(range(10_000))
waiter.join()
for child in children:
    child.kill()
    child.wait()
