"""How does the job sample itself, where no process can do it from beside?"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from hydra_callbacks.monitor.order import sampler_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Within:
    """A thread that samples until it is told to stop.

    Args:
        order: As in `beside.Beside`.
        wait: Waits for an event, for so many seconds at most, and tells whether it happened.

    Attributes:
        why: As of `beside.Beside`, and without use: it always can tell.
    """

    why = ""

    def __init__(
        self, order: Mapping[str, Any], wait: Callable[[threading.Event, float], bool] = threading.Event.wait
    ) -> None:
        self._wait = wait
        self._sampler = sampler_for(order)
        self._trouble = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_sampling, name="resource-monitor", daemon=True)
        with contextlib.suppress(RuntimeError):  # there may be no more threads; then the ends are all
            self._thread.start()

    def found(self) -> dict[str, Any]:
        """Return what was found until now, as `Sampler.findings` does."""
        return {**self._sampler.findings(), "trouble": self._trouble}

    def stop(self) -> dict[str, Any]:
        """Take the last sample, end, and return what was found."""
        is_sampling = not self._ended.is_set()
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        if is_sampling:
            self._sample()
        self._sampler.close()
        return {**self._sampler.findings(), "trouble": self._trouble}

    def _keep_sampling(self) -> None:
        while not self._wait(self._ended, min(self._sampler.until_due_s(), threading.TIMEOUT_MAX)):
            if not self._sampler.until_due_s() and not self._sample():
                self._ended.set()
                return

    def _sample(self) -> bool:
        """Take a sample and return True; False when there is nothing to be had any more."""
        try:
            self._sampler.sample()
        except ProcessLookupError:  # the end of what is watched is nothing to report
            return False
        except Exception as error:  # noqa: BLE001  (the watcher must not disturb what it watches)
            self._trouble = f"{type(error).__name__}: {error}"
            return False
        return True
