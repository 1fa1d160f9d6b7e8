"""How do curves look in a terminal?

They are drawn in braille characters of eight dots; where the terminal has none, in points and apostrophes, two a
character. In each column of dots, all heights are marked that the curve has there: so no peak is lost, however many
samples there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from hydra_callbacks.cli.plot.axes import clock, rounded_up, ticks
from hydra_callbacks.cli.plot.curves import highest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from hydra_callbacks.cli.plot.curves import Curve, Panel

COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red")
_LABEL = 9  # characters: of the numbers beside the axis
_MARK_EVERY = 4  # dots
_EMPTY = -1


@dataclass(frozen=True, slots=True)
class Signs:
    """What a terminal can show.

    Attributes:
        dots: The bit of each dot in a character, column by column.
        glyphs: The character for each sum of bits.
        axis: Of the vertical axis.
        line: Of a horizontal line.
        ends: Of a phase.
    """

    dots: tuple[tuple[int, ...], ...]
    glyphs: str
    axis: str
    line: str
    ends: tuple[str, str]


BRAILLE = Signs(
    ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)),
    " " + "".join(map(chr, range(0x2801, 0x2900))),
    "┤",
    "─",
    ("├", "┤"),
)
PLAIN = Signs(((1, 2),), " '.:", "|", "-", ("|", "|"))


def panel_lines(panel: Panel, seconds: Sequence[float], width: int, n_rows: int, signs: Signs) -> Iterator[Text]:
    """Yield the lines of a panel: what is highest, and the curves.

    Args:
        panel: The panel.
        seconds: Of its samples, from the first on.
        width: Of the lines, in characters.
        n_rows: So many lines have the curves.
        signs: What the terminal can show.
    """
    yield from _titles(panel, seconds)
    values = [value for curve in panel.curves for value in curve.values if not math.isnan(value)]
    top = rounded_up(max([*values, panel.mark[1] if panel.mark else 0.0, 0.0]))
    canvas = _Canvas(max(width - _LABEL - 2, 1), n_rows, signs)
    for index, curve in enumerate(panel.curves):
        canvas.add(points(curve, seconds), seconds[-1], top, index)
    if panel.mark:
        canvas.add_level(panel.mark[1] / top)
    labels = {0: top, n_rows // 2: top * (1 - n_rows // 2 / (n_rows - 1)), n_rows - 1: 0.0}
    for row, line in enumerate(canvas.lines()):
        label = f"{labels[row]:.4g}" if row in labels else ""
        yield Text.assemble(f"{label:>{_LABEL}} {signs.axis}", line)


def time_lines(end_s: float, spans: Sequence[tuple[str, float, float]], width: int, signs: Signs) -> Iterator[Text]:
    """Yield the lines below all panels: the phases, and the time.

    Args:
        end_s: Seconds from the first sample to the last.
        spans: Name, beginning and end of each phase, in seconds.
        width: Of the lines, in characters.
        signs: What the terminal can show.
    """
    room = max(width - _LABEL - 2, 1)
    if spans:
        yield Text.assemble(f"{'phase':>{_LABEL}}  ", _phases(spans, end_s, room, signs))
    marks, labels = [signs.line] * room, [" "] * room
    for moment in ticks(end_s):
        place = min(round(moment / end_s * (room - 1)) if end_s else 0, room - 1)
        label = clock(moment, end_s)
        at = max(0, min(place - len(label) // 2, room - len(label)))
        if all(sign == " " for sign in labels[max(at - 1, 0) : at + len(label) + 1]):
            labels[at : at + len(label)] = label
            marks[place] = "┬" if signs is BRAILLE else "+"
    yield Text(" " * (_LABEL + 2) + "".join(marks))
    yield Text(" " * (_LABEL + 2) + "".join(labels).rstrip())


def points(curve: Curve, seconds: Sequence[float]) -> Iterator[tuple[float, float, float, float]]:
    """Yield the straight parts of a curve: time and height at the beginning, and at the end."""
    if len(seconds) == 1 and not math.isnan(curve.values[0]):
        yield seconds[0], curve.values[0], seconds[0], curve.values[0]
    for index in range(1, len(seconds)):
        began_s, ended_s = seconds[index - 1], seconds[index]
        before, value = curve.values[index - 1], curve.values[index]
        if curve.is_mean:
            before = value
            earlier = curve.values[index - 1] if index > 1 else math.nan
            if not math.isnan(earlier + value):
                yield began_s, earlier, began_s, value
        if not math.isnan(before + value):
            yield began_s, before, ended_s, value


class _Canvas:
    """Dots in characters.

    Args:
        width: In characters.
        height: Likewise.
        signs: What the terminal can show.
    """

    def __init__(self, width: int, height: int, signs: Signs) -> None:
        self._signs = signs
        self._n_wide, self._n_high = len(signs.dots), len(signs.dots[0])
        self._columns, self._rows = width * self._n_wide, height * self._n_high
        self._bits = [[0] * width for _ in range(height)]
        self._colours = [[_EMPTY] * width for _ in range(height)]

    def add(self, parts: Iterator[tuple[float, float, float, float]], end_s: float, top: float, colour: int) -> None:
        """Draw the straight parts of a curve.

        Args:
            parts: As `points` yields them.
            end_s: The time at the right end.
            top: The height of the upper edge.
            colour: Its number among `COLOURS`.
        """
        lows, highs = [math.inf] * self._columns, [-math.inf] * self._columns
        scale = self._columns / end_s if end_s > 0 else 0.0
        for began_s, before, ended_s, after in parts:
            first, last = (min(int(moment * scale), self._columns - 1) for moment in (began_s, ended_s))
            for column in range(first, last + 1):
                for edge_s in (column / scale, (column + 1) / scale) if first < last else (began_s, ended_s):
                    moment = min(max(edge_s, began_s), ended_s)
                    share = (moment - began_s) / (ended_s - began_s) if ended_s > began_s else 0.0
                    for value in (before, after) if first == last else (before + share * (after - before),):
                        lows[column], highs[column] = min(lows[column], value), max(highs[column], value)
        for column, (low, high) in enumerate(zip(lows, highs, strict=True)):
            if low <= high:
                for row in range(self._row(high / top), self._row(low / top) + 1):
                    self._mark(column, row, colour)

    def add_level(self, height: float) -> None:
        """Draw a thin line at a height from 0 to 1, behind the curves."""
        for column in range(0, self._columns, _MARK_EVERY):
            self._mark(column, self._row(height), _EMPTY)

    def lines(self) -> Iterator[Text]:
        """Yield each line."""
        for bits, colours in zip(self._bits, self._colours, strict=True):
            line = Text()
            for each, colour in zip(bits, colours, strict=True):
                line.append(
                    self._signs.glyphs[each], style="dim" if colour == _EMPTY else COLOURS[colour % len(COLOURS)]
                )
            yield line

    def _row(self, height: float) -> int:
        return round((1 - min(max(height, 0.0), 1.0)) * (self._rows - 1))

    def _mark(self, column: int, row: int, colour: int) -> None:
        x, y = column // self._n_wide, row // self._n_high
        self._bits[y][x] |= self._signs.dots[column % self._n_wide][row % self._n_high]
        if colour != _EMPTY:
            self._colours[y][x] = colour


def _titles(panel: Panel, seconds: Sequence[float]) -> Iterator[Text]:
    title = Text.assemble((panel.title, "bold"), f", {panel.unit}" if panel.unit else "")
    for index, curve in enumerate(panel.curves):
        found = highest(curve, seconds)
        told = f"highest {found[0]:.3g} at {clock(found[1], seconds[-1])}" if found else "nothing told"
        name = f"{curve.name}: " if len(panel.curves) > 1 else ""
        title.append("   ").append(name + told, style=COLOURS[index % len(COLOURS)])
    if panel.mark:
        title.append(f"   {panel.mark[0]} {panel.mark[1]:.3g}", style="dim")
    yield title


def _phases(spans: Sequence[tuple[str, float, float]], end_s: float, room: int, signs: Signs) -> Text:
    line = Text(" " * room)
    cells = [" "] * room
    for number, (name, began_s, ended_s) in enumerate(spans):
        first, last = (min(int(moment / end_s * room) if end_s else 0, room - 1) for moment in (began_s, ended_s))
        wide = last - first + 1
        cells[first : last + 1] = [signs.ends[0], *[signs.line] * (wide - 2), signs.ends[1]][:wide]
        inner = wide - 2
        label = name[:inner]
        start = first + 1 + (inner - len(label)) // 2
        cells[start : start + len(label)] = label
        line.stylize(COLOURS[(number + 1) % len(COLOURS)], first, last + 1)
    line.plain = "".join(cells)
    return line


def signs_for(onto: Console, term: str) -> Signs:
    """Return what a console can show.

    Args:
        onto: The console.
        term: The variable TERM: that of the Linux console has no braille.
    """
    try:
        "├⣿".encode(onto.encoding)
    except UnicodeEncodeError:
        return PLAIN
    return PLAIN if term == "linux" or onto.legacy_windows else BRAILLE
