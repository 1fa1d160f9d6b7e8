"""AMD's GPUs, by a stand-in for the Python library of AMD SMI: there is no such GPU to test with."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import pytest
from fake_amdsmi import FakeAmdSmi

from hydra_callbacks.monitor.gpus.gpu import GpuMeter
from hydra_callbacks.monitor.meter import Span, absence_lines

if TYPE_CHECKING:
    from collections.abc import Callable

NO_NVML = "GPU sampling needs nvidia-ml-py: pip install 'hydra-callbacks[gpu]'"


@pytest.fixture
def amd(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeAmdSmi]:
    """Put AMD SMI in place, and nothing of NVIDIA's."""
    monkeypatch.setitem(sys.modules, "pynvml", None)

    def put(**settings: object) -> FakeAmdSmi:
        fake = FakeAmdSmi(**settings)  # type: ignore[arg-type]  # a stand-in of ours
        monkeypatch.setitem(sys.modules, "amdsmi", fake)
        return fake

    return put


def test_figures_of_a_job(amd: Callable[..., FakeAmdSmi]) -> None:
    driver = amd()
    meter = GpuMeter(None, {}, now=iter((0.0, 1.0)).__next__)
    meter.read({1, 4})
    figures = dict(zip(meter.columns, meter.read({1, 4}), strict=True))
    assert figures["gpu1_mem_GiB"] == 2.0
    assert {name.removeprefix("gpu0_"): value for name, value in figures.items() if name.startswith("gpu0_")} == {
        "mem_GiB": 1.0,
        "usage": 30.0,
        "job_mem_GiB": 5.0,
        "job_usage": pytest.approx(math.nan, nan_ok=True),
        "power_W": 55.0,
        "energy_J": 30.0,  # the other device was read between
        "temperature_C": 61.0,
        "sm_clock_MHz": 1700.0,
        "mem_clock_MHz": 900.0,
    }
    assert absence_lines(meter.absent) == [
        "gpu0_job_usage, gpu1_job_usage: the driver does not tell it: AMD SMI tells it for whole devices only"
    ]
    (gpu, _) = meter.summary({column: Span() for column in meter.columns})["gpus"]
    assert gpu == {"index": 0, "uuid": f"GPU-{'ab' * 7}00", "name": "Stand-in", "memory_bytes": 64 * 2**30}
    meter.close()
    assert driver.n_open == 0


@pytest.mark.parametrize(
    ("environment", "labels"),
    [
        ({}, ["gpu0", "gpu1", "gpu2"]),
        ({"ROCR_VISIBLE_DEVICES": "1,2"}, ["gpu1", "gpu2"]),
        ({"ROCR_VISIBLE_DEVICES": f"GPU-{'ab' * 7}02"}, ["gpu2"]),
        ({"HIP_VISIBLE_DEVICES": "2"}, ["gpu2"]),
        ({"CUDA_VISIBLE_DEVICES": "2"}, ["gpu2"]),
        ({"CUDA_VISIBLE_DEVICES": "2", "HIP_VISIBLE_DEVICES": "0"}, ["gpu0"]),
        ({"ROCR_VISIBLE_DEVICES": "1,2", "HIP_VISIBLE_DEVICES": "1"}, ["gpu2"]),
    ],
)
def test_devices_are_those_that_rocm_lets_the_job_use(
    amd: Callable[..., FakeAmdSmi], environment: dict[str, str], labels: list[str]
) -> None:
    amd(n_gpus=3)
    published = GpuMeter(None, environment).published
    assert [column.removesuffix("_mem_GiB") for column in published[::2]] == labels


def test_a_job_that_may_use_no_gpu_has_no_columns(amd: Callable[..., FakeAmdSmi]) -> None:
    driver = amd()
    meter = GpuMeter(None, {"ROCR_VISIBLE_DEVICES": ""})
    assert meter.columns == []
    assert meter.absent == {"gpus": f"{NO_NVML}; ROCR_VISIBLE_DEVICES='' lets this job use none of the 2 GPU(s)"}
    assert driver.n_open == 0


def test_numbers_that_are_set_win_over_the_environment(amd: Callable[..., FakeAmdSmi]) -> None:
    amd()
    assert GpuMeter([1], {"ROCR_VISIBLE_DEVICES": "0"}).published == ["gpu1_mem_GiB", "gpu1_usage"]


def test_what_amd_smi_does_not_tell_is_asked_for_once(amd: Callable[..., FakeAmdSmi]) -> None:
    driver = amd(
        errors={"get_gpu_activity": 2},
        power={"current_socket_power": "N/A", "average_socket_power": "N/A"},
        n_gpus=1,
    )
    meter = GpuMeter(None, {}, now=iter((0.0, 1.0)).__next__)
    meter.read(())
    figures = dict(zip(meter.columns, meter.read(()), strict=True))
    assert math.isnan(figures["gpu0_usage"])
    assert math.isnan(figures["gpu0_power_W"])
    assert driver.asked.count("get_gpu_activity") == 1
    assert meter.absent["gpu0_power_W"] == "the driver does not tell it: N/A"
    assert meter.absent["gpu0_usage"] == "the driver does not tell it: Error code: 2 | AMDSMI_STATUS_SOMETHING"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"errors": {"init": 8}}, "Error code: 8 | AMDSMI_STATUS_SOMETHING"),
        ({"n_gpus": 0}, "AMD SMI finds no GPU"),
    ],
)
def test_where_neither_maker_answers_both_reasons_are_told(
    amd: Callable[..., FakeAmdSmi], settings: dict[str, object], reason: str
) -> None:
    amd(**settings)
    assert GpuMeter(None, {}).absent == {"gpus": f"{NO_NVML}; {reason}"}


def test_a_machine_without_amd_smi_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setitem(sys.modules, "amdsmi", None)
    assert GpuMeter(None, {}).absent == {"gpus": NO_NVML}
