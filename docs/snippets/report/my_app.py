import json
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig


@hydra.main(version_base=None, config_path="conf", config_name="config")
def my_app(cfg: DictConfig) -> None:
    if cfg.lr > 1:
        raise ValueError("the loss is no number: lr is too high")
    loss = round((cfg.lr - 0.1) ** 2 + cfg.seed / 1000, 4)
    output_dir = Path(HydraConfig.get().runtime.output_dir)
    (output_dir / "results.json").write_text(json.dumps({"loss": loss}))


if __name__ == "__main__":
    my_app()
