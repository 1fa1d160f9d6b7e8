"""Which numbers stand beside an axis?"""

from __future__ import annotations

import math

_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_ON_CLOCKS = (1, 2, 5, 10, 15, 20, 30)
_MOST_TICKS = 7
_LEAST_OF_A_UNIT = 2
_NOTHING = 1e-9


def rounded_up(value: float) -> float:
    """Return the next number that is good to read; 1 for nothing, or as good as that."""
    if not value > _NOTHING:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value * (1 - 1e-9))


def unit_of(end_s: float) -> tuple[float, str]:
    """Return the unit in which times up to this one are told: its seconds, and its name."""
    return next(((size, name) for size, name in _UNITS if end_s >= _LEAST_OF_A_UNIT * size), (1, "s"))


def ticks(end_s: float) -> list[float]:
    """Return moments from 0 to the end that are good to read, in seconds."""
    size, _ = unit_of(end_s)
    long = end_s / size
    powers = [10.0**exponent for exponent in range(-6, 12)]
    steps = sorted({step * power for power in powers for step in (1, 2, 5)} | set(_ON_CLOCKS))
    step = next((step for step in steps if long / step <= _MOST_TICKS), long or 1.0)
    return [number * step * size for number in range(int(long / step * (1 + 1e-9)) + 1)]


def clock(moment_s: float, end_s: float) -> str:
    """Return a moment in the unit of the axis: `1.5 min`."""
    size, name = unit_of(end_s)
    return f"{moment_s / size:.3g} {name}"
