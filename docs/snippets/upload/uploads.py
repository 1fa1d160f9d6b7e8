import shutil
from pathlib import Path
from typing import Literal

from hydra_callbacks import Job, Launch, Outcome, RunCallback


class Upload(RunCallback):
    """Copy a file of every job that completed into a bucket.

    Args:
        bucket: The bucket; here it is a directory.
        file_path: The file, relative to the job's output directory.
        enabled: When False, nothing is uploaded.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        bucket: str,
        file_path: str,
        *,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        self.bucket = bucket
        self.file_path = file_path

    def launch_started(self, launch: Launch) -> None:
        self.bucket = str(launch.cwd / self.bucket)

    def job_ended(self, job: Job, outcome: Outcome) -> None:
        if outcome.status != "completed":
            return
        target = Path(self.bucket) / f"{job.record.data['id']}-{self.file_path}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(job.output_dir / self.file_path, target)  # your storage's own call stands here
        print(f"Job ended after {outcome.duration_s:.2f} seconds, uploaded {self.file_path}")
        job.record.add({"upload": {"bucket": Path(self.bucket).name, "name": target.name}})
