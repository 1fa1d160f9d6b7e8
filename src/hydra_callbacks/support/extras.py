"""Is an optional dependency here, and if not, what brings it?"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from hydra_callbacks.errors import MissingExtraError


def import_extra(module: str, package: str, extra: str, purpose: str) -> Any:
    """Import a module that one of our extras brings.

    Args:
        module: Its import name.
        package: The name it is installed by.
        extra: The extra of this package that brings it.
        purpose: What it is for; begins the error's message.

    Raises:
        MissingExtraError: It is not installed. A module that is there but broken raises its own error.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        msg = f"{purpose} needs {package}: pip install 'hydra-callbacks[{extra}]'"
        raise MissingExtraError(msg) from error


def need_extra(module: str, package: str, extra: str, purpose: str) -> None:
    """Make sure that a module that one of our extras brings is installed, without importing it.

    Raises:
        MissingExtraError: It is not.
    """
    if importlib.util.find_spec(module) is None:
        msg = f"{purpose} needs {package}: pip install 'hydra-callbacks[{extra}]'"
        raise MissingExtraError(msg)
