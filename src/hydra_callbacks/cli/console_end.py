"""What did a run print last, of what ConsoleCapture has kept?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

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
    console, error = record.get("console"), record.get("error")
    if not isinstance(console, dict) or not isinstance(console.get("file"), str):
        return []
    try:
        with (directory / Path(console["file"]).name).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _N_BYTES))
            text = file.read().decode(errors="replace").rstrip()
    except OSError:
        return []
    trace = str(error.get("traceback") or "") if isinstance(error, dict) else ""
    return text.removesuffix(trace.rstrip()).rstrip().splitlines()[-_N_LINES:]
