"""What would stand on paper of all that a program wrote to its terminal?

A progress bar writes its line again and again after a carriage return; several of them move the cursor up first. Only
what stood there last is kept. Colours and other escape sequences (ECMA-48, 5.4 and 5.6) are left out. In whatever
pieces the bytes come, the text is the same.
"""

from __future__ import annotations

import re

LONGEST_LINE = 1 << 16  # bytes: what a longer line begins with is not written anew
_MOST_ROWS = 100  # that the cursor may go up
_PIECE_BYTES = 1 << 15
_LONGEST_SEQUENCE = 4200  # bytes; a little more than what the pattern of an unfinished one can match
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
_CONTROL = re.compile(
    rb"(\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # control sequences
    rb"|[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"  # titles, links and other texts for the terminal
    rb"|[ -/]{0,8}[0-~])?"  # two characters, as ESC 7
    rb"|[\r\x08])"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|[\]PX^_][^\x07\x1b]{0,4096}\x1b?|[ -/]{0,8})\Z")
# Of a bar that is written anew several times in one piece, all but the last.
_OVERWRITTEN = re.compile(rb"\r(?:[^\r\n\x08\x1b]{1,1000}\r+)+(?=[^\r\n\x08\x1b])")
_MOVE = re.compile(rb"\x1b\[([0-9]{0,4})([ABEFGJK])")


class Paper:
    """The text that remains of a stream of bytes.

    Attributes:
        n_lines: Number of lines that are settled.
    """

    def __init__(self) -> None:
        self.n_lines = 0
        self._rows: list[bytes] = [b""]  # the last lines, which may still be written anew
        self._row = 0  # of these, where the cursor is
        self._n_above = 0  # rows that are kept above the cursor: as far as it ever went up
        self._climbed = 0  # rows that it went up just now
        self._n_back = 0  # characters that it went back
        self._is_anew = False  # whether the next text takes the place of the row's
        self._is_aside = False  # whether the cursor is saved: what is drawn then stands elsewhere on the screen
        self._unfinished = b""
        self._settled: list[bytes] = []

    @property
    def open_text(self) -> bytes:
        """The last lines as they are now; what comes may change them."""
        return b"\n".join(self._rows)

    def write(self, data: bytes) -> bytes:
        """Take in what was written, and return the text that nothing can change any more.

        Args:
            data: The next bytes.
        """
        data = self._simplified(self._unfinished + data)
        if b"\r" in data or b"\x1b" in data or b"\x08" in data:  # far faster than the pattern
            for index, part in enumerate(_CONTROL.split(data)):
                if index % 2:
                    self._obey(part)
                elif part:
                    self._text(part)
        elif data:
            self._text(data)
        return self._take()

    def _simplified(self, data: bytes) -> bytes:
        """Return what means the same with fewer control characters; keep an unfinished sequence at the end."""
        self._unfinished = b""
        if b"\x1b" in data:
            found = _UNFINISHED.search(data, max(0, len(data) - _LONGEST_SEQUENCE))
            if found:
                data, self._unfinished = data[: found.start()], found[0]
            without = _COLOUR.sub(b"", data)
            if b"\x1b" not in without:  # else what stood around a colour might become a sequence
                data = without
        return _OVERWRITTEN.sub(b"\r", data.replace(b"\r\n", b"\n")) if b"\r" in data else data

    def close(self) -> bytes:
        """Return the rest of the text; a last line without an end is given one."""
        rest = self.open_text.rstrip(b"\n")
        self._rows, self._row, self._is_anew, self._unfinished = [b""], 0, False, b""
        self._settled.append(rest + b"\n" if rest else b"")
        return self._take()

    def _take(self) -> bytes:
        settled = b"".join(self._settled)
        self._settled.clear()
        self.n_lines += settled.count(b"\n")
        return settled

    def _text(self, text: bytes) -> None:
        """Take in text without control characters, line breaks excepted."""
        if self._is_aside:
            start = text.find(b"\n")  # whoever never restores the cursor must not cost the rest of the text
            if start < 0:
                return
            self._is_aside, text = False, text[start:]
        if self._n_above:
            for start in range(0, len(text), _PIECE_BYTES):
                self._piece(text[start : start + _PIECE_BYTES])
        else:
            self._piece(text)

    def _piece(self, text: bytes) -> None:
        is_last = self._row == len(self._rows) - 1
        if not is_last or self._n_back or (self._n_above and len(self._rows[-1]) + len(text) >= LONGEST_LINE):
            for index, line in enumerate(text.split(b"\n")):
                if index:
                    self._break()
                if line:
                    self._put(line)
            return
        if self._is_anew and not text.startswith(b"\n"):
            self._rows[-1] = b""
        self._is_anew, self._climbed = False, 0
        text = b"\n".join(self._rows) + text
        start = len(text)
        for _ in range(self._n_above + 1):
            start = text.rfind(b"\n", 0, start)
            if start < 0:
                break
        end = len(text)
        if not self._n_above:
            end_of_long = start + 1 + (end - start - 1) // LONGEST_LINE * LONGEST_LINE
            start = end_of_long - 1
        self._settled.append(text[: start + 1])
        self._rows = text[start + 1 :].split(b"\n")
        self._row = len(self._rows) - 1

    def _put(self, text: bytes) -> None:
        """Write text without line breaks where the cursor is."""
        row = b"" if self._is_anew else _without_last(self._rows[self._row], self._n_back)
        self._is_anew, self._climbed, self._n_back = False, 0, 0
        row += text
        if len(row) >= LONGEST_LINE:
            end = len(row) // LONGEST_LINE * LONGEST_LINE
            self._settled += [above + b"\n" for above in self._rows[: self._row]]
            self._settled.append(row[:end])
            row = row[end:]
            del self._rows[: self._row]
            self._row = 0
        self._rows[self._row] = row

    def _break(self) -> None:
        """Go to the next line."""
        self._climbed = self._n_back = 0
        self._row += 1
        self._is_anew = self._row < len(self._rows)
        if not self._is_anew:
            self._rows.append(b"")
        n_settled = max(0, self._row - self._n_above)
        self._settled += [row + b"\n" for row in self._rows[:n_settled]]
        del self._rows[:n_settled]
        self._row -= n_settled

    def _obey(self, control: bytes) -> None:
        """Do what a control character or sequence says, as far as it matters here."""
        if control in {b"\x1b7", b"\x1b[s"}:
            self._is_aside = True
        elif control in {b"\x1b8", b"\x1b[u"}:
            self._is_aside = False
        elif self._is_aside:
            return
        elif control == b"\r":
            self._is_anew, self._n_back = True, 0
        elif control == b"\x08":
            self._n_back += 1
        else:
            move = _MOVE.fullmatch(control)
            if move:
                self._move(move[2], int(move[1] or -1))

    def _move(self, kind: bytes, number: int) -> None:
        count = max(number, 1)
        if kind in b"AF":
            self._climbed = min(self._climbed + count, _MOST_ROWS)
            self._n_above = max(self._n_above, self._climbed)
            self._row = max(0, self._row - count)
        elif kind in b"BE":
            self._row = min(self._row + count, len(self._rows) - 1)
        elif kind == b"J" and number <= 0:
            del self._rows[self._row + 1 :]
        if (kind in b"KJ" and number <= 0 and self._is_anew) or (kind == b"K" and number == 2):  # noqa: PLR2004
            self._rows[self._row] = b""
        if kind in b"EF" or (kind == b"G" and count == 1):
            self._is_anew, self._n_back = True, 0


def _without_last(text: bytes, n_characters: int) -> bytes:
    """Return UTF-8 text without its last characters."""
    end = len(text)
    for _ in range(min(n_characters, end)):
        end -= 1
        while end > 0 and text[end] & 0xC0 == 0x80:  # noqa: PLR2004  (a further byte of the same character)
            end -= 1
    return text[: max(end, 0)]
