"""What is under way in this process, and how do we hear of its end when Hydra tells nobody?

Hydra 1.3 calls no end event when the task leaves by `sys.exit` or Ctrl-C, nor at the end of a sweep with a failed job.
But whatever happens, `run_job` restores `HydraConfig` and `hydra.main` clears `GlobalHydra` in a `finally` clause.
While something is under way, these two singletons have a subclass of ours as their class, which ends there what was
left open: at once, with the exception in hand, and also in a worker process that is killed right afterwards. What
neither sees (an application with a loop of its own) is ended when the interpreter exits.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Literal

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

from hydra_callbacks.errors import Terminated
from hydra_callbacks.lifecycle import sigterm
from hydra_callbacks.lifecycle.facts import Job, Launch, Outcome, Status
from hydra_callbacks.support.plain import plain, text_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from hydra_callbacks.lifecycle.callback import RunCallback
    from hydra_callbacks.support.redact import Redactor

_RESOURCES = ("peak_rss_bytes", "cpu_s", "mean_cpu_percent")  # of the summary, that the journal has, too
_LONGEST_MESSAGE = 2000  # characters
Kind = Literal["job", "launch"]


class Flight:
    """A job or launch under way: its facts, and the callbacks that are still to hear of its end.

    Args:
        kind: "job" or "launch".
        facts: What the callbacks are told.
        config: Hydra's configuration object, the same at start and end; kept alive, since its identity is the key.
    """

    def __init__(self, kind: Kind, facts: Job | Launch, config: Any) -> None:
        self.kind = kind
        self.facts = facts
        self.config = config
        self.callbacks: list[RunCallback] = []
        self.outcome: Outcome | None = None
        self.error_before = sys.exc_info()[1]
        self.pid = os.getpid()
        self.frame_id = _frame_of_run_job() if kind == "job" else None
        self._started = time.perf_counter()

    def flush(self) -> None:
        """Write what the callbacks have added to the job's record."""
        if isinstance(self.facts, Job):
            self.facts.record.flush()

    def close(self) -> None:
        """Write what is last, once every callback has been told of the end: the record, then the journal."""
        outcome = self.outcome
        if not self.facts.journal or outcome is None:
            self.flush()
        elif isinstance(self.facts, Launch):
            self.facts.journal.end(outcome.status, time.time())
        else:
            try:
                self.flush()
            finally:
                told = _told(self.facts, outcome)
                self.facts.journal.end(outcome.status, told, is_recorded=self.facts.record.is_kept)

    def end(self, *, error: BaseException | None = None, job_return: Any = None) -> Outcome:
        """Settle how it ended, at the first call; the later ones are told the same."""
        if self.outcome is None:
            if isinstance(self.facts, Job):
                _learn(self.facts.redactor, error)
            self.outcome = Outcome(
                status=_status(error, is_sweep_launch=self.kind == "launch" and self.facts.is_sweep),
                return_value=job_return._return_value if error is None and job_return is not None else None,  # noqa: SLF001
                error=error,
                duration_s=time.perf_counter() - self._started,
                job_return=job_return,
            )
        return self.outcome


def _learn(redactor: Redactor, error: BaseException | None) -> None:
    """Take in the secrets that only the task knew, before any callback writes of its end.

    What it has put into the environment, and of one that failed what its local values hold: its error may repeat it.
    """
    redactor.learn()
    if error is not None and not (isinstance(error, SystemExit) and error.code in (0, None)):
        from hydra_callbacks.provenance.frames import secrets_of  # noqa: PLC0415  (few tasks fail)

        with contextlib.suppress(Exception):  # a stranger's exception must not cost the end of the job
            redactor.learn_texts(secrets_of(error))


def _told(job: Job, outcome: Outcome) -> dict[str, Any]:
    """Return what the journal tells of a job's end: what is recorded, or else what Hydra told."""
    recorded = job.record.data
    told = {"duration_s": round(outcome.duration_s, 6), "result": recorded.get("result")}
    if told["result"] is None and outcome.return_value is not None:
        returned = job.redactor.data(plain(outcome.return_value))
        told["result"] = returned if isinstance(returned, dict) else {"return_value": returned}
    if outcome.status != "completed" and outcome.error is not None:
        message = job.redactor.text(text_of(outcome.error, longest=_LONGEST_MESSAGE))
        told["error"] = {"type": type(outcome.error).__name__, "message": message}
    resources = recorded.get("resources")
    if isinstance(resources, dict):
        told |= {name: resources.get(name) for name in _RESOURCES}
        gpus = [gpu.get("peak_memory_bytes", 0) for gpu in resources.get("gpus", ())]
        told["peak_gpu_memory_bytes"] = max(gpus, default=None)
    return told


def _status(error: BaseException | None, *, is_sweep_launch: bool) -> Status:
    if isinstance(error, SystemExit) and error.code in {0, None}:
        return "interrupted" if is_sweep_launch else "completed"
    if isinstance(error, (KeyboardInterrupt, Terminated)):
        return "interrupted"
    return "completed" if error is None else "failed"


class Interrupted(KeyboardInterrupt):
    """Stands for the error of what ended without a trace, before another launch or the interpreter's exit."""


_flights: dict[tuple[Kind, int], Flight] = {}


def depart(kind: Kind, config: Any, make_facts: Callable[[], Job | Launch], callback: RunCallback) -> Flight:
    """Join the job or launch of this configuration; the first callback to do so makes its facts."""
    flight = _flights.get((kind, id(config)))
    if flight is None:
        if kind == "launch" and not any(kind == "job" for kind, _ in _flights):
            _end_left_open(Interrupted("another launch begins"))
        flight = Flight(kind, make_facts(), config)
        if not _flights:
            atexit.register(_at_exit)
        _flights[kind, id(config)] = flight
        if kind == "job":
            HydraConfig.instance().__class__ = _WatchedHydraConfig
        else:
            GlobalHydra.instance().__class__ = _WatchedGlobalHydra
    flight.callbacks.append(callback)
    return flight


def arrive(kind: Kind, config: Any, callback: RunCallback) -> Flight | None:
    """Take a callback off the job or launch that ends; None when it never joined, or was told already."""
    flight = _flights.get((kind, id(config)))
    if flight is None or flight.pid != os.getpid() or callback not in flight.callbacks:
        return None  # a child that the task has forked is not the job
    flight.callbacks.remove(callback)
    if not flight.callbacks:
        _forget(flight)
    return flight


def launch_under_way(config: Any) -> Launch | None:
    """Return the facts of the launch of this configuration; None when no callback has joined it."""
    flight = _flights.get(("launch", id(config)))
    return flight.facts if flight and isinstance(flight.facts, Launch) else None


def _forget(flight: Flight) -> None:
    _flights.pop((flight.kind, id(flight.config)), None)
    if not _flights:
        atexit.unregister(_at_exit)
        sigterm.leave()


def _end_left_open(error: BaseException | None, *, frame: FrameType | None = None) -> None:
    """Tell the callbacks, last one first, that a job (that of a frame) or everything has ended."""
    abort: SystemExit | None = None
    for flight in reversed(list(_flights.values())):
        if flight.pid != os.getpid() or (frame is not None and flight.frame_id != id(frame)):
            continue
        outcome = flight.end(error=error)
        while flight.callbacks:
            callback = flight.callbacks.pop()
            try:
                callback._ended(flight, outcome, leaving=True)  # noqa: SLF001  (the other half of the lifecycle)
            except SystemExit as wish:
                abort = wish
        _forget(flight)
    if abort is not None:
        raise abort


def _at_exit() -> None:
    _end_left_open(Interrupted("the interpreter exits"))


def _frame_of_run_job() -> int | None:
    """Return the identity of Hydra's `run_job` frame that called us."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (nothing else tells the caller)
    while frame is not None and not _is_in(frame, "hydra.core.utils", {"run_job", "_run_job"}):
        frame = frame.f_back
    return id(frame) if frame is not None else None


def _is_in(frame: FrameType, module: str, functions: set[str]) -> bool:
    return frame.f_code.co_name in functions and frame.f_globals.get("__name__") == module


class _WatchedHydraConfig(HydraConfig):
    """Ends the job whose `run_job` restores the configuration."""

    @property
    def cfg(self) -> Any:
        return self.__dict__["cfg"]

    @cfg.setter
    def cfg(self, value: Any) -> None:
        error = sys.exc_info()[1]
        try:
            _end_left_open(error, frame=sys._getframe(1))  # noqa: SLF001
        finally:
            if not any(kind == "job" for kind, _ in _flights):
                self.__class__ = HydraConfig  # type: ignore[assignment]  # back to what it was
            self.__dict__["cfg"] = value
        if not _flights:  # a worker process, whose pool would take the exception for the job's result
            sigterm.obey(error)


class _WatchedGlobalHydra(GlobalHydra):
    """Ends everything when `hydra.main` is left; an application may clear the singleton at any other time."""

    def clear(self) -> None:
        try:
            if _is_in(sys._getframe(1), "hydra._internal.utils", {"_run_hydra"}):  # noqa: SLF001
                error = sys.exc_info()[1]
                _end_left_open(_cause(error))
                self.__class__ = GlobalHydra  # type: ignore[assignment]  # back to what it was
                sigterm.obey(error)
        finally:
            GlobalHydra.clear(self)


def _cause(error: BaseException | None) -> BaseException | None:
    """Return what made Hydra leave: its own exit with status 1 hides the error that it has printed."""
    if not isinstance(error, SystemExit) or error.__context__ is None:
        return error
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None and _is_in(trace.tb_frame, "hydra._internal.utils", {"run_and_report"}):
        return error.__context__
    return error
