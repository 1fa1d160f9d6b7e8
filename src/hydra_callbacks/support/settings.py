"""Is a callback's setting what it should be?"""

from __future__ import annotations

from typing import Any

from hydra_callbacks.errors import SettingError


def check(name: str, value: Any, expected: str, ok: bool) -> None:
    """Raise an error that says what was expected unless `ok`.

    Args:
        name: The setting.
        value: What it was given.
        expected: What it must be; completes "must be ...".
        ok: Whether it is.

    Raises:
        SettingError: It is not.
    """
    if not ok:
        msg = f"{name} must be {expected}, got {value!r}"
        raise SettingError(msg)


def check_name(name: str, value: Any, *, may_be_empty: bool = False) -> None:
    """Check that a setting is a text, and not empty.

    Raises:
        SettingError: It is something else.
    """
    check(name, value, "a text", isinstance(value, str) and (may_be_empty or bool(value.strip())))


def check_seconds(name: str, value: Any, *, at_least: float) -> None:
    """Check that a setting is a number of seconds, not less than the smallest.

    Raises:
        SettingError: It is something else.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    check(name, value, f"a number of seconds, at least {at_least:g}", is_number and at_least <= value < float("inf"))
