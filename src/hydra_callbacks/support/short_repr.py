"""How does any value look in a few words, without its secrets, and without running a line of its own code?

A `repr` is a stranger's code: it may hang, raise, ask a server, be a gigabyte, or print a password. So none is called:
what is shown is read from what the interpreter itself knows of a value (its items, its attributes), each of them
shortened; of arrays and tensors, the shape and the type.
"""

from __future__ import annotations

import types
from collections import deque
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.redact import REDACTED, is_secret
from hydra_callbacks.support.secret_names import is_place, option_name
from hydra_callbacks.support.values import attributes, content_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hydra_callbacks.support.redact import Redactor

_LONGEST_SECRET = 8192  # characters; a private key has some 3000
_LONGEST_INT = 1000  # bits: 302 digits
_ARRAYS = {"numpy", "torch", "jax", "jaxlib", "tensorflow", "cupy", "pandas", "polars", "pyarrow", "scipy"}
_TOLD_BY_REPR = {"datetime", "decimal", "fractions", "uuid", "ipaddress", "zoneinfo"}  # of the standard library, short
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    deque: ("deque([", "])"),
}


def start_of(text: str, redactor: Redactor, longest: int) -> str:
    """Return the first characters of a text, without secrets; also one that the end would cut in two is left out whole.

    Args:
        text: Of any length; what is far behind the end is not looked at.
        redactor: What takes the secrets out.
        longest: Characters to keep; `...` follows when there are more.
    """
    window = longest + 2 * _LONGEST_SECRET
    clean = redactor.text(text[:window])
    if len(text) > window:
        clean = clean[:-_LONGEST_SECRET]
    return clean if len(clean) <= longest and len(text) <= window else clean[:longest] + "..."


def end_of(text: str, redactor: Redactor, longest: int) -> str:
    """Return the last characters of a text in the same way; see `start_of`."""
    window = longest + 2 * _LONGEST_SECRET
    clean = redactor.text(text[-window:])
    if len(text) > window:
        clean = clean[_LONGEST_SECRET:]
    return clean if len(clean) <= longest and len(text) <= window else "..." + clean[-longest:]


class ShortRepr:
    """Shows values; see the module.

    Args:
        redactor: What takes the secrets out of texts.
        is_own: Whether the attributes of objects of a class are worth showing: the user's own classes, in most cases.
        longest: Characters of what is shown of one value.
        most: How many items of a container, or attributes of an object, are shown.
        deepest: How many levels of nested ones.
    """

    def __init__(
        self,
        redactor: Redactor,
        is_own: Callable[[type], bool] = lambda _: True,
        *,
        longest: int = 300,
        most: int = 10,
        deepest: int = 3,
    ) -> None:
        self._redactor = redactor
        self._is_own = is_own
        self._longest, self._most, self._deepest = longest, most, deepest
        self._left = 0

    def show(self, value: Any, name: str = "") -> str:
        """Return a value in one line.

        Args:
            value: Anything.
            name: Its variable, attribute or key: where that is secret, so is the value.
        """
        self._left = self._most * self._most  # so many values, whatever their nesting
        text = self._show(value, name, self._deepest)
        return text if len(text) <= self._longest else text[: self._longest] + "..."

    def _show(self, value: Any, name: str, levels: int) -> str:
        self._left -= 1
        if self._left < 0:
            return "..."
        try:
            return self._inside(value, name, levels)
        except Exception:  # noqa: BLE001  (changed by another thread meanwhile, or a class that is not what it seems)
            return f"<{_name_of(type(value))}>"

    def _inside(self, value: Any, name: str, levels: int) -> str:
        value = content_of(value)
        kind = type(value)  # never `isinstance`, which asks a value for its class, and that may be code of its own
        if value is None or kind is bool:
            return str(value)
        found = _array(value, kind)
        if found is not None:
            return found
        for base in (dict, *_BRACKETS):
            if issubclass(kind, base):
                return self._container(value, kind, base, name, levels)
        if is_secret(name, 0 if issubclass(kind, (int, float)) else "") and not (kind is str and is_place(name, value)):
            return REDACTED
        simple = self._simple(value, kind)
        return self._object(value, kind, levels) if simple is None else simple

    def _simple(self, value: Any, kind: type) -> str | None:
        """Return what has no parts, or hides them; None when it is no such thing."""
        if kind.__module__ in _TOLD_BY_REPR:
            return repr(value)
        return next((told(self, value, kind) for base, told in _SIMPLE.items() if issubclass(kind, base)), None)

    def quoted_bytes(self, value: Any) -> str:
        """Return bytes as a literal."""
        start = bytes(memoryview(value)[: self._longest + 3 * _LONGEST_SECRET])
        return f"b{self.quoted(start.decode(errors='backslashreplace'))}"

    def quoted(self, text: str) -> str:
        """Return a text as a literal, shortened."""
        longest = self._longest * 2 // 3
        start = start_of(text, self._redactor, longest)
        return repr(start) if len(text) <= longest else f"{start!r} ({len(text):,} characters)"

    def _container(self, value: Any, kind: type, base: type, name: str, levels: int) -> str:
        size = base.__len__(value)  # type: ignore[attr-defined]  # every base that is asked for has it
        fields = getattr(kind, "_fields", None)
        if base is tuple and fields and all(type(field) is str for field in fields):
            return self._pairs(zip(fields, tuple.__iter__(value), strict=False), size, f"{kind.__name__}()", levels)
        prefix = "" if kind is base else kind.__name__
        if base is dict:
            inside = name if is_secret(name) else ""
            return self._pairs(dict.items(value), size, prefix + "{}", levels, inside)
        opening, closing = ("set(", ")") if base is set and not size else _BRACKETS[base]
        if not levels:
            return f"{prefix}{opening}...{closing}" if size else f"{prefix}{opening}{closing}"
        items = list(islice(base.__iter__(value), self._most))  # type: ignore[attr-defined]  # as above
        names = [option_name(before) or name for before in [None, *items[:-1]]] if items else []
        if base is tuple and size == 2 and type(items[0]) is str and not is_secret(name):  # noqa: PLR2004  (a pair)
            names = ["", items[0]]
        shown = [self._show(item, name, levels - 1) for item, name in zip(items, names, strict=True)]
        closing = f",{closing}" if kind is tuple and size == 1 else closing
        return prefix + opening + ", ".join([*shown, *self._more(size)]) + closing

    def _pairs(self, pairs: Iterable[tuple[Any, Any]], size: int, brackets: str, levels: int, inside: str = "") -> str:
        """Return what a dictionary and an object with attributes have in common: names with values."""
        opening, closing = brackets[:-1], brackets[-1]
        if not levels:
            return f"{opening}...{closing}" if size else opening + closing
        is_dict = closing == "}"
        shown = []
        for key, value in islice(pairs, self._most):
            told = self._show(key, "", levels - 1) if is_dict else key
            name = str.__str__(key) if issubclass(type(key), str) else told
            shown.append(f"{told}{': ' if is_dict else '='}{self._show(value, inside or name, levels - 1)}")
        return opening + ", ".join([*shown, *self._more(size)]) + closing

    def _more(self, size: int) -> list[str]:
        return [f"... {size - self._most:,} more"] if size > self._most else []

    def _object(self, value: Any, kind: type, levels: int) -> str:
        if issubclass(kind, BaseException):
            arguments = value.args
            return f"{kind.__name__}({', '.join(self._show(each, '', levels - 1) for each in arguments[: self._most])})"
        is_open = kind is types.SimpleNamespace or (kind.__module__ != "builtins" and self._is_own(kind))
        pairs = sorted(attributes(value, kind), key=lambda pair: pair[0].startswith("_")) if is_open else []
        return self._pairs(pairs, len(pairs), f"{kind.__name__}()", levels) if pairs else f"<{_name_of(kind)}>"


def _of_int(value: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _LONGEST_INT else f"<int of {bits:,} bits>"


def _name_of(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module in {"builtins", "__main__"} else f"{module}.{kind.__qualname__}"


def _array(value: Any, kind: type) -> str | None:
    """Return shape and type of an array, a tensor or a table of a library that is known; None for all else."""
    shape = _of_library(value, kind, "shape")
    if shape is None or not issubclass(type(shape), (tuple, list)):
        return None
    if not shape and kind.__module__ == "numpy":  # a number
        return str(value.item()) if type(value.item()) in {int, float, bool, complex} else None
    sizes = ", ".join(map(str, shape))
    told = f"{kind.__name__} of shape ({sizes}{',' if len(shape) == 1 else ''})"
    dtype, device = (_of_library(value, kind, name) for name in ("dtype", "device"))
    told += f", {str(dtype)[:80]}" if dtype is not None else ""
    return told + (f", {str(device)[:80]}" if device is not None and str(device) != "cpu" else "")


def _of_library(value: Any, kind: type, name: str) -> Any:
    """Return what an attribute of a library's own class tells; None when the class is no such one, or has none."""
    for base in kind.__mro__:
        if name in vars(base) and base.__module__.partition(".")[0] in _ARRAYS:
            found = vars(base)[name]
            return found.__get__(value, kind) if hasattr(type(found), "__get__") else None
    return None


_SIMPLE: dict[type, Callable[[ShortRepr, Any, type], str | None]] = {
    Enum: lambda _, value, kind: f"{kind.__name__}.{value.__dict__['_name_']}",
    str: lambda short, value, _: short.quoted(str.__str__(value)),
    bytes: lambda short, value, _: short.quoted_bytes(value),
    bytearray: lambda short, value, _: short.quoted_bytes(value),
    int: lambda _, value, _kind: _of_int(value),
    float: lambda _, value, _kind: float.__repr__(value),
    complex: lambda _, value, _kind: complex.__repr__(value),
    range: lambda _, value, _kind: repr(value),
    PurePath: lambda short, value, kind: f"{kind.__name__}({short.quoted(PurePath.__str__(value))})",
    type: lambda _, value, _kind: f"<class {_name_of(value)}>",
    types.ModuleType: lambda _, value, _kind: f"<module {value.__dict__.get('__name__')}>",
    types.FunctionType: lambda _, value, _kind: f"<function {value.__qualname__}>",
    types.BuiltinFunctionType: lambda _, value, _kind: f"<function {value.__qualname__}>",
}
"""How values are told that have no parts, or hide them."""
