"""Train a classifier on the digits that come with scikit-learn: a Hydra application like any other."""

import json
import logging
import warnings
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from hydra_callbacks import PerfLogger

log = logging.getLogger(__name__)


# From Hydra 1.4 on: execution_whitelist=["hydra_callbacks.*"] in place of version_base.
@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def train(config: DictConfig) -> float:
    """Train on one part of the images, write `results.json`, and return the accuracy on the other part."""
    with PerfLogger(log, name="load"):
        images, digits = load_digits(return_X_y=True)
        images, test_images, digits, test_digits = train_test_split(
            images, digits, test_size=config.test_fraction, random_state=config.seed, stratify=digits
        )

    warnings.simplefilter("error", ConvergenceWarning)  # a fit that does not converge is a failure
    with PerfLogger(log, name="fit"):
        classifier = SVC(**config.model).fit(images, digits)

    accuracy = round(float(classifier.score(test_images, test_digits)), 4)
    results = {"accuracy": accuracy, "fit_s": round(PerfLogger.get_timer("fit"), 4)}
    Path(HydraConfig.get().runtime.output_dir, "results.json").write_text(json.dumps(results), encoding="utf-8")
    log.info("Accuracy: %s", accuracy)
    return accuracy


if __name__ == "__main__":
    train()
