from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class MyCallback(Callback):
    def __init__(self, bucket: str, file_path: str) -> None:
        self.bucket = bucket
        self.file_path = file_path

    def on_job_end(self, config: DictConfig, **kwargs: Any) -> None:
        print("Job ended,uploading...")
