from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf


@hydra.main(version_base=None, config_path="conf", config_name="config")
def my_app(cfg: DictConfig) -> None:
    print(OmegaConf.to_yaml(cfg).strip())
    Path(HydraConfig.get().runtime.output_dir, "test.pt").write_text("the weights")


if __name__ == "__main__":
    my_app()
