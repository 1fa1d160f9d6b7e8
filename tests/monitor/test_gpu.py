"""GPU columns where NVML answers; where it does not, one warning that says what to do, and no error."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import pytest
from fake_nvml import FakeNvml

from hydra_callbacks.monitor import ResourceMonitorService
from hydra_callbacks.monitor.gpu import open_gpus, warn_once

if TYPE_CHECKING:
    from collections.abc import Callable

HOST_COLUMNS = ["time", "cpus", "rss_GiB", "vms_GiB"]


@pytest.fixture(autouse=True)
def _forget_warnings() -> None:
    warn_once.cache_clear()


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeNvml | None], FakeNvml | None]:
    """Put a driver in place; None for none."""

    def put(fake: FakeNvml | None) -> FakeNvml | None:
        if fake is None:
            monkeypatch.setattr(sys, "path", [])
            monkeypatch.delitem(sys.modules, "pynvml", raising=False)
        else:
            monkeypatch.setitem(sys.modules, "pynvml", fake)
        return fake

    return put


def sample() -> ResourceMonitorService:
    with ResourceMonitorService(gpu_monit=True) as service:
        pass
    return service


def test_all_gpus_are_sampled_and_stand_after_the_memory(nvml: Callable) -> None:
    driver = nvml(FakeNvml())
    service = sample()
    values = service.get_values()
    assert list(values) == [*HOST_COLUMNS, "gpu0_mem_GiB", "gpu0_usage", "gpu1_mem_GiB", "gpu1_usage"]
    assert values["gpu1_mem_GiB"].tolist() == [2.0, 2.0]
    assert values["gpu1_usage"].tolist() == [20.0, 20.0]
    assert driver.n_open == 0


def test_only_the_chosen_gpus_are_sampled(nvml: Callable) -> None:
    nvml(FakeNvml())
    with ResourceMonitorService(gpu_monit=True, gpu_devices=[1]) as service:
        assert list(service.get_values()) == [*HOST_COLUMNS, "gpu1_mem_GiB", "gpu1_usage"]


def test_nothing_is_asked_of_nvml_unless_told_to(nvml: Callable) -> None:
    nvml(FakeNvml(init_error="must not be asked"))
    with ResourceMonitorService() as service:
        assert list(service.get_values()) == HOST_COLUMNS


@pytest.mark.parametrize(
    ("driver", "devices", "told"),
    [
        (None, None, "GPU sampling needs nvidia-ml-py: pip install 'hydra-callbacks[gpu]'"),
        (FakeNvml(init_error="Driver Not Loaded"), None, "Driver Not Loaded"),
        (FakeNvml(n_gpus=0), None, "NVML finds no GPU"),
        (FakeNvml(), [0, 2], "gpu_devices must be numbers from 0 to 1, as NVML finds 2 GPU(s); got 2"),
    ],
)
def test_one_warning_says_why_there_are_no_gpu_columns(
    driver: FakeNvml | None,
    devices: list[int] | None,
    told: str,
    nvml: Callable,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nvml(driver)
    for _ in range(2):
        with ResourceMonitorService(gpu_monit=True, gpu_devices=devices) as service:
            pass
    assert list(service.get_values()) == HOST_COLUMNS
    assert len(service.rows()) == 2
    assert caplog.messages == [f"no GPU columns: {told}"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert driver is None or driver.n_open == 0


def test_what_a_gpu_does_not_tell_is_left_empty(nvml: Callable, caplog: pytest.LogCaptureFixture) -> None:
    nvml(FakeNvml(n_gpus=1, usage_error="Not Supported"))
    service = sample()
    assert all(math.isnan(value) for value in service.get_values()["gpu0_usage"])
    assert [(row["gpu0_mem_GiB"], row["gpu0_usage"]) for row in service.rows()] == [(1.0, None)] * 2
    assert caplog.messages == ["NVML does not tell the usage of GPU 0, its cells stay empty: Not Supported"]


def test_a_reader_opened_by_hand_names_its_columns(nvml: Callable) -> None:
    nvml(FakeNvml(n_gpus=1))
    gpus = open_gpus(None)
    assert gpus is not None
    assert dict(zip(gpus.columns, gpus.read(), strict=True)) == {"gpu0_mem_GiB": 1.0, "gpu0_usage": 10.0}
    gpus.close()
