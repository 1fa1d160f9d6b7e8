"""An application that prints."""

import logging
from typing import Any

import hydra

LINE = "epoch %6d  loss 0.123456  accuracy 0.987654  learning_rate 0.001000"
log = logging.getLogger("train")


@hydra.main(config_path="conf", config_name="config", version_base=None)
def main(cfg: Any) -> None:
    """Print about so many bytes: lines of 100, by the log or by `print`."""
    numbers = range(cfg.n_bytes // 100)
    if cfg.by == "log":
        for number in numbers:
            log.info(LINE, number)
    else:
        for number in numbers:
            print("[2026-11-22 10:00:00,000][train] -", LINE % number)


if __name__ == "__main__":
    main()
