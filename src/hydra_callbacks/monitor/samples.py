"""What was sampled so far, and what does it come to?

All samples lie in one array: 40 bytes for each, and 16 more for each GPU. One thread adds while others read.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

GIB = 2**30

_DIGITS = {"time": 3, "cpus": 2}  # of a row's cells: milliseconds, and hundredths of a percent
_OTHER_DIGITS = 6  # about a kilobyte


class Samples:
    """A table of numbers that grows.

    Args:
        gpu_columns: Columns that come after time, cpus, rss_GiB and vms_GiB.
    """

    def __init__(self, gpu_columns: Sequence[str] = ()) -> None:
        self._columns = ["time", "cpus", "rss_GiB", "vms_GiB", *gpu_columns]
        self._values = array("d")

    def add(self, *values: float) -> None:
        """Add one sample: a value for each column, in their order."""
        self._values.extend(values)

    def columns(self) -> dict[str, array[float]]:
        """Return a copy, column to its values; all of one length also while a sample is being added."""
        width = len(self._columns)
        whole = self._values[: len(self._values) // width * width]
        return {column: whole[index::width] for index, column in enumerate(self._columns)}

    def arrays(self) -> dict[str, Any]:
        """Return a copy, column to array of shape (n_samples,), dtype float64; `array.array("d")` without NumPy."""
        columns = self.columns()
        try:
            import numpy as np  # noqa: PLC0415  (not ours to bring; used where the application has it)
        except ImportError:
            return dict(columns)
        return {column: np.array(values, dtype=np.float64) for column, values in columns.items()}

    def rows(self) -> list[dict[str, float | None]]:
        """Return one mapping for each sample, column to value, rounded for a file to be read; None instead of NaN."""
        columns = self.columns()
        digits = [_DIGITS.get(column, _OTHER_DIGITS) for column in columns]
        return [
            {
                column: None if math.isnan(value) else round(value, n_digits)
                for column, value, n_digits in zip(columns, sample, digits, strict=True)
            }
            for sample in zip(*columns.values(), strict=True)
        ]

    def peak_rss_bytes(self) -> int:
        """Return the highest resident memory of all samples; 0 without any."""
        return round(max(self.columns()["rss_GiB"], default=0.0) * GIB)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._values) // len(self._columns)
