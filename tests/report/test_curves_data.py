"""Curves: every peak is kept, of the right job, of its latest start, whatever the file looks like."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.report.curves import MOST_POINTS, curves, thin
from hydra_callbacks.support.tables import append_rows

if TYPE_CHECKING:
    from pathlib import Path

START = 1_795_000_000.0


def sample(index: int, **changes: Any) -> dict[str, Any]:
    row = {"": index, "time": START + index, "cpus": 50.0, "rss_GiB": 0.5, "vms_GiB": 1.0, "job_name": "t", "job_id": 0}
    return {**row, **changes}


def panel(found: dict[str, Any] | None, title: str) -> dict[str, Any]:
    assert found
    return next(each for each in found["panels"] if each["title"] == title)


def values(found: dict[str, Any] | None, title: str, name: str) -> list[Any]:
    return next(each["values"] for each in panel(found, title)["series"] if each["name"] == name)


def test_a_short_run_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "resource_monitoring.csv"
    rows = [sample(0), sample(1, cpus=None, rss_GiB=2.0), sample(2, gpu0_usage=80.0, gpu0_mem_GiB=4.0, read_GiB=1.0)]
    rows += [sample(3, gpu0_usage=90.0, gpu0_mem_GiB=5.0, read_GiB=3.0, threads=7)]
    append_rows(file, rows)
    notes: list[str] = []
    found = curves(file, None, {"peak_rss_bytes": 3 * 2**30}, notes)
    assert found
    assert found["time_s"] == [0, 1, 2, 3]
    assert [each["title"] for each in found["panels"]] == [
        "Processor",
        "Memory",
        "GPU",
        "GPU memory",
        "Disk",
        "Processes",
    ]
    assert values(found, "Processor", "the job") == [50, None, 50, 50]
    assert values(found, "Memory", "resident") == [0.5, 2, 0.5, 0.5]
    assert panel(found, "Memory")["mark"] == {"value": 3, "label": "kernel's peak"}
    assert values(found, "GPU", "gpu0") == [None, None, 80, 90]
    assert values(found, "Disk", "read") == [None, None, None, 2048], "GiB become MiB/s"
    assert (found["n_samples"], found["is_thinned"], found["phases"], notes) == (4, False, [], [])


def test_rates_are_those_of_the_times_as_they_were_measured(tmp_path: Path) -> None:
    file = tmp_path / "resource_monitoring.csv"
    append_rows(file, [sample(index, time=index * 0.0104, read_GiB=index / 1024) for index in range(3)])
    found = curves(file, None, {}, [])
    assert found
    assert found["time_s"] == [0, 0.01, 0.021]
    assert values(found, "Disk", "read")[1:] == pytest.approx([1 / 0.0104] * 2, rel=1e-4)


def test_phases_last_from_their_first_sample_to_the_next_phases(tmp_path: Path) -> None:
    file = tmp_path / "resource_monitoring.csv"
    names = [None, "load", "load", "fit", None, "fit", "fit"]
    append_rows(file, [sample(index, phase=name) for index, name in enumerate(names)])
    found = curves(file, None, {}, [])
    assert found
    assert found["phases"] == [
        {"name": "load", "began_s": 1, "ended_s": 3},
        {"name": "fit", "began_s": 3, "ended_s": 4},
        {"name": "fit", "began_s": 5, "ended_s": 6},
    ]


def test_phases_are_those_of_the_record_to_the_moment(tmp_path: Path) -> None:
    """Those that were over between two samples, too, and those inside others."""
    file = tmp_path / "resource_monitoring.csv"
    append_rows(file, [sample(index, phase=name) for index, name in enumerate([None, "fit", "fit"])])
    spans = [["fit", 0.25, 2.125], ["step", 0.25, 0.5], ["load", -0.0625, 0.2504], ["save", 2.25, 3]]
    found = curves(file, None, {"phase_spans": spans}, [])
    assert found
    assert [tuple(each.values()) for each in found["phases"]] == [
        ("load", -0.062, 0.25),
        ("fit", 0.25, 2.125),
        ("step", 0.25, 0.5),
        ("save", 2.25, 3),
    ]


@pytest.mark.parametrize(
    "spans",
    [
        None,
        [],
        "fit",
        {"fit": [0, 1]},
        [["load", 0, 1], None],
        [["load", 0]],
        [["load", 0, 1, 2]],
        [[7, 0, 1]],
        [["load", "0", 1]],
        [["load", 0, None]],
        [["load", 0, True]],
        [["load", 0, "nan"]],
        [["load", 0, 10**400]],
        [["load", 2, 1]],
        [["load", 0, math.inf]],
    ],
)
def test_phases_that_are_none_are_those_of_the_samples(tmp_path: Path, spans: Any) -> None:
    file = tmp_path / "resource_monitoring.csv"
    append_rows(file, [sample(index, phase="fit") for index in range(3)])
    found = curves(file, None, {"phase_spans": spans}, [])
    assert found
    assert found["phases"] == [{"name": "fit", "began_s": 0, "ended_s": 2}]


def test_of_very_many_phases_the_first_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "resource_monitoring.csv"
    append_rows(file, [sample(index) for index in range(3)])
    found = curves(file, None, {"phase_spans": [["x" * 1000, index, index] for index in range(5000)]}, [])
    assert found
    assert len(found["phases"]) == 500
    assert len(found["phases"][0]["name"]) < 300


def test_of_a_long_run_the_peaks_stay(tmp_path: Path) -> None:
    file = tmp_path / "resource_monitoring.csv"
    rows = [sample(index, cpus=99.5 if index == 7777 else 0.5 if index == 3 else 50.0) for index in range(10_000)]
    append_rows(file, rows)
    found = curves(file, None, {}, [])
    assert found
    shown = values(found, "Processor", "the job")
    assert len(shown) == len(found["time_s"]) == MOST_POINTS
    assert (max(shown), min(shown)) == (99.5, 0.5)
    assert (found["n_samples"], found["is_thinned"]) == (10_000, True)
    near = [moment for moment, value in zip(found["time_s"], shown, strict=True) if value == 99.5]
    assert all(abs(moment - 7777) <= 20 for moment in near)


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=9, max_size=200), st.integers(2, 8))
def test_thinning_keeps_the_extremes_the_order_and_the_ends(told: list[float | None], half: int) -> None:
    times = [float(index) for index in range(len(told))]
    edges, (shown,) = thin(times, [told], most=2 * half)
    assert len(edges) == len(shown) == min(2 * half, len(told))
    assert edges == sorted(edges)
    assert (edges[0], edges[-1]) == (times[0], times[-1])
    there, kept = [each for each in told if each is not None], [each for each in shown if each is not None]
    assert (max(kept, default=None), min(kept, default=None)) == (max(there, default=None), min(there, default=None))


def test_of_a_sweep_only_the_job_counts_and_of_a_job_its_latest_start(tmp_path: Path) -> None:
    file = tmp_path / "resource_monitoring.csv"
    append_rows(file, [sample(index, job_id=1, cpus=1.0) for index in range(3)])
    append_rows(file, [sample(index, job_id=11, cpus=11.0) for index in range(3)])
    append_rows(file, [sample(index, job_id=1, cpus=2.0, time=START + 100 + index) for index in range(2)])
    found = curves(file, 1, {}, [])
    assert found
    assert found["time_s"] == [0, 1]
    assert values(found, "Processor", "the job") == [2, 2]
    assert curves(file, 2, {}, []) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", None),
        (b"time,cpus\n", None),
        (b"no,table\n1,2\n", "the curves are left out"),
        (b",time,cpus\n0,soon,1\n", None),
        (b",time,cpus\n0,1,1\n1,2\n\xff\xfe,\n", "the curves are left out"),
        (b"\0" * 5000, "the curves are left out"),
    ],
)
def test_a_damaged_file_costs_the_curves_only(tmp_path: Path, text: bytes, says: str | None) -> None:
    file = tmp_path / "resource_monitoring.csv"
    file.write_bytes(text)
    notes: list[str] = []
    assert curves(file, None, {}, notes) is None
    assert [note[:23] for note in notes] == ([says] if says else [])


def test_a_torn_last_line_costs_itself(tmp_path: Path) -> None:
    file = tmp_path / "resource_monitoring.csv"
    append_rows(file, [sample(index) for index in range(3)])
    file.write_bytes(file.read_bytes()[:-9])
    found = curves(file, None, {}, [])
    assert found
    assert found["n_samples"] == 2
    assert all(math.isfinite(moment) for moment in found["time_s"])


def test_no_file_is_no_curve(tmp_path: Path) -> None:
    notes: list[str] = []
    assert curves(tmp_path / "resource_monitoring.csv", None, {}, notes) is None
    assert notes == []
