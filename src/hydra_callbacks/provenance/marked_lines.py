"""How is a search of megabytes for what is rare made fast? It looks around those lines only that have a mark of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra_callbacks.support.patterns import compiled

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

_AFTER = 800  # characters behind a line, into which what begins there may reach


class MarkedText:
    """A text, and the same in lower case.

    Args:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.lower = text.lower()

    def matches(self, form: str | re.Pattern[str], marks: str) -> Iterator[re.Match[str]]:
        """Yield the matches that begin in a line with a mark, or in the line before.

        Args:
            form: What is looked for.
            marks: A pattern of the marks, in lower case; it should find them quickly.
        """
        pattern = compiled(form) if isinstance(form, str) else form
        for start, end in self._windows(compiled(marks)):
            yield from pattern.finditer(self.text, start, end)

    def _windows(self, marks: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Yield from where to where to look, each part of the text at most once."""
        if len(self.lower) != len(self.text):  # a few letters are longer in lower case
            if marks.search(self.lower):
                yield 0, len(self.text)
            return
        start = end = line_end = 0
        for match in marks.finditer(self.lower):
            if match.start() < line_end:
                continue
            line = self.lower.rfind("\n", 0, match.start())
            before = self.lower.rfind("\n", 0, line) + 1 if line > 0 else 0
            line_end = self.lower.find("\n", match.start())
            line_end = len(self.lower) if line_end < 0 else line_end
            if before > end:
                if end:
                    yield start, end
                start = before
            end = line_end + _AFTER
        if end:
            yield start, end
