"""How does a process that is told to end (SIGTERM) still tell its callbacks?

Python ends at once by default, without a word: a cluster's preemption leaves no trace. While it is listened to, the
signal is an exception in the main thread, so that the task's own `finally` clauses run and everything under way is
ended as after Ctrl-C. Then the process dies of the same signal, as its parent expects.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from hydra_callbacks.errors import Terminated

if TYPE_CHECKING:
    from types import FrameType

_SAME_S = 2.0  # seconds in which another one says the same: `timeout` and shells send it to the process and its group
_came_at: list[float] = []
_forks_are_watched: list[bool] = []
_masks = threading.local()


def listen() -> None:
    """Make SIGTERM an exception in the main thread, until nothing is under way any more.

    Only where the system's default would act: a handler of the application or its launcher is left alone.
    """
    if sys.platform == "win32":  # it knows no such signal
        return
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return
    if not _forks_are_watched:
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
        _forks_are_watched.append(True)
    _came_at.clear()
    signal.signal(signal.SIGTERM, _on_sigterm)


def leave() -> None:
    """Give the signal back to the system."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is _on_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def obey(error: BaseException | None) -> None:
    """Die of the signal, when that is what has ended everything."""
    if isinstance(error, Terminated):
        _die()


def _on_sigterm(_signum: int, _frame: FrameType | None) -> None:
    now = time.monotonic()
    if not _came_at:
        _came_at.append(now)
        raise Terminated
    if now - _came_at[0] > _SAME_S:
        _die()


def _die() -> None:
    with contextlib.suppress(Exception):
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


# What the task forks is not the job: it dies of the signal as ever, also of one that comes right after the fork.


def _before_fork() -> None:
    if sys.platform != "win32":
        _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _after_fork() -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _in_child() -> None:
    leave()
    _after_fork()
