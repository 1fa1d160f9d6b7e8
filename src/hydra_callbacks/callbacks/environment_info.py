"""In which environment did each job run, and does it differ from another run's?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import hydra

from hydra_callbacks.lifecycle import RunCallback
from hydra_callbacks.lifecycle.callback import log
from hydra_callbacks.provenance import SWEEP_FOLDER
from hydra_callbacks.support.settings import check, check_flags

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.lifecycle import Job, Launch, Outcome
    from hydra_callbacks.provenance.environment import Capture
    from hydra_callbacks.support.redact import Redactor

_VARIABLES = [
    *("*_NUM_THREADS", "*_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "CUDA_*", "JAX_*", "LANG", "LC_ALL", "PYTHON*"),
    *("PYTORCH_*", "TF_DETERMINISTIC_OPS", "TF_ENABLE_ONEDNN_OPTS", "TZ", "XLA_FLAGS"),
]
_LONGEST_WAIT_S = 20.0


class EnvironmentInfo(RunCallback):
    """Record the environment: Python, packages, lock files, machine, GPUs, container, command and variables.

    It is read by a thread while the job is at work, once for a run or a sweep, into `environment.json`. The record of
    every job gets a section `environment` that names the file, with what is the job's own: variables, and facts of
    Slurm, Ray and Kubernetes. Jobs that run on another machine, or with another Python, have a file of their own, one
    for each such environment.

    Args:
        variables: Names of the environment variables to record, glob patterns among them; those whose names say that
            they are secret are shown as `<redacted>`.
        packages: Whether to list the installed packages.
        enabled: When False, nothing is read or recorded.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        variables: Sequence[str] = _VARIABLES,
        *,
        packages: bool = True,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check("variables", variables, "a list of names", _is_names(variables))
        check_flags(packages=packages)
        self.variables = list(variables)  # Hydra's own list would take the whole configuration along to the jobs
        self.packages = packages
        self._program: Path | None = None
        self._file: Path | None = None  # of the launching process, in a sweep
        self._identity: tuple[str, ...] | None = None  # likewise
        self._of_launch: Capture | None = None
        self._of_job: Capture | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what goes along to the jobs: all but the threads."""
        return {**vars(self), "_of_launch": None, "_of_job": None}

    def launch_started(self, launch: Launch) -> None:
        """Begin to read, in a sweep; a single run's directory is certain only when its job starts."""
        from hydra_callbacks.provenance import environment  # noqa: PLC0415  (nothing heavy until it is used)

        self._file = self._identity = None
        self._program = launch.program
        if launch.is_sweep and launch.output_dir is not None:
            folder = launch.output_dir / SWEEP_FOLDER
            self._file = folder / environment.free_name(folder)
            self._identity = environment.identity()
            self._of_launch = self._begin(self._file, launch.cwd, launch.redactor())

    def job_started(self, job: Job) -> None:
        """Record what is the job's own, and where the rest is; begin to read it where it has not been."""
        from hydra_callbacks.provenance import environment, schedulers  # noqa: PLC0415  (as above)
        from hydra_callbacks.provenance.lock_files import relative  # noqa: PLC0415  (as above)

        file = self._file_of(job)
        if file != self._file and not (job.is_sweep and file.exists()):
            self._of_job = self._begin(file, job.cwd, job.redactor)
        section = {
            "python": environment.python_version(),
            "hydra": hydra.__version__,
            "file": relative(file, job.output_dir),
            "variables": environment.chosen(self.variables),
            **schedulers.job_facts(),
        }
        job.record.add({"environment": {name: value for name, value in section.items() if value}})

    def job_ended(self, job: Job, outcome: Outcome) -> None:  # noqa: ARG002  (the event's signature)
        """Wait until it has been read, which it has long been."""
        capture, self._of_job = self._of_job, None
        _wait_for(capture)

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (as above)
        """Wait, as above."""
        capture, self._of_launch = self._of_launch, None
        _wait_for(capture)

    def _file_of(self, job: Job) -> Path:
        """Return the file that tells of this process's environment."""
        from hydra_callbacks.provenance import environment  # noqa: PLC0415  (as above)

        if not job.is_sweep:
            return job.record_dir / environment.FILE_NAME
        here = environment.identity()
        if self._file is not None and here == self._identity:
            return self._file
        beside = self._file or job.launch_dir / SWEEP_FOLDER / environment.FILE_NAME
        return beside.with_name(environment.file_name_of(here, beside.stem))

    def _begin(self, file: Path, cwd: Path, redactor: Redactor) -> Capture:
        from hydra_callbacks.provenance.environment import Application, Capture  # noqa: PLC0415  (as above)

        app = Application.now(hydra=hydra.__version__, cwd=cwd, program=self._program, variables=self.variables)
        return Capture(file, app, redactor, with_packages=self.packages)


def _wait_for(capture: Capture | None) -> None:
    if capture is not None:
        for part, problem in capture.wait(_LONGEST_WAIT_S).items():
            log.warning("EnvironmentInfo cannot tell the %s: %s", part, problem)


def _is_names(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and all(isinstance(name, str) and name.strip() for name in value)
