"""How does an expression that few runs need cost the others nothing?"""

from __future__ import annotations

import re
from functools import cache


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a regular expression, compiled when it is first asked for: that takes longer than most of its searches."""
    return re.compile(pattern)
