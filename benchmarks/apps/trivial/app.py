"""An application that does nothing: what it costs is Hydra's work and the callbacks'."""

import hydra
from omegaconf import DictConfig


@hydra.main(config_path="conf", config_name="bare", version_base="1.3")
def main(config: DictConfig) -> None:
    """Return at once."""


if __name__ == "__main__":
    main()
