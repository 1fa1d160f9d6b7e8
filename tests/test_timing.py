"""A block's duration is logged and kept, whatever happens in it, nests by name, and threads do not mix."""

from __future__ import annotations

import asyncio
import logging
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT

from hydra_callbacks import PerfLogger

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("timed")


class FakeClock:
    """Shows what the test sets it to."""

    def __init__(self) -> None:
        self.now_s = 50.0

    def perf_counter(self) -> float:
        return self.now_s

    def process_time(self) -> float:
        return self.now_s / 2


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    monkeypatch.setattr("hydra_callbacks.timing.time", fake)
    return fake


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    PerfLogger.reset()
    yield
    PerfLogger.reset()


def test_start_and_duration_are_logged(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with PerfLogger(log, name="step1"):
        clock.now_s += 1.0
    assert caplog.messages == ["Starting step1...", "step1 duration: 1.00s"]
    assert {(record.levelname, record.name, record.filename) for record in caplog.records} == {
        ("INFO", "timed", "test_timing.py")
    }
    assert PerfLogger.timers == {"step1": 1.0}


def test_level_name_and_format_may_be_given_by_position(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with PerfLogger(log, logging.DEBUG, "load", "{:.1f} seconds for {name}"):
        clock.now_s += 2.0
    assert caplog.messages == ["Starting load...", "2.0 seconds for load"]
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


def test_a_function_takes_the_messages(clock: FakeClock) -> None:
    told: list[str] = []
    with PerfLogger(told.append):
        clock.now_s += 0.5
    assert told == ["Starting default...", "default duration: 0.50s"]


def test_an_adapter_is_a_logger_and_percent_signs_are_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with PerfLogger(logging.LoggerAdapter(log, {}), name="100%s"):
        pass
    assert caplog.messages[0] == "Starting 100%s..."


@pytest.mark.parametrize("logger", ["print", None, 1])
def test_anything_else_is_no_logger(logger: Any) -> None:
    with pytest.raises(ValueError, match="logger must be a Logger or a callable"):
        PerfLogger(logger)
    if logger is not None:
        with pytest.raises(ValueError, match="logger must be a Logger or a callable"):
            PerfLogger.recap(logger)


def test_a_name_in_the_place_of_the_level_is_told_where_names_go() -> None:
    with pytest.raises(ValueError, match=r"level must be a whole number .* got 'load'; a name is given as name='load'"):
        PerfLogger(print, "load")  # type: ignore[arg-type]  # what people write


@pytest.mark.parametrize("time_format", ["{nam}", "{} {}", "{:d}", "{"])
def test_a_wrong_format_is_told_before_the_work_is_done(time_format: str) -> None:
    with pytest.raises(ValueError, match=r"time_format must be a format of \{name\} and one number, got"):
        PerfLogger(log, time_format=time_format)


def test_names_nest_and_end_in_order(clock: FakeClock) -> None:
    told: list[str] = []
    with PerfLogger(told.append, name="a"):
        with PerfLogger(told.append, name="b"):
            clock.now_s += 0.1
        with PerfLogger(told.append, name="c"):
            clock.now_s += 0.2
    assert list(PerfLogger.timers) == ["a/b", "a/c", "a"]
    assert PerfLogger.timers == pytest.approx({"a/b": 0.1, "a/c": 0.2, "a": 0.3})
    assert told[1] == "Starting b..."
    assert told[2] == "b duration: 0.10s"


def test_recap_adds_up_the_outermost_each_time_they_are_used(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert PerfLogger.recap() == "Total: 0.00s"
    for seconds in (1.0, 2.0):
        with PerfLogger(str, name="a"), PerfLogger(str, name="b"):
            clock.now_s += seconds
    assert PerfLogger.recap(log) == "a/b: 2.00s, a: 2.00s, Total: 3.00s"
    assert caplog.messages == ["a/b: 2.00s, a: 2.00s, Total: 3.00s"]
    told: list[str] = []
    PerfLogger.recap(told.append)
    assert told == caplog.messages


def test_a_timer_is_found_by_name_or_the_names_are_told(clock: FakeClock) -> None:
    with pytest.raises(KeyError, match="no timer 'a' has ended; those that have: none"):
        PerfLogger.get_timer("a")
    with PerfLogger(str, name="a"):
        clock.now_s += 1.5
    assert PerfLogger.get_timer("a") == 1.5
    with pytest.raises(KeyError, match="no timer 'b' has ended; those that have: a"):
        PerfLogger.get_timer("b")
    PerfLogger.reset()
    assert PerfLogger.timers == {}
    assert PerfLogger.recap() == "Total: 0.00s"


def test_an_exception_inside_is_recorded_logged_and_passed_on(clock: FakeClock) -> None:
    told: list[str] = []

    def work() -> None:
        with PerfLogger(told.append, name="outer"), PerfLogger(told.append, name="inner"):
            clock.now_s += 3.0
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert PerfLogger.timers == {"outer/inner": 3.0, "outer": 3.0}
    assert told[-1] == "outer duration: 3.00s"
    with PerfLogger(str, name="next"):
        pass
    assert "next" in PerfLogger.timers  # nothing was left open


def test_a_logger_that_fails_leaves_nothing_open() -> None:
    def fail(_text: str) -> None:
        raise OSError

    with pytest.raises(OSError), PerfLogger(fail, name="broken"):  # noqa: PT011  (there is no message)
        pass
    with PerfLogger(str, name="whole"):
        pass
    assert list(PerfLogger.timers) == ["whole"]


def test_an_instance_may_be_used_in_itself(clock: FakeClock) -> None:
    timer = PerfLogger(str, name="a")
    with timer:
        clock.now_s += 1.0
        with timer:
            clock.now_s += 0.5
    assert PerfLogger.timers == {"a/a": 0.5, "a": 1.5}


def test_threads_do_not_nest_in_each_other() -> None:
    timer = PerfLogger(str, name="work")
    inside = threading.Barrier(8)

    def work(_number: int) -> None:
        with timer:
            inside.wait()
            with PerfLogger(str, name="part"):
                inside.wait()

    with PerfLogger(str, name="main"), ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert set(PerfLogger.timers) == {"work", "work/part", "main"}


def test_no_duration_is_lost_among_threads() -> None:
    before_s = PerfLogger.spent().get("busy", 0.0)
    told: list[str] = []

    def work(_number: int) -> None:
        for _ in range(200):
            with PerfLogger(told.append, name="busy", time_format="{}"):
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    durations = [float(text) for text in told if text != "Starting busy..."]
    assert len(durations) == 1600
    assert PerfLogger.spent()["busy"] - before_s == pytest.approx(sum(durations))


def test_tasks_of_one_thread_do_not_nest_in_each_other() -> None:
    async def work(name: str) -> None:
        with PerfLogger(str, name=name):
            await asyncio.sleep(0)
            with PerfLogger(str, name="part"):
                await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(work("a"), work("b"))

    asyncio.run(both())
    assert set(PerfLogger.timers) == {"a", "b", "a/part", "b/part"}


def test_a_block_that_outlives_the_one_around_it_ends_alone(clock: FakeClock) -> None:
    def items() -> Iterator[int]:
        with PerfLogger(str, name="items"):
            yield 1

    iterator = items()
    with PerfLogger(str, name="loop"):
        next(iterator)
        clock.now_s += 1.0
    clock.now_s += 1.0
    assert next(iterator, None) is None
    assert PerfLogger.timers == {"loop": 1.0, "loop/items": 2.0}
    assert PerfLogger.recap().endswith("Total: 1.00s")


def test_an_end_in_another_thread_says_so() -> None:
    timer = PerfLogger(str, name="a")
    with timer, ThreadPoolExecutor(1) as pool:
        error = pool.submit(timer.__exit__, None, None, None).exception()
    assert str(error) == "timer 'a' ends in another thread or task than the one it started in"


def test_an_instance_can_be_sent_to_another_process() -> None:
    with PerfLogger(log, name="a") as timer:
        again = pickle.loads(pickle.dumps(timer))  # noqa: S301  (our own bytes)
    assert vars(again) == vars(timer)
    assert again.logger is log


def test_importing_it_loads_only_the_standard_library() -> None:
    code = (
        "import sys\n"
        f"sys.path.append({str(ROOT / 'src')!r})\n"
        "import hydra_callbacks.timing\n"
        "known = {*sys.stdlib_module_names, 'hydra_callbacks', '__main__'}\n"
        "print(*({name.partition('.')[0] for name in sys.modules} - known))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
