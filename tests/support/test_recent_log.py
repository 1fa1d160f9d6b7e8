"""The last lines of the log are kept, as they were when they were logged."""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING

import pytest

from hydra_callbacks.support.recent_log import RecentLog

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def recent() -> Iterator[RecentLog]:
    handler = RecentLog(3)
    logger = logging.getLogger("recent")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)


def messages(recent: RecentLog) -> list[str]:
    return [line.partition("] - ")[2] for line in recent.lines()]


def test_the_last_ones_are_kept_with_time_name_and_level(recent: RecentLog) -> None:
    for number in range(10):
        logging.getLogger("recent").warning("step %d of %s", number, "ten")
    logging.getLogger("recent").debug("not this one")
    assert messages(recent) == ["step 7 of ten", "step 8 of ten", "step 9 of ten"]
    assert recent.lines()[0].endswith("][recent][WARNING] - step 7 of ten")


def test_a_value_is_told_as_it_was_and_is_not_kept_alive(recent: RecentLog) -> None:
    class Batch:
        def __str__(self) -> str:
            return "a batch"

    batch, values = Batch(), [1]
    gone = weakref.ref(batch)
    record = logging.LogRecord("recent", logging.INFO, "", 0, "%s, %s", (batch, values), None)
    recent.handle(record)  # not by the logger, since pytest keeps what it hears
    values.append(2)
    del batch, record
    assert gone() is None
    assert messages(recent) == ["a batch, [1]"]


def test_an_exception_is_told_with_its_traceback(recent: RecentLog) -> None:
    try:
        raise ValueError("no")  # noqa: EM101, TRY301  (short)
    except ValueError:
        logging.getLogger("recent").exception("failed")
    assert messages(recent)[0].startswith("failed\nTraceback (most recent call last):")


def test_a_line_that_does_not_fit_its_values_costs_nothing_but_itself(
    recent: RecentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("recent").info("%d", "one")
    logging.getLogger("recent").info("%d", object())
    assert recent.lines() == ["[recent][INFO] - (not formatted: TypeError)"] * 2
