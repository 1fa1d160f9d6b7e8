"""How does a listing reach the reader? As a table for people; as CSV or JSON for programs, whose form is stable."""

from __future__ import annotations

import csv
import json
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

Format = Literal["table", "csv", "json"]


def console(out: IO[str], width: int | None = None) -> Console:
    """Return a console that prints text as it is, without markup or colour of its own.

    Args:
        out: Where it prints.
        width: In characters; that of the terminal when None.
    """
    from rich.console import Console  # noqa: PLC0415  (the machine forms need none of it)

    return Console(file=out, width=width, markup=False, highlight=False, emoji=False)


def table(rows: Sequence[Mapping[str, str]], onto: Console, *, indent: int | None = None) -> None:
    """Print rows as a table that fits the console; all but the first column wrap.

    Args:
        rows: Column to cell, the same columns in each row.
        onto: The console.
        indent: Print it without the columns' names, this many characters to the right.
    """
    from rich import box  # noqa: PLC0415  (as above)
    from rich.padding import Padding  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    named = indent is None
    grid = (
        Table(box=box.SIMPLE_HEAD)
        if named
        else Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    )
    for index, column in enumerate(rows[0] if rows else ()):
        longest_word = max(len(word) for row in rows for word in row[column].split() or [""])
        width = min(longest_word, onto.width * 7 // 20)  # words stay whole where there is room for them
        grid.add_column(column, no_wrap=index == 0, overflow="fold", min_width=width)
    for row in rows:
        grid.add_row(*row.values())
    onto.print(Padding(grid, (0, 0, 0, indent or 0), expand=False))


def as_csv(rows: Sequence[Mapping[str, str]], out: IO[str]) -> None:
    """Write rows as CSV with a header.

    Args:
        rows: Column to cell, the same columns in each row.
        out: Where it is written.
    """
    writer = csv.writer(out, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)


def as_json(data: Any, out: IO[str]) -> None:
    """Write data as indented JSON, ASCII only, with a line break at the end."""
    out.write(json.dumps(data, indent=2) + "\n")
