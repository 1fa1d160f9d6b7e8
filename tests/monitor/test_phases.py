"""Which phase was at work, exactly, whatever the samples saw of it."""

from __future__ import annotations

from typing import Any

import pytest

from hydra_callbacks.monitor.phases import phase_at, spans_of, told_spans

FIT = [
    ("load", 10.0, 10.5, 0.1),
    ("fit/epoch", 11.0, 12.0, 0.1),
    ("fit/epoch", 12.0, 13.0, 0.1),
    ("fit", 10.5, 14.0, 2.0),
]


def test_the_innermost_is_told_from_when_to_when() -> None:
    assert spans_of(FIT, 10.0) == [("load", 0.0, 0.5), ("fit", 0.5, 1.0), ("fit/epoch", 1.0, 3.0), ("fit", 3.0, 4.0)]
    assert spans_of([("a", 1.0, 2.0, 0.0), ("b", 5.0, 6.0, 0.0)], 0.0) == [("a", 1.0, 2.0), ("b", 5.0, 6.0)]
    assert spans_of([], 0.0) == []


def test_it_is_the_same_that_a_sample_meets() -> None:
    spans = spans_of(FIT, 0.0)
    for name, begin_s, end_s in spans:
        assert phase_at([(begin_s + end_s) / 2], FIT) == [name]


@pytest.mark.parametrize("told", [None, [], {}, "x", [["a", 1]], [["a", "b", 2]], [["a", 1, True]], [3]])
def test_what_a_foreign_hand_wrote_is_nothing(told: Any) -> None:
    assert told_spans({"phase_spans": told}) is None


def test_what_is_recorded_comes_back() -> None:
    assert told_spans({"phase_spans": [["a", 0, 1.5]]}) == [("a", 0.0, 1.5)]
