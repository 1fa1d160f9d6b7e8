"""Which jobs will a sweep have? Asked of Hydra's own sweeper, before it starts."""

from __future__ import annotations

import random
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hydra_callbacks.lifecycle.plain_config import task_overrides

_BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
RESUME = "hydra_plugins.hydra_callbacks_resume.ResumeSweeper"
"""The `_target_` of our own sweeper, which knows its plan better."""


def sweeper_of(config: DictConfig) -> str:
    """Return the `_target_` of the sweeper that a configuration names."""
    return str(OmegaConf.select(config, "hydra.sweeper._target_"))


def is_rehearsal(config: DictConfig) -> bool:
    """Tell whether a launch only lists what it would do."""
    return sweeper_of(config) == RESUME and bool(OmegaConf.select(config, "hydra.sweeper.dry_run"))


def planned(config: DictConfig) -> list[list[str]] | None:
    """Return the overrides of each job that the basic sweeper will launch, in order; None with any other sweeper.

    Args:
        config: Hydra's configuration at the start of the sweep.
    """
    if sweeper_of(config) != _BASIC:
        return None
    words = task_overrides(config)
    params = OmegaConf.select(config, "hydra.sweeper.params") or {}
    try:
        return expanded([*(f"{key}={value}" for key, value in params.items()), *words])
    except Exception:  # noqa: BLE001  (the sweeper itself will complain, in Hydra's own words)
        return None


def expanded(words: list[str], config_loader: Any = None) -> list[list[str]]:
    """Return the product of overrides with several values, as Hydra's basic sweeper makes it.

    Args:
        words: The overrides, as in `lr=0.1,0.2`.
        config_loader: Hydra's, for `glob`; that of the application under way when None.

    Raises:
        HydraException: One of them cannot be read.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # noqa: PLC0415  (only a sweep needs it)
    from hydra.core.global_hydra import GlobalHydra  # noqa: PLC0415  (as above)
    from hydra.core.override_parser.overrides_parser import OverridesParser  # noqa: PLC0415  (as above)

    loader = config_loader or GlobalHydra.instance().config_loader()
    state = random.getstate()
    try:
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(words)
        (batch,) = BasicSweeper.split_arguments(parsed, None)
    finally:
        random.setstate(state)  # the sweeper's own shuffle(...) comes out the same then
    return [list(map(str, each)) for each in batch]
