"""With which configuration did a run start, and what in it differs from the defaults?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.head import cut, text_of
from hydra_callbacks.runs.overrides import parse
from hydra_callbacks.support.nested import flatten

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 5000
_LONGEST = 2000  # characters


def settings(config: dict[str, Any], words: Iterable[Any], notes: list[str]) -> list[dict[str, Any]]:
    """Return every value of a configuration: `key`, `value` and `is_overridden`; overridden ones come first.

    Args:
        config: The configuration.
        words: The overrides: `lr=0.1` sets one value, and the choice `model=big` all that stands below `model`.
        notes: Gets what is left out, in words.
    """
    keys = {parse(str(word))[0] for word in words}
    packages = {key.rpartition("@")[2].replace("/", ".") for key in keys}
    flat = flatten(config)
    own = {key for key in flat if _is_below(key, packages)}
    if len(flat) > _MOST:
        notes.append(f"of {len(flat):,} settings, {_MOST:,} are shown")
    return [
        {"key": cut(key, 500), "value": cut(text_of(flat[key]), _LONGEST), "is_overridden": key in own}
        for key in sorted(flat, key=lambda key: key not in own)[:_MOST]
    ]


def _is_below(key: str, packages: set[str]) -> bool:
    parts = key.split(".")
    return any(".".join(parts[:count]) in packages for count in range(1, len(parts) + 1))
