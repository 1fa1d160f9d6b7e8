"""What was sampled can be read at any time, whole."""

from __future__ import annotations

import math

from hydra_callbacks.monitor.samples import Samples


def test_a_sample_that_is_being_added_is_left_out() -> None:
    samples = Samples()
    samples.add(1.0, 2.0, 3.0, 4.0)
    samples.add(5.0, 6.0)
    assert {column: list(values) for column, values in samples.columns().items()} == {
        "time": [1.0],
        "cpus": [2.0],
        "rss_GiB": [3.0],
        "vms_GiB": [4.0],
    }
    assert len(samples) == 1


def test_rows_are_rounded_for_a_file() -> None:
    samples = Samples(["gpu0_mem_GiB", "gpu0_usage"])
    samples.add(1763804075.1234567, 99.98765, 0.123456789, 1.0, math.nan, 7.0)
    assert samples.rows() == [
        {
            "time": 1763804075.123,
            "cpus": 99.99,
            "rss_GiB": 0.123457,
            "vms_GiB": 1.0,
            "gpu0_mem_GiB": None,
            "gpu0_usage": 7.0,
        }
    ]


def test_nothing_sampled_has_columns_all_the_same() -> None:
    samples = Samples()
    assert samples.rows() == []
    assert samples.peak_rss_bytes() == 0
    assert list(samples.arrays()) == ["time", "cpus", "rss_GiB", "vms_GiB"]
