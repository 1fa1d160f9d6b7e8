"""Samples come at a steady rate from start to stop, and leave nothing behind."""

from __future__ import annotations

import array
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hydra_callbacks.errors import SettingError
from hydra_callbacks.monitor import ResourceMonitorService
from hydra_callbacks.monitor.host import TreeUse

if TYPE_CHECKING:
    from pathlib import Path

HOUR_S = 3600.0


class FakeTime:
    """A clock that moves only when someone waits, and then by a little more than asked.

    Args:
        lateness_s: By how much, at each wait; after the last of them, waiting is for real.
    """

    def __init__(self, *lateness_s: float) -> None:
        self.now_s = 100.0
        self.lateness_s = list(lateness_s)
        self.woken_s: list[float] = []
        self.is_over = threading.Event()

    def now(self) -> float:
        return self.now_s

    def wait(self, ended: threading.Event, timeout_s: float) -> bool:
        if not self.lateness_s:
            self.is_over.set()
            return ended.wait()
        self.now_s += timeout_s + self.lateness_s.pop(0)
        self.woken_s.append(round(self.now_s - 100.0, 6))
        return False


class FakeMeter:
    """Has told `readings`, then raises; stands for the process tree."""

    def __init__(self, *readings: TreeUse, error: Exception | None = None) -> None:
        self.readings = list(readings)
        self.error = error or AssertionError("no more readings")

    def __call__(self, _pid: int) -> FakeMeter:
        return self

    def read(self) -> TreeUse:
        if not self.readings:
            raise self.error
        return self.readings.pop(0)


def use_meter(monkeypatch: pytest.MonkeyPatch, meter: FakeMeter) -> None:
    monkeypatch.setattr("hydra_callbacks.monitor.service.TreeMeter", meter)


def test_samples_keep_to_the_beat_and_leave_out_what_they_missed() -> None:
    time = FakeTime(0.1, 0.2, 0.0, 2.5, 0.1)
    service = ResourceMonitorService(interval=1.0, now=time.now, wait=time.wait)
    service.start()
    time.is_over.wait()
    service.stop()
    assert time.woken_s == [1.1, 2.2, 3.0, 6.5, 7.1]
    assert len(service.rows()) == 1 + 5 + 1


def test_percent_is_of_the_time_since_the_sample_before(monkeypatch: pytest.MonkeyPatch) -> None:
    gib = 2**30
    readings = [TreeUse(0.0, gib, 4 * gib), TreeUse(0.5, 3 * gib, 4 * gib), TreeUse(4.0, gib, 4 * gib)]
    use_meter(monkeypatch, FakeMeter(*readings, TreeUse(0.0, gib, 4 * gib)))
    time = FakeTime(0.0, 1.0)
    with ResourceMonitorService(interval=1.0, now=time.now, wait=time.wait) as service:
        time.is_over.wait()
    values = service.get_values()
    assert values["cpus"].tolist() == [0.0, 50.0, 200.0, 0.0]
    assert values["rss_GiB"].tolist() == [1.0, 3.0, 1.0, 1.0]
    assert values["vms_GiB"].tolist() == [4.0] * 4
    assert service.summary() == {
        "cpu_s": 4.5,
        "peak_rss_bytes": 3 * gib,
        "mean_cpu_percent": 150.0,
        "n_samples": 4,
        "interval_s": 1.0,
    }


@pytest.mark.timeout(60)
def test_stop_does_not_wait_for_the_next_sample() -> None:
    service = ResourceMonitorService(interval=HOUR_S)
    service.start()
    service.stop()
    assert len(service.rows()) == 2


def test_an_interval_longer_than_a_thread_can_wait_is_accepted() -> None:
    with ResourceMonitorService(interval=1e12) as service:
        pass
    assert len(service.rows()) == 2


def test_start_and_stop_may_be_repeated() -> None:
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
    assert [thread.name for thread in threading.enumerate()].count("resource-monitor") == 0


def test_values_are_arrays_also_while_sampling() -> None:
    service = ResourceMonitorService(interval=HOUR_S)
    assert service.get_values()["time"].shape == (0,)
    with service:
        values = service.get_values()
    assert list(values) == ["time", "cpus", "rss_GiB", "vms_GiB"]
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


def test_a_child_is_part_of_the_sample() -> None:
    code = "x = bytearray(b'1') * (64 << 20); print(flush=True); input()"
    with ResourceMonitorService(interval=HOUR_S) as service:
        child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
    child.communicate(b"\n")
    first, last = service.get_values()["rss_GiB"]
    assert last - first > 64 / 1024


def test_another_process_is_sampled_until_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with ResourceMonitorService(child.pid, 0.01) as service:
        child.communicate(b"\n")
        assert service._thread is not None
        service._thread.join()
    assert service.rows()
    assert not caplog.messages


def test_a_process_that_is_not_there_is_an_error() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with pytest.raises(ProcessLookupError, match=str(child.pid)):
        ResourceMonitorService(child.pid).start()


def test_a_failing_sample_is_logged_once_and_ends_the_sampling(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use_meter(monkeypatch, FakeMeter(TreeUse(0.0, 1, 1), error=OSError("too many open files")))
    with ResourceMonitorService(interval=0.01) as service:
        assert service._thread is not None
        service._thread.join()
    assert len(service.rows()) == 1
    (record,) = caplog.records
    assert record.name == "hydra.callbacks"
    assert "too many open files" in caplog.text


def test_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with ResourceMonitorService(None, 1, "trace"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"interval": 0.005}, "interval must be a number of seconds, at least 0.01, got 0.005"),
        ({"interval": "1"}, "interval must be a number of seconds"),
        ({"pid": 0}, "pid must be the number of a process"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        ResourceMonitorService(**arguments)


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, hydra_callbacks.monitor.service\n"
        "heavy = {'hydra', 'omegaconf', 'numpy', 'psutil', 'pynvml', 'subprocess'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
