"""How do samples look in a file?"""

from __future__ import annotations

import math

from hydra_callbacks.monitor.sampler import PUBLISHED
from hydra_callbacks.monitor.samples import Samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_WHOLE = {"processes", "threads", "open_files"}


def samples_of(findings: Mapping[str, Any]) -> Samples:
    """Return the table of samples in what `Sampler.findings` returned."""
    return Samples(findings["columns"], len(findings["values"]), findings["values"])


def table_of(
    findings: Mapping[str, Any], names: Mapping[str, Any] | None = None, more: Mapping[str, Sequence[Any]] | None = None
) -> dict[str, Sequence[Any]]:
    """Return the columns of a file, each with a value for every sample: an array with NaN where it is not told.

    Args:
        findings: What `Sampler.findings` returned.
        names: Columns that are the same in all rows; they stand where they were published, before what is newer.
        more: Columns at the end.
    """
    samples = samples_of(findings)
    columns: dict[str, Sequence[Any]] = {
        name: _whole(values) if name in _WHOLE else values for name, values in samples.columns().items()
    }
    published = {name: columns.pop(name) for name in (*PUBLISHED, *findings["published"])}
    same = {name: [value] * len(samples) for name, value in (names or {}).items()}
    return {**published, **same, **columns, **(more or {})}


def rows_of(
    findings: Mapping[str, Any], names: Mapping[str, Any] | None = None, more: Mapping[str, Sequence[Any]] | None = None
) -> list[dict[str, Any]]:
    """Return the same row by row, column to value; None instead of NaN."""
    table = table_of(findings, names, more)
    rows = zip(*table.values())  # noqa: B905  (they are equally many)
    return [{name: None if value != value else value for name, value in zip(table, row)} for row in rows]  # noqa: B905, PLR0124  (NaN)


def _whole(values: Sequence[float]) -> list[int | None]:
    return [None if math.isnan(value) else round(value) for value in values]
