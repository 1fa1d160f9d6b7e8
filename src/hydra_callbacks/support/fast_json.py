"""How is a lot of JSON read quickly, whatever some of it holds?

msgspec reads it; what it refuses (a number that JSON does not know, half of a character), the standard library does.
"""

from __future__ import annotations

import contextlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_MALFORMED = (msgspec.MsgspecError, ValueError, RecursionError)
_decode = msgspec.json.Decoder().decode
Kind = TypeVar("Kind", bound=msgspec.Struct)


def loads(text: bytes) -> Any:
    """Return what a JSON document holds.

    Raises:
        ValueError: It is none.
    """
    with contextlib.suppress(*_MALFORMED):
        return _decode(text)
    try:
        return json.loads(text)
    except RecursionError as error:
        msg = "it is nested too deeply"
        raise ValueError(msg) from error


class Reader(Generic[Kind]):
    """Reads JSON objects of one kind; what they hold besides is passed over.

    Args:
        kind: What is read, a `msgspec.Struct`.
    """

    def __init__(self, kind: type[Kind]) -> None:
        decoder = msgspec.json.Decoder(kind)
        self._kind = kind
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines

    def quickly(self, text: bytes) -> Kind | None:
        """Return what a text holds; None when it takes the slower reader, or is not of this kind."""
        try:  # `suppress` takes a quarter as long as the reading
            return self._decode(text)
        except _MALFORMED:
            return None

    def leniently(self, data: Mapping[str, Any]) -> Kind | None:
        """Return what an object holds that has been parsed; a value of a wrong type is as good as none.

        Returns:
            None when it lacks what this kind must have.
        """
        with contextlib.suppress(msgspec.ValidationError):
            return msgspec.convert(data, self._kind)
        known = {}
        for field in self._fields:
            with contextlib.suppress(KeyError, msgspec.ValidationError):
                value, is_raw = data[field.encode_name], field.type is msgspec.Raw
                known[field.name] = (
                    msgspec.Raw(json.dumps(value).encode()) if is_raw else msgspec.convert(value, field.type)
                )
        try:
            return self._kind(**known)
        except TypeError:
            return None

    @cached_property
    def _fields(self) -> tuple[msgspec.structs.FieldInfo, ...]:
        return msgspec.structs.fields(self._kind)

    def line(self, text: bytes) -> Kind | None:
        """Return what a line holds; None when it is not of this kind."""
        found = self.quickly(text)
        if found is None:
            with contextlib.suppress(ValueError):
                data = loads(text)
                return self.leniently(data) if isinstance(data, dict) else None
        return found

    def lines(self, text: bytes) -> list[Kind]:
        """Return what the lines of a text hold, the last one ended, too; one of another kind is passed over."""
        found = self.every(text)
        return [each for line in text.split(b"\n") if line and (each := self.line(line))] if found is None else found

    def every(self, text: bytes) -> list[Kind] | None:
        """Return what lines hold; None when one of them is empty, takes the slower reader, or is not of this kind."""
        with contextlib.suppress(*_MALFORMED):
            found = self._decode_lines(text)
            n_lines = len(text) - len(text.replace(b"\n", b""))  # quicker than `count`
            return found if len(found) == n_lines else None  # else an object may have gone on in the next line
        return None
