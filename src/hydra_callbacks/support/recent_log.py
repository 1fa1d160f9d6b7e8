"""What were the last lines that the program logged?"""

from __future__ import annotations

import logging
from collections import deque

_PLAIN = {str, int, float, bool, type(None)}
_FORMAT = "[%(asctime)s][%(name)s][%(levelname)s] - %(message)s"


class RecentLog(logging.Handler):
    """Keeps the last records of a logger, and makes lines of them when they are asked for.

    A record whose values may change, or take much memory, is made a text at once.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._kept: deque[logging.LogRecord | str] = deque(maxlen=most)
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        arguments = record.args if isinstance(record.args, tuple) else (record.args,)
        is_plain = type(record.msg) is str and all(type(each) in _PLAIN for each in arguments)
        self._kept.append(record if is_plain and not record.exc_info else self._line(record))

    def lines(self) -> list[str]:
        """Return what was kept, the latest last; an exception is several lines in one text."""
        return [each if isinstance(each, str) else self._line(each) for each in tuple(self._kept)]

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001  (the message does not fit its values; logging itself tells that)
            return f"[{record.name}][{record.levelname}] - (not formatted: {type(error).__name__})"
