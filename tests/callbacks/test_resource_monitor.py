"""Each job's samples are in one file with the published columns, and their sums in its record."""

from __future__ import annotations

import csv
import json
import logging
import pickle
import re
from typing import TYPE_CHECKING, Any

import pytest
from conftest import wait_for
from jobs import make_job
from omegaconf import OmegaConf
from patient import FOR_GPUS

from hydra_callbacks import Job, Launch, Outcome, ResourceMonitor
from hydra_callbacks.errors import SettingError
from hydra_callbacks.monitor.processes.figures import HAS_PROC

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

PUBLISHED = ["", "time", "cpus", "rss_GiB", "vms_GiB", "job_name", "job_id"]
PUBLISHED_GPU = ["", "time", "cpus", "rss_GiB", "vms_GiB", "gpu0_mem_GiB", "gpu0_usage", "job_name", "job_id"]
NEW = {"cpu_s", "processes", "threads", "open_files", "read_GiB", "written_GiB", "net_received_GiB", "net_sent_GiB"}
MONITOR = {"_target_": "hydra_callbacks.ResourceMonitor", "sample_interval": 0.05}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
DONE = Outcome(status="completed")

# Works for a few samples, and says what was imported meanwhile.
APP = """
import sys, time
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig

main_args = {} if hydra.__version__ >= "1.4" else {"version_base": None}

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    ended = time.process_time() + 0.15
    while time.process_time() < ended:
        pass
    if cfg.x == cfg.fail_at:
        raise ValueError("no")
    heavy = ("hydra_callbacks.monitor", "pynvml", "psutil", "numpy")
    loaded = sorted(name for name in sys.modules if name.startswith(heavy))
    Path(HydraConfig.get().runtime.output_dir, "loaded.txt").write_text(" ".join(loaded))

if __name__ == "__main__":
    main()
"""

needs_proc = pytest.mark.skipif(not HAS_PROC, reason="a thread samples here, and sees no death")


def read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return the columns and the rows."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[0].split(","), list(csv.DictReader(lines))


def make_launch(directory: Path) -> Launch:
    return Launch(
        app="train",
        config_name="config",
        cwd=directory,
        output_dir=directory,
        output_subdir=".hydra",
        is_sweep=True,
        started_at=0.0,
        hydra_config=None,
    )


def run(monitor: ResourceMonitor, job: Job) -> None:
    monitor.job_started(job)
    monitor.job_ended(job, DONE)


def check_block(rows: list[dict[str, str]], job_id: int) -> None:
    """Check what every job's rows have in common."""
    assert len(rows) >= 2
    assert [row[""] for row in rows] == [str(index) for index in range(len(rows))]
    assert {(row["job_name"], row["job_id"]) for row in rows} == {("app", str(job_id))}
    times = [float(row["time"]) for row in rows]
    assert times == sorted(times)
    assert times[0] > 1_700_000_000
    assert float(rows[0]["cpus"]) == 0.0
    assert all(float(row["cpus"]) >= 0.0 for row in rows)
    assert all(0.0 < float(row["rss_GiB"]) < float(row["vms_GiB"]) for row in rows)


def test_a_single_run_has_the_published_columns(app: App) -> None:
    app.write("app.py", APP)
    app.callbacks(RECORD, MONITOR)
    ran = app.run()
    assert ran.code == 0, ran.text
    path = app.one("outputs/*/*/resource_monitoring.csv")
    header, rows = read(path)
    assert header[: len(PUBLISHED)] == PUBLISHED
    assert set(header[len(PUBLISHED) :]) >= (NEW if HAS_PROC else {"cpu_s", "processes", "threads"})
    check_block(rows, 0)
    assert ran.out.count(f"[hydra.callbacks][INFO] - Writing monitoring data to {path}") == 1
    resources = app.record()["resources"]
    assert resources["n_samples"] == len(rows)
    assert resources["interval_s"] == 0.05
    assert resources["cpu_s"] > 0.1
    assert resources["cpu_s"] == pytest.approx(resources["user_s"] + resources["system_s"])
    assert resources["peak_rss_bytes"] >= resources["sampled_peak_rss_bytes"]
    sampled = max(float(row["rss_GiB"]) for row in rows) * 2**30
    assert resources["sampled_peak_rss_bytes"] == pytest.approx(sampled, rel=1e-3)
    assert resources["max_threads"] >= 1
    loaded = app.one("outputs/*/*/loaded.txt").read_text().split()
    assert not {name.split(".")[0] for name in loaded} & {"psutil", "pynvml", "numpy"}
    assert {"hydra_callbacks.monitor.gpus.gpu", "hydra_callbacks.monitor.around.surroundings"}.isdisjoint(loaded)


@pytest.mark.parametrize(
    "launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]], ids=["basic", "joblib"]
)
def test_a_sweep_has_one_file_for_all_jobs(app: App, launcher: list[str]) -> None:
    if launcher:
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    app.write("app.py", APP)
    app.callbacks(RECORD, MONITOR)
    ran = app.run("-m", "x=1,2,3", *launcher)
    assert ran.code == 0, ran.text
    path = app.one("multirun/*/*/resource_monitoring.csv")
    header, rows = read(path)
    assert header[: len(PUBLISHED)] == PUBLISHED
    blocks: list[list[dict[str, str]]] = []
    for row in rows:
        if row[""] == "0":
            blocks.append([])
        blocks[-1].append(row)
    job_ids = [int(block[0]["job_id"]) for block in blocks]
    assert sorted(job_ids) == [0, 1, 2]
    for block, job_id in zip(blocks, job_ids, strict=True):
        check_block(block, job_id)
        assert app.record(f"multirun/*/*/{job_id}")["resources"]["n_samples"] == len(block)
    assert ran.out.count(f"Writing monitoring data to {path}") == 1
    lines = [json.loads(line) for line in app.one("multirun/*/*/jobs.jsonl").read_text().splitlines()]
    ended = {line["job"]: line for line in lines if "job" in line and line["status"] == "completed"}
    for num in (0, 1, 2):
        resources = app.record(f"multirun/*/*/{num}")["resources"]
        assert {name: ended[num][name] for name in ("peak_rss_bytes", "cpu_s", "mean_cpu_percent")}.items() <= (
            resources.items()
        )


def test_a_job_that_fails_has_its_samples_too(app: App) -> None:
    app.write("app.py", APP)
    app.callbacks(MONITOR)
    ran = app.run("fail_at=1")
    assert ran.code == 1
    check_block(read(app.one("outputs/*/*/resource_monitoring.csv"))[1], 0)
    assert ran.out.count("Writing monitoring data to") == 1


def test_disabled_it_does_nothing_at_all(app: App) -> None:
    app.write("app.py", APP)
    app.callbacks({**MONITOR, "enabled": False, "gpu_monit": True})
    ran = app.run()
    assert ran.code == 0, ran.text
    assert not list(app.directory.glob("**/*monitoring*"))
    assert app.one("outputs/*/*/loaded.txt").read_text() == ""
    assert "monitoring" not in ran.text


def test_gpu_columns_stand_before_the_job(app: App, stub_nvml: Path) -> None:
    app.write("app.py", FOR_GPUS + APP)
    app.callbacks(RECORD, {**MONITOR, "gpu_monit": True, "gpu_devices": [0]})
    ran = app.run(env={"LD_LIBRARY_PATH": str(stub_nvml)})
    assert ran.code == 0, ran.text
    header, rows = read(app.one("outputs/*/*/resource_monitoring.csv"))
    assert header[: len(PUBLISHED_GPU)] == PUBLISHED_GPU
    assert "gpu0_power_W" in header[len(PUBLISHED_GPU) :]
    assert rows[0]["gpu0_mem_GiB"] == ""  # their driver was asked a moment later
    assert all(float(row["gpu0_mem_GiB"]) > 0 for row in rows[1:])
    (gpu,) = app.record()["resources"]["gpus"]
    assert gpu["index"] == 0
    assert gpu["peak_memory_bytes"] == pytest.approx(max(float(row["gpu0_mem_GiB"]) for row in rows[1:]) * 2**30, 1e-3)
    assert "Not measured" not in ran.text


def test_without_a_gpu_a_sweep_warns_once_and_goes_on(app: App, stub_nvml: Path) -> None:
    app.write("app.py", FOR_GPUS + APP)
    app.callbacks({**MONITOR, "gpu_monit": True})
    ran = app.run("-m", "x=1,2", env={"LD_LIBRARY_PATH": str(stub_nvml), "NVML_STUB_ERRORS": "Init=18"})
    assert ran.code == 0, ran.text
    assert ran.out.count("[WARNING] - Not measured: gpus: ") == 1
    assert "older than its library" in ran.out
    header, rows = read(app.one("multirun/*/*/resource_monitoring.csv"))
    assert header[: len(PUBLISHED)] == PUBLISHED
    assert not any("gpu" in column for column in header)
    assert len(rows) >= 4


@needs_proc
def test_a_job_that_is_killed_leaves_its_samples_and_what_they_come_to(app: App) -> None:
    kill = """    Path(HydraConfig.get().runtime.output_dir, 'loaded.txt').touch()
    import os
    os.kill(os.getpid(), 9)
"""
    longer = APP.replace("time.process_time() + 0.15", "time.process_time() + 0.6")
    app.write("app.py", longer.replace("    heavy = (", f"{kill}    heavy = ("))
    app.callbacks(RECORD, MONITOR)
    ran = app.run()
    assert ran.code == -9
    path = app.one("outputs/*/*/loaded.txt").with_name("resource_monitoring.csv")
    wait_for(lambda: path.exists() and path.stat().st_size > 0)
    header, rows = read(path)
    assert header[: len(PUBLISHED)] == PUBLISHED
    check_block(rows, 0)
    record = app.record()
    assert record["status"] == "running"
    assert record["resources"]["cpu_s"] > 0.1
    assert record["resources"]["n_samples"] == len(rows)


def test_phases_are_told_apart(app: App) -> None:
    phases = """    from hydra_callbacks import PerfLogger
    for name, spend_s in (("load", 0.5), ("fit", 0.7)):
        with PerfLogger(str, name=name):
            ended = time.process_time() + spend_s
            while time.process_time() < ended:
                pass
"""
    app.write("app.py", APP.replace("    heavy = (", f"{phases}    heavy = ("))
    app.callbacks(RECORD, MONITOR)
    ran = app.run()
    assert ran.code == 0, ran.text
    _, rows = read(app.one("outputs/*/*/resource_monitoring.csv"))
    told = [row["phase"] for row in rows]
    assert {"load", "fit"} <= set(told)
    assert told.index("load") < told.index("fit")
    found = app.record()["resources"]["phases"]
    assert list(found) == ["load", "fit"]
    assert found["load"]["cpu_s"] == pytest.approx(0.5, abs=0.05)
    assert found["fit"]["cpu_s"] == pytest.approx(0.7, abs=0.05)
    assert found["fit"]["peak_rss_bytes"] > 0


def test_what_slurm_was_asked_for_is_compared_with_what_was_used(app: App) -> None:
    app.write("app.py", APP)
    app.callbacks(RECORD, MONITOR)
    slurm = {"SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "8", "SLURM_MEM_PER_NODE": "65536"}
    ran = app.run(env=slurm)
    assert ran.code == 0, ran.text
    resources = app.record()["resources"]
    assert resources["requested"]["cpus"] == 8
    assert resources["requested"]["memory_bytes"] == 64 * 2**30
    assert 0 < resources["used_share"]["cpus"] < 0.2
    assert re.search(r"This job used \d+ % of 8 requested cores, under 1 % of 64.0 GiB", ran.out)


@needs_proc
def test_jobs_of_one_process_have_peaks_of_their_own(app: App) -> None:
    app.write("app.py", APP.replace("    heavy = (", "    if cfg.x == 1: bytearray(b'1') * (300 << 20)\n    heavy = ("))
    app.callbacks(RECORD, MONITOR)
    ran = app.run("-m", "x=1,2")
    assert ran.code == 0, ran.text
    first, second = (app.record(f"multirun/*/*/{num}")["resources"] for num in (0, 1))
    assert first["peak_rss_bytes"] - second["peak_rss_bytes"] > 250 << 20
    assert "peak_rss" not in second.get("absent", {})


def test_a_wrong_setting_stops_the_run_before_it_starts(app: App) -> None:
    app.callbacks({**MONITOR, "sample_interval": 0})
    ran = app.run()
    assert ran.code == 1
    assert "sample_interval must be a number of seconds, at least 0.01, got 0" in ran.err
    assert not list(app.directory.glob("outputs/*/*/results.json"))


def test_a_short_job_has_its_first_and_last_sample(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    run(ResourceMonitor(), job)
    assert [row[""] for row in read(tmp_path / "resource_monitoring.csv")[1]] == ["0", "1"]
    assert job.record.data["resources"]["n_samples"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["resource_monitoring.csv"]


def test_jobs_add_to_one_file_under_one_header(tmp_path: Path) -> None:
    monitor = pickle.loads(pickle.dumps(ResourceMonitor(True, 1, "load.csv")))  # noqa: S301, FBT003  (ours; published order)
    for num in (7, 3):
        run(monitor, make_job(tmp_path, num))
    header, rows = read(tmp_path / "load.csv")
    assert header[: len(PUBLISHED)] == PUBLISHED
    assert [(row[""], row["job_id"]) for row in rows] == [("0", "7"), ("1", "7"), ("0", "3"), ("1", "3")]
    assert (tmp_path / "load.csv").read_text().count("time") == 1


def test_an_absolute_file_is_taken_as_given(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "elsewhere" / "load.csv"
    monitor = ResourceMonitor(monitoring_file=str(path))
    run(monitor, make_job(tmp_path / "sweep"))
    monitor.launch_ended(make_launch(tmp_path / "sweep"), DONE)
    assert len(read(path)[1]) == 2
    assert caplog.messages == [f"Writing monitoring data to {path}"]


def test_no_file_is_announced_that_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ResourceMonitor().launch_ended(make_launch(tmp_path), DONE)
    assert not caplog.messages


def test_the_record_has_its_section_also_when_the_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "resource_monitoring.csv").mkdir()
    job = make_job(tmp_path)
    with pytest.raises(OSError, match="resource_monitoring"):
        run(ResourceMonitor(), job)
    assert job.record.data["resources"]["n_samples"] == 2


def test_a_job_that_was_never_started_ends_quietly(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    ResourceMonitor().job_ended(job, DONE)
    assert not list(tmp_path.iterdir())
    assert "resources" not in job.record.data


def test_gpu_devices_of_a_config_do_not_take_the_config_along() -> None:
    config = OmegaConf.create({"devices": [0, 2], "much": "x" * 100_000})
    monitor = ResourceMonitor(gpu_devices=config.devices)
    assert type(monitor.gpu_devices) is list
    assert monitor.gpu_devices == [0, 2]
    assert len(pickle.dumps(monitor)) < 1000


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"sample_interval": 0.001}, "sample_interval must be a number of seconds, at least 0.01, got 0.001"),
        ({"sample_interval": "often"}, "sample_interval must be a number of seconds, at least 0.01, got 'often'"),
        ({"monitoring_file": " "}, "monitoring_file must be a text, got ' '"),
        ({"gpu_monit": "yes"}, "gpu_monit must be true or false, got 'yes'"),
        ({"max_samples": 3}, "max_samples must be a whole number, at least 8, got 3"),
        ({"gpu_devices": "0"}, "gpu_devices must be a list of numbers from 0 on, or null, got '0'"),
        ({"gpu_devices": [0, -1]}, r"gpu_devices must be a list of numbers from 0 on, or null, got \[0, -1\]"),
        ({"gpu_devices": [True]}, "gpu_devices must be a list of numbers from 0 on"),
    ],
)
def test_a_wrong_setting_is_named(setting: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        ResourceMonitor(**setting)


def test_what_is_recorded_is_json(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    run(ResourceMonitor(), job)
    assert json.loads(json.dumps(job.record.data))["resources"] == job.record.data["resources"]
