"""Samples come at a steady rate from start to stop, whatever the job does, and nothing is left behind."""

from __future__ import annotations

import array
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest
from conftest import wait_for

import hydra_callbacks
from hydra_callbacks.errors import SettingError
from hydra_callbacks.monitor import ResourceMonitorService
from hydra_callbacks.monitor.beside import Beside
from hydra_callbacks.monitor.processes.figures import HAS_PROC
from hydra_callbacks.monitor.within import Within
from hydra_callbacks.provenance.git_program import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUR_S = 3600.0
MIB = 2**20
SIGKILL = 9
needs_proc = pytest.mark.skipif(not HAS_PROC, reason="a thread samples here")


@pytest.fixture(params=[pytest.param("beside", marks=needs_proc), "within"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of sampling: a process beside this one, and a thread."""
    if request.param == "within":
        monkeypatch.setattr("hydra_callbacks.monitor.service.HAS_PROC", False)
    return str(request.param)


def n_processes() -> int:
    """Return how many processes this one and those below it are: other tests may have left a server running."""
    here = psutil.Process()
    return sum(each.status() != psutil.STATUS_ZOMBIE for each in (here, *here.children(recursive=True)))


@pytest.fixture
def no_helper_stays(helpers: Callable[[], set[int]]) -> Iterator[None]:
    yield
    wait_for(lambda: not helpers())


def test_it_samples_until_it_is_told_to_stop(way: str) -> None:
    service = ResourceMonitorService(interval=0.01)
    service.start()
    assert type(service._watch) is (Beside if way == "beside" else Within)
    wait_for(lambda: len(service.columns()["time"]) > 5)
    service.stop()
    n_samples = len(service.rows())
    assert n_samples > 5
    assert service.summary()["n_samples"] == n_samples
    assert [thread.name for thread in threading.enumerate()].count("resource-monitor") == 0


@pytest.mark.timeout(60)
def test_stop_does_not_wait_for_the_next_sample(way: str) -> None:
    service = ResourceMonitorService(interval=HOUR_S)
    service.start()
    service.stop()
    assert len(service.rows()) == 2


def test_an_interval_longer_than_a_thread_can_wait_is_accepted(way: str) -> None:
    with ResourceMonitorService(interval=1e12) as service:
        pass
    assert len(service.rows()) == 2


def test_start_and_stop_may_be_repeated(way: str) -> None:
    service = ResourceMonitorService(interval=HOUR_S)
    service.stop()
    assert service.summary()["n_samples"] == 0
    service.start()
    service.start()
    service.stop()
    service.stop()
    assert len(service.rows()) == 2
    service.start()
    assert len(service.rows()) == 1  # a new series
    service.stop()


def test_values_are_arrays_also_while_sampling(way: str) -> None:
    service = ResourceMonitorService(interval=HOUR_S)
    assert service.get_values()["time"].shape == (0,)
    with service:
        values = service.get_values()
    assert list(values)[:4] == ["time", "cpus", "rss_GiB", "vms_GiB"]
    assert {(column.shape, column.dtype) for column in values.values()} == {((1,), np.dtype("float64"))}
    assert values["rss_GiB"][0] > 0


def test_values_are_plain_arrays_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with ResourceMonitorService(interval=HOUR_S) as service:
        pass
    column = service.get_values()["vms_GiB"]
    assert isinstance(column, array.array)
    assert column.typecode == "d"
    assert len(column) == 2


def test_a_child_is_part_of_the_sample(way: str) -> None:
    code = "x = bytearray(b'1') * (64 << 20); print(flush=True); input()"
    before = n_processes()
    with ResourceMonitorService(interval=HOUR_S) as service:
        child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
    child.communicate(b"\n")
    first, last = service.get_values()["rss_GiB"]
    assert last - first > 64 / 1024
    assert service.summary()["max_processes"] == before + 1


def test_a_peak_between_two_samples_is_seen(way: str) -> None:
    with ResourceMonitorService(interval=HOUR_S) as service:
        block = bytearray(b"1") * (300 * MIB)
        del block
    summary = service.summary()
    if HAS_PROC:
        assert summary["peak_rss_bytes"] - summary["sampled_peak_rss_bytes"] > 250 * MIB
    assert summary["sampled_peak_rss_bytes"] - service.rows()[0]["rss_GiB"] * 2**30 < 100 * MIB


@needs_proc
def test_each_series_has_a_peak_of_its_own() -> None:
    with ResourceMonitorService(interval=HOUR_S) as service:
        block = bytearray(b"1") * (300 * MIB)
        del block
    first = service.summary()["peak_rss_bytes"]
    with service:
        pass
    assert first - service.summary()["peak_rss_bytes"] > 250 * MIB
    assert "set back" not in service.absent().get("peak_rss", "")  # earlier children may have had more


@needs_proc
def test_two_series_at_once_in_one_process_say_what_they_cannot_tell_apart() -> None:
    with ResourceMonitorService(interval=HOUR_S) as first, ResourceMonitorService(interval=HOUR_S) as second:
        block = bytearray(b"1") * (300 * MIB)
        del block
    assert "share this process" not in first.absent().get("peak_rss", "")
    assert "other jobs share this process" in second.absent()["peak_rss"]
    assert min(service.summary()["peak_rss_bytes"] for service in (first, second)) > 300 * MIB


@needs_proc
def test_the_peak_of_a_child_that_nobody_saw_is_told() -> None:
    code = (
        "import subprocess, sys\nfrom hydra_callbacks.monitor import ResourceMonitorService\n"
        "with ResourceMonitorService(interval=3600) as service:\n"
        "    subprocess.run([sys.executable, '-c', 'x = bytearray(b\"1\") * (300 << 20)'], check=True)\n"
        "print(service.summary()['peak_rss_bytes'])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # which has had no child yet
    assert int(told.stdout) > 300 * MIB


@needs_proc
def test_the_peak_of_an_unseen_child_adds_to_its_parents_memory_and_a_lower_one_is_said_to_be_unknown() -> None:
    code = (
        "import subprocess, sys\nfrom hydra_callbacks.monitor import ResourceMonitorService\n"
        "block = bytearray(b'1') * (100 << 20)\n"
        "for mib in (400, 300):\n"
        "    with ResourceMonitorService(interval=3600) as service:\n"
        "        subprocess.run([sys.executable, '-c', f'x = bytearray(b\"1\") * ({mib} << 20)'], check=True)\n"
        "    print(service.summary()['peak_rss_bytes'] >> 20, service.absent().get('peak_rss'))"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.splitlines()
    assert 500 < int(told[0].split()[0]) < 560
    assert told[0].endswith(" None")
    assert "children that ended between samples, below 4" in told[1]


@needs_proc
def test_git_that_this_library_runs_is_no_part_of_the_job() -> None:
    waits = ["sh", "-c", "echo; read line", "sh", "-c", OURS]
    before = n_processes()
    with ResourceMonitorService(interval=HOUR_S) as service:
        child = subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        service.stop()
        child.communicate(b"\n")
    assert service.summary()["max_processes"] == before


@needs_proc
def test_a_process_that_is_killed_before_the_first_beat_leaves_its_first_sample(tmp_path: Path) -> None:
    place = tmp_path / "left.csv"
    order = {"module": "hydra_callbacks.runs.leftovers", "file": str(place), "record": "", "names": {"job_id": 3}}
    order |= {"samples_file": place.name, "known_by": "rss_GiB"}
    code = (
        "import os\nfrom hydra_callbacks.monitor import ResourceMonitorService\n"
        f"ResourceMonitorService(interval=3600, leave={order!r}).start()\nos.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -SIGKILL
    wait_for(lambda: place.exists() and place.stat().st_size > 0)
    assert place.read_text().splitlines()[1].startswith("0,")


def test_another_process_is_sampled_until_it_ends(way: str, caplog: pytest.LogCaptureFixture) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with ResourceMonitorService(child.pid, 0.01) as service:
        wait_for(lambda: len(service.rows()) > 2)
        child.communicate(b"\n")
    assert service.rows()
    assert service.summary()["max_processes"] == 1
    assert not caplog.messages


def test_a_process_that_is_not_there_is_an_error() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with pytest.raises(ProcessLookupError, match=str(child.pid)):
        ResourceMonitorService(child.pid).start()


@needs_proc
def test_its_own_helper_is_nobodys_child_and_part_of_no_tree(no_helper_stays: None) -> None:
    before = n_processes()
    with ResourceMonitorService(interval=0.01) as service:
        wait_for(lambda: len(service.rows()) > 3)
        assert n_processes() == before
    assert service.summary()["max_processes"] == before


@needs_proc
def test_the_rate_holds_while_the_job_holds_pythons_lock(no_helper_stays: None) -> None:
    service = ResourceMonitorService(interval=0.01)
    service.start()
    wait_for(lambda: len(service.rows()) > 2)
    before = len(service.rows())
    pow(3, 3_000_000)  # in C, without a pause
    service.stop()
    values = service.get_values()
    lasted_s = values["time"][-1] - values["time"][before]
    assert lasted_s > 0.1
    assert len(values["time"]) - before > 0.5 * lasted_s / 0.01


@needs_proc
def test_a_helper_that_is_killed_leaves_the_ends(caplog: pytest.LogCaptureFixture) -> None:
    service = ResourceMonitorService(interval=0.01)
    service.start()
    wait_for(lambda: len(service.rows()) > 3)
    assert isinstance(service._watch, Beside)
    assert service._watch._group
    os.killpg(service._watch._group, SIGKILL)
    service.stop()
    assert len(service.rows()) == 2
    assert service.summary()["peak_rss_bytes"] > 0
    assert caplog.messages == [f"what sampled process {os.getpid()} was killed; only the ends are left"]


@needs_proc
def test_a_job_that_is_over_at_once_starts_no_python_beside_it(no_helper_stays: None) -> None:
    with ResourceMonitorService(interval=2.0) as service:
        assert isinstance(service._watch, Beside)
    assert len(service.rows()) == 2
    assert "own_cpu_s" not in (service._findings or {})


@needs_proc
@pytest.mark.parametrize("interval", [0.01, 2.0])
def test_nothing_stays_when_the_process_is_killed(interval: float, no_helper_stays: None) -> None:
    code = (
        "import os, sys, time\nfrom hydra_callbacks.monitor import ResourceMonitorService\n"
        f"service = ResourceMonitorService(interval={interval})\nservice.start()\n"
        "while len(service.rows()) < (3 if service.interval < 1 else 1): time.sleep(0.01)\n"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -SIGKILL


@needs_proc
def test_nothing_stays_when_a_forked_child_outlives_the_process(helpers: Callable[[], set[int]]) -> None:
    code = (
        "import os, time\nfrom hydra_callbacks.monitor import ResourceMonitorService\n"
        "service = ResourceMonitorService(interval=0.01)\nservice.start()\n"
        "while len(service.rows()) < 3: time.sleep(0.01)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    time.sleep(120)\n    os._exit(0)\n"  # it stays until it is killed
        "print(pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        forked = psutil.Process(int(process.stdout.readline()))
        try:
            assert process.wait() == -SIGKILL
            wait_for(lambda: not helpers())
            assert forked.status() != psutil.STATUS_ZOMBIE
        finally:
            forked.kill()


def test_without_a_shell_a_thread_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hydra_callbacks.support.companion._SHELL", "/nonexistent/sh")
    service = ResourceMonitorService(interval=0.01)
    service.start()
    assert isinstance(service._watch, Within)
    wait_for(lambda: len(service.rows()) > 3)
    service.stop()


def test_no_file_is_left(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ResourceMonitorService(None, 1, "trace"):
        pass
    assert list(tmp_path.iterdir()) == []


@needs_proc
def test_no_descriptor_is_left() -> None:
    gc.collect()  # what earlier tests have left closes its files now, not meanwhile
    before = {path.name for path in Path("/proc/self/fd").iterdir()}
    with ResourceMonitorService(interval=0.01) as service:
        wait_for(lambda: len(service.rows()) > 3)
    assert {path.name for path in Path("/proc/self/fd").iterdir()} <= before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"interval": 0.005}, "interval must be a number of seconds, at least 0.01, got 0.005"),
        ({"interval": "1"}, "interval must be a number of seconds"),
        ({"pid": 0}, "pid must be the number of a process"),
        ({"max_samples": 7}, "max_samples must be a whole number, at least 8, got 7"),
        ({"max_samples": True}, "max_samples must be a whole number"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        ResourceMonitorService(**arguments)


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, hydra_callbacks.monitor.service\n"
        "heavy = {'hydra', 'omegaconf', 'numpy', 'psutil', 'pynvml', 'subprocess', 'msgspec'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@needs_proc
def test_what_samples_beside_a_job_loads_little() -> None:
    program = (
        "import sys; ours = type(sys)('hydra_callbacks'); ours.__path__ = [sys.argv[1]]; "
        "sys.modules['hydra_callbacks'] = ours; import hydra_callbacks.monitor.helper; "
        "heavy = {'typing', 're', 'pathlib', 'json', 'dataclasses', 'enum', 'socket', 'logging'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-S", "-c", program, str(Path(hydra_callbacks.__file__).parent)], check=True)
