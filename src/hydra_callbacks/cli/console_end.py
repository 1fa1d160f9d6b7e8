"""What did a run print last, of what ConsoleCapture has kept?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.named_file import named_file
from hydra_callbacks.runs.record import section

if TYPE_CHECKING:
    from pathlib import Path

_N_LINES = 10
_N_BYTES = 1 << 15


def last_lines(directory: Path, record: dict[str, Any]) -> list[str]:
    """Return the last lines of a run's console, without the traceback that its record has.

    Args:
        directory: The run's output directory.
        record: Its record.

    Returns:
        At most ten lines; none when nothing was kept.
    """
    file = named_file(directory, section(record, "console").get("file"))
    if file is None:
        return []
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - _N_BYTES))
            text = opened.read().decode(errors="replace").rstrip()
    except OSError:
        return []
    trace = str(section(record, "error").get("traceback") or "")
    return text.removesuffix(trace.rstrip()).rstrip().splitlines()[-_N_LINES:]
