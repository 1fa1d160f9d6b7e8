"""By which result a sweep is compared, and which way: what is asked, what its callbacks were told, else its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from run_dirs import job, make_run, write

from hydra_callbacks.report.metric import is_high_good
from hydra_callbacks.report.register import register_data
from hydra_callbacks.report.sweep import sweep_data

if TYPE_CHECKING:
    from pathlib import Path

GATHERER = "_target_: hydra_callbacks.MultiRunGatherer"
PROGRESS = "_target_: hydra_callbacks.callbacks.SweepProgress"
REPORT = "_target_: hydra_callbacks.Report"


def make_sweep(folder: Path, results: list[Any], *callbacks: str, more: str = "") -> Path:
    for num, result in enumerate(results):
        make_run(folder / str(num), num, job=job(num), result=result, overrides=[f"lr={num}"])
    entries = ", ".join(f"c{number}: {{{each}}}" for number, each in enumerate(callbacks))
    write(folder / "multirun.yaml", f"hydra: {{callbacks: {{{entries}}}}}\n{more}")
    return folder


RESULTS = [{"acc": 0.5, "loss": 1.0}, {"acc": 0.6, "loss": 0.5}]


def way(folder: Path, **asked: Any) -> tuple[Any, ...]:
    found = sweep_data(folder, **asked)["metric"]
    return found["name"], found["is_max"], found["is_guessed"]


@pytest.mark.parametrize(
    ("callbacks", "more", "found"),
    [
        ([f"{GATHERER}, metric: acc, direction: min"], "", ("acc", False, False)),
        ([f"{GATHERER}, metric: acc, direction: min", f"{REPORT}, metric: acc"], "", ("acc", False, False)),
        ([f"{GATHERER}, metric: loss", f"{REPORT}, metric: acc, direction: null"], "", ("acc", True, True)),
        ([f"{REPORT}, metric: null, direction: min"], "", ("acc", False, False)),
        ([f"{GATHERER}, metric: acc", f"{REPORT}, direction: min"], "", ("acc", False, False)),
        ([f"{PROGRESS}, metric: loss, direction: min"], "", ("loss", False, False)),
        ([f"{GATHERER}, metric: '${{o.by}}', direction: '${{w}}'"], "o: {by: loss}\nw: max\n", ("loss", True, False)),
        ([f"{GATHERER}, metric: '${{a}}'"], "a: ${b}\nb: loss\n", ("loss", True, False)),
        ([f"{GATHERER}, metric: '${{a}}'"], "a: ${a}\n", ("acc", True, True)),
        ([f"{GATHERER}, metric: '${{gone}}'"], "", ("acc", True, True)),
        ([f"{GATHERER}, metric: '${{oc.env:X}}'"], "", ("acc", True, True)),
        ([f"{GATHERER}, metric: loss, direction: '${{gone}}'"], "", ("loss", False, True)),
        ([f"{GATHERER}, metric: loss, direction: up"], "", ("loss", False, True)),
        ([f"{GATHERER}, metric: loss, enabled: false"], "", ("acc", True, True)),
        (["_target_: my.KNN, metric: loss", f"{REPORT.replace('h', 'my.h')}, metric: loss"], "", ("acc", True, True)),
        ([f"{GATHERER}, metric: [loss]"], "", ("acc", True, True)),
    ],
)  # fmt: skip
def test_what_the_callbacks_were_told(tmp_path: Path, callbacks: list[str], more: str, found: tuple[Any, ...]) -> None:
    folder = make_sweep(tmp_path, RESULTS, *callbacks, more=more)
    assert way(folder) == found
    assert sweep_data(folder)["notes"] == []


def test_the_way_holds_for_the_metric_that_it_was_told_with_also_when_that_is_asked_for(tmp_path: Path) -> None:
    folder = make_sweep(tmp_path, RESULTS, f"{GATHERER}, metric: acc, direction: min")
    assert way(folder, metric_name="acc") == way(folder, metric_name="result.acc") == ("acc", False, False)
    assert way(folder, metric_name="acc", is_max=True) == ("acc", True, False)
    assert way(folder, metric_name="loss") == ("loss", False, True)
    assert sweep_data(folder, metric_name="acc")["best"]["num"] == 0
    folder = make_sweep(tmp_path, RESULTS, f"{REPORT}, direction: min")
    assert way(folder, metric_name="loss") == ("loss", False, True)
    assert way(folder, metric_name="gone", is_max=True) == ("acc", False, False), "max was said of another one"


@pytest.mark.parametrize(
    ("callbacks", "asked", "ways"),
    [
        ([], {}, [("acc", True, True), ("loss", False, True)]),
        ([], {"is_max": False}, [("acc", False, False), ("loss", False, True)]),
        ([], {"metric_name": "loss", "is_max": True}, [("acc", True, True), ("loss", True, False)]),
        ([f"{GATHERER}, metric: loss, direction: max"], {}, [("acc", True, True), ("loss", True, False)]),
        ([f"{GATHERER}, metric: acc, direction: min"], {}, [("acc", False, False), ("loss", False, True)]),
        (
            [f"{GATHERER}, metric: acc, direction: min", f"{PROGRESS}, metric: loss, direction: max"],
            {"metric_name": "loss"},
            [("acc", False, False), ("loss", True, False)],
        ),
    ],
)
def test_each_result_that_may_be_chosen_has_its_own_way(
    tmp_path: Path, callbacks: list[str], asked: dict[str, Any], ways: list[tuple[Any, ...]]
) -> None:
    found = sweep_data(make_sweep(tmp_path, RESULTS, *callbacks), **asked)["metric"]
    assert [tuple(each.values()) for each in found["candidates"]] == ways
    assert tuple(found.values())[:3] in ways


def test_a_metric_that_is_the_same_everywhere_can_be_named(tmp_path: Path) -> None:
    same = [{"acc": 1.0, "loss": 2.0}, {"acc": 1.0, "loss": 1.0}]
    folder = make_sweep(tmp_path / "s", same)
    assert way(folder)[0] == "loss"
    data = sweep_data(folder, metric_name="acc")
    candidates = [each["name"] for each in data["metric"]["candidates"]]
    assert (data["metric"]["name"], candidates, data["notes"]) == ("acc", ["acc", "loss"], [])
    assert way(make_sweep(tmp_path / "s", same, f"{GATHERER}, metric: acc"))[0] == "acc"
    data = sweep_data(folder, metric_name="gone")
    assert data["notes"] == ["no job has a number in 'gone'; results that are numbers: acc, loss"]
    (app,) = register_data(str(tmp_path), metric_name="acc")["by_app"]
    assert app["best"]["name"] == "acc"


def test_a_metric_may_be_called_as_registers_do(tmp_path: Path) -> None:
    folder = make_sweep(tmp_path, [{"b": 1, "test": {"acc": 1.0}}, {"b": 2, "test": {"acc": 2.0}}])
    assert way(folder, metric_name="result.acc")[0] == way(folder, metric_name="result.test.acc")[0] == "test.acc"


def test_a_configuration_that_is_torn_or_odd_tells_nothing(tmp_path: Path) -> None:
    folder = make_sweep(tmp_path, RESULTS)
    for text in ("hydra: [torn\n", "hydra: {callbacks: {odd: 7}}\n", "hydra: {callbacks: [7]}\n", "7\n", "\0"):
        write(folder / "multirun.yaml", text)
        assert way(folder) == ("acc", True, True)


@pytest.mark.parametrize(
    ("results", "metric"),
    [
        ([{"fit_s": 1.5, "accuracy": 0.5}, {"fit_s": 2.5, "accuracy": 0.6}], ("accuracy", True)),
        ([{"val": {"loss": 1.5}}, {"val": {"loss": 2.5}}], ("val.loss", False)),
        ([{"valRMSE": 1.5}, {"valRMSE": 2.5}], ("valRMSE", False)),
        ([{"n": 1, "f1": 0.5}, {"n": 1, "f1": 0.25}], ("f1", True)),
        ([{"epoch": 3, "text": "a"}, {"epoch": 4, "text": "b"}], ("epoch", True)),
        ([{"text": "a"}, {"text": "b"}], None),
        ([None, None], None),
    ],
)
def test_without_a_word_the_metric_is_the_first_number_that_is_not_about_the_computer(
    tmp_path: Path, results: list[Any], metric: tuple[str, bool] | None
) -> None:
    found = sweep_data(make_sweep(tmp_path, results))["metric"]
    assert (found and (found["name"], found["is_max"])) == metric


@pytest.mark.parametrize(
    "name", ["accuracy", "neg_mean_squared_error", "neg_log_loss", "images_per_s", "throughput_mb_s", "tokensPerSecond"]
)
def test_a_high_value_is_good(name: str) -> None:
    assert is_high_good(name)


@pytest.mark.parametrize(
    "name", ["loss", "val.rmse", "time_s", "peak_mb", "kl", "ece", "bits_per_dim", "error_rate", "brier"]
)
def test_a_low_value_is_good(name: str) -> None:
    assert not is_high_good(name)
