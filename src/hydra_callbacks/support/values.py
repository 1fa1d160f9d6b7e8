"""What is in a value, as the interpreter itself knows it, without running a line of the value's own code?"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeGuard


def is_number(value: Any) -> TypeGuard[float]:
    """Tell whether a value is a number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def content_of(value: Any) -> Any:
    """Return what stands in a node of OmegaConf, unresolved; any other value as it is."""
    if type(value).__module__.partition(".")[0] != "omegaconf":
        return value
    inner = object.__getattribute__(value, "__dict__")
    return inner["_content"] if "_content" in inner else inner.get("_val", value)


def attributes(value: Any, kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that an object has; those that would have to be computed are no attributes."""
    for base in kind.__mro__:
        for name, slot in vars(base).items():
            if type(slot) is types.MemberDescriptorType and not name.startswith("__"):
                try:
                    yield name, slot.__get__(value)
                except AttributeError:
                    continue
    if kind.__dictoffset__:
        yield from tuple(object.__getattribute__(value, "__dict__").items())
