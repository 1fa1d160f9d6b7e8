"""How does a listing reach the reader? As a table; or, for programs and in a stable form, as CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import sys
from typing import IO, TYPE_CHECKING, Any, Literal

import click

from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.support.cells import encode, encode_name
from hydra_callbacks.support.parquet import write_parquet
from hydra_callbacks.support.texts import printable, style_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console
    from rich.text import Text

Format = Literal["table", "csv", "json", "parquet"]
_WIDEST, _NO_LIMIT = 60, 1_000_000  # characters: of a column before it wraps, and of a line


def tell(text: str) -> None:
    """Say something on stderr."""
    click.echo(printable(text), err=True)


def console(out: IO[str], width: int | None = None) -> Console:
    """Return a console that prints text as it is, without markup, and never obeys what is in it.

    Args:
        out: Where it prints.
        width: In characters; that of the terminal when None.
    """
    from rich.console import Console  # noqa: PLC0415  (the machine forms need none of it)

    class Printable(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(printable(text), **options)

        def on_broken_pipe(self) -> None:  # `cli.LazyGroup` says what becomes of it, whatever is printed
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    return Printable(file=out, width=width, markup=False, highlight=False, emoji=False)


def table(
    rows: Sequence[Mapping[str, str]],
    onto: Console,
    *,
    indent: int | None = None,
    whole: bool = False,
    numbers: bool = True,
) -> None:
    """Print rows as a table that fits the console; all but the first column wrap.

    Args:
        rows: Column to cell, the same columns in each row. What stands in a column `status` gets its sign and colour.
        onto: The console.
        indent: Print it without the columns' names, this many characters to the right.
        whole: Make it wider than the console if it must be, so that every column can be read, if only by `less -S`.
        numbers: Whether a column of numbers stands to the right.
    """
    from rich import box  # noqa: PLC0415  (as above)
    from rich.padding import Padding  # noqa: PLC0415  (as above)
    from rich.table import Table  # noqa: PLC0415  (as above)

    named = indent is None
    grid = (
        Table(box=box.SIMPLE_HEAD)
        if named
        else Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    )
    for index, column in enumerate(rows[0] if rows else ()):
        cells = [row[column] for row in rows]
        longest_word = max(len(word) for cell in cells for word in cell.split() or [""])
        width = min(longest_word, onto.width * 7 // 20)  # words stay whole where there is room for them
        is_number = named and numbers and any(cells) and all(_is_number(cell) for cell in cells if cell)
        justify: Literal["left", "right"] = "right" if is_number else "left"
        most = _WIDEST if whole and index else None
        grid.add_column(column, no_wrap=index == 0, overflow="fold", min_width=width, max_width=most, justify=justify)
    for row in rows:
        styles = (style_of(cell) if column == "status" else "" for column, cell in row.items())
        grid.add_row(*(onto.render_str(cell, style=style) for cell, style in zip(row.values(), styles, strict=True)))
    if whole:
        needed = onto.measure(grid, options=onto.options.update(max_width=_NO_LIMIT)).maximum
        onto.width = max(onto.width, needed)
    onto.print(Padding(grid, (0, 0, 0, indent or 0), expand=False))


def as_csv(rows: Sequence[Mapping[str, Any]], out: IO[str], cell: Callable[[Any], str] = encode) -> None:
    """Write rows as CSV with a header.

    Args:
        rows: Column to value, the same columns in each row.
        out: Where it is written.
        cell: What makes a cell of a value: by default `support.cells`, which marks a text that is a formula as text.
    """
    seen = printable if out.isatty() else str
    writer = csv.writer(out, lineterminator="\n")
    if rows:
        writer.writerow([seen(encode_name(column)) for column in rows[0]])
    writer.writerows([seen(cell(value)) for value in row.values()] for row in rows)


def as_json(data: Any, out: IO[str]) -> None:
    """Write data as indented JSON, ASCII only, with a line break at the end."""
    out.write(json.dumps(data, indent=2) + "\n")


def as_parquet(rows: Sequence[Mapping[str, Any]], out: IO[str]) -> None:
    """Write rows as Parquet; a column of numbers, booleans or texts keeps its type, any other becomes text.

    Args:
        rows: Column to value, the same columns in each row.
        out: A text stream on a file or pipe, whose bytes are written.

    Raises:
        HydraCallbacksError: It would be written onto a terminal.
        MissingExtraError: The extra `tables` is not installed.
    """
    if out.isatty():
        msg = "Parquet is no text: send it into a file, as in `--format parquet > runs.parquet`"
        raise HydraCallbacksError(msg)
    buffer = io.BytesIO()
    write_parquet({name: [row[name] for row in rows] for name in (rows[0] if rows else ())}, buffer)
    out.flush()
    getattr(out, "buffer", sys.stdout.buffer).write(buffer.getvalue())


def write(rows: Sequence[Mapping[str, Any]], form: Format, out: IO[str]) -> None:
    """Write rows in a form for programs.

    Args:
        rows: Column to value, the same columns in each row.
        form: "csv", "json" or "parquet".
        out: Where it is written.
    """
    if form == "csv":
        as_csv(rows, out)
    elif form == "json":
        as_json(rows, out)
    else:
        as_parquet(rows, out)


def _is_number(cell: str) -> bool:
    try:
        float(cell.removesuffix(" s"))
    except ValueError:
        return False
    return True
