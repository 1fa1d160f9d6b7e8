"""What was asked for, whoever tells it, and which share of it was used."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks.monitor.requested import requested, shares, words

if TYPE_CHECKING:
    from pathlib import Path

GIB = 2**30
DAY_S = 86400
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="control groups and affinity are Linux's")


def slurm(**variables: str) -> dict[str, str]:
    return {f"SLURM_{name}": value for name, value in {"JOB_ID": "7", **variables}.items()}


def limited(root: Path, memory: str = "max", cpu: str = "max 100000") -> str:
    """Make the files of a container with these limits."""
    files = {
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n",
        "cg/memory.max": memory,
        "cg/cpu.max": cpu,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return str(root)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        pytest.param(
            slurm(
                CPUS_PER_TASK="4",
                CPUS_ON_NODE="8",
                MEM_PER_NODE="16384",
                GPUS_ON_NODE="2",
                JOB_START_TIME="1700000000",
                JOB_END_TIME=str(1700000000 + DAY_S),
            ),
            {"cpus": 4, "memory_bytes": 16 * GIB, "time_s": DAY_S, "gpus": 2, "by": "slurm"},
            id="everything",
        ),
        pytest.param(
            slurm(CPUS_ON_NODE="8", MEM_PER_CPU="2048"),
            {"cpus": 8, "memory_bytes": 16 * GIB, "by": "slurm"},
            id="memory for each core",
        ),
        pytest.param(
            slurm(CPUS_PER_TASK="2", MEM_PER_GPU="8G", GPUS_ON_NODE="2"),
            {"cpus": 2, "memory_bytes": 16 * GIB, "gpus": 2, "by": "slurm"},
            id="memory for each GPU",
        ),
        pytest.param(
            slurm(CPUS_PER_TASK="2", MEM_PER_NODE="0"), {"cpus": 2, "by": "slurm"}, id="all memory of the node"
        ),
        pytest.param(
            slurm(CPUS_PER_TASK="2", JOB_START_TIME="1700000000", JOB_END_TIME=str(1700000000 + 365 * DAY_S)),
            {"cpus": 2, "by": "slurm"},
            id="no limit of time",
        ),
        pytest.param(
            slurm(CPUS_PER_TASK="2", MEM_PER_CPU="lots", JOB_START_TIME="soon", JOB_END_TIME="1700000000"),
            {"cpus": 2, "by": "slurm"},
            id="nonsense",
        ),
        pytest.param({"PBS_JOBID": "7.host", "NCPUS": "6"}, {"cpus": 6, "by": "pbs"}, id="PBS"),
        pytest.param({"PBS_JOBID": "7.host", "PBS_NUM_PPN": "3"}, {"cpus": 3, "by": "pbs"}, id="Torque"),
    ],
)
def test_what_a_scheduler_tells(tmp_path: Path, variables: dict[str, str], told: dict[str, Any]) -> None:
    found = requested(variables, str(tmp_path))
    found.pop("address_space_bytes", None)  # of whoever runs the tests
    assert {**found, "by": found["by"].removesuffix(", ulimit")} == told


@on_linux
def test_a_container_is_asked_where_no_scheduler_tells(tmp_path: Path) -> None:
    root = limited(tmp_path, memory=str(4 * GIB), cpu="150000 100000")
    found = requested({"SLURM_CPUS_PER_TASK": "64", "NCPUS": "64"}, root)  # but in no job of theirs
    assert (found["cpus"], found["memory_bytes"]) == (1.5, 4 * GIB)
    assert found["by"].startswith("cgroup")
    both = requested(slurm(CPUS_PER_TASK="4"), root)
    assert (both["cpus"], both["memory_bytes"]) == (4, 4 * GIB)
    assert both["by"].startswith("slurm, cgroup")


@on_linux
def test_limits_of_the_process_itself(tmp_path: Path) -> None:
    program = (
        "import os, resource, sys\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 32, resource.getrlimit(resource.RLIMIT_AS)[1]))\n"
        "from hydra_callbacks.monitor.requested import requested\n"
        "print(sorted(requested({}, sys.argv[1]).items()))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, capture_output=True, text=True)
    cores = [] if os.cpu_count() == 1 else [("cpus", 1)]
    by = "affinity, ulimit" if cores else "ulimit"
    assert done.stdout.strip() == str([("address_space_bytes", 1 << 32), ("by", by), *cores])


def test_without_any_limit_nothing_was_asked_for(tmp_path: Path) -> None:
    found = requested({}, str(tmp_path))
    assert set(found) <= {"cpus", "address_space_bytes", "by"}  # of whoever runs the tests
    assert shares({}, {"cpu_s": 1.0, "peak_rss_bytes": 1}, 1.0) == {}
    assert words({}, {}) == ""


ASKED = {"cpus": 4, "memory_bytes": 16 * GIB, "time_s": DAY_S, "by": "slurm"}


def test_shares_and_words() -> None:
    used = {"cpu_s": 0.42 * 4 * 4320, "peak_rss_bytes": 5 * GIB}
    found = shares(ASKED, used, 4320.0)
    assert found == pytest.approx({"cpus": 0.42, "memory": 0.3125, "time": 0.05})
    assert words(ASKED, found) == "used 42 % of 4 requested cores, 31 % of 16.0 GiB, 5 % of 1 day"


def test_shares_of_what_was_not_measured_are_not_told() -> None:
    assert shares(ASKED, {}, 0.0) == {"time": 0.0}
    assert shares(ASKED, {"cpu_s": 1.0}, 0.0) == {"time": 0.0}
    assert shares({"gpus": 2, "by": "slurm"}, {"cpu_s": 1.0}, 1.0) == {}


@pytest.mark.parametrize(
    ("asked", "share", "line"),
    [
        ({"cpus": 1, "by": "pbs"}, {"cpus": 0.001}, "used under 1 % of 1 requested core"),
        ({"cpus": 1.5, "by": "cgroup"}, {"cpus": 1.0}, "used 100 % of 1.5 available cores"),
        ({"cpus": 2, "by": "affinity"}, {"cpus": 0.0}, "used 0 % of 2 available cores"),
        ({"memory_bytes": 512 * 2**20, "by": "cgroup"}, {"memory": 0.5}, "used 50 % of 512.0 MiB"),
        ({"time_s": 2 * DAY_S, "by": "slurm"}, {"time": 0.5}, "used 50 % of 2 days"),
        ({"time_s": 36 * 3600, "by": "slurm"}, {"time": 0.5}, "used 50 % of 36 h"),
        ({"time_s": 90 * 60, "by": "slurm"}, {"time": 0.5}, "used 50 % of 90 min"),
        ({"time_s": 61, "by": "slurm"}, {"time": 0.5}, "used 50 % of 61 s"),
    ],
)
def test_words_for_every_unit(asked: dict[str, Any], share: dict[str, float], line: str) -> None:
    assert words(asked, share) == line
