"""How does a table become Parquet?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

_INT_BITS = 64  # of Parquet's integers
_NOT_FINITE = {"nan", "inf", "-inf"}  # as `support.plain` writes them


def write_parquet(columns: Mapping[str, Sequence[Any]], target: Path | BinaryIO) -> None:
    """Write columns as Parquet; one of numbers, booleans or texts keeps its type, any other becomes text.

    Args:
        columns: Name to values, all equally many. What is None is null; among numbers, the texts nan, inf and -inf are
            numbers, too.
        target: The file.

    Raises:
        MissingExtraError: The extra `tables` is not installed.
        OSError: It cannot be written.
    """
    polars = import_extra("polars", "polars", "tables", "Parquet")
    buffer = io.BytesIO()  # its own writer has errors of its own for a full disk
    typed = {name: _of_one_type(list(values)) for name, values in columns.items()}
    polars.DataFrame(typed, strict=False).write_parquet(buffer)
    if isinstance(target, Path):
        target.write_bytes(buffer.getvalue())
    else:
        target.write(buffer.getvalue())


def _of_one_type(values: list[Any]) -> list[Any]:
    values = [str(value) if isinstance(value, int) and value.bit_length() >= _INT_BITS else value for value in values]
    values = [_whole(value) if type(value) is str else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    if float in kinds and kinds <= {int, float, str} and {each for each in values if type(each) is str} <= _NOT_FINITE:
        return [None if value is None else float(value) for value in values]
    if kinds <= {int, float} or kinds in ({bool}, {str}):
        return [float(value) if value is not None and float in kinds else value for value in values]
    return [None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]


def _whole(text: str) -> str:
    """Return a text in which half a character, as in an odd file name, is its escape."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
