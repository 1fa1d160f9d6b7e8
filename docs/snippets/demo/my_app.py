import json
import logging
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def my_app(cfg: DictConfig) -> float:
    loss = round((cfg.lr - 0.1) ** 2, 4)
    log.info("lr=%g gives a loss of %g", cfg.lr, loss)
    output_dir = Path(HydraConfig.get().runtime.output_dir)
    (output_dir / "results.json").write_text(json.dumps({"loss": loss}))
    return loss


if __name__ == "__main__":
    my_app()
