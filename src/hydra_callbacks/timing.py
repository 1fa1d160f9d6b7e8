"""How long did a part of my program take?"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import TypeAlias

    from typing_extensions import Self

    Logger: TypeAlias = "logging.Logger | logging.LoggerAdapter[Any] | Callable[[str], object]"


class _Span(NamedTuple):
    timer: PerfLogger
    key: str
    is_outermost: bool
    began: float
    began_cpu: float


class Phase(NamedTuple):
    """One use of a timer.

    Attributes:
        name: Its name, with those around it: `outer/inner`.
        began_at: When it began, in seconds since the epoch.
        ended_at: When it ended.
        cpu_s: Processor time of this process meanwhile, of all its threads, in seconds.
    """

    name: str
    began_at: float
    ended_at: float
    cpu_s: float


_MOST_PHASES = 10_000  # so many of the latest ones are remembered


# What is being timed here, outermost first; each thread and each asyncio task has its own.
_open: ContextVar[tuple[_Span, ...]] = ContextVar("_open", default=())


class PerfLogger:
    """Times a `with` block, and logs its start and its duration; an exception inside changes nothing of that.

    Timers nest: a block inside another one counts under both names, `outer/inner`. An instance may be used again, also
    in itself and in several threads at once.

    Args:
        logger: Where the messages go: a logger of `logging`, or a function that takes a text.
        level: Level of the messages; without effect for a function.
        name: Name of the timer.
        time_format: The message at the end; `{name}` is the name, `{}` the duration in seconds.

    Attributes:
        timers: Name to the duration of its last use in seconds, for the whole process, in the order they first ended.

    Raises:
        ValueError: `logger` is neither a logger nor a function, `level` is no number, or `time_format` asks for more
            than it is given.
    """

    timers: ClassVar[dict[str, float]] = {}
    _total_s: ClassVar[float] = 0.0
    _spent: ClassVar[dict[str, float]] = {}
    _uses: ClassVar[deque[tuple[str, float, float, float]]] = deque(maxlen=_MOST_PHASES)
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        logger: Logger,
        level: int = logging.INFO,
        name: str = "default",
        time_format: str = "{name} duration: {:.2f}s",
    ) -> None:
        _check_logger(logger)
        if not isinstance(level, int):
            msg = f"level must be a whole number such as logging.INFO, got {level!r}; a name is given as name={level!r}"
            raise ValueError(msg)  # noqa: TRY004  (as for the others)
        try:
            time_format.format(0.0, name=name)
        except (LookupError, ValueError) as error:
            msg = f"time_format must be a format of {{name}} and one number, got {time_format!r} ({error})"
            raise ValueError(msg) from error
        self.logger = logger
        self.level = level
        self.name = name
        self.time_format = time_format

    def __enter__(self) -> Self:
        """Log the start, and begin."""
        _tell(self.logger, self.level, f"Starting {self.name}...")
        outer = _open.get()
        key = f"{outer[-1].key}/{self.name}" if outer else self.name
        _open.set((*outer, _Span(self, key, not outer, time.perf_counter(), time.process_time())))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Record the duration, and log it."""
        ended = time.perf_counter()
        spans = _open.get()
        # Not always the innermost: a generator may keep its block open for longer than the block around it.
        index = max((i for i, span in enumerate(spans) if span.timer is self), default=-1)
        if index < 0:
            msg = f"timer {self.name!r} ends in another thread or task than the one it started in"
            raise RuntimeError(msg)
        span = spans[index]
        _open.set(spans[:index] + spans[index + 1 :])
        duration_s = ended - span.began
        self._record(span, ended)
        _tell(self.logger, self.level, self.time_format.format(duration_s, name=self.name))

    @classmethod
    def _record(cls, span: _Span, ended: float) -> None:
        duration_s, cpu_s = ended - span.began, time.process_time() - span.began_cpu
        with PerfLogger._lock:
            PerfLogger.timers[span.key] = duration_s
            PerfLogger._spent[span.key] = PerfLogger._spent.get(span.key, 0.0) + duration_s
            PerfLogger._uses.append((span.key, span.began, ended, cpu_s))
            if span.is_outermost:
                PerfLogger._total_s += duration_s

    @classmethod
    def recap(cls, logger: Logger | None = None) -> str:
        """Return all timers in one line, and log it when a logger is given.

        Args:
            logger: Where the line goes, at level info; None to only return it.

        Returns:
            For example "load/parse: 0.10s, load: 0.30s, Total: 0.30s". The total adds up the outermost timers, every
            use of them.

        Raises:
            ValueError: `logger` is neither a logger nor a function.
        """
        with PerfLogger._lock:
            durations = {**PerfLogger.timers, "Total": PerfLogger._total_s}
        text = ", ".join(f"{name}: {duration_s:.2f}s" for name, duration_s in durations.items())
        if logger is not None:
            _check_logger(logger)
            _tell(logger, logging.INFO, text)
        return text

    @classmethod
    def get_timer(cls, name: str) -> float:
        """Return the duration of a timer's last use, in seconds.

        Raises:
            KeyError: No timer of this name has ended since the last `reset`.
        """
        with PerfLogger._lock:
            if name in PerfLogger.timers:
                return PerfLogger.timers[name]
            known = ", ".join(PerfLogger.timers) or "none"
        msg = f"no timer {name!r} has ended; those that have: {known}"
        raise KeyError(msg)

    @classmethod
    def reset(cls) -> None:
        """Forget all timers that have ended, and the total."""
        with PerfLogger._lock:
            PerfLogger.timers.clear()
            PerfLogger._total_s = 0.0

    @classmethod
    def spent(cls) -> dict[str, float]:
        """Return name to seconds, all uses added up since the process began; `reset` does not touch it."""
        with PerfLogger._lock:
            return dict(PerfLogger._spent)

    @classmethod
    def phases(cls) -> list[Phase]:
        """Return the latest 10,000 uses of all timers, in the order they ended; `reset` does not touch them."""
        began_at = time.time() - time.perf_counter()
        with PerfLogger._lock:
            uses = list(PerfLogger._uses)
        return [Phase(name, began_at + began, began_at + ended, cpu_s) for name, began, ended, cpu_s in uses]


def _check_logger(logger: Any) -> None:
    if not (isinstance(logger, (logging.Logger, logging.LoggerAdapter)) or callable(logger)):
        msg = "logger must be a Logger or a callable"
        raise ValueError(msg)  # noqa: TRY004  (published)


def _tell(logger: Logger, level: int, text: str) -> None:
    """Pass on a text; a log record names the line that uses the timer, not ours."""
    if isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
        logger.log(level, text, stacklevel=3)
    else:
        logger(text)
