"""Which environment variables do my runs need?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback
from hydra_callbacks.support.settings import check

if TYPE_CHECKING:
    from collections.abc import Mapping


class SetEnvironment(RunCallback):
    """Set environment variables in the launching process and in every job, and restore them at the end.

    Unlike `hydra.job.env_set`, they are there before the first job starts, and for other callbacks that come after.

    Args:
        enabled: When False, nothing is set.
        env: Variable to value. Numbers and booleans become text as Python writes them (`1`, `True`, as
            `hydra.job.env_set` does); null removes the variable for the run.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        enabled: bool = True,
        env: Mapping[str, str | float | bool | None] | None = None,
        *,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check("env", env, "a mapping of variables to values", env is None or hasattr(env, "items"))
        self.env = {str(name): _text(name, value) for name, value in (env or {}).items()}
        self._before: list[dict[str, str | None]] = []

    def launch_started(self, launch: Launch) -> None:  # noqa: ARG002  (the same for every launch)
        """Set them here."""
        self._set()

    def job_started(self, job: Job) -> None:  # noqa: ARG002  (the same for every job)
        """Set them where the job runs."""
        self._set()

    def job_ended(self, job: Job, outcome: Outcome) -> None:  # noqa: ARG002  (however it ended)
        """Restore what was there before the job."""
        self._restore()

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (however it ended)
        """Restore what was there before the launch."""
        self._restore()

    def _set(self) -> None:
        self._before.append({name: os.environ.get(name) for name in self.env})
        _apply(self.env)

    def _restore(self) -> None:
        if self._before:
            _apply(self._before.pop())


def _text(name: Any, value: Any) -> str | None:
    """Return the value as the environment holds it; the error never shows it, for it may be a secret."""
    good = value is None or isinstance(value, (str, int, float))
    check(f"env.{name}", type(value).__name__, "a text, number, boolean or null", good)
    check("env", str(name), "named without '=' and not empty", bool(str(name)) and "=" not in str(name))
    return None if value is None else str(value)


def _apply(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
