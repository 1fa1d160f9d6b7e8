"""How does a table become Parquet?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
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
    polars.DataFrame({name: _of_one_type(list(each)) for name, each in columns.items()}, strict=False).write_parquet(
        target
    )


def _of_one_type(values: list[Any]) -> list[Any]:
    values = [str(value) if isinstance(value, int) and value.bit_length() >= _INT_BITS else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    if float in kinds and kinds <= {int, float, str} and {each for each in values if type(each) is str} <= _NOT_FINITE:
        return [None if value is None else float(value) for value in values]
    if kinds <= {int, float} or kinds in ({bool}, {str}):
        return [float(value) if value is not None and float in kinds else value for value in values]
    return [None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]
