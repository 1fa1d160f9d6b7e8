import logging
import time

import hydra
from omegaconf import DictConfig

from hydra_callbacks import PerfLogger

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path=None)
def my_app(cfg: DictConfig) -> None:
    with PerfLogger(log, name="load"):
        time.sleep(0.1)
    with PerfLogger(log, name="train"), PerfLogger(log, name="epoch"):
        time.sleep(0.2)
    PerfLogger.recap(log)


if __name__ == "__main__":
    my_app()
