"""The processes of a tree are found and read: children, theirs, and those that end while they are read."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from trees import child, figures_of

from hydra_callbacks.monitor.processes.figures import HAS_PROC, Figures
from hydra_callbacks.monitor.processes.psutil_tree import PsutilTree
from hydra_callbacks.monitor.processes.tree import TreeMeter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ProcTree: Any = None
if sys.platform == "linux":
    from hydra_callbacks.monitor.processes.proc import ProcTree
READERS = [PsutilTree, *([ProcTree] if HAS_PROC else [])]
MIB = 2**20

HOLD_64_MIB = "x = bytearray(b'1') * (64 << 20)"
SPEND_300_MS = "import time\nwhile time.process_time() < 0.3: pass"
START_A_CHILD = (
    "import subprocess, sys\n"
    "code = 'import sys; print(1, flush=True); sys.stdin.read()'\n"
    "child = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE)\n"
    "child.stdout.readline()"
)


def waiting(code: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Give a process that has run `code`, and stays until its input ends, as do its own children."""
    return child(f"{code}\nimport sys\nprint(flush=True)\nsys.stdin.read()")


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> Any:
    return request.param


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_memory_of_a_child_is_counted(reader: Any) -> None:
    meter = TreeMeter(os.getpid(), open_processes=reader)
    alone = figures_of(meter)
    with waiting(HOLD_64_MIB):
        together = figures_of(meter)
    after = figures_of(meter)
    assert together["rss_GiB"] - alone["rss_GiB"] > 64 / 1024
    assert together["vms_GiB"] - alone["vms_GiB"] > 64 / 1024
    assert after["rss_GiB"] < together["rss_GiB"] - 64 / 1024
    assert (together["processes"], after["processes"]) == (alone["processes"] + 1, alone["processes"])


def test_processor_time_of_a_living_child_is_counted_once(reader: Any) -> None:
    meter = TreeMeter(os.getpid(), open_processes=reader)
    assert figures_of(meter)["cpu_s"] == 0.0
    with waiting(SPEND_300_MS):
        spent_s = figures_of(meter)["cpu_s"]
        assert spent_s > 0.25
        assert figures_of(meter)["cpu_s"] - spent_s < 0.25  # it waits now
    assert figures_of(meter)["cpu_s"] - spent_s < 0.25  # what it spent is credited to us now, and not counted again


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="the system does not tell what ended children used")
def test_processor_time_of_a_child_that_nobody_saw_is_counted(reader: Any) -> None:
    meter = TreeMeter(os.getpid(), open_processes=reader)
    meter.read()
    subprocess.run([sys.executable, "-c", SPEND_300_MS], check=True)
    assert figures_of(meter)["cpu_s"] > 0.25


def test_a_tree_holds_grandchildren(reader: Any) -> None:
    with waiting(START_A_CHILD) as process:
        pids = {pid for pid, _ in reader(process.pid).read()}
        assert process.pid in pids
        assert len(pids) == 2
        assert pids < {pid for pid, _ in reader(os.getpid()).read()}


def test_who_is_born_later_is_found_at_the_next_look(reader: Any) -> None:
    tree = reader(os.getpid())
    before = {pid for pid, _ in tree.read()}  # other tests may have left a server running
    with waiting(START_A_CHILD) as process:
        found = {pid for pid, _ in tree.read()}
        assert before | {process.pid} < found
        assert len(found - before) == 2
    assert process.pid not in {pid for pid, _ in tree.read()}


def test_who_was_seen_belongs_to_the_tree_also_without_a_parent(reader: Any) -> None:
    leave_it = (
        "import subprocess, sys\n"
        "print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", leave_it], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    orphan = int(parent.stdout.readline())
    tree = reader(os.getpid())
    seen = {pid for pid, _ in tree.read()}
    assert orphan in seen
    parent.communicate()
    try:
        assert {orphan, parent.pid} & {pid for pid, _ in tree.read()} == {orphan}
    finally:
        os.kill(orphan, 9)


def test_a_child_that_another_thread_started_is_counted(reader: Any) -> None:
    started, seen = threading.Event(), threading.Event()
    children = []

    def start_child() -> None:
        with waiting("pass") as process:
            children.append(process.pid)
            started.set()
            seen.wait()

    thread = threading.Thread(target=start_child)
    thread.start()
    started.wait()
    pids = {pid for pid, _ in reader(os.getpid()).read()}
    seen.set()
    thread.join()
    assert pids > set(children)


@pytest.mark.skipif(not HAS_PROC, reason="there is one reader only")
def test_both_readers_tell_the_same() -> None:
    with waiting(SPEND_300_MS) as process:
        ((_, ours),) = ProcTree(process.pid).read().items()
        ((_, theirs),) = PsutilTree(process.pid).read().items()
    assert ours.cpu_s == pytest.approx(theirs.cpu_s, abs=0.03)  # psutil counts ticks
    assert ours.system_s == theirs.system_s
    assert ours.rss_bytes == pytest.approx(theirs.rss_bytes, rel=0.1)
    for name in ("vms_bytes", "n_threads", "n_files", "read_bytes", "written_bytes"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_a_process_that_has_ended_is_an_error(reader: Any) -> None:
    with waiting("pass") as process:
        tree = reader(process.pid)
        tree.read()
    with pytest.raises(ProcessLookupError, match=f"no process {process.pid}"):
        tree.read()
    with pytest.raises(ProcessLookupError, match=f"no process {process.pid}"):
        reader(process.pid).read()


def test_looking_for_children_leaves_their_exit_status_to_the_job(reader: Any) -> None:
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()  # ends when the child does
    reader(os.getpid()).read()
    assert process.wait() == 7
    process.stdout.close()


@pytest.mark.skipif(not HAS_PROC, reason="Linux's files")
def test_a_tree_keeps_few_files_open_and_closes_them() -> None:
    gc.collect()  # what earlier tests have left closes its files now, not meanwhile
    before = open_files()
    tree = ProcTree(os.getpid())
    with waiting("pass"):
        n_processes = len(tree.read())
        assert len(open_files()) <= len(before) + 2 + n_processes * 3 + 1
    tree.read()
    tree.close()
    assert open_files() <= before


def test_figures_that_are_not_told_are_no_numbers() -> None:
    figures = Figures()
    assert figures.n_files != figures.n_files
    assert figures.read_bytes != figures.read_bytes
