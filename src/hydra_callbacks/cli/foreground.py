"""How does a command run the user's application, so that signals are the application's own affair?"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from hydra_callbacks.cli import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_OF_A_SIGNAL = 128


def run_application(words: Sequence[str], cwd: Path, variables: Mapping[str, str] | None = None) -> int:
    """Run a program to its end, and return its exit status; 128 and more when a signal ended it, as shells tell it.

    Ctrl-C reaches it by the terminal; SIGTERM is passed on.

    Args:
        words: The program and its arguments.
        cwd: Where it runs.
        variables: What is set besides this process's own variables.

    Raises:
        Failure: It cannot be run.
    """
    sys.stdout.flush()
    try:
        process = subprocess.Popen(words, cwd=cwd, env={**os.environ, **(variables or {})})  # noqa: S603  (the user's own)
    except OSError as error:
        msg = f"{words[0]} cannot be run: {error.strerror}"
        raise Failure(msg) from error
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            continue
        return status if status >= 0 else _OF_A_SIGNAL - status
