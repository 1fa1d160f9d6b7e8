"""What becomes of the samples of a job that was killed?

Who has sampled it from beside hands them over here, in a process that has the standard library only.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.record import text_of
from hydra_callbacks.support.files import write_whole
from hydra_callbacks.support.tables import append_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def leave(order: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
    """Write the samples into their file, and what they come to into the job's record, if it has one.

    Args:
        order: `file`, where the samples go, `samples_file`, what the record calls it, `known_by`, a column that it must
            have, and `record`, the record's file.
        rows: The samples.
        summary: The record's section `resources`.
    """
    with contextlib.suppress(OSError, ValueError):  # it has no record; nobody is left to be told
        path = Path(order["record"])
        record = json.loads(path.read_bytes())
        if record.get("status") == "running":
            resources = {**summary, "samples_file": order["samples_file"]}
            write_whole(path, text_of({**record, "resources": resources}))
    numbered = [{"": index, **row} for index, row in enumerate(rows)]
    append_rows(Path(order["file"]), numbered, known_by=order["known_by"])
