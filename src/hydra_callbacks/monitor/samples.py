"""What was sampled so far?

All samples lie in one array, eight bytes for each number, rounded as a file shows them. When there are as many as may
be, each four of them become two: the lowest of each column, then the highest, so that neither a peak nor a gap is
lost, counters never fall, and a curve through the rows is the envelope of that through all.
"""

from __future__ import annotations

import math
from array import array

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

_MERGED, _LEFT = 4, 2
_DIGITS = {"time": 3, "cpus": 2, "cpu_s": 3}  # milliseconds, and hundredths of a percent
_OTHER_DIGITS = 6  # of a GiB: about a kilobyte


class Samples:
    """A table of numbers that grows.

    Args:
        columns: Their names.
        most: As many rows as it may have; at least 8.
        values: What is in it already, row after row.
    """

    def __init__(self, columns: Sequence[str], most: int, values: bytes = b"") -> None:
        self.names = tuple(columns)
        self._most = most
        self._values = array("d", values)
        self._digits = [_DIGITS.get(name, _OTHER_DIGITS) for name in columns]

    def add(self, values: Sequence[float]) -> bool:
        """Add a row, a value for each column in their order; return True when rows were merged to make room for it."""
        is_full = len(self) >= self._most
        if is_full:
            self._merge()
        self._values.extend(map(round, values, self._digits))
        return is_full

    def columns(self) -> dict[str, array[float]]:
        """Return a copy, column to its values; all of one length also while a row is being added."""
        width = len(self.names)
        whole = self._values[: len(self._values) // width * width]
        return {name: whole[index::width] for index, name in enumerate(self.names)}

    def __bytes__(self) -> bytes:
        """Return all values, row after row, as another table takes them."""
        return self._values.tobytes()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._values) // len(self.names)

    def _merge(self) -> None:
        """Make two rows of four; the first and the last one stay."""
        width = len(self.names)
        first, body = self._values[:width], self._values[width:]
        n_whole = len(body) // (_MERGED * width)
        rest = body[n_whole * _MERGED * width :]
        merged = array("d", bytes(8 * n_whole * _LEFT * width))
        for column in range(width):
            four = [body[column + row * width : n_whole * _MERGED * width : _MERGED * width] for row in range(_MERGED)]
            merged[column :: _LEFT * width] = array("d", map(_lowest, *four))
            merged[column + width :: _LEFT * width] = array("d", map(_highest, *four))
        self._values = first + merged + rest


def _lowest(*values: float) -> float:
    return min((value for value in values if value == value), default=math.nan)  # noqa: PLR0124  (no NaN)


def _highest(*values: float) -> float:
    return max((value for value in values if value == value), default=math.nan)  # noqa: PLR0124  (as above)
