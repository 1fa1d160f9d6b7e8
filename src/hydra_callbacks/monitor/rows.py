"""How do samples look in a file?"""

from __future__ import annotations

import math

from hydra_callbacks.monitor.sampler import PUBLISHED
from hydra_callbacks.monitor.samples import Samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_DIGITS = {"time": 3, "cpus": 2, "cpu_s": 3}  # milliseconds, and hundredths of a percent
_WHOLE = {"processes", "threads", "open_files"}
_OTHER_DIGITS = 6  # of a GiB: about a kilobyte


def samples_of(findings: Mapping[str, Any]) -> Samples:
    """Return the table of samples in what `Sampler.findings` returned."""
    return Samples(findings["columns"], len(findings["values"]), findings["values"])


def rows_of(
    findings: Mapping[str, Any], names: Mapping[str, Any] | None = None, more: Mapping[str, Sequence[Any]] | None = None
) -> list[dict[str, Any]]:
    """Return one mapping for each sample, column to value: rounded, None instead of NaN.

    Args:
        findings: What `Sampler.findings` returned.
        names: Columns that are the same in all rows; they stand where they were published, before what is newer.
        more: Columns at the end, each with a value for every row.
    """
    columns = samples_of(findings).columns()
    first = [*PUBLISHED, *findings["published"]]
    shown = {name: _rounded(name, columns[name]) for name in (*first, *(each for each in columns if each not in first))}
    rows = []
    for values in zip(*shown.values()):  # noqa: B905  (they are equally many)
        row = dict(zip(shown, values))  # noqa: B905  (as above)
        rows.append(row)
    if names:
        rows = [
            {**{name: row[name] for name in first}, **names, **{name: row[name] for name in shown if name not in first}}
            for row in rows
        ]
    for name, values in (more or {}).items():
        for row, value in zip(rows, values):  # noqa: B905  (as above)
            row[name] = value
    return rows


def _rounded(name: str, values: Sequence[float]) -> list[float | int | None]:
    if name in _WHOLE:
        return [None if math.isnan(value) else round(value) for value in values]
    n_digits = _DIGITS.get(name, _OTHER_DIGITS)
    return [None if math.isnan(value) else round(value, n_digits) for value in values]
