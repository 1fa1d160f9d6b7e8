"""A process tree adds up: what ended in between, what was there before, and the peaks that nobody saw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from trees import Told, figures_of

from hydra_callbacks.monitor.processes.figures import Figures
from hydra_callbacks.monitor.processes.tree import GIB, TreeMeter

if TYPE_CHECKING:
    from hydra_callbacks.monitor.processes.figures import Tree


def read(*trees: Tree) -> tuple[TreeMeter, list[dict[str, float]]]:
    """Return a meter that has read all trees, and what it told of each."""
    meter = TreeMeter(1, open_processes=Told(*trees))
    return meter, [figures_of(meter) for _ in trees]


def of(**figures: float) -> Figures:
    return Figures(**figures)  # type: ignore[arg-type]  # of the kinds that each takes


def test_what_was_used_before_does_not_count() -> None:
    _, told = read({(1, 0.0): of(cpu_s=50.0, ended_children_cpu_s=9.0, read_bytes=7 * GIB, written_bytes=GIB)})
    assert (told[0]["cpu_s"], told[0]["read_GiB"], told[0]["written_GiB"]) == (0.0, 0.0, 0.0)


def test_a_child_counts_from_its_beginning() -> None:
    _, told = read(
        {(1, 0.0): of(cpu_s=50.0, read_bytes=0, written_bytes=0)},
        {
            (1, 0.0): of(cpu_s=51.0, vms_bytes=7, read_bytes=0, written_bytes=0),
            (2, 9.0): of(cpu_s=3.0, vms_bytes=7, read_bytes=GIB, written_bytes=0),
            (3, 9.0): of(),  # it has ended, and nobody has waited for it
        },
    )
    assert (told[1]["cpu_s"], told[1]["read_GiB"], told[1]["processes"]) == (4.0, 1.0, 2)


def test_a_pid_that_another_process_was_given_starts_anew() -> None:
    _, told = read({(1, 0.0): of(), (9, 1.0): of(cpu_s=50.0)}, {(1, 0.0): of(), (9, 2.0): of(cpu_s=3.0)})
    assert told[1]["cpu_s"] == 3.0


def test_a_child_that_ends_costs_only_what_was_not_yet_counted() -> None:
    _, told = read(
        {(1, 0.0): of(cpu_s=10.0), (2, 0.0): of(cpu_s=4.0, ended_children_cpu_s=1.0)},
        {(1, 0.0): of(cpu_s=11.0, ended_children_cpu_s=7.0)},
    )
    assert told[1]["cpu_s"] == 3.0


def test_a_child_that_leaves_the_tree_takes_nothing_from_the_rest() -> None:
    _, told = read({(1, 0.0): of(cpu_s=10.0), (2, 0.0): of(cpu_s=4.0)}, {(1, 0.0): of(cpu_s=11.0)})
    assert told[1]["cpu_s"] == 1.0


def test_what_an_ended_child_read_is_its_parents_and_not_counted_again() -> None:
    before = {(1, 0.0): of(read_bytes=0, written_bytes=0), (2, 0.0): of(read_bytes=2 * GIB, written_bytes=0)}
    _, told = read(before, {(1, 0.0): of(read_bytes=3 * GIB, written_bytes=0)})
    assert told[1]["read_GiB"] == 1.0


def test_time_in_the_system_is_told_apart() -> None:
    meter, told = read(
        {(1, 0.0): of(cpu_s=10.0, system_s=9.0)},
        {(1, 0.0): of(cpu_s=14.0, system_s=10.0)},
    )
    assert told[1]["cpu_s"] == 4.0
    assert meter._system_s == 1.0


def test_a_peak_between_two_readings_is_seen() -> None:
    meter, _ = read(
        {(1, 0.0): of(rss_bytes=100, peak_rss_bytes=100)},
        {(1, 0.0): of(rss_bytes=110, peak_rss_bytes=600)},
        {(1, 0.0): of(rss_bytes=120, peak_rss_bytes=600)},
    )
    assert (meter.peak_rss_bytes, meter.sampled_peak_rss_bytes) == (600, 120)


def test_a_peak_of_one_process_adds_to_what_the_others_had_at_least() -> None:
    meter, _ = read(
        {(1, 0.0): of(rss_bytes=100, peak_rss_bytes=100), (2, 0.0): of(rss_bytes=50, peak_rss_bytes=50)},
        {(1, 0.0): of(rss_bytes=100, peak_rss_bytes=600), (2, 0.0): of(rss_bytes=30, peak_rss_bytes=50)},
    )
    assert meter.peak_rss_bytes == 630


def test_a_peak_from_before_is_not_this_jobs() -> None:
    meter, _ = read(
        {(1, 0.0): of(rss_bytes=100, peak_rss_bytes=9000)},
        {(1, 0.0): of(rss_bytes=200, peak_rss_bytes=9000)},
    )
    assert meter.peak_rss_bytes == 200


def test_another_meter_goes_on_from_what_one_has_read() -> None:
    first, _ = read({(1, 0.0): of(cpu_s=5.0, rss_bytes=300, peak_rss_bytes=300, read_bytes=GIB, written_bytes=0)})
    later = {(1, 0.0): of(cpu_s=7.0, rss_bytes=100, peak_rss_bytes=400, read_bytes=3 * GIB, written_bytes=0)}
    meter = TreeMeter(1, first.baseline(), Told(later))
    told = figures_of(meter)
    assert (told["cpu_s"], told["read_GiB"]) == (2.0, 2.0)
    assert (meter.peak_rss_bytes, meter.sampled_peak_rss_bytes) == (400, 300)


@pytest.mark.parametrize("name", ["open_files", "read_GiB", "written_GiB"])
def test_what_the_root_does_not_tell_is_not_told(name: str) -> None:
    _, told = read({(1, 0.0): of(), (2, 0.0): of(n_files=3, read_bytes=5, written_bytes=7)})
    assert math.isnan(told[0][name])


def test_a_child_of_another_user_that_tells_little_hides_nothing_else() -> None:
    _, told = read(
        {(1, 0.0): of(n_files=3, read_bytes=0, written_bytes=0)},
        {(1, 0.0): of(n_files=4, read_bytes=GIB, written_bytes=0), (2, 0.0): of(cpu_s=1.0)},
    )
    assert (told[1]["open_files"], told[1]["read_GiB"], told[1]["cpu_s"]) == (4.0, 1.0, 1.0)
