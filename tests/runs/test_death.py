"""Why a process is gone is told from what its machine still knows."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from run_dirs import GONE, host, record, running

from hydra_callbacks.runs import death
from hydra_callbacks.support import cgroups, oom
from hydra_callbacks.support.process import host_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MACHINE = "pid:[4026531836]"
STARTED_S = 100
KILLED = (
    f"Memory cgroup out of memory: Killed process {GONE} (python) total-vm:319728kB, anon-rss:65280kB, "
    "file-rss:5820kB, shmem-rss:0kB, UID:0 pgtables:200kB oom_score_adj:0"
)


class Machine:
    """What a machine tells, in the files of a directory that stands for its root."""

    def __init__(self, root: Path) -> None:
        self.root, self.group = root, root / "group"

    def tells(self, *, machine: int | None = None, group: int | None = None, version: int = 2) -> None:
        if machine is not None:
            self._write("proc/vmstat", f"nr_free_pages 7\noom_kill {machine}\nnuma_hit 3\n")
        if group is not None and version == 2:
            self._write("group/memory.events", f"low 0\nhigh 0\nmax 9\noom 1\noom_kill {group}\noom_group_kill 0\n")
        elif group is not None:
            self._write("group/memory.oom_control", f"oom_kill_disable 0\nunder_oom 0\noom_kill {group}\n")

    def logs(self, *lines: str) -> None:
        self._write("dev/kmsg", "".join(f"3,{number},{line}\n" for number, line in enumerate(lines)))

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def job(self, limit: int | None = None, **changes: Any) -> dict[str, Any]:
        """Return the record of a job that started here, and whose process is gone."""
        noted = death.evidence(self.group, limit, self.root)
        return record(**running(GONE, evidence=noted, **changes))

    def cause_of(self, data: dict[str, Any]) -> str | None:
        return death.cause_of(data, self.root, self.root)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("version", [1, 2])
def test_its_control_group_has_counted_a_process_that_was_killed(machine: Machine, version: int) -> None:
    machine.tells(machine=3, group=0, version=version)
    job, unlimited = machine.job(2 * 2**30), machine.job()
    machine.tells(machine=4, group=1, version=version)
    told = "oom_kill 0 -> 1 in its control group)"
    assert machine.cause_of(job) == f"it was killed, out of memory (its limit is 2.0 GiB, {told}"
    assert machine.cause_of(unlimited) == f"it was killed, out of memory ({told}"


@pytest.mark.parametrize("machine_now", [3, 9])
def test_nobody_was_killed_in_its_control_group_whatever_the_machine_did(machine: Machine, machine_now: int) -> None:
    machine.tells(machine=3, group=1)
    job = machine.job()
    machine.tells(machine=machine_now)
    told = machine.cause_of(job)
    assert told is not None
    assert told.startswith("it was killed by a signal (SIGKILL")
    assert told.endswith("memory had not run out")


def test_the_control_group_is_gone_and_the_machine_has_killed(machine: Machine) -> None:
    machine.tells(machine=3, group=0)
    job = machine.job()
    (machine.group / "memory.events").unlink()
    assert str(machine.cause_of(job)).startswith("it was killed by a signal (SIGKILL")
    machine.tells(machine=4)
    assert machine.cause_of(job) == ("probably out of memory: the machine has killed a process since (oom_kill 3 -> 4)")


def test_nothing_was_noted(machine: Machine) -> None:
    """The record is of a run without CrashReport, or of a machine that counts nothing."""
    assert death.evidence(None, None, machine.root) == {}
    machine.tells(machine=3, group=7)
    for noted in (None, {}, "nonsense", {"oom_kills": "many", "cgroup": 3, "fault_log": 5}):
        data = record(**running(GONE, evidence=noted))
        assert machine.cause_of(data) == "it was killed, perhaps out of memory"


def test_what_is_not_lost_has_no_cause(machine: Machine) -> None:
    machine.tells(machine=3, group=0)
    for data in (record(), record(**running(os.getpid())), record(**running(GONE, host={**host(GONE), "name": "x"}))):
        assert machine.cause_of(data) is None


def test_the_machine_was_restarted(machine: Machine) -> None:
    machine.tells(machine=3, group=0)
    job = machine.job(host={**host(GONE), "boot_id": "another"})
    machine.tells(machine=9, group=9)
    assert machine.cause_of(job) == "the machine was restarted since"


def test_python_wrote_what_happened(machine: Machine) -> None:
    data = record(**running(GONE, evidence={"fault_log": ".hydra/fault.log"}))
    fault = "Fatal Python error: Segmentation fault\n\nCurrent thread (most recent call first):\n  ...\n"
    (machine.root / ".hydra").mkdir()
    (machine.root / ".hydra" / "fault.log").write_text(fault)
    assert machine.cause_of(data) == "it died of a fault in compiled code (Fatal Python error: Segmentation fault)"
    assert death.fault_of(data, machine.root) == fault.strip()
    (machine.root / ".hydra" / "fault.log").write_text("")
    assert machine.cause_of(data) == "it was killed, perhaps out of memory"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"200000000,-;{KILLED}", f"it was killed, out of memory; the kernel says: {KILLED}"),
        (f"200000000,-,caller=T1;Out of memory: Kill process {GONE} (python) score 9", "it was killed, out of memory"),
        (f"200000000,-;python[{GONE}]: segfault at 0 ip 00 sp 00 error 4 in x.so", "it died of a fault in compiled"),
        (f"200000000,-;traps: python[{GONE}] general protection fault ip:1", "it died of a fault in compiled code"),
        (f"200000000,-;Memory cgroup out of memory: Killed process {GONE}7 (python)", "it was killed by a signal"),
        (f"99000000,-;{KILLED}", "it was killed by a signal"),
    ],
    ids=["oom", "old kernel", "segfault", "trap", "another process", "an earlier process"],
)
def test_the_kernel_says_it_in_its_log(machine: Machine, line: str, told: str) -> None:
    machine.tells(machine=0, group=0)
    ticks = STARTED_S * os.sysconf("SC_CLK_TCK")
    here = {**host(GONE), "pid_namespace": host_facts()["pid_namespace"], "pid_started": ticks}
    machine.logs("1000000,-;Linux version 6", line, "200000001,-;another line", "200000002,-; SUBSYSTEM=x")
    if here["pid_namespace"] != MACHINE:
        pytest.skip("the kernel's log numbers processes as the machine does, and this is a container")
    assert str(machine.cause_of(machine.job(host=here))).startswith(told)


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group of 64 MiB in our own one."""
    mine = cgroups.memory_group()
    limits = ("memory.max", "memory.limit_in_bytes")
    if mine is None:
        pytest.skip("there are no control groups")
    group = mine / f"hydra-callbacks-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group may be made: {error}")
    try:
        limit = next((group / name for name in limits if (group / name).exists()), None)
        if limit is None:
            pytest.skip("memory is not limited here")
        limit.write_text(str(64 << 20))
        yield group
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


def test_a_process_that_the_kernel_has_really_killed(small_group: Path, tmp_path: Path) -> None:
    program = (
        "import os, sys, json\n"
        "open(sys.argv[1] + '/cgroup.procs', 'w').write(str(os.getpid()))\n"
        "from hydra_callbacks.support import cgroups\n"
        "from hydra_callbacks.runs import death\n"
        "from hydra_callbacks.support.process import host_facts\n"
        "noted = death.evidence(cgroups.memory_group(), cgroups.memory_limit_bytes())\n"
        "print(json.dumps({'status': 'running', 'host': host_facts(), 'evidence': noted}), flush=True)\n"
        "bytearray(300 << 20)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(small_group)], capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    data = death.record.parse(done.stdout.encode(), "stdout")
    assert data["evidence"]["cgroup"] == str(small_group)
    assert data["evidence"]["memory_limit_bytes"] == 64 << 20
    by_counters = "it was killed, out of memory (its limit is 64.0 MiB, oom_kill 0 -> 1 in its control group)"
    assert death.cause_of(data, tmp_path, tmp_path) == by_counters
    said = oom.kernel_says(data["host"]["pid"], 0.0)
    told = death.cause_of(data, tmp_path)
    assert told == (f"it was killed, out of memory; the kernel says: {said}" if said else by_counters)
