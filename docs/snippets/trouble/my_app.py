import logging
import sys

import hydra
from omegaconf import DictConfig

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def my_app(cfg: DictConfig) -> str:
    log.info("the task runs")
    if cfg.end == "raise":
        raise ValueError("no such luck")
    if cfg.end == "exit":
        sys.exit(3)
    return "fine"


if __name__ == "__main__":
    my_app()
