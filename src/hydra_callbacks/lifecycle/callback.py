"""How does a callback hear of launches and jobs? By four events, each start followed by exactly one end."""

from __future__ import annotations

import dataclasses
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hydra.experimental.callback import Callback

from hydra_callbacks.errors import HydraCallbacksError, RunAborted
from hydra_callbacks.lifecycle import config as facts_of
from hydra_callbacks.lifecycle import stop
from hydra_callbacks.lifecycle.facts import Job, Launch, Outcome
from hydra_callbacks.lifecycle.flight import Flight, Kind, arrive, depart
from hydra_callbacks.lifecycle.plan import is_rehearsal
from hydra_callbacks.support.settings import check, check_flags

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra.core.utils import JobReturn
    from omegaconf import DictConfig

log = logging.getLogger("hydra.callbacks")


class RunCallback(Callback):
    """Base of all callbacks here, and of your own: override the events that you need.

    Start events come in the order of the configuration, end events in reverse. What was started is ended exactly once,
    also after an exception, `sys.exit` and Ctrl-C. A start event may raise `RunAborted`, which stops the run with exit
    status 1. The instance is pickled between `launch_started` and the jobs when a launcher runs them elsewhere: open
    files and locks in `job_started`, not before.

    Args:
        enabled: When False, the callback does nothing at all.
        on_error: What becomes of an exception in one of its events: "warn" logs it, and the run goes on; "abort" logs
            it and stops the run with exit status 1.

    Raises:
        SettingError: A setting has a wrong value; Hydra stops the run and names the key.
    """

    # A class of a user's own may forget to call our __init__.
    enabled: bool = True
    on_error: Literal["warn", "abort"] = "warn"
    _sweep_dir: Path | None = None  # from the controller, to the jobs wherever they run

    def __init__(self, enabled: bool = True, *, on_error: Literal["warn", "abort"] = "warn") -> None:
        check_flags(enabled=enabled)
        check("on_error", on_error, "'warn' or 'abort'", on_error in {"warn", "abort"})
        self.enabled = enabled
        self.on_error = on_error

    def launch_started(self, launch: Launch) -> None:
        """In the launching process, before the first job."""

    def job_started(self, job: Job) -> None:
        """Where the job runs, before the task function."""

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Where the job ran, after the task function."""

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:
        """In the launching process, after the last job."""

    # Hydra's events

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Hydra's event; override `launch_started` instead."""
        self._start_launch(config, kwargs, is_sweep=False)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Hydra's event; override `launch_started` instead."""
        self._start_launch(config, kwargs, is_sweep=True)

    def on_job_start(self, config: DictConfig, **_kwargs: Any) -> None:
        """Hydra's event; override `job_started` instead."""
        self._start("job", config, lambda: facts_of.job_facts(config, self._sweep_dir))

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_kwargs: Any) -> None:
        """Hydra's event; override `job_ended` instead."""
        self._end("job", config, job_return=job_return)

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Hydra's event; override `launch_ended` instead."""
        self._end("launch", config, kwargs)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Hydra's event; override `launch_ended` instead."""
        self._end("launch", config, kwargs)

    # The way from there to ours

    def _start_launch(self, config: DictConfig, kwargs: dict[str, Any], *, is_sweep: bool) -> None:
        if is_sweep and is_rehearsal(config):
            return
        now = time.time()
        self._start(
            "launch", config, lambda: facts_of.launch_facts(config, is_sweep=is_sweep, started_at=now, kwargs=kwargs)
        )

    def _start(self, kind: Kind, config: DictConfig, make_facts: Callable[[], Job | Launch]) -> None:
        if not self.enabled:
            return
        event = f"{kind}_started"
        try:
            flight = depart(kind, config, make_facts, self)
            if isinstance(flight.facts, Job) and len(flight.callbacks) == 1:
                stop.heed(flight.facts)
            if isinstance(flight.facts, Launch):
                self._sweep_dir = flight.facts.output_dir if flight.facts.is_sweep else None
            getattr(self, event)(flight.facts)
            flight.flush()
        except RunAborted as abort:
            arrive(kind, config, self)
            log.error(abort.reason)  # noqa: TRY400  (the reason says it all; nobody wants the traceback)
            raise
        except Exception as error:  # noqa: BLE001  (a callback never costs a result; it is logged in full)
            self._report(event, error)
            if self.on_error == "abort":
                arrive(kind, config, self)
                raise RunAborted(self._abort_reason(event)) from None

    def _end(
        self, kind: Kind, config: DictConfig, kwargs: dict[str, Any] | None = None, *, job_return: Any = None
    ) -> None:
        flight = arrive(kind, config, self)
        if flight is None:
            return
        job_return = job_return or (kwargs or {}).get("job_return")
        error = _error_in(job_return)
        passing = sys.exc_info()[1]  # Hydra 1.4 calls its end events while an exception passes
        if passing is not flight.error_before:
            error = error if passing is None else passing
        outcome = flight.end(error=error, job_return=job_return)
        self._ended(flight, outcome, kwargs, leaving=error is not None and not flight.facts.is_sweep)

    def _ended(self, flight: Flight, outcome: Outcome, kwargs: dict[str, Any] | None = None, *, leaving: bool) -> None:
        """Tell this callback of an end; `leaving` says that an exception ends the application anyway."""
        event = f"{flight.kind}_ended"
        try:
            try:
                getattr(self, event)(_facts_at_end(flight, kwargs), outcome)
            finally:
                if not flight.callbacks:
                    _close(flight)
        except RunAborted as abort:
            log.error(abort.reason)  # noqa: TRY400  (as above)
        except Exception as error:  # noqa: BLE001  (it is logged in full)
            self._report(event, error)
        else:
            return
        if self.on_error == "abort" and (outcome.status == "completed" or not leaving):
            raise RunAborted(self._abort_reason(event)) from None

    def _report(self, event: str, error: Exception) -> None:
        goes_on = "" if self.on_error == "abort" else "; the run goes on"
        name = type(self).__name__
        if isinstance(error, HydraCallbacksError):  # its message says all, the remedy included
            log.error("%s.%s failed%s: %s", name, event, goes_on, error)
        else:
            log.error("%s.%s failed%s", name, event, goes_on, exc_info=error)

    def _abort_reason(self, event: str) -> str:
        return f"{type(self).__name__}.{event} failed, and its on_error is 'abort'"


def _close(flight: Flight) -> None:
    """Write what is last; that it cannot be is nobody's failure but the disk's."""
    try:
        flight.close()
    except OSError as error:
        what = "record" if flight.kind == "job" else "journal"
        log.error("The end could not be written into the %s: %s; the run goes on", what, error)  # noqa: TRY400  (it says all)


def _error_in(job_return: JobReturn | None) -> BaseException | None:
    """Return what the task raised; its property would raise it again."""
    value = job_return._return_value if job_return is not None and job_return.status.name == "FAILED" else None  # noqa: SLF001
    return value if isinstance(value, BaseException) else None


def _facts_at_end(flight: Flight, kwargs: dict[str, Any] | None) -> Job | Launch:
    """Return the facts for an end event; a single run's output directory is certain only now."""
    facts = flight.facts
    if isinstance(facts, Job):
        return facts
    directory = None if facts.is_sweep else flight.config.hydra.runtime.get("output_dir")
    return dataclasses.replace(
        facts,
        output_dir=Path(directory) if directory else facts.output_dir,
        hydra_kwargs=facts.hydra_kwargs if kwargs is None else kwargs,
    )


class AnyRunCallback(RunCallback):
    """The published base for callbacks of your own that act on single runs and sweeps alike.

    Override `_on_anyrun_start(config, **kwargs)` and `_on_anyrun_end(config, **kwargs)`; they are given what Hydra
    gives. New callbacks are easier to write on `RunCallback`.

    Args:
        enabled: When False, the callback does nothing at all.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def launch_started(self, launch: Launch) -> None:
        """Call `_on_anyrun_start`."""
        self._on_anyrun_start(launch.hydra_config, **launch.hydra_kwargs)

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (the event's signature)
        """Call `_on_anyrun_end`."""
        self._on_anyrun_end(launch.hydra_config, **launch.hydra_kwargs)

    def _on_anyrun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Act at the start of a single run or a sweep."""

    def _on_anyrun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Act at the end of a single run or a sweep, however it ended."""
