"""Samples keep to the beat; what they come to is told without looking at each again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from trees import Told

from hydra_callbacks.monitor.meter import Span
from hydra_callbacks.monitor.processes.figures import Figures
from hydra_callbacks.monitor.processes.tree import COLUMNS, TreeMeter
from hydra_callbacks.monitor.sampler import Sampler

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hydra_callbacks.monitor.processes.figures import Tree

MIB = 2**20


class Clock:
    """Shows what it was set to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Thermometer:
    """A meter of the user's own kind."""

    columns = ("temperature_C",)
    absent: Mapping[str, str] = {"humidity": "no sensor"}

    def __init__(self, *told: float) -> None:
        self.told = list(told)
        self.pids: list[Collection[int]] = []

    def read(self, pids: Collection[int]) -> Sequence[float]:
        self.pids.append(pids)
        return (self.told.pop(0),)

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        return {"max_temperature_c": spans["temperature_C"].high}

    def close(self) -> None:
        self.told.clear()


def tree_meter(*trees: Tree) -> TreeMeter:
    return TreeMeter(1, open_processes=Told(*trees))


def one(cpu_s: float, rss_bytes: int = MIB) -> Tree:
    return {(1, 0.0): Figures(cpu_s=cpu_s, rss_bytes=rss_bytes, vms_bytes=4 * MIB, n_threads=2)}


def sampler_of(clock: Clock, *trees: Tree, meters: Sequence[Any] = (), **settings: Any) -> Sampler:
    """Return a sampler that has taken its first sample."""
    known = {"interval_s": 1.0, "max_samples": 100, "began_s": clock.now_s, "began_at": 1000.0, **settings}
    sampler = Sampler(tree_meter(*trees), meters, now=clock, **known)
    sampler.sample()
    return sampler


def test_samples_keep_to_the_beat_and_leave_out_what_they_missed() -> None:
    clock = Clock()
    sampler = sampler_of(clock, *[one(0.0)] * 6)
    due_s = []
    for late_s in (0.1, 0.2, 0.0, 2.5, 0.1):
        clock.now_s += sampler.until_due_s() + late_s
        due_s.append(round(clock.now_s - late_s - 100, 6))
        sampler.sample()
    assert due_s == [1.0, 2.0, 3.0, 4.0, 7.0]
    assert len(sampler.samples) == 6
    assert list(sampler.samples.columns()["time"]) == pytest.approx([1000, 1001.1, 1002.2, 1003, 1006.5, 1007.1])


def test_a_tenth_of_a_second_does_not_add_up_to_a_drift() -> None:
    clock = Clock()
    sampler = sampler_of(clock, *[one(0.0)] * 6001, interval_s=0.1, max_samples=10_000)
    for _ in range(6000):
        clock.now_s += sampler.until_due_s() + 0.004  # that a sample takes
        sampler.sample()
    assert clock.now_s == pytest.approx(100 + 600 + 0.004)


def test_too_many_samples_double_the_interval() -> None:
    clock = Clock()
    sampler = sampler_of(clock, *[one(0.0)] * 40, max_samples=9)
    while sampler.interval_s < 4:
        clock.now_s += sampler.until_due_s()
        sampler.sample()
    assert len(sampler.samples) <= 9
    assert (clock.now_s + sampler.until_due_s() - 100) % 4 == 0
    assert sampler.findings()["summary"]["interval_s"] == 4


@pytest.mark.parametrize("max_samples", [8, 9, 16, 101])
def test_samples_go_on_at_the_longer_interval_without_a_gap(max_samples: int) -> None:
    clock = Clock()
    sampler = sampler_of(clock, *[one(0.0)] * 3000, max_samples=max_samples, interval_s=0.01)
    taken_s = [0.0]
    for _ in range(2000):
        interval_s = sampler.interval_s
        clock.now_s += sampler.until_due_s()
        taken_s.append(clock.now_s - 100)
        assert 0 < taken_s[-1] - taken_s[-2] <= interval_s * (1 + 1e-9)
        assert taken_s[-1] / interval_s == pytest.approx(round(taken_s[-1] / interval_s)), "it is on the beat"
        sampler.sample()


def test_percent_is_of_the_time_since_the_sample_before() -> None:
    clock = Clock()
    sampler = sampler_of(clock, *map(one, (7.0, 7.5, 11.5, 11.5), (MIB, 3 * MIB, MIB, MIB)))
    for step_s in (1.0, 2.0, 0.0):
        clock.now_s += step_s
        sampler.sample()
    columns = sampler.samples.columns()
    summary = sampler.findings()["summary"]
    assert list(columns["cpus"]) == [0.0, 50.0, 200.0, 0.0]
    assert list(columns["cpu_s"]) == [0.0, 0.5, 4.5, 4.5]
    assert (summary["cpu_s"], summary["mean_cpu_percent"]) == (4.5, 150.0)
    assert (summary["peak_rss_bytes"], summary["max_threads"], summary["n_samples"]) == (3 * MIB, 2, 4)
    assert summary["mean_rss_bytes"] == round((1 * 3 * MIB + 2 * MIB) / 3)


def test_another_meter_stands_beside_and_is_told_the_processes() -> None:
    clock, meter = Clock(), Thermometer(20.0, math.nan, 31.0, 25.0)
    sampler = sampler_of(clock, *[one(0.0)] * 4, meters=[meter])
    for _ in range(3):
        clock.now_s += 1
        sampler.sample()
    findings = sampler.findings()
    assert findings["columns"] == ["time", "cpus", *COLUMNS, "temperature_C"]
    assert findings["summary"]["max_temperature_c"] == 31.0
    assert findings["absent"] == {"humidity": "no sensor"}
    assert meter.pids == [[1]] * 4


def test_a_sample_that_was_read_before_is_the_first() -> None:
    clock = Clock()
    sampler = Sampler(
        tree_meter(), [Thermometer()], interval_s=1.0, max_samples=8, began_s=clock.now_s, began_at=1000.0, now=clock
    )
    sampler.take(clock.now_s, [1.0] * len(COLUMNS))
    assert len(sampler.samples) == 1
    assert math.isnan(sampler.samples.columns()["temperature_C"][0])
    assert sampler.until_due_s() == 1.0


def test_a_mean_is_over_time_and_what_was_not_told_does_not_count() -> None:
    span = Span()
    assert math.isnan(span.mean)
    for value, lasted_s in ((1.0, 0.0), (math.nan, 5.0), (4.0, 1.0), (1.0, 3.0)):
        span.add(value, lasted_s)
    assert (span.first, span.last, span.low, span.high) == (1.0, 1.0, 1.0, 4.0)
    assert span.mean == 7 / 4
    assert span.grown == 0.0
