"""A process tree is measured whole: children, theirs, and those that ended in between."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hydra_callbacks.monitor import host

if TYPE_CHECKING:
    from collections.abc import Iterator

READERS = [host.read_tree, host.read_tree_with_psutil]
MIB = 2**20

HOLD_64_MIB = "x = bytearray(b'1') * (64 << 20)"
SPEND_300_MS = "import time\nwhile time.process_time() < 0.3: pass"
START_A_CHILD = (
    "import subprocess, sys\n"
    "code = 'import sys; print(1, flush=True); sys.stdin.read()'\n"
    "child = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)\n"
    "child.stdout.readline()"
)


@contextmanager
def child(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that runs `code`, and then stays until its input ends, as do its own children."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint('ready', flush=True)\nsys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"ready"
        yield process
        process.communicate()


def use(cpu_s: float = 0.0, ended_children_cpu_s: float = 0.0) -> host.ProcessUse:
    return host.ProcessUse(cpu_s, ended_children_cpu_s, rss_bytes=0, vms_bytes=0)


def test_memory_of_a_child_is_counted() -> None:
    meter = host.TreeMeter(host.os.getpid())
    alone = meter.read()
    with child(HOLD_64_MIB):
        together = meter.read()
    after = meter.read()
    assert together.rss_bytes - alone.rss_bytes > 64 * MIB
    assert together.vms_bytes - alone.vms_bytes > 64 * MIB
    assert after.rss_bytes < together.rss_bytes - 64 * MIB


def test_processor_time_of_a_living_child_is_counted_once() -> None:
    meter = host.TreeMeter(host.os.getpid())
    assert meter.read().cpu_s == 0.0
    with child(SPEND_300_MS):
        assert meter.read().cpu_s > 0.25
        assert meter.read().cpu_s < 0.25  # it waits now
    assert meter.read().cpu_s < 0.25  # what it spent is credited to us now, and not counted again


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="the system does not tell what ended children used")
def test_processor_time_of_a_child_that_nobody_saw_is_counted() -> None:
    meter = host.TreeMeter(host.os.getpid())
    meter.read()
    subprocess.run([sys.executable, "-c", SPEND_300_MS], check=True)
    assert meter.read().cpu_s > 0.25


@pytest.mark.parametrize("read_tree", READERS)
def test_a_tree_holds_grandchildren(read_tree: host.read_tree) -> None:
    with child(START_A_CHILD) as process:
        pids = {pid for pid, _ in read_tree(process.pid)}
        assert process.pid in pids
        assert len(pids) == 2
        assert pids < {pid for pid, _ in read_tree(host.os.getpid())}


def test_a_child_that_another_thread_started_is_counted() -> None:
    started, seen = threading.Event(), threading.Event()
    children = []

    def start_child() -> None:
        with child("pass") as process:
            children.append(process.pid)
            started.set()
            seen.wait()

    thread = threading.Thread(target=start_child)
    thread.start()
    started.wait()
    pids = {pid for pid, _ in host.read_tree(host.os.getpid())}
    seen.set()
    thread.join()
    assert pids > set(children)


def test_both_readers_tell_the_same() -> None:
    with child(SPEND_300_MS) as process:
        ((_, ours),) = host.read_tree(process.pid).items()
        ((_, theirs),) = host.read_tree_with_psutil(process.pid).items()
    assert ours.cpu_s == pytest.approx(theirs.cpu_s, abs=0.03)  # psutil counts ticks
    assert ours.rss_bytes == pytest.approx(theirs.rss_bytes, rel=0.1)
    assert ours.vms_bytes == theirs.vms_bytes


@pytest.mark.parametrize("read_tree", READERS)
def test_a_process_that_has_ended_is_an_error(read_tree: host.read_tree) -> None:
    with child("pass") as process:
        pass
    with pytest.raises(ProcessLookupError, match=f"no process {process.pid}"):
        read_tree(process.pid)


def test_looking_for_children_leaves_their_exit_status_to_the_job() -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()  # ends when the child does
    host.read_tree(host.os.getpid())
    assert process.wait() == 7
    process.stdout.close()


def test_a_pid_that_another_process_was_given_starts_anew() -> None:
    assert host._cpu_between({(9, 1.0): use(cpu_s=50.0)}, {(9, 2.0): use(cpu_s=3.0)}) == 3.0


def test_a_child_that_ends_costs_only_what_was_not_yet_counted() -> None:
    before = {(1, 0.0): use(cpu_s=10.0), (2, 0.0): use(cpu_s=4.0, ended_children_cpu_s=1.0)}
    after = {(1, 0.0): use(cpu_s=11.0, ended_children_cpu_s=7.0)}
    assert host._cpu_between(before, after) == 3.0


def test_a_child_that_leaves_the_tree_takes_nothing_from_the_rest() -> None:
    before = {(1, 0.0): use(cpu_s=10.0), (2, 0.0): use(cpu_s=4.0)}
    assert host._cpu_between(before, {(1, 0.0): use(cpu_s=11.0)}) == 1.0
