"""A record tells whether its process is still there."""

from __future__ import annotations

import os
import subprocess
import sys

from hydra_callbacks.support.process import host_facts, is_gone


def test_a_live_process_is_not_gone_and_a_dead_one_is() -> None:
    host = host_facts()
    assert host["pid"] == os.getpid()
    assert not is_gone(host)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_gone({**host, "pid": ended.pid})
    assert is_gone({**host, "boot_id": "another boot"}) or host["boot_id"] is None


def test_a_zombie_is_gone() -> None:
    zombie = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert zombie.stdout is not None
    zombie.stdout.read()  # it has closed its output: it is ending, and not waited for
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone({**host_facts(), "pid": zombie.pid})
    zombie.stdout.close()
    zombie.wait()


def test_a_process_elsewhere_or_unknown_cannot_be_judged() -> None:
    assert not is_gone({"name": "another-host", "pid": 1, "boot_id": "b"})
    assert not is_gone({})
    assert not is_gone({**host_facts(), "pid": "12"})


def test_another_process_with_the_same_number_is_another_one() -> None:
    """In a container, every job may have the number 1; elsewhere, numbers come round again."""
    host = host_facts()
    if host["pid_started"] is not None:
        assert is_gone({**host, "pid_started": host["pid_started"] - 1})
    assert not is_gone({**host, "pid_started": None}), "a record from before it was noted"


def test_a_process_of_another_container_cannot_be_judged() -> None:
    """It may share the host's name and boot, and have a number that is free here, or taken."""
    for pid in (os.getpid(), 2**22 + 1, 2**70):
        assert not is_gone({**host_facts(), "pid": pid, "pid_namespace": "pid:[1]"})
    assert not is_gone({**host_facts(), "pid": 2**70})
