"""The importance of an override: about 0 of noise, about 1 of what decides alone, and no figure from too few jobs."""

from __future__ import annotations

import math
import random
from itertools import product
from statistics import mean
from typing import Any

import pytest

from hydra_callbacks.report.importance import importance, omega_squared


def shares(found: dict[str, Any]) -> dict[str, float]:
    return {each["name"]: each["share"] for each in found["shares"]}


def test_pure_noise_explains_nothing_on_average() -> None:
    random_ = random.Random(0)  # noqa: S311  (no secret)
    found = []
    for _ in range(200):
        scores = [random_.gauss(0, 1) for _ in range(40)]
        found.append(omega_squared(scores, [index % 4 for index in range(40)]))
    assert mean(found) < 0.03


def test_what_decides_alone_explains_all() -> None:
    levels = [0, 1, 2, 3] * 5
    assert omega_squared([float(level) for level in levels], levels) == 1
    told = importance("y", [level + 0.001 * index for index, level in enumerate(levels)], {"a": levels, "b": [7] * 20})
    assert shares(told) == pytest.approx({"a": 1}, abs=0.001)
    assert told["is_enough"]
    assert told["n_jobs"] == 20


def test_two_of_the_same_weight_share_it() -> None:
    random_ = random.Random(1)  # noqa: S311  (no secret)
    grid = [(a, b) for a, b in product(range(5), range(5)) for _ in range(8)]
    told = importance(
        "y",
        [a + b + random_.gauss(0, 0.1) for a, b in grid],
        {"a": [a for a, _ in grid], "b": [str(b) for _, b in grid]},
    )
    assert shares(told) == pytest.approx({"a": 0.5, "b": 0.5}, abs=0.03)


def test_numbers_with_many_values_are_put_into_parts() -> None:
    random_ = random.Random(2)  # noqa: S311  (no secret)
    lr = [10 ** random_.uniform(-5, 0) for _ in range(60)]
    told = importance("y", [math.log10(each) for each in lr], {"lr": lr, "seed": list(range(60))})
    found = shares(told)
    assert found["lr"] > 0.85
    assert found["seed"] < 0.15
    assert "parts of equally many jobs" in told["method"]


def test_a_metric_over_many_orders_is_taken_by_its_logarithm() -> None:
    loss = [10.0**level * (1 + 0.01 * index) for index, level in enumerate([0, 0, 1, 2, 4] * 4)]
    told = importance("loss", loss, {"a": [0, 0, 1, 2, 4] * 4})
    assert told["method"].startswith("Share of the variation of log10(loss) ")
    assert shares(told)["a"] > 0.99


@pytest.mark.parametrize(
    ("metric", "overrides", "reason"),
    [
        ([1.0, 2.0, 3.0], {"a": [1, 2, 3]}, "Too few jobs to tell: 3 have a number in y, and it takes 8"),
        (list(range(9)), {"a": [1] * 9}, "No override differs between the jobs that have a number"),
        ([1.0] * 9, {"a": [1, 2, 3] * 3}, "All jobs have the same y"),
        (list(range(9)), {"a": list("abcdefghi")}, "Too few jobs to tell: it takes 2 for each value of an override"),
        (
            [None, "nan", "inf", True] * 5,
            {"a": [1, 2, 3, 4] * 5},
            "No override differs between the jobs that have a number",
        ),
        ([], {}, "No override differs between the jobs that have a number"),
    ],
)
def test_it_says_why_nothing_can_be_told(metric: list[Any], overrides: dict[str, list[Any]], reason: str) -> None:
    told = importance("y", metric, overrides)
    assert (told["why_not"], told["is_enough"], told["shares"]) == (reason, False, [])


@pytest.mark.parametrize("odd", [1e200, -1e160, 1.7e308, -1.7e308, 5e-324])
def test_one_metric_that_diverged_costs_no_report(odd: float) -> None:
    levels = [0, 1] * 4
    told = importance("y", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, odd], {"a": levels})
    assert told["is_enough"]
    assert 0 <= shares(told)["a"] <= 1
    both = [odd * level for level in levels]
    assert omega_squared(both, levels) == pytest.approx(1)


def test_the_share_is_the_same_in_any_unit() -> None:
    scores = [1.0, 2.0, 1.5, 2.5, 1.2, 2.1, 1.1, 2.2]
    assert omega_squared([1e180 * each for each in scores], [0, 1] * 4) == pytest.approx(
        omega_squared(scores, [0, 1] * 4)
    )


def test_jobs_without_a_number_are_left_out() -> None:
    levels = [0, 1] * 10
    metric = [None if index < 4 else "nan" if index < 6 else float(level) for index, level in enumerate(levels)]
    told = importance("y", metric, {"a": levels})
    assert told["n_jobs"] == 14
    assert shares(told) == {"a": 1.0}


def test_an_override_of_which_each_job_has_its_own_value_is_passed_over_beside_others() -> None:
    told = importance("y", [float(index % 2) for index in range(10)], {"a": [0, 1] * 5, "name": list("abcdefghij")})
    assert shares(told) == {"a": 1.0}
