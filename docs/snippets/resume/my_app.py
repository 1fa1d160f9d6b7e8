import json
from pathlib import Path

import hydra
from omegaconf import DictConfig


@hydra.main(config_path="conf", config_name="config", version_base="1.3")
def main(cfg: DictConfig) -> float:
    values = json.loads(Path("data", f"{cfg.dataset}.json").read_text())
    return sum(abs(value - cfg.guess) for value in values) / len(values)  # the loss


if __name__ == "__main__":
    main()
