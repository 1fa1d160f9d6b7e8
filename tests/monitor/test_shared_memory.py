"""What processes share counts once, and is read only as often as that is cheap."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hydra_callbacks.monitor.meter import Span
from hydra_callbacks.monitor.processes.figures import HAS_PROC
from hydra_callbacks.monitor.processes.shared_memory import SharedMemory

pytestmark = pytest.mark.skipif(not HAS_PROC, reason="Linux's files")
FORKED = """
import os, sys
block = bytearray(b"1") * (200 << 20)
readers = []
for _ in range(2):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    readers.append(writer)
    print(pid, flush=True)
sys.stdin.read()
"""


class Clock:
    """Shows one moment after another."""

    def __init__(self, *moments_s: float) -> None:
        self.moments_s = list(moments_s)

    def __call__(self) -> float:
        return self.moments_s.pop(0)


def test_pages_that_forked_processes_share_count_once() -> None:
    with subprocess.Popen([sys.executable, "-c", FORKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [parent.pid, *(int(parent.stdout.readline()) for _ in range(2))]
        (together_gib,) = SharedMemory().read(pids)
        parent.communicate()
    assert 200 / 1024 < together_gib < 280 / 1024


def test_one_process_alone_is_not_read() -> None:
    (told,) = SharedMemory(now=Clock(0.0)).read([os.getpid()])
    assert math.isnan(told)


def test_what_took_long_is_not_read_again_soon() -> None:
    meter = SharedMemory(now=Clock(0.0, 0.01, 1.0, 10.0, 10.02, 10.02))  # the first one takes 10 ms, so 10 s must pass
    pids = [os.getpid(), os.getppid()]
    told = [not math.isnan(meter.read(pids)[0]) for _ in range(4)]
    assert told == [True, False, False, True]


def test_nothing_is_told_while_processes_come_that_would_be_missing() -> None:
    meter = SharedMemory()
    pids = [os.getpid(), os.getppid()]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        told = [meter.read([os.getpid()]), meter.read(pids), meter.read([*pids, child.pid])]
        assert all(math.isnan(value) for (value,) in told)
        (value,) = meter.read([*pids, child.pid])
        assert value > 0
        child.communicate(b"\n")


def test_processes_that_have_ended_hold_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (alone,) = SharedMemory().read([os.getpid(), child.pid])
    assert alone > 0


def test_a_process_of_another_user_is_told_once() -> None:
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from hydra_callbacks.monitor.processes.shared_memory import SharedMemory\n"
        "os.setuid(65534)\nmeter = SharedMemory()\n"
        "print(meter.read([1, os.getpid()]), meter.absent)"
    )
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run([sys.executable, "-c", script, source], capture_output=True, text=True, check=True)
    assert done.stdout == "(nan,) {'pss': 'memory without what is shared: /proc/1/smaps_rollup: Permission denied'}\n"


def test_its_peak_is_told_if_it_was_read() -> None:
    span = Span()
    assert SharedMemory().summary({"pss_GiB": span}) == {}
    span.add(0.5, 0.0)
    assert SharedMemory().summary({"pss_GiB": span}) == {"peak_pss_bytes": 2**29}
