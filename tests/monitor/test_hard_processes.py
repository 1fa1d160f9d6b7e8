"""Figures stay true, and the job undisturbed, whatever processes do: they fork, die, change user, stop, run out."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import wait_for
from trees import child, figures_of

import hydra_callbacks
from hydra_callbacks.monitor import ResourceMonitorService
from hydra_callbacks.monitor.processes.figures import HAS_PROC
from hydra_callbacks.monitor.processes.tree import TreeMeter

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from conftest import App

if sys.platform != "linux" or not HAS_PROC:
    pytest.skip("only Linux shows processes in /proc", allow_module_level=True)

from hydra_callbacks.monitor import beside
from hydra_callbacks.monitor.processes.proc import ProcTree

HOUR_S = 3600.0
MIB = 2**20
NOBODY = 65534
PACKAGE = Path(hydra_callbacks.__file__).parents[1]
IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root may do this")

# What the programs of these jobs begin with; each ends by printing what it has found out.
HEAD = """
import ctypes, json, multiprocessing, os, resource, signal, subprocess, sys, threading, time
from hydra_callbacks.monitor import ResourceMonitorService

def used_s():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)

def spend(cpu_s):
    ended = time.process_time() + cpu_s
    while time.process_time() < ended:
        pass

def fork(act):
    pid = os.fork()
    if pid == 0:
        act()
        os._exit(0)
    return pid

def until(happens):
    ended = time.monotonic() + 60
    while not happens() and time.monotonic() < ended:
        time.sleep(0.005)

def tell(service, **more):
    print(json.dumps({**service.summary(), "absent": service.absent(), "rows": service.rows(), **more}), flush=True)

def samples(n_more, service):
    n_before = len(service.rows())
    until(lambda: len(service.rows()) >= n_before + n_more)

"""


def run(code: str, *, head: str = HEAD, flags: tuple[str, ...] = (), before: tuple[str, ...] = (), **more: Any) -> Any:
    """Run a job in a process of its own, and return what it tells."""
    command = [*before, sys.executable, *flags, "-c", head + textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=120, **more)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "err": done.stderr}


def started(code: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Give a process that runs `code`, once it has printed a line."""
    return child(HEAD + textwrap.dedent(code))


def files_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


# Processes that come and go


def test_a_storm_of_forks_is_counted_to_the_end() -> None:
    found = run("""
        def storm():
            ended = time.monotonic() + 2
            while time.monotonic() < ended:
                for pid in [fork(lambda: spend(0.003)) for _ in range(3)]:
                    os.waitpid(pid, 0)
        with ResourceMonitorService(interval=0.01) as service:
            until(lambda: len(service.rows()) > 3)
            before = used_s()
            sampled_before = service.rows()[-1]["cpu_s"]
            storms = [fork(storm) for _ in range(2)]
            for pid in storms:
                os.waitpid(pid, 0)
            used = used_s() - before
        tell(service, used=used, sampled_before=sampled_before)
    """)
    assert found["cpu_s"] - found["sampled_before"] == pytest.approx(found["used"], rel=0.04, abs=0.03)
    assert found["max_processes"] > 3
    counted = [row["cpu_s"] for row in found["rows"]]
    assert counted == sorted(counted)


def test_a_storm_of_forks_leaves_no_file_open() -> None:
    storm = """
        print(flush=True)
        while True:
            for pid in [fork(lambda: None) for _ in range(5)]:
                os.waitpid(pid, 0)
    """
    gc.collect()  # what earlier tests have left closes its files now, not meanwhile
    n_before = files_of(os.getpid())
    with started(storm) as job:
        tree = ProcTree(job.pid)
        ended = time.monotonic() + 1
        while time.monotonic() < ended:
            n_seen = len(tree.read())
        assert files_of(os.getpid()) <= n_before + 4 + 3 * n_seen + 3
        tree.close()
    assert files_of(os.getpid()) <= n_before


def test_what_children_used_counts_once_however_they_are_reaped() -> None:
    found = run("""
        with ResourceMonitorService(interval=0.01) as service:
            until(lambda: len(service.rows()) > 3)
            before = used_s()
            sampled_before = service.rows()[-1]["cpu_s"]
            for _ in range(15):
                pid = fork(lambda: spend(0.1))
                while os.waitpid(pid, os.WNOHANG)[0] == 0:  # this process works all the while
                    pass
            used = used_s() - before
        tell(service, used=used, sampled_before=sampled_before)
    """)
    assert found["cpu_s"] - found["sampled_before"] == pytest.approx(found["used"], rel=0.03, abs=0.1)


def test_a_child_that_nobody_waits_for_counts_its_time_and_no_memory() -> None:
    with started("""
        block = bytearray(b"1") * (100 << 20)
        zombie = fork(lambda: (bytearray(b"1") * (200 << 20), spend(0.3)))
        os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
        print(flush=True)
        sys.stdin.read()
    """) as job:
        meter = TreeMeter(job.pid)
        first = figures_of(meter)
        figures = {pid: each for (pid, _), each in ProcTree(job.pid).read().items()}
    zombie = next(each for pid, each in figures.items() if pid != job.pid)
    assert first["processes"] == 1  # the other has ended
    assert 100 / 1024 < first["rss_GiB"] < 150 / 1024
    assert zombie.cpu_s > 0.28
    assert (zombie.rss_bytes, zombie.vms_bytes, zombie.peak_rss_bytes) == (0, 0, 0)


def test_a_zombie_is_counted_once_when_it_is_reaped_at_last() -> None:
    with started("""
        def spend_and_end(): spend(0.3)
        sys.stdout.write("\\n"); sys.stdout.flush()
        sys.stdin.readline()
        zombie = fork(spend_and_end)
        os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
        print(flush=True)
        sys.stdin.readline()
        os.waitpid(zombie, 0)
        print(flush=True)
        sys.stdin.readline()
    """) as job:
        assert job.stdin is not None
        assert job.stdout is not None
        meter = TreeMeter(job.pid)
        counted = [figures_of(meter)["cpu_s"]]
        for _ in range(2):
            job.stdin.write("\n")
            job.stdin.flush()
            job.stdout.readline()
            counted.append(figures_of(meter)["cpu_s"])
    assert counted[0] == 0
    assert 0.28 < counted[1] < 0.45
    assert counted[2] - counted[1] < 0.05


def test_a_daemon_stays_in_the_tree_once_it_was_seen() -> None:
    found = run("""
        reading, writing = os.pipe()
        def daemonize():
            os.setsid()
            time.sleep(0.3)  # until it was seen
            os.write(writing, b"%d" % fork(lambda: (spend(0.5), time.sleep(60))))
            time.sleep(0.3)
        with ResourceMonitorService(interval=0.01) as service:
            until(lambda: len(service.rows()) > 3)
            os.waitpid(fork(daemonize), 0)
            until(lambda: service.rows()[-1]["cpu_s"] > 0.45)
        tell(service, last=service.rows()[-1])
        os.kill(int(os.read(reading, 100)), 9)
    """)
    assert found["cpu_s"] > 0.45
    assert found["last"]["processes"] == 2
    assert found["max_processes"] == 3


def test_a_child_that_has_its_parents_memory_for_a_moment_does_not_count_it_twice(tmp_path: Path) -> None:
    program = shutil.which("cc")
    if program is None:
        pytest.skip("needs a C compiler (Debian: gcc and libc6-dev)")
    source = tmp_path / "linger.c"
    source.write_text("""
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
static int child(void *unused) {
    (void)unused;
    usleep(300000);
    execl("/bin/sleep", "sleep", "60", (char *)0);
    return 1;
}
int spawn(void) { return clone(child, (char *)malloc(65536) + 65536, CLONE_VM | CLONE_VFORK, 0); }
""")
    subprocess.run([program, "-shared", "-fPIC", "-o", tmp_path / "linger.so", source], check=True)
    found = run(
        """
        spawn = ctypes.CDLL("./linger.so").spawn
        block = bytearray(b"1") * (300 << 20)
        with ResourceMonitorService(interval=0.5) as service:
            until(lambda: len(service.rows()) > 2)
            for _ in range(5):  # where the machine is busy, it may wake up too late
                n_before, beat = len(service.rows()), service.rows()[-1]["time"]
                time.sleep(max(0.0, beat + 0.35 - time.time()))  # so that the next sample comes while the child lingers
                began = time.time()
                pid = spawn()
                ended = time.time()
                until(lambda: len(service.rows()) > n_before + 2)
                os.kill(pid, 9), os.waitpid(pid, 0x40000000)  # __WALL: no signal tells its end
                lingered = [row for row in service.rows() if began < row["time"] < ended]
                if lingered:
                    break
        tell(service, lingered=lingered)
        """,
        cwd=tmp_path,
    )
    assert found["lingered"]
    assert found["max_processes"] == 2
    assert found["peak_rss_bytes"] < 400 * MIB
    assert found.get("peak_pss_bytes", 0) < 400 * MIB


@as_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a namespace for pids of its own")
def test_a_pid_that_is_given_away_again_is_another_process() -> None:
    found = run(
        """
        from hydra_callbacks.monitor.processes.proc import ProcTree
        from hydra_callbacks.monitor.processes.tree import COLUMNS, TreeMeter
        meter = TreeMeter(os.getpid())
        tree = ProcTree(os.getpid())

        def start():
            reading, writing = os.pipe()
            pid = fork(lambda: (spend(0.3), os.write(writing, b"1"), time.sleep(60)))
            os.read(reading, 1)
            return pid

        first = start()
        seen = [sorted(tree.read())]
        meter.read()
        os.kill(first, 9), os.waitpid(first, 0)
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(first - 1))
        second = start()
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(str(first - 2 if first > 9 else 299))
        os.waitpid(fork(lambda: None), 0)
        seen.append(sorted(tree.read()))
        print(json.dumps({"pids": [first, second], "seen": seen, "cpu_s": meter.read()[COLUMNS.index("cpu_s")]}))
        """,
        before=("unshare", "--pid", "--fork", "--mount-proc"),
    )
    first, second = found["pids"]
    if first != second:
        pytest.skip("this system does not let one choose the next pid")
    assert [len(each) for each in found["seen"]] == [2, 2]
    assert {pid for pid, _ in found["seen"][0]} == {pid for pid, _ in found["seen"][1]}
    assert found["seen"][0] != found["seen"][1]
    assert 0.28 < found["cpu_s"] < 0.45


@as_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a namespace for pids of its own")
def test_the_first_process_of_a_container_does_not_count_what_samples_it() -> None:
    found = run(
        """
        for interval in (0.02, 0.5):  # one that samples, and one that has not begun to
            with ResourceMonitorService(interval=interval) as service:
                if interval < 0.1:
                    until(lambda: len(service.rows()) > 10)
        for interval in (0.02, 0.02):
            with ResourceMonitorService(interval=interval) as service:
                until(lambda: len(service.rows()) > 10)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            left = False
        else:
            left = True
        tell(service, left=left, pid=os.getpid())
        """,
        before=("unshare", "--pid", "--fork", "--mount-proc"),
    )
    assert found["pid"] == 1
    assert found["max_processes"] == 1
    assert found["left"] is False


@as_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a namespace for pids of its own")
def test_processes_of_another_namespace_are_not_taken_for_the_job() -> None:
    found = run(
        """
        try:
            ResourceMonitorService(interval=0.05).start()
        except ProcessLookupError as error:
            print(json.dumps({"error": str(error)}))
        """,
        before=("unshare", "--pid", "--fork"),
    )
    assert "--mount-proc" in found["error"]


# Other users


@as_root
def test_a_child_of_another_user_is_counted() -> None:
    with started(f"""
        def work():
            os.setgid({NOBODY}), os.setuid({NOBODY})
            block = bytearray(b"1") * (100 << 20)
            spend(0.3)
            print(flush=True)
            time.sleep(60)
        fork(work)
        time.sleep(60)
    """) as job:
        meter = TreeMeter(job.pid)
        found = figures_of(meter)
        (pid,) = (pid for pid, _ in ProcTree(job.pid).read() if pid != job.pid)
        uid = Path(f"/proc/{pid}").stat().st_uid
    assert uid == NOBODY
    assert found["processes"] == 2
    assert found["rss_GiB"] > 100 / 1024
    assert found["read_GiB"] == found["read_GiB"]
    assert meter.absent == {}


@as_root
@pytest.mark.parametrize("whose", ["root's", "both's"])
def test_what_may_not_be_read_is_absent_and_hides_nothing_else(whose: str) -> None:
    reader = f"""
import json, sys
sys.path.insert(0, {str(PACKAGE)!r})
from hydra_callbacks.monitor.processes.tree import COLUMNS, TreeMeter
import hydra_callbacks.monitor.processes.proc, os
os.setgroups([]), os.setgid(65534), os.setuid(65534)  # others may not run this Python
meter = TreeMeter(int(sys.argv[1]))
meter.read()
print(json.dumps([dict(zip(COLUMNS, map(str, meter.read()))), meter.absent]))
"""
    work = f"os.setgid({NOBODY}), os.setuid({NOBODY})" if whose == "both's" else "pass"
    with started(f"""
        def work():
            {work}
            block = bytearray(b"1") * (100 << 20)
            print(flush=True)
            time.sleep(60)
        fork(work)
        time.sleep(60)
    """) as job:
        done = subprocess.run([sys.executable, "-c", reader, str(job.pid)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    figures, absent = json.loads(done.stdout)
    assert float(figures["rss_GiB"]) > 100 / 1024
    assert figures["processes"] == "2"
    assert figures["threads"] == "2"
    assert (figures["read_GiB"], figures["written_GiB"]) == ("nan", "nan")
    assert absent["disk"].endswith("/io cannot be read (Permission denied)")
    assert absent["disk"].count("\n") == 0


@as_root
def test_a_job_that_changes_directory_user_and_namespace_is_sampled_on(tmp_path: Path) -> None:
    found = run(
        f"""
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
            os.chdir("/")
            ctypes.CDLL(None).unshare(0x00020000 | 0x04000000)  # mounts, host name
            os.setgid({NOBODY}), os.setuid({NOBODY})
            n_before = len(service.rows())
            samples(5, service)
        tell(service, n_before=n_before)
        """,
        cwd=tmp_path,
    )
    assert found["n_samples"] >= found["n_before"] + 5
    assert found["err"] == ""
    assert "disk" not in found["absent"]


# Jobs that do what they like


def test_a_job_that_closes_all_descriptors_keeps_those_that_it_opens_then(tmp_path: Path) -> None:
    found = run(
        """
        service = ResourceMonitorService(interval=0.02)
        service.start()
        samples(3, service)
        os.closerange(3, 4096)
        import socket
        pairs = [socket.socketpair() for _ in range(20)]
        files = [open(f"{number}.txt", "w") for number in range(20)]
        for one, other in pairs:
            one.sendall(b"all"), other.sendall(b"all")
        service.rows()
        service.stop()
        whole = all(end.recv(10) == b"all" for pair in pairs for end in pair)
        for file in files:
            file.write("x"), file.flush(), os.fstat(file.fileno())
        tell(service, whole=whole)
        """,
        cwd=tmp_path,
    )
    assert found["whole"] is True
    assert found["n_samples"] == 2
    assert "is out of reach, for the job has closed a descriptor" in found["err"]
    assert "Traceback" not in found["err"]


def test_a_forked_child_that_leaves_the_block_ends_nothing() -> None:
    found = run("""
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
            pid = os.fork()
            if pid:
                os.waitpid(pid, 0)
                n_before = len(service.rows())
                samples(3, service)
        if pid:
            tell(service, n_before=n_before)
    """)
    assert found["n_samples"] >= found["n_before"] + 3
    assert found["err"] == ""


def test_a_forked_child_that_asks_takes_no_answer_away() -> None:
    found = run("""
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
            pids = [fork(lambda: [service.rows() for _ in range(200)]) for _ in range(3)]
            counts = [len(service.rows()) for _ in range(200)]
            for pid in pids:
                os.waitpid(pid, 0)
        tell(service, steady=counts == sorted(counts) and counts[0] > 3)
    """)
    assert found["steady"] is True
    assert found["n_samples"] > 3
    assert found["err"] == ""


def test_two_threads_may_look_at_once() -> None:
    found = run("""
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
            threads = [threading.Thread(target=lambda: [service.rows() for _ in range(100)]) for _ in range(3)]
            for thread in threads:
                thread.start()
            counts = [len(service.rows()) for _ in range(100)]
            for thread in threads:
                thread.join()
        tell(service, steady=counts == sorted(counts) and counts[0] > 3)
    """)
    assert found["steady"] is True
    assert found["err"] == ""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_is_counted_once_it_has_ended(method: str, tmp_path: Path) -> None:
    head = HEAD + textwrap.dedent(f"""
        def work(number):
            block = bytearray(b"1") * (50 << 20)
            spend(0.1)
            return number

        if __name__ == "__main__":
            with ResourceMonitorService(interval=0.02) as service:
                before = used_s()
                for _ in range(2):
                    with multiprocessing.get_context("{method}").Pool(2) as pool:
                        pool.map(work, range(6), chunksize=1)
                        pool.close()
                        pool.join()
                used = used_s() - before
            tell(service, used=used)
    """)
    program = tmp_path / "job.py"
    program.write_text(head, encoding="utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert found["cpu_s"] > 1.2
    assert found["cpu_s"] == pytest.approx(found["used"], rel=0.05, abs=0.1)
    assert found["max_processes"] >= 3
    assert found["peak_rss_bytes"] > 100 * MIB
    assert done.stderr == b""


def test_a_job_that_is_stopped_for_a_while_is_sampled_on() -> None:
    with started("""
        service = ResourceMonitorService(interval=0.05)
        service.start()
        samples(3, service)
        print(flush=True)
        sys.stdin.readline()
        service.stop()
        tell(service)
    """) as job:
        assert job.stdin is not None
        assert job.stdout is not None
        os.killpg(job.pid, signal.SIGSTOP)
        wait_for(lambda: Path(f"/proc/{job.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        began = time.time()
        time.sleep(1)  # what is tested is that this passes
        ended = time.time()
        os.killpg(job.pid, signal.SIGCONT)
        job.stdin.write("\n")
        job.stdin.flush()
        found = json.loads(job.stdout.readline())
    meanwhile = [row for row in found["rows"] if began < row["time"] < ended]
    assert len(meanwhile) >= 15
    # The first may tell of what it did before, and the last be read when it goes on already.
    assert sum(row["cpus"] for row in meanwhile[3:-1]) < 5


@pytest.mark.timeout(60)
def test_a_sampler_that_does_not_answer_keeps_the_job_for_a_bounded_time(
    helpers: Callable[[], set[int]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(beside, "_ANSWER_S", 1.0)
    service = ResourceMonitorService(interval=0.02)
    service.start()
    wait_for(lambda: len(service.rows()) > 3)
    (group,) = helpers()
    os.killpg(group, signal.SIGSTOP)
    began = time.monotonic()
    service.stop()
    assert time.monotonic() - began < 10
    assert service.summary()["n_samples"] == 2
    assert caplog.messages == [f"what sampled process {os.getpid()} did not answer for 1 s; only the ends are left"]
    wait_for(lambda: group not in helpers())


@pytest.mark.timeout(60)
def test_an_answer_that_comes_late_is_not_taken_for_another(
    helpers: Callable[[], set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = ResourceMonitorService(interval=0.02)
    service.start()
    wait_for(lambda: len(service.rows()) > 3)
    (group,) = helpers()
    with monkeypatch.context() as patch:
        patch.setattr(beside, "_ANSWER_S", 0.2)
        os.killpg(group, signal.SIGSTOP)
        assert len(service.rows()) == 1  # that of this process
        os.killpg(group, signal.SIGCONT)
    n_before = len(service.rows())
    assert n_before > 3
    wait_for(lambda: len(service.rows()) > n_before)
    service.stop()
    assert service.summary()["n_samples"] > n_before


def test_a_job_that_ends_before_it_is_sampled_from_beside_gives_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    with ResourceMonitorService(interval=0.01):
        time.sleep(0.021)  # more than two intervals, and too few milliseconds for another Python
    assert not caplog.messages


def test_sockets_that_time_out_by_default_do_not_disturb() -> None:
    found = run("""
        import socket
        socket.setdefaulttimeout(0.01)
        with ResourceMonitorService(interval=0.5) as service:
            until(lambda: len(service.rows()) > 2)
        tell(service)
    """)
    assert found["n_samples"] > 2
    assert found["err"] == ""


def test_a_job_with_thousands_of_open_files_is_sampled() -> None:
    found = run("""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if limit < 3000:
            print("{}")
            sys.exit()
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        files = [open(os.devnull) for _ in range(2000)]
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
        tell(service)
    """)
    if "n_samples" not in found:
        pytest.skip("no process may have so many open files here")
    assert found["n_samples"] > 3
    assert found["max_open_files"] > 2000
    assert found["err"] == ""


def test_a_job_that_begins_with_many_processes_does_not_wait(tmp_path: Path) -> None:
    found = run("""
        def wait(): time.sleep(60)
        pids = [fork(wait) for _ in range(600)]
        service = ResourceMonitorService(interval=20)
        began = time.monotonic()
        service.start()
        lasted = time.monotonic() - began
        service.stop()
        tell(service, lasted=lasted)
        for pid in pids:
            os.kill(pid, 9)
    """)
    assert found["lasted"] < 5
    assert found["max_processes"] == 601


@as_root
def test_without_any_more_processes_the_ends_are_left(tmp_path: Path) -> None:
    found = run(
        f"""
        import hydra_callbacks.monitor.beside, hydra_callbacks.monitor.order, hydra_callbacks.monitor.within
        import hydra_callbacks.monitor.service, hydra_callbacks.monitor.processes.shared_memory
        import hydra_callbacks.monitor.around.surroundings
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        os.setgid({NOBODY}), os.setuid({NOBODY})
        with ResourceMonitorService(interval=0.02) as service:
            spend(0.1)
        tell(service)
        """,
        cwd=tmp_path,
    )
    assert found["n_samples"] == 2
    assert found["cpu_s"] > 0.09
    assert found["err"] == ""


def test_without_any_more_descriptors_it_says_so() -> None:
    found = run("""
        import hydra_callbacks.monitor.service, hydra_callbacks.monitor.within, hydra_callbacks.monitor.beside
        import hydra_callbacks.monitor.order, hydra_callbacks.monitor.processes.proc
        n_open = len(os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (n_open - 1, n_open - 1))
        service = ResourceMonitorService(interval=0.02)
        try:
            service.start()
        except OSError as error:
            print(json.dumps({"error": str(error)}))
        service.stop()
    """)
    assert "Too many open files" in found["error"]


def test_descriptors_that_run_out_later_do_not_matter() -> None:
    found = run("""
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            files = []
            try:
                while True:
                    files.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                pass
            samples(3, service)
        for file in files:
            os.close(file)
        tell(service)
    """)
    assert found["n_samples"] > 6
    assert found["err"] == ""


def test_few_descriptors_are_enough_for_many_processes() -> None:
    found = run("""
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
        def wait(): time.sleep(60)
        pids = [fork(wait) for _ in range(40)]
        with ResourceMonitorService(interval=0.05) as service:
            samples(3, service)
        tell(service)
        for pid in pids:
            os.kill(pid, 9)
    """)
    assert found["max_processes"] == 41
    assert found["rows"][-1]["processes"] == 41
    assert found["err"] == ""


# Odd surroundings


def test_python_without_assertions_samples_too() -> None:
    found = run(
        """
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
        tell(service)
        """,
        flags=("-OO",),
    )
    assert found["n_samples"] > 3


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHOME": sys.base_prefix},
        {"PYTHONSAFEPATH": "1", "PYTHONDEVMODE": "1"},
        {"PYTHONUNBUFFERED": "1", "PYTHONINSPECT": ""},
        {"TMPDIR": "/nonexistent/é \n"},
        {"PATH": ""},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"IFS": "abc", "ENV": "/nonexistent", "BASH_ENV": "/nonexistent"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_odd_variables_do_not_matter(environment: dict[str, str]) -> None:
    found = run(
        """
        with ResourceMonitorService(interval=0.4) as service:
            until(lambda: len(service.rows()) > 2)
        tell(service)
        """,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
    )
    assert found["n_samples"] > 2


def test_a_directory_that_is_gone_does_not_matter(tmp_path: Path) -> None:
    found = run(
        """
        os.mkdir("here"), os.chdir("here"), os.rmdir("../here")
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
        tell(service)
        """,
        cwd=tmp_path,
    )
    assert found["n_samples"] > 3
    assert found["err"] == ""


@as_root
def test_a_directory_that_may_not_be_read_does_not_matter(open_path: Path) -> None:
    try:
        subprocess.run([sys.executable, "-c", ""], check=True, user=NOBODY)
    except PermissionError:
        pytest.skip("others may not run this Python")
    open_path.chmod(0o700)
    found = run(
        f"""
        os.setgid({NOBODY}), os.setuid({NOBODY})
        with ResourceMonitorService(interval=0.02) as service:
            samples(3, service)
        tell(service)
        """,
        cwd=open_path,
    )
    assert found["n_samples"] > 3
    assert found["err"] == ""


# Jobs of Hydra

MONITOR = {"_target_": "hydra_callbacks.ResourceMonitor", "sample_interval": 0.05}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
APP = """
import os, signal, sys, time
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig

main_args = {} if hydra.__version__ >= "1.4" else {"version_base": None}

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    ended = time.process_time() + 0.6
    while time.process_time() < ended:
        pass
    WORK

if __name__ == "__main__":
    main()
"""


def resources(app: App, pattern: str = "outputs/*/*") -> dict[str, Any]:
    """Return what a record says, as soon as it does."""
    wait_for(lambda: "resources" in app.record(pattern))
    found: dict[str, Any] = app.record(pattern)["resources"]
    return found


def test_a_job_that_leaves_at_once_leaves_its_samples(app: App) -> None:
    app.write("app.py", APP.replace("WORK", "os._exit(3)"))
    app.callbacks(RECORD, MONITOR)
    assert app.run().code == 3
    found = resources(app)
    assert found["cpu_s"] > 0.15
    assert found["n_samples"] > 2


def test_a_job_of_a_sweep_that_is_killed_leaves_its_samples(app: App) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    app.write("app.py", APP.replace("WORK", "cfg.x == 2 and os.kill(os.getpid(), signal.SIGKILL)"))
    app.callbacks(RECORD, MONITOR)
    app.run("-m", "x=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert app.record("multirun/*/*/1")["overrides"] == ["x=2"]
    found = resources(app, "multirun/*/*/1")
    assert found["cpu_s"] > 0.15
    assert found["n_samples"] > 2


def test_jobs_in_reused_workers_have_peaks_of_their_own(app: App) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    work = (
        'Path(HydraConfig.get().runtime.output_dir, "pid.txt").write_text(str(os.getpid()));'
        'block = bytearray(b"1") * ((300 << 20) if cfg.x <= 2 else 0); del block'
    )
    app.write("app.py", APP.replace("WORK", work))
    app.callbacks(RECORD, MONITOR)
    ran = app.run("-m", "x=1,2,3,4,5,6", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert ran.code == 0, ran.text
    found = [resources(app, f"multirun/*/*/{num}") for num in range(6)]
    pids = {app.one(f"multirun/*/*/{num}/pid.txt").read_text() for num in range(6)}
    assert len(pids) < 6
    peaks = [each["peak_rss_bytes"] for each in found]
    assert min(peaks[:2]) - max(peaks[2:]) > 250 * MIB
    assert not any("peak_rss" in each.get("absent", {}) for each in found)


def test_jobs_in_threads_say_that_their_peaks_are_shared() -> None:
    pytest.importorskip("joblib")
    found = run("""
        import joblib
        barrier = threading.Barrier(2)
        def job(number):
            with ResourceMonitorService(interval=0.05) as service:
                barrier.wait()
                block = bytearray(b"1") * (100 << 20)
                barrier.wait()
            return service.summary()["peak_rss_bytes"], service.absent().get("peak_rss", "")
        print(json.dumps({"jobs": joblib.Parallel(n_jobs=2, backend="threading")(map(joblib.delayed(job), (1, 2)))}))
    """)
    assert min(peak for peak, _ in found["jobs"]) > 200 * MIB
    assert sorted(why for _, why in found["jobs"]) == ["", "peaks between samples: other jobs share this process"]


@as_root
@pytest.mark.parametrize("options", ["size=64k", "size=64k,ro"], ids=["full", "read-only"])
def test_a_record_has_its_section_when_there_is_no_room_for_the_file(app: App, options: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        if "ro" not in options:
            with pytest.raises(OSError, match="No space"):
                Path(disk, "filler").write_bytes(b"x" * 100_000)
        app.write("app.py", APP.replace("WORK", "pass"))
        app.callbacks(RECORD, {**MONITOR, "monitoring_file": str(disk / "load.csv")})
        ran = app.run()
        left = (disk / "load.csv").read_bytes() if (disk / "load.csv").exists() else b""
    finally:
        subprocess.run(["umount", disk], check=True)
    assert ran.code == 0, ran.text
    assert "ResourceMonitor.job_ended failed; the run goes on" in ran.out
    assert app.record()["status"] == "completed"
    assert resources(app)["n_samples"] > 2
    assert left == b""


# Agreement

WORKS = {
    "python": "block = bytearray(b'1') * (50 << 20); spend(3)",
    "numpy": """
        import numpy as np
        ended = time.process_time() + 3
        while time.process_time() < ended:
            block = np.random.default_rng(0).standard_normal(40_000_000)
            block.sort()
            del block
    """,
    "children": """
        block = bytearray(b'1') * (300 << 20)
        began = used_s()
        while used_s() < began + 3:
            subprocess.run(["/bin/sh", "-c", "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done"])
    """,
    "big children": """
        code = "block = bytearray(b'1') * (1 << 30); block = block[:1 << 29]; sum(range(60_000_000))"
        for _ in range(2):
            subprocess.run([sys.executable, "-S", "-E", "-c", code], check=True)
    """,
    "disk and threads": """
        block = bytearray(b'1') * (100 << 20)
        def write(number):
            spend(3)
            with open(f"{number}.bin", "wb") as file:
                for _ in range(40):
                    file.write(os.urandom(1 << 20))
                os.fsync(file.fileno())
        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
    """,
}


@pytest.mark.parametrize("work", WORKS)
def test_it_agrees_with_time_and_getrusage(work: str, tmp_path: Path) -> None:
    program = shutil.which("time", path="/usr/bin")
    if program is None:
        pytest.skip("needs GNU time (Debian: time)")
    for n_left in (2, 1, 0):  # a machine that is busy may let time pass between two looks at the same thing
        try:
            check_agreement(program, work, tmp_path)
        except AssertionError:  # noqa: PERF203  (three times at most)
            if not n_left:
                raise
        else:
            return


def check_agreement(program: str, work: str, tmp_path: Path) -> None:
    """Compare what is told of a job with what GNU time tells of it, and it of itself."""
    code = (
        HEAD.replace("multiprocessing, ", "")
        + "print(os.getpid(), used_s(), flush=True); sys.stdin.readline(); before = used_s()\n"
        + textwrap.dedent(WORKS[work])
        + "\nprint(used_s() - before, flush=True); sys.stdin.readline(); os._exit(0)\n"
    ).replace("from hydra_callbacks.monitor import ResourceMonitorService\n", "")
    command = [program, "-v", "-o", str(tmp_path / "time.txt"), sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", cwd=tmp_path
    ) as job:
        assert job.stdin is not None
        assert job.stdout is not None
        pid, used_before = job.stdout.readline().split()
        with ResourceMonitorService(int(pid), 0.05) as service:
            job.stdin.write("\n")
            job.stdin.flush()
            used_s = float(job.stdout.readline())
        job.communicate("\n")
    written = (tmp_path / "time.txt").read_text()
    by_time = {
        name: float(value)
        for name, value in re.findall(r"^\t(\w+) (?:time|resident).*: ([\d.]+)$", written, re.MULTILINE)
    }
    found = service.summary()
    assert found["cpu_s"] == pytest.approx(used_s, rel=0.02)
    assert found["cpu_s"] == pytest.approx(by_time["User"] + by_time["System"] - float(used_before), rel=0.02)
    assert found["peak_rss_bytes"] == pytest.approx(by_time["Maximum"] * 1024, rel=0.02)
    if work == "disk and threads":
        assert found["written_bytes"] >= 160 * MIB or not os.path.ismount("/")
        assert found["max_threads"] == 5
