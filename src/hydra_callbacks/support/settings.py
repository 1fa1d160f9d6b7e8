"""Is a callback's setting what it should be?"""

from __future__ import annotations

from typing import Any

from hydra_callbacks.errors import SettingError
from hydra_callbacks.support.values import is_number


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
    ok = is_number(value) and at_least <= value < float("inf")
    check(name, value, f"a number of seconds, at least {at_least:g}", ok)


def check_flags(**values: Any) -> None:
    """Check that settings are true or false.

    Raises:
        SettingError: One is something else.
    """
    for name, value in values.items():
        check(name, value, "true or false", isinstance(value, bool))


def check_count(name: str, value: Any, *, at_least: int) -> None:
    """Check that a setting is a whole number, not less than the smallest.

    Raises:
        SettingError: It is something else.
    """
    is_whole = is_number(value) and isinstance(value, int)
    check(name, value, f"a whole number, at least {at_least}", is_whole and value >= at_least)
