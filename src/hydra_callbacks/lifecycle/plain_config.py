"""How does a configuration become plain data, whatever in it is missing or does not resolve?"""

from __future__ import annotations

import random
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from hydra_callbacks.support.plain import plain

_ANY_ERROR = (Exception, SystemExit)  # a resolver is the user's own code


def plain_config(config: DictConfig) -> dict[str, Any]:
    """Return the task's part of a configuration as plain data; what does not resolve stands there unresolved."""
    before = random.getstate()
    try:
        return {str(plain(key)): _value(config, key) for key in config if key != "hydra"}
    finally:
        random.setstate(before)  # a resolver that draws from it must not change what the task draws


def task_overrides(config: DictConfig) -> list[str]:
    """Return the overrides of the task's configuration as they were given: an interpolation in them stays one."""
    words = OmegaConf.select(config, "hydra.overrides.task")
    given = OmegaConf.to_container(words, resolve=False) if isinstance(words, ListConfig) else words
    return [str(word) for word in given or ()]


def _value(parent: DictConfig | ListConfig, key: Any) -> Any:
    try:
        node = parent._get_node(key)  # noqa: SLF001  (the only way to see a node without resolving it)
        if isinstance(node, (DictConfig, ListConfig)) and not node._is_interpolation():  # noqa: SLF001
            return _container(node)
        value = parent[key]
        return _container(value) if isinstance(value, (DictConfig, ListConfig)) else plain(value)
    except _ANY_ERROR:  # a missing value, or any error of a user's own resolver
        return _unresolved(parent, key)


def _container(node: DictConfig | ListConfig) -> Any:
    try:
        return plain(OmegaConf.to_container(node, resolve=True, throw_on_missing=False))
    except _ANY_ERROR:  # as above; now look at each value alone
        if isinstance(node, DictConfig):
            return {str(plain(key)): _value(node, key) for key in node}
        return [_value(node, index) for index in range(len(node))]


def _unresolved(parent: DictConfig | ListConfig, key: Any) -> Any:
    try:
        node: Any = parent._get_node(key)  # noqa: SLF001
        return plain(node._value())  # noqa: SLF001
    except Exception:  # noqa: BLE001  (nothing more can be known)
        return "???"
