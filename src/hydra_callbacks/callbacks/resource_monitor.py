"""What did each job use of the machine, from second to second?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra_callbacks.lifecycle import RunCallback
from hydra_callbacks.lifecycle.callback import log
from hydra_callbacks.support.settings import check, check_name, check_seconds

if TYPE_CHECKING:
    from typing import Literal

    from hydra_callbacks.lifecycle import Job, Launch, Outcome
    from hydra_callbacks.monitor.service import ResourceMonitorService


class ResourceMonitor(RunCallback):
    """Sample processor time and memory of each job's process tree into a CSV file, and sum them up in its record.

    A sweep has one file for all its jobs: each adds its samples in one step when it ends. The record's section
    `resources` has `cpu_s`, `peak_rss_bytes` (the highest sample: a peak between two is not seen), `mean_cpu_percent`,
    `n_samples` and `interval_s`. Jobs that are threads of one process are measured together.

    Args:
        enabled: When False, nothing is sampled, written or imported.
        sample_interval: Seconds from sample to sample, at least 0.01; the first and the last come at the job's ends.
        monitoring_file: The file, relative to the directory of the run or sweep.
        gpu_monit: Sample the NVIDIA GPUs too (extra `gpu`); where NVML does not answer, a warning says why.
        gpu_devices: Numbers of the GPUs as NVML counts; None for all. Without effect unless `gpu_monit`.
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
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled, on_error=on_error)
        check_seconds("sample_interval", sample_interval, at_least=0.01)
        check_name("monitoring_file", monitoring_file)
        check("gpu_monit", gpu_monit, "true or false", isinstance(gpu_monit, bool))
        check("gpu_devices", gpu_devices, "a list of numbers from 0 on, or null", _is_devices(gpu_devices))
        self.sample_interval = sample_interval
        self.monitoring_file = monitoring_file
        self.gpu_monit = gpu_monit
        # Hydra gives a list of its own, which would take the whole configuration along to the jobs.
        self.gpu_devices = None if gpu_devices is None else list(gpu_devices)
        self._service: ResourceMonitorService | None = None

    def job_started(self, job: Job) -> None:  # noqa: ARG002  (the event's signature)
        """Begin to sample this process."""
        from hydra_callbacks.monitor.service import ResourceMonitorService  # noqa: PLC0415  (not when disabled)

        service = ResourceMonitorService(
            interval=self.sample_interval, gpu_monit=self.gpu_monit, gpu_devices=self.gpu_devices
        )
        service.start()
        self._service = service

    def job_ended(self, job: Job, outcome: Outcome) -> None:  # noqa: ARG002  (as above)
        """Sum up the samples in the record, and write them."""
        from hydra_callbacks.support.tables import append_rows  # noqa: PLC0415  (as above)

        service, self._service = self._service, None
        if service is None:
            return
        service.stop()
        job.record.add({"resources": service.summary()})
        names = {"job_name": job.name, "job_id": job.num}
        rows = [{"": index, **sample, **names} for index, sample in enumerate(service.rows())]
        append_rows(job.launch_dir / self.monitoring_file, rows)

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (as above)
        """Say where the file is."""
        path = launch.output_dir / self.monitoring_file if launch.output_dir else None
        if path and path.exists():
            log.info("Writing monitoring data to %s", path)


def _is_devices(value: Any) -> bool:
    if value is None:
        return True
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and all(isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in value)
