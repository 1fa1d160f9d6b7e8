"""Which texts in these values are secret, by the names that they stand under?

No line of the values' own code is run, as in `short_repr`. Objects of any class are looked into, those of libraries,
too: a client that was given a key repeats it in its error.
"""

from __future__ import annotations

import contextlib
import types
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.secret_names import is_common, is_place, is_secret, is_strange, is_to_be_found, option_name
from hydra_callbacks.support.secret_texts import secrets_in
from hydra_callbacks.support.values import attributes, content_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST = 8192  # characters; a private key has some 3000
_LONGEST_INT = 1000  # bits: 302 digits
_MOST_ITEMS = 1000  # of one container
_SHORTEST_STRANGE = 16  # characters, under a name that loops and language models have, too
_MOST_FOUND = 200  # they become one pattern
_LOOK = 20  # characters that take as long as another value
_CLOSED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.FrameType)
_SEQUENCES = (list, tuple, set, frozenset, deque)


def find_secrets(pairs: Iterable[tuple[str, Any]], most: int = 10_000) -> set[str]:
    """Return the texts that stand under a secret name, at any depth; 200 at most.

    Args:
        pairs: Names and values: variables, for example.
        most: How many values are looked at; a long text counts for several.
    """
    found: set[str] = set()
    waiting = deque((name, value, False) for name, value in pairs)
    seen: set[tuple[int, bool]] = set()
    while waiting and most > 0 and len(found) < _MOST_FOUND:
        name, value, is_inside = waiting.popleft()
        # Another thread may change it meanwhile, and a class may not be what it seems.
        with contextlib.suppress(Exception):
            content = content_of(value)
            text = _text_of(content)
            most -= 1 + len(text) // _LOOK
            found.update(_secrets_of(name, text, is_number=type(content) is int, is_inside=is_inside) if text else ())
            mark = (id(content), is_secret(name))
            if not text and mark not in seen:
                seen.add(mark)
                for part in _parts(name, content, is_inside=is_inside):
                    (waiting.appendleft if is_secret(part[0]) else waiting.append)(part)
    return found


def _text_of(value: Any) -> str:
    """Return the beginning of a text, of bytes and of a whole number as text; of all else, nothing."""
    kind = type(value)  # never `isinstance`: see `short_repr`
    if issubclass(kind, str):
        return str.__str__(value)[:_LONGEST]
    if issubclass(kind, (bytes, bytearray)):
        return bytes(memoryview(value)[:_LONGEST]).decode(errors="replace")
    return str(value) if kind is int and int.bit_length(value) <= _LONGEST_INT else ""


def _secrets_of(name: str, text: str, *, is_number: bool, is_inside: bool) -> Iterable[str]:
    if not is_secret(name, 0 if is_number else ""):
        return () if is_number else secrets_in(text)
    is_one = is_strange(text) if is_inside else not is_common(name) or is_strange(text, _SHORTEST_STRANGE)
    return [text] if is_one and is_to_be_found(name, text) and not is_place(name, text) else ()


def _parts(name: str, value: Any, *, is_inside: bool) -> Iterator[tuple[str, Any, bool]]:
    """Yield names and values of what is in a value; `is_inside`: in an object whose own name is secret."""
    kind = type(value)
    secret = name if is_secret(name) else ""
    if issubclass(kind, dict):
        for key, item in islice(dict.items(value), _MOST_ITEMS):
            yield secret or (str.__str__(key) if issubclass(type(key), str) else ""), item, is_inside
        return
    base = next((base for base in _SEQUENCES if issubclass(kind, base)), None)
    if base is not None:
        items = list(islice(base.__iter__(value), _MOST_ITEMS))
        fields = getattr(kind, "_fields", None) if base is tuple else None
        yield from (
            (item_name, item, is_inside)
            for item_name, item in zip(_names(secret, items, fields, kind), items, strict=False)
        )
    elif not issubclass(kind, _CLOSED):
        if issubclass(kind, BaseException):
            yield secret, value.args, is_inside
        yield from ((secret or each, item, bool(secret)) for each, item in islice(attributes(value, kind), _MOST_ITEMS))


def _names(secret: str, items: list[Any], fields: Any, kind: type) -> list[str]:
    """Return the name of each item: its field's, that of the option before it, or the first one's of a pair."""
    if secret:
        return [secret] * len(items)
    if type(fields) is tuple and all(type(field) is str for field in fields):
        return [*fields, *[""] * len(items)][: len(items)]
    if kind is tuple and len(items) == 2 and type(items[0]) is str:  # noqa: PLR2004  (a pair)
        return ["", items[0]]
    return [option_name(before) for before in [None, *items[:-1]]] if items else []
