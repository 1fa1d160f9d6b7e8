"""Which runs have I ever made, with which settings, and which of them succeeded?"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.errors import HydraCallbacksError, RegisterError
from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback
from hydra_callbacks.lifecycle.callback import log
from hydra_callbacks.runs import register
from hydra_callbacks.support.settings import check, check_name

if TYPE_CHECKING:
    from hydra_callbacks.runs.register.row import Row


class RegisterRun(RunCallback):
    """Keep a row for each job in a register that all runs share; single runs and sweeps have a file each.

    The columns are the flattened configuration, `git.sha` and `git.is_dirty` (with GitInfo), `run-dir`, `job_success`,
    and after them what `runs.register.row.row_of` lists, with the result's values as `result.<key>` (with RunRecord
    on, and after RegisterRun in the configuration: end events come in reverse). A configuration with new keys adds
    columns; older rows stay. Rows of any number of processes are kept whole. A job that starts again (a requeue, a
    retry) stays one row, its last state. What cannot be registered is logged, and costs the job nothing: with
    RunRecord on, `hydra-callbacks index` adds it later.

    Args:
        enabled: When False, nothing is registered.
        register_file: Name of the file in the base directory: `.csv`, `.jsonl`, or `.db` and `.sqlite` (SQLite); or
            `postgresql://user@host/database` (extra `postgres`), without the password, which is looked up where
            PostgreSQL's own programs find it.
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
        wrong = register.complaint(register_file) if enabled else None
        # An address may hold a password, which is not to be repeated.
        check("register_file", "..." if register.is_url(register_file) else register_file, str(wrong), wrong is None)
        check_name("run_base_dir", run_base_dir)
        check_name("multirun_base_dir", multirun_base_dir)
        self.register_file = register_file
        self.run_base_dir = run_base_dir
        self.multirun_base_dir = multirun_base_dir

    def launch_started(self, launch: Launch) -> None:
        """Warn of a place that is no good for the register."""
        place = self._place(launch.cwd, is_sweep=launch.is_sweep)
        if isinstance(place, Path) and (caveat := register.caveat(place)):
            log.warning("Register: %s", caveat)

    def job_started(self, job: Job) -> None:
        """Note that it runs, so that it is known if it is killed."""
        try:
            self._add(job, None)
        except (HydraCallbacksError, OSError) as error:
            log.debug("The start could not be registered: %s", error)  # the end will tell, if it is no better then

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Add the row."""
        try:
            self._add(job, outcome)
        except (HydraCallbacksError, OSError) as error:
            elsewhere = "" if job.output_dir.is_relative_to(job.cwd) else f" {job.output_dir.parent}"
            remedy = f"hydra-callbacks index{elsewhere} --register {self._place(job.cwd, is_sweep=job.is_sweep)}"
            msg = f"{job.redactor.text(str(error))}. The run is not registered; `{remedy}` adds it from its record"
            raise RegisterError(msg) from error

    def _place(self, cwd: Path, *, is_sweep: bool) -> Path | str:
        if register.is_url(self.register_file):
            return self.register_file
        base_dir = self.multirun_base_dir if is_sweep else self.run_base_dir
        return cwd / Path(base_dir).expanduser() / Path(self.register_file).expanduser()

    def _add(self, job: Job, outcome: Outcome | None) -> None:
        place = self._place(job.cwd, is_sweep=job.is_sweep)
        is_beside = isinstance(place, Path) and place.is_relative_to(job.cwd)
        with contextlib.closing(register.open_register(place)) as opened:
            opened.add(_row(job, outcome, seen_from=job.cwd if is_beside else None))


def _row(job: Job, outcome: Outcome | None, *, seen_from: Path | None) -> Row:
    """Return the row of a job that runs, or has ended; what other callbacks have recorded is in it, too."""
    from hydra_callbacks.runs.record import timestamp  # noqa: PLC0415  (nothing heavy until it is used)
    from hydra_callbacks.runs.register.row import row_of  # noqa: PLC0415  (as above)
    from hydra_callbacks.support.plain import text_of  # noqa: PLC0415  (as above)
    from hydra_callbacks.support.process import host_facts  # noqa: PLC0415  (as above)

    told: dict[str, Any] = {
        "app": job.name,
        "config": job.config,
        "job": {"num": job.num, "sweep": job.is_sweep},
        "overrides": list(job.overrides),
        "output_dir": str(job.output_dir),
        "started_at": timestamp(job.started_at),
        "host": host_facts(),
    }
    data = {**told, **job.record.data, "status": "running", "error": None}
    if outcome is not None:
        data |= {"status": outcome.status, "duration_s": outcome.duration_s}
        if outcome.error is not None and outcome.status != "completed":
            message = job.redactor.text(text_of(outcome.error, longest=1000))
            data["error"] = {"type": type(outcome.error).__name__, "message": message}
    return row_of(data, seen_from=seen_from)


class RegisterRunCallback(RegisterRun):
    """The older name of `RegisterRun`."""
