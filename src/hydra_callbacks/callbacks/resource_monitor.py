"""What did each job use of the machine, from second to second?"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import TableError
from hydra_callbacks.lifecycle import RunCallback
from hydra_callbacks.lifecycle.callback import log
from hydra_callbacks.support.settings import check, check_count, check_flags, check_name, check_seconds

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from hydra_callbacks.lifecycle import Job, Launch, Outcome
    from hydra_callbacks.monitor.service import ResourceMonitorService
    from hydra_callbacks.timing import Phase

_OF_SCHEDULERS = ("SLURM_JOB_ID", "PBS_JOBID")  # variables that one of them sets
_MOST_SPANS = 200  # of phases; of more, the samples tell
_KNOWN_BY = "rss_GiB"  # a column that every file of samples has
_LEAST_BEATS = 2  # intervals; a job that was shorter has no more samples than its ends


class ResourceMonitor(RunCallback):
    """Sample processor time, memory and more of each job's process tree into a CSV file, and sum them up in its record.

    A sweep has one file for all its jobs: each adds its samples in one step when it ends. The peak of the memory is the
    kernel's own mark, also when it lies between two samples; each job has its own, unless jobs are threads of one
    process, which are measured together. A job that is killed leaves its samples, too (on Linux).

    Args:
        enabled: When False, nothing is sampled, written or imported.
        sample_interval: Seconds from sample to sample, at least 0.01; the first and the last come at the job's ends.
        monitoring_file: The file, relative to the directory of the run or sweep.
        gpu_monit: Sample the GPUs too (extra `gpu`); where their driver does not answer, a warning says why.
        gpu_devices: Numbers of the GPUs as the driver counts; None for those that the job may use. Without effect
            unless `gpu_monit`.
        max_samples: As many samples as a job keeps, at least 8. When there are more, each four become two, the lowest
            and the highest of each column, and the interval doubles.
        on_error: What becomes of an exception in this callback: "warn" logs it, "abort" also stops the run.
    """

    def __init__(
        self,
        enabled: bool = True,
        sample_interval: float = 1,
        monitoring_file: str = "resource_monitoring.csv",
        gpu_monit: bool = False,
        *,
        gpu_devices: Sequence[int] | None = None,
        max_samples: int = 10_000,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled, on_error=on_error)
        check_seconds("sample_interval", sample_interval, at_least=0.01)
        check_name("monitoring_file", monitoring_file)
        check_flags(gpu_monit=gpu_monit)
        check("gpu_devices", gpu_devices, "a list of numbers from 0 on, or null", _is_devices(gpu_devices))
        check_count("max_samples", max_samples, at_least=8)
        self.sample_interval = sample_interval
        self.monitoring_file = monitoring_file
        self.gpu_monit = gpu_monit
        # Hydra gives a list of its own, which would take the whole configuration along to the jobs.
        self.gpu_devices = None if gpu_devices is None else list(gpu_devices)
        self.max_samples = max_samples
        self._service: ResourceMonitorService | None = None

    def job_started(self, job: Job) -> None:
        """Begin to sample this process."""
        from hydra_callbacks.monitor.service import ResourceMonitorService  # noqa: PLC0415  (not when disabled)

        service = ResourceMonitorService(
            interval=self.sample_interval,
            gpu_monit=self.gpu_monit,
            gpu_devices=self.gpu_devices,
            max_samples=self.max_samples,
            leave={
                "module": "hydra_callbacks.runs.leftovers",
                "file": str(job.launch_dir / self.monitoring_file),
                "record": str(job.record.path),
                "samples_file": self.monitoring_file,
                "known_by": _KNOWN_BY,
                "names": _names(job),
            },
        )
        service.start()
        self._service = service

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        """Sum up the samples in the record, and write them."""
        from hydra_callbacks.support.tables import append_columns  # noqa: PLC0415  (not when disabled)

        service, self._service = self._service, None
        if service is None:
            return
        service.stop()
        summary, phases = _summary(service, job, outcome)
        job.record.add({"resources": {**summary, "samples_file": self.monitoring_file}})
        table = service.table(_names(job), phases)
        columns = {"": range(len(table["time"])), **table}
        append_columns(job.launch_dir / self.monitoring_file, columns, known_by=_KNOWN_BY)

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (the event's signature)
        """Say where the file is."""
        path = launch.output_dir / self.monitoring_file if launch.output_dir else None
        if path and _has_samples(path):
            log.info("Writing monitoring data to %s", path)


def _has_samples(path: Path) -> bool:
    from hydra_callbacks.support.tables import read_header  # noqa: PLC0415  (not when disabled)

    with contextlib.suppress(OSError, TableError):
        return _KNOWN_BY in read_header(path)
    return False


def _names(job: Job) -> dict[str, Any]:
    """Return the columns that tell whose samples they are."""
    return {"job_name": job.name, "job_id": job.num}


def _summary(
    service: ResourceMonitorService, job: Job, outcome: Outcome
) -> tuple[dict[str, Any], dict[str, list[str | None]]]:
    """Return what the samples come to, and the column with the phases, if there are any."""
    from hydra_callbacks.monitor.meter import absence_lines  # noqa: PLC0415  (not when disabled)

    summary, absent = service.summary(), service.absent()
    is_brief = outcome.duration_s < _LEAST_BEATS * service.interval
    if not is_brief or any(name in os.environ for name in _OF_SCHEDULERS):
        summary |= _shares(summary, outcome)
    timed, phase_of = _timed_since(job.started_at), {}
    if timed:
        from hydra_callbacks.monitor import phases  # noqa: PLC0415  (few applications use timers)

        columns = service.columns()
        summary["phases"] = phases.used_in(columns, timed)
        spans = phases.spans_of(timed, columns["time"][0])
        summary |= {"phase_spans": spans} if len(spans) <= _MOST_SPANS else {}
        phase_of = {"phase": phases.phase_at(columns["time"], timed)}
    if absent:
        summary["absent"] = absent
    for line in absence_lines({name: reason for name, reason in absent.items() if name.startswith("gpu")}):
        _warn_once(line)  # they were asked for
    return summary, phase_of


def _shares(summary: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    """Return what was asked for, and the share of it that was used."""
    from hydra_callbacks.monitor import requested  # noqa: PLC0415  (a job that is over at once does without)

    asked = requested.requested()
    if not asked:
        return {}
    shares = requested.shares(asked, summary, outcome.duration_s)
    if requested.is_of_scheduler(asked):  # whoever sets limits may know them; who asks a scheduler asks too much
        log.info("This job %s", requested.words(asked, shares))
    return {"requested": asked, "used_share": shares}


def _timed_since(started_at: float) -> list[Phase]:
    """Return the uses of timers that ended since; none, and no import, when the application uses no timers."""
    timing = sys.modules.get("hydra_callbacks.timing")
    return [phase for phase in timing.PerfLogger.phases() if phase.ended_at >= started_at] if timing else []


@lru_cache(maxsize=128)
def _warn_once(text: str) -> None:
    """Log a warning, the same one only once in a process: the jobs of a sweep lack the same GPU."""
    log.warning("Not measured: %s", text)


def _is_devices(value: Any) -> bool:
    if value is None:
        return True
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and all(isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in value)
