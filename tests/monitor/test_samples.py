"""What was sampled can be read at any time, whole; and when it is too much, no peak is lost."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.monitor.rows import rows_of
from hydra_callbacks.monitor.samples import Samples


def test_a_sample_that_is_being_added_is_left_out() -> None:
    samples = Samples(("time", "rss_GiB"), 100)
    samples.add((1.0, 2.0))
    samples.add((5.0,))
    assert {column: list(values) for column, values in samples.columns().items()} == {"time": [1.0], "rss_GiB": [2.0]}
    assert len(samples) == 1


def test_rows_are_rounded_for_a_file_and_names_stand_before_what_is_newer() -> None:
    columns = ["time", "cpus", "rss_GiB", "vms_GiB", "threads", "open_files", "gpu0_usage", "gpu0_power_W"]
    samples = Samples(columns, 100)
    samples.add((1763804075.1234567, 99.98765, 0.123456789, 1.0, 3.0, math.nan, 7.0, 250.0))
    findings = {"columns": columns, "values": bytes(samples), "published": ["gpu0_usage"]}
    (row,) = rows_of(findings, {"job_name": "train", "job_id": 3}, {"phase": ["fit"]})
    assert list(row.items()) == [
        ("time", 1763804075.123),
        ("cpus", 99.99),
        ("rss_GiB", 0.123457),
        ("vms_GiB", 1.0),
        ("gpu0_usage", 7.0),
        ("job_name", "train"),
        ("job_id", 3),
        ("threads", 3),
        ("open_files", None),
        ("gpu0_power_W", 250.0),
        ("phase", "fit"),
    ]


def test_too_many_rows_become_half_as_many() -> None:
    samples = Samples(("time", "value"), 9)
    merged = [samples.add((float(time), value)) for time, value in enumerate((5, 1, 9, 3, 4, 7, 2, 8, 6, 0))]
    assert merged == [False] * 9 + [True]
    assert {name: list(values) for name, values in samples.columns().items()} == {
        "time": [0, 1, 4, 5, 8, 9],
        "value": [5, 1, 9, 2, 8, 0],
    }


@given(
    values=st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(math.nan)), min_size=1, max_size=400),
    most=st.integers(8, 40),
)
def test_merging_keeps_peaks_and_gaps_and_never_turns_a_counter_back(values: list[float], most: int) -> None:
    samples = Samples(("time", "count", "value"), most)
    for index, value in enumerate(values):
        samples.add((float(index), index * 2.0, value))
    columns = samples.columns()
    told = [round(value, 6) for value in values if not math.isnan(value)]
    kept = [value for value in columns["value"] if not math.isnan(value)]
    assert len(samples) <= most
    assert len(samples) >= min(len(values), most // 2)
    assert columns["time"][0] == 0.0
    assert columns["time"][-1] == len(values) - 1
    assert all(earlier < later for earlier, later in pairwise(columns["time"]))
    assert list(columns["count"]) == [2 * time for time in columns["time"]]
    assert bool(kept) == bool(told)
    if told:
        assert (min(kept), max(kept)) == (min(told), max(told))


def test_nothing_sampled_has_columns_all_the_same() -> None:
    samples = Samples(("time", "rss_GiB"), 8)
    assert list(samples.columns()) == ["time", "rss_GiB"]
    assert bytes(samples) == b""
