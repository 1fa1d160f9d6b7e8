import logging
import time

import hydra
from omegaconf import DictConfig

from hydra_callbacks import PerfLogger

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def my_app(cfg: DictConfig) -> float:
    with PerfLogger(log, name="load"):
        data = bytearray(cfg.megabytes * 10**6)
        time.sleep(0.5)
    with PerfLogger(log, name="fit"):
        until = time.monotonic() + 1
        while time.monotonic() < until:
            loss = sum(data[:1000])
    return loss


if __name__ == "__main__":
    my_app()
