"""Which runs have I ever made, with which settings, and which of them succeeded?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.lifecycle import Job, Outcome, RunCallback
from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.support.nested import flatten
from hydra_callbacks.support.plain import text_of
from hydra_callbacks.support.settings import check, check_name

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_ERROR = 200  # characters
_LONGEST_CELL = 32_767  # characters, the most that spreadsheet programs take
_MOST_RESULTS = 200  # columns


class RegisterRun(RunCallback):
    """Add one row for each job to a CSV file that all runs share; single runs and sweeps have a file each.

    The columns are the flattened configuration, `git.sha` and `git.is_dirty` (with GitInfo), `run-dir`, `job_success`,
    and after them `run-id` (the record's, with RunRecord on), `run-status`, `run-started`, `run-duration_s`,
    `run-error` and the result's values as `result.<key>` (with RunRecord on, and after RegisterRun in the
    configuration: end events come in reverse). A configuration with new keys adds columns; older rows stay.
    Rows of any number of processes are kept whole. A cell of more than 32,767 characters is cut, and a result of more
    than 200 values is left to the record.

    Args:
        enabled: When False, nothing is registered.
        register_file: Name of the file in the base directory; `.csv`.
        run_base_dir: Directory of the file for single runs; relative to where the application was started.
        multirun_base_dir: The same for sweeps.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        enabled: bool = True,
        register_file: str = "register.csv",
        run_base_dir: str = "outputs",
        multirun_base_dir: str = "multiruns",
        *,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check_name("register_file", register_file)
        check("register_file", register_file, "the name of a .csv file", register_file.endswith(".csv"))
        check_name("run_base_dir", run_base_dir)
        check_name("multirun_base_dir", multirun_base_dir)
        self.register_file = register_file
        self.run_base_dir = run_base_dir
        self.multirun_base_dir = multirun_base_dir

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Add the row."""
        from hydra_callbacks.support.tables import append_rows  # noqa: PLC0415  (nothing heavy until it is used)

        base_dir = job.cwd / (self.multirun_base_dir if job.is_sweep else self.run_base_dir)
        append_rows(base_dir / self.register_file, [_row(job, outcome)])


def _row(job: Job, outcome: Outcome) -> dict[str, Any]:
    record = job.record.data
    git = record.get("git", {})
    row = flatten(job.config)
    for key in ("sha", "is_dirty"):
        if key in git:
            row[f"git.{key}"] = git[key]
    error = outcome.error if outcome.status != "completed" else None
    row |= {
        "run-dir": _relative(job.output_dir, job.cwd),
        "job_success": outcome.status == "completed",
        "run-id": record["id"],
        "run-status": outcome.status,
        "run-started": timestamp(job.started_at),
        "run-duration_s": round(outcome.duration_s, 3),
        "run-error": _told(job, error) if error else None,
    }
    result = flatten({"result": record["result"]} if "result" in record else {})
    if len(result) <= _MOST_RESULTS:
        row |= {key: value for key, value in result.items() if key not in row}
    return {key: _shortened(value) for key, value in row.items()}


def _shortened(value: Any) -> Any:
    """Return a value whose cell is not too long for a spreadsheet; the record has it whole."""
    text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, (list, dict)) else ""
    return value if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 3] + "..."


def _told(job: Job, error: BaseException) -> str:
    return job.redactor.text(f"{type(error).__name__}: {text_of(error, longest=_LONGEST_ERROR)}")


def _relative(directory: Path, cwd: Path) -> str:
    """Return a directory as seen from the working directory; as it is when it lies elsewhere."""
    return os.path.relpath(directory, cwd) if directory.is_relative_to(cwd) else str(directory)


class RegisterRunCallback(RegisterRun):
    """The older name of `RegisterRun`."""
