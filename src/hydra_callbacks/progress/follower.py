"""How is a sweep followed while the launching process waits for it? By a thread that reads the journal."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING

from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.progress.terminal import Bottom, terminal_of
from hydra_callbacks.runs.sweep import SweepReader
from hydra_callbacks.runs.view import View, view_of

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger("hydra.callbacks")
_JOIN_S = 5.0
_LONGEST_PAUSE = 10.0  # times the setting, between two plain lines


class Follower:
    """Shows how a sweep fares: in the terminal's last lines, or as a plain line on stderr where there is no terminal.

    Args:
        sweep_dir: The sweep's directory.
        metric: The result by which jobs are compared; None for no comparison.
        is_max: Whether the highest is best.
        interval_s: Seconds from look to look in a terminal.
        line_interval_s: Seconds from one plain line to the next; they get longer with time.
    """

    def __init__(
        self, sweep_dir: Path, metric: str | None, *, is_max: bool, interval_s: float, line_interval_s: float
    ) -> None:
        self._reader = SweepReader(sweep_dir)
        self._metric, self._is_max = metric, is_max
        stream = terminal_of(sys.stderr, sys.stdout)
        self._bottom = Bottom(stream) if stream else None
        self._interval_s = interval_s if stream else line_interval_s
        self._is_over = threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="hydra-callbacks-progress", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and leave how it ended in plain sight."""
        self._is_over.set()
        self._thread.join(_JOIN_S)
        if self._bottom:
            self._bottom.close()
        view = self._look(is_over=True)
        if view and view.n_jobs:
            self._say(view)

    def _run(self) -> None:
        begun = time.monotonic()
        pause_s = self._interval_s
        while not self._is_over.wait(pause_s):
            view = self._look()
            if view is None or not view.n_jobs:
                continue
            if self._bottom:
                self._draw(view)
            else:
                self._say(view)
                elapsed_s = time.monotonic() - begun
                pause_s = min(max(self._interval_s, elapsed_s / 10), self._interval_s * _LONGEST_PAUSE)

    def _look(self, *, is_over: bool = False) -> View | None:
        try:
            return view_of(self._reader.read(is_over=is_over), self._metric, is_max=self._is_max)
        except (HydraCallbacksError, OSError) as error:  # the next look may fare better
            _log.debug("The sweep's progress cannot be read: %s", error)
            return None

    def _draw(self, view: View) -> None:
        from hydra_callbacks.progress.panel import panel  # noqa: PLC0415  (only a terminal needs it)

        bottom = self._bottom
        if bottom is not None:
            try:
                bottom.show(panel(view, bottom.width))
            except (OSError, ValueError):  # the terminal is gone
                self._bottom = None

    def _say(self, view: View) -> None:
        from hydra_callbacks.progress.panel import line  # noqa: PLC0415  (only what is said needs it)

        says = line(view)
        key = says.partition(", for ")[0]
        if key != self._said and sys.stderr is not None:
            self._said = key
            print(f"Sweep: {says}", file=sys.stderr, flush=True)  # noqa: T201  (no log: it is nothing to keep)
