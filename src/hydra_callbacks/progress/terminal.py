"""How do a few lines stay at the bottom of a terminal while anything else is printed above them?

The terminal itself is told to scroll only the lines above ("set top and bottom margins", DECSTBM, of the VT100, which
all terminals know): so whoever prints, be it a child process or C code, cannot get in the way.
"""

from __future__ import annotations

import io
import os
import sys
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_CLEAR_LINE = "\x1b[2K"
_LEAST_LINES = 12  # of a terminal: a smaller one has no room


def terminal_of(*streams: IO[str] | None) -> IO[str] | None:
    """Return the first of some streams that is a terminal which can keep lines apart; None when none is."""
    if os.environ.get("TERM", "") in {"dumb", "unknown"}:
        return None
    return next((stream for stream in streams if stream is not None and _is_fit(stream)), None)


def _is_fit(stream: IO[str]) -> bool:
    try:
        if not stream.isatty() or os.get_terminal_size(stream.fileno()).lines < _LEAST_LINES:
            return False
    except (OSError, ValueError):  # closed, or without a descriptor
        return False
    if sys.platform == "win32":
        from rich.console import detect_legacy_windows  # noqa: PLC0415  (an old console obeys no sequences)

        return not detect_legacy_windows()
    return True


class Bottom:
    """The lines at the bottom of a terminal.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._fd = stream.fileno()
        self._size = os.terminal_size((0, 0))
        self._n_lines = 0
        self._color = "NO_COLOR" not in os.environ

    @property
    def width(self) -> int:
        """Width of the terminal, in characters."""
        return os.get_terminal_size(self._fd).columns

    def show(self, lines: Sequence[Text]) -> None:
        """Show lines at the bottom, in place of those that were there."""
        size = os.get_terminal_size(self._fd)
        most = max(size.lines - _LEAST_LINES // 2, 1)
        shown = [self._written(line) for line in lines[:most]]
        text = ""
        if len(shown) > self._n_lines or size != self._size:
            text += self._reserved(len(shown), size)
        shown += [""] * (self._n_lines - len(shown))
        first = size.lines - self._n_lines + 1
        rows = (f"\x1b[{first + index};1H{_CLEAR_LINE}{line}" for index, line in enumerate(shown))
        self._write(f"{text}{_SAVE}{''.join(rows)}{_RESTORE}")

    def close(self) -> None:
        """Give the lines back to the terminal."""
        if self._n_lines:
            lines = os.get_terminal_size(self._fd).lines
            first = lines - self._n_lines + 1
            rows = "".join(f"\x1b[{row};1H{_CLEAR_LINE}" for row in range(first, lines + 1))
            self._write(f"{_SAVE}\x1b[r{rows}{_RESTORE}")
            self._n_lines = 0

    def _reserved(self, n_lines: int, size: os.terminal_size) -> str:
        """Return what keeps so many lines free; what stands there moves up."""
        n_more = max(n_lines - self._n_lines, 0)
        self._n_lines, self._size = max(n_lines, self._n_lines), size
        room = "\n" * n_more + f"\x1b[{n_more}A" if n_more else ""
        return f"{room}{_SAVE}\x1b[1;{size.lines - self._n_lines}r{_RESTORE}"

    def _written(self, line: Text) -> str:
        from rich.console import Console  # noqa: PLC0415  (only a terminal needs it)

        out = io.StringIO()
        color: Literal["standard"] | None = "standard" if self._color else None
        console = Console(file=out, force_terminal=True, color_system=color, width=self.width, legacy_windows=False)
        console.print(line, end="", no_wrap=True, overflow="crop", crop=True)
        return out.getvalue()

    def _write(self, text: str) -> None:
        """Write all at once, so that nothing else comes in between."""
        os.write(self._fd, text.encode("utf-8", errors="replace"))
