"""What NVML tells of GPUs: the binding is the real one; the driver is a stub of ours, or real where there is one."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from hydra_callbacks.monitor.gpus.gpu import GpuMeter

HERE = Path(__file__).parent
PUBLISHED = ["gpu0_mem_GiB", "gpu0_usage", "gpu1_mem_GiB", "gpu1_usage"]
NEW = ["job_mem_GiB", "job_usage", "power_W", "energy_J", "temperature_C", "sm_clock_MHz", "mem_clock_MHz"]
OURS = ("CUDA_", "NVIDIA_", "NVML_STUB_", "LD_LIBRARY_PATH")
GIB = 2**30

Probe = Callable[..., dict[str, Any]]


def probe(library: Path | None, environment: dict[str, str], **spec: Any) -> dict[str, Any]:
    """Read GPUs in a process of their own, for a library is loaded once for all."""
    kept = {name: value for name, value in os.environ.items() if library is None or not name.startswith(OURS)}
    where = {} if library is None else {"LD_LIBRARY_PATH": str(library)}
    stub = {name if name.startswith("CUDA_") else f"NVML_STUB_{name}": value for name, value in environment.items()}
    done = subprocess.run(
        [sys.executable, str(HERE / "gpu_probe.py"), json.dumps(spec)],
        env=kept | where | stub,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def stub(stub_nvml: Path) -> Probe:
    """Return what reads the stub's GPUs."""

    def read(environment: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
        return probe(stub_nvml, environment or {}, **spec)

    return read


@pytest.fixture(scope="session")
def real() -> Probe:
    """Return what reads the GPUs of this machine."""
    found = probe(None, {})
    if not found["columns"]:
        pytest.skip(f"no GPU here: {found['absent']['gpus']}")
    return lambda **spec: probe(None, {}, **spec)


@pytest.fixture(params=["stub", pytest.param("real", marks=pytest.mark.gpu)])
def some_gpu(request: pytest.FixtureRequest) -> Probe:
    """Return what reads one GPU at least, a stub's and a real one in turn."""
    read: Probe = request.getfixturevalue(request.param)
    return read


def test_columns_are_the_older_ones_and_then_new_ones(some_gpu: Probe) -> None:
    found = some_gpu()
    published = [column for column in found["columns"] if re.fullmatch(r"gpu\d+(_mig\d+)?_(mem_GiB|usage)", column)]
    assert found["columns"][: len(published)] == found["published"] == published
    labels = [column.removesuffix("_mem_GiB") for column in published[::2]]
    assert found["columns"][len(published) :] == [f"{label}_{name}" for label in labels for name in NEW]


def test_what_is_told_is_a_likely_figure_and_what_is_not_has_a_reason(some_gpu: Probe) -> None:
    found = some_gpu()
    for column, value in found["readings"][-1].items():
        label = column.split("_")[0]
        if math.isnan(value):
            assert found["absent"].keys() & {column, label}
        elif column.endswith("usage"):
            assert 0 <= value <= 100
        else:
            assert 0 <= value < 100_000


def test_the_summary_says_what_each_device_is(some_gpu: Probe) -> None:
    found = some_gpu()
    for gpu in found["summary"]["gpus"]:
        assert re.fullmatch(r"(GPU|MIG)-[0-9a-f-]{36}", gpu["uuid"])
        assert gpu["name"]
        assert 0 < gpu["peak_memory_bytes"] <= gpu["memory_bytes"]
        assert all(gpu[name] >= 0 for name in gpu.keys() - {"uuid", "name"})


def test_a_device_chosen_by_its_number_is_read_alone(some_gpu: Probe) -> None:
    assert {column.split("_")[0] for column in some_gpu(devices=[0])["columns"]} == {"gpu0"}


def test_a_device_that_is_not_there_is_named(some_gpu: Probe) -> None:
    found = some_gpu(devices=[77])
    assert (found["columns"], found["summary"]) == ([], {})
    assert re.fullmatch(
        r"gpu_devices must be numbers from 0 to \d+, as NVML finds \d+ GPU\(s\); got 77", found["absent"]["gpus"]
    )


@pytest.mark.gpu
def test_memory_and_work_of_a_job_on_a_real_gpu_are_its_own(real: Probe) -> None:
    command = [sys.executable, str(HERE / "cuda_job.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as job:
        try:
            if not (job.stdout and job.stdout.readline()):
                pytest.skip("CUDA does not work here")
            time.sleep(2.0)  # the driver takes about as long to tell of it
            found, of_another = real(pids=[job.pid]), real(pids=[os.getpid()])
        finally:
            job.kill()
    told = {column: value for column, value in found["readings"][-1].items() if not math.isnan(value)}
    used_gib = [value for column, value in told.items() if column.endswith("_job_mem_GiB")]
    busy_percent = [value for column, value in told.items() if column.endswith("_job_usage")]
    assert 0.5 <= sum(used_gib) < 2.0 or not used_gib  # in a container it may not be told; the reason is tested above
    assert max(busy_percent, default=100) > 10
    assert not any(value > 0 for column, value in of_another["readings"][-1].items() if "_job_" in column)


def test_figures_of_all_devices_in_the_units_of_their_names(stub: Probe) -> None:
    readings = stub()["readings"]
    assert [readings[0][column] for column in PUBLISHED] == [1.0, 10.0, 2.0, 20.0]
    assert [readings[0][f"gpu1_{name}"] for name in NEW] == [0.0, 0.0, 200.5, 0.0, 41.0, 1410.0, 1215.0]
    assert [reading["gpu0_energy_J"] for reading in readings] == [0.0, 5.0, 10.0]


def test_the_summary_of_a_job(stub: Probe) -> None:
    found = stub({"PROCESSES": "C:123:512:30 C:99:2048:60", "NAMES": "Alpha/Beta"}, pids=[123])
    assert found["absent"] == {}
    assert found["summary"]["gpus"][0] == {
        "index": 0,
        "uuid": "GPU-10000000-aaaa-bbbb-cccc-dddddddddddd",
        "name": "Alpha",
        "memory_bytes": 8 * GIB,
        "peak_memory_bytes": GIB,
        "peak_job_memory_bytes": GIB // 2,
        "mean_usage_percent": 10.0,
        "max_usage_percent": 10.0,
        "mean_job_usage_percent": 30.0,
        "energy_j": 10.0,
        "max_power_w": 100.5,
        "max_temperature_c": 40.0,
    }
    assert found["summary"]["gpus"][1]["name"] == "Beta"
    assert found["summary"]["gpus"][1]["peak_job_memory_bytes"] == 0


def test_processes_that_compute_and_those_that_draw_count_once_each(stub: Probe) -> None:
    found = stub({"PROCESSES": "C:1:256:10 G:2:128:5 B:3:512:0 C:9:1024:80", "RUBBISH": "1"}, pids=[1, 2, 3, 4])
    assert found["readings"][0]["gpu0_job_mem_GiB"] == (256 + 128 + 512) / 1024
    assert found["readings"][0]["gpu0_job_usage"] == 15.0


def test_processes_that_keep_a_device_busy_together_do_so_by_no_more_than_it_has(stub: Probe) -> None:
    found = stub({"PROCESSES": "C:1:256:70 C:2:256:70"}, pids=[1, 2])
    assert found["readings"][0]["gpu0_job_usage"] == 100.0


def test_a_driver_that_lists_only_what_computes_is_enough(stub: Probe, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    settings = {"PROCESSES": "C:1:256:10", "ERRORS": "GetGraphicsRunningProcesses=3", "CALLS": str(calls)}
    found = stub(settings, pids=[1], devices=[0])
    assert [reading["gpu0_job_mem_GiB"] for reading in found["readings"]] == [0.25] * 3
    assert found["absent"] == {}
    assert calls.read_text().split().count("GetGraphicsRunningProcesses") == 1


def test_memory_of_a_process_that_the_driver_does_not_tell_is_no_zero(stub: Probe) -> None:
    for amount in ("-", "0"):
        found = stub({"PROCESSES": f"C:1:{amount}:0 C:2:256:0"}, pids=[1, 2])
        assert math.isnan(found["readings"][-1]["gpu0_job_mem_GiB"])
        assert found["early"] == {}
        assert "names this job's processes, and not their memory" in found["absent"]["gpu0_job_mem_GiB"]
        assert "peak_job_memory_bytes" not in found["summary"]["gpus"][0]


def test_an_old_binding_tells_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    old = ModuleType("pynvml")
    old.__dict__.update(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(total=4 * GIB, used=3 * GIB),
        nvmlDeviceGetUtilizationRates=lambda _: SimpleNamespace(gpu=75),
    )
    monkeypatch.setitem(sys.modules, "pynvml", old)
    meter = GpuMeter(None, {})
    assert meter.read(())[:2] == [3.0, 75.0]
    assert meter.absent.keys() == {f"gpu0_{name}" for name in NEW}
    assert meter.absent["gpu0_job_mem_GiB"].endswith("pip install -U nvidia-ml-py")


# Containers


@pytest.fixture
def container(tmp_path: Path) -> str:
    """A /proc of a container in which the processes 1, 7 and 8 run."""
    for pid in (1, 7, 8):
        (tmp_path / str(pid)).mkdir()
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to("pid:[4026532000]")
    return str(tmp_path)


@pytest.mark.parametrize("listed", ["", "C:4711:512:30", "C:7:512:30 C:4711:512:30"])
def test_numbers_of_the_host_are_not_taken_for_those_of_a_container(stub: Probe, container: str, listed: str) -> None:
    found = stub({"PROCESSES": listed}, pids=[7], proc=container, devices=[0])
    reading = found["readings"][-1]
    assert math.isnan(reading["gpu0_job_mem_GiB"])
    assert math.isnan(reading["gpu0_job_usage"])
    assert found["early"] == {}  # until the end it may turn out otherwise
    assert found["absent"].keys() == {"gpu0_job_mem_GiB", "gpu0_job_usage"}
    assert "--pid=host" in found["absent"]["gpu0_job_usage"]


def test_a_driver_that_knows_the_container_is_believed(stub: Probe, container: str) -> None:
    found = stub({"PROCESSES": "C:7:512:30 C:8:256:60"}, pids=[7], proc=container, devices=[0])
    assert found["readings"][-1]["gpu0_job_mem_GiB"] == 0.5
    assert found["readings"][-1]["gpu0_job_usage"] == 30.0
    assert found["absent"] == {}


# Which devices


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("0,1", ["gpu0", "gpu1"]),
        ("1", ["gpu1"]),
        ("1,0", ["gpu1", "gpu0"]),
        ("1,-1,0", ["gpu1"]),
        ("1,7,0", ["gpu1"]),
        ("GPU-20000000-aaaa-bbbb-cccc-dddddddddddd", ["gpu1"]),
        ("GPU-2", ["gpu1"]),
        (" GPU-2 , GPU-1", ["gpu1", "gpu0"]),
        ("MIG-30", ["gpu0_mig2"]),
        ("MIG-1,MIG-3", ["gpu0_mig0", "gpu0_mig2"]),
        ("MIG-GPU-10000000-aaaa-bbbb-cccc-dddddddddddd/3/0", ["gpu0_mig2"]),
    ],
)
def test_devices_are_those_that_cuda_lets_the_job_use(stub: Probe, value: str, labels: list[str]) -> None:
    found = stub({"CUDA_VISIBLE_DEVICES": value, "MIG": "1"})
    assert [column.removesuffix("_mem_GiB") for column in found["published"][::2]] == labels


@pytest.mark.parametrize("value", ["", "-1", "NoDevFiles", "GPU-", "GPU-7", "0,0", "MIG-7", "2"])
def test_a_job_that_may_use_no_gpu_has_no_columns(stub: Probe, value: str) -> None:
    found = stub({"CUDA_VISIBLE_DEVICES": value})
    assert found["columns"] == []
    assert found["absent"] == {"gpus": f"CUDA_VISIBLE_DEVICES={value!r} lets this job use none of the 2 GPU(s)"}


def test_numbers_that_are_set_win_over_the_environment(stub: Probe) -> None:
    assert stub({"CUDA_VISIBLE_DEVICES": "0"}, devices=[1, 1])["published"] == ["gpu1_mem_GiB", "gpu1_usage"]


@pytest.mark.parametrize(
    ("settings", "is_certain"),
    [
        ({"NAMES": "Old/New", "CUDA_VISIBLE_DEVICES": "1"}, False),
        ({"NAMES": "Old/New", "CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, True),
        ({"NAMES": "Old/New", "CUDA_VISIBLE_DEVICES": "GPU-2"}, True),
        ({"NAMES": "Old/New", "CUDA_VISIBLE_DEVICES": "1,0"}, True),
        ({"NAMES": "Old/New"}, True),
        ({"CUDA_VISIBLE_DEVICES": "1"}, True),
    ],
)
def test_gpus_of_several_kinds_may_be_counted_otherwise(
    stub: Probe, settings: dict[str, str], is_certain: bool
) -> None:
    absent = stub(settings)["absent"]
    assert is_certain == ("gpu numbers" not in absent)
    assert is_certain or "set CUDA_DEVICE_ORDER=PCI_BUS_ID" in absent["gpu numbers"]


def test_a_part_of_a_device_tells_its_own_memory_and_no_more(stub: Probe) -> None:
    found = stub({"CUDA_VISIBLE_DEVICES": "MIG-1", "MIG": "1", "PROCESSES": "C:1:128:0"}, pids=[1])
    assert found["readings"][-1]["gpu0_mig0_mem_GiB"] == 0.25
    assert found["readings"][-1]["gpu0_mig0_job_mem_GiB"] == 0.125
    assert found["absent"].keys() == {f"gpu0_mig0_{name}" for name in ("usage", *NEW) if name != "job_mem_GiB"}
    (gpu,) = found["summary"]["gpus"]
    assert {name: gpu[name] for name in ("index", "mig", "uuid")} == {
        "index": 0,
        "mig": 0,
        "uuid": "MIG-10000000-aaaa-bbbb-cccc-dddddddddddd",
    }


# What does not answer


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"ERRORS": "Init=18"}, "older than its library, as after an update: restart the machine"),
        ({"ERRORS": "Init=9"}, "the NVIDIA driver is not loaded: `nvidia-smi` says more"),
        ({"ERRORS": "Init=4"}, "look at the rights of /dev/nvidiactl"),
        ({"ERRORS": "Init=999"}, "Unknown Error"),
        ({"ERRORS": "GetCount=999"}, "Unknown Error"),
        ({"ERRORS": "GetHandleByIndex=4"}, "Insufficient Permissions"),
        ({"COUNT": "0"}, "NVML finds no GPU"),
    ],
)
def test_one_line_says_why_there_are_no_columns(stub: Probe, settings: dict[str, str], told: str) -> None:
    found = stub(settings)
    assert (found["columns"], found["readings"], found["summary"]) == ([], [{}] * 3, {})
    assert list(found["absent"]) == ["gpus"]
    assert found["absent"]["gpus"].endswith(told)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where the library is sought depends on the system")
def test_without_a_driver_the_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_bytes(b"")  # so that none of the system's is taken
    absent = probe(tmp_path, {})["absent"]
    assert absent == {
        "gpus": "NVIDIA's driver library was not found: install the driver, or start the container with GPUs"
    }


def test_a_device_that_cannot_be_opened_leaves_the_others(stub: Probe) -> None:
    found = stub({"ERRORS": "GetHandleByIndex@0=15"})
    assert found["published"] == ["gpu1_mem_GiB", "gpu1_usage"]
    assert found["absent"] == {"gpu0": "NVML does not open it: GPU is lost"}


def test_what_is_not_supported_is_asked_for_once(stub: Probe, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    found = stub({"ERRORS": "GetPowerUsage=3 GetUtilizationRates@1=3", "CALLS": str(calls)})
    assert found["absent"] == dict.fromkeys(
        ("gpu0_power_W", "gpu1_power_W", "gpu1_usage"), "the driver does not tell it: Not Supported"
    )
    assert all(math.isnan(reading[column]) for reading in found["readings"] for column in found["absent"])
    assert found["readings"][-1]["gpu0_usage"] == 10.0
    counts = calls.read_text().split()
    assert counts.count("GetPowerUsage") == 2
    assert counts.count("GetUtilizationRates") == 3 + 1
    assert counts[-1] == "Shutdown"
    assert counts.count("Shutdown") == 1
    assert "max_power_w" not in found["summary"]["gpus"][0]
    assert "mean_usage_percent" not in found["summary"]["gpus"][1]


def test_what_fails_at_times_is_asked_for_again(stub: Probe, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    found = stub({"ERRORS": "GetTemperature=10", "CALLS": str(calls)}, devices=[0])
    assert found["absent"] == {"gpu0_temperature_C": "at times the driver does not tell it: Timeout"}
    assert calls.read_text().split().count("GetTemperature") == 3


def test_a_device_that_is_lost_tells_nothing_from_then_on(stub: Probe, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    found = stub({"LOST_AFTER": "2", "CALLS": str(calls)})  # the first answer is for the size
    first, second, _ = found["readings"]
    assert first["gpu1_mem_GiB"] == 2.0
    assert all(math.isnan(second[column]) for column in second if column.startswith("gpu1"))
    assert second["gpu0_mem_GiB"] == 1.0
    assert found["absent"] == {"gpu1": "lost while it was watched, nothing is told from then on: GPU is lost"}
    assert calls.read_text().split().count("GetMemoryInfo") == 2 + 3 + 2
    assert found["summary"]["gpus"][1]["peak_memory_bytes"] == 2 * GIB


def test_what_the_driver_renews_seldom_is_asked_for_seldom(stub: Probe, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    found = stub({"CALLS": str(calls)}, devices=[0], at_s=[0.0, 0.01, 0.02, 0.1])
    assert [reading["gpu0_power_W"] for reading in found["readings"]] == [100.5] * 4
    counts = calls.read_text().split()
    assert counts.count("GetMemoryInfo") == 1 + 4
    assert counts.count("GetTotalEnergyConsumption") == 4
    assert counts.count("GetPowerUsage") == counts.count("GetUtilizationRates") == 2
