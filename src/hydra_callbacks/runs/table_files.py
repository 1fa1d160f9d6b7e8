"""In which file does a table end up? CSV as published; Parquet, JSONL, Markdown or LaTeX by the name given."""

from __future__ import annotations

import contextlib
import re
from pathlib import PurePath
from types import NoneType
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.cells import encode
from hydra_callbacks.support.files import replacing, write_whole
from hydra_callbacks.support.parquet import write_parquet
from hydra_callbacks.support.tables import format_header, format_rows
from hydra_callbacks.support.texts import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hydra_callbacks.runs.gather import Table

_CHUNK = 1000  # rows
_SPECIAL = re.compile(r'[",\\\[\]\x00-\x1f\x7f]')
_TEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_LONGEST_CELL = 120  # characters, in a table for people


def write_table(table: Table, path: Path) -> None:
    """Write a table in the form that the file's name asks for, in one step.

    Args:
        table: The table.
        path: The file; its folder must be there.

    Raises:
        MissingExtraError: It is Parquet, and the extra `tables` is not installed.
        OSError: It cannot be written; what was there stays.
    """
    WRITERS[path.suffix.lower()](table, path)


def complaint(name: str) -> str | None:
    """Return what a file's name must be instead; None when it is right."""
    is_known = PurePath(name).suffix.lower() in WRITERS
    return None if is_known else f"a file name that ends in {', '.join(list(WRITERS)[:-1])} or {list(WRITERS)[-1]}"


def _write_csv(table: Table, path: Path) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(format_header(table.columns))
        columns = list(table.columns.values())
        for start in range(0, len(columns[0]), _CHUNK):
            file.write(_csv_lines([column[start : start + _CHUNK] for column in columns]))


def _csv_lines(columns: list[Sequence[Any]]) -> bytes:
    """Return columns as lines of CSV: by way of JSON, which is made quickly, where only brackets and quotes differ."""
    import msgspec  # noqa: PLC0415  (few write tables)

    cells = [_cells(column) for column in columns]
    if None not in cells:
        with contextlib.suppress(OverflowError, UnicodeError):  # a number of more than 64 bits, half of a character
            lines = msgspec.json.Encoder().encode_lines(zip(*filter(None, cells), strict=True))
            if b"\\" not in lines and b"null" not in lines:  # which is what NaN becomes
                return lines.translate(None, b'["]')
    return format_rows(zip(*columns, strict=True))


def _cells(column: Sequence[Any]) -> Sequence[Any] | None:
    """Return a column's numbers and texts as they stand in CSV; None when JSON would write them in another way."""
    if column and column.count(column[0]) == len(column) and type(column[0]) in {str, NoneType}:
        cell = encode(column[0])
        return None if _SPECIAL.search(cell) else [cell] * len(column)
    kinds = set(map(type, column))
    if kinds <= {int, float}:
        return column
    if kinds <= {str, NoneType}:
        texts = {value: encode(value) for value in set(column)}
        return None if any(map(_SPECIAL.search, texts.values())) else [*map(texts.__getitem__, column)]
    if kinds <= {int, float, bool, NoneType}:
        return [value if type(value) in {int, float} else encode(value) for value in column]
    return None


def _write_jsonl(table: Table, path: Path) -> None:
    import json  # noqa: PLC0415  (few ask for it)

    encoder = json.JSONEncoder(ensure_ascii=False)
    names = _named(table)
    rows = zip(*table.columns.values(), strict=True)
    lines = (encoder.encode(dict(zip(names, row, strict=True))) + "\n" for row in rows)
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.writelines(line.encode(errors="backslashreplace") for line in lines)


def _write_parquet(table: Table, path: Path) -> None:
    with replacing(path) as temporary:
        write_parquet(dict(zip(_named(table), table.columns.values(), strict=True)), temporary)


def _write_markdown(table: Table, path: Path) -> None:
    def cell(value: Any) -> str:
        text = _shown(value)
        for sign in "\\|<>*_`[]":
            text = text.replace(sign, f"\\{sign}")
        return text

    rows = [map(cell, row) for row in zip(*table.columns.values(), strict=True)]
    heads = [cell(name) for name in _named(table)]
    rules = ["---:" if _is_numeric(column) else "---" for column in table.columns.values()]
    lines = [f"| {' | '.join(each)} |" for each in (heads, rules, *rows)]
    write_whole(path, ("\n".join(lines) + "\n").encode(errors="backslashreplace"))


def _write_tex(table: Table, path: Path) -> None:
    def cell(value: Any) -> str:
        return "".join(_TEX.get(sign, sign) for sign in _shown(value))

    kinds = "".join("r" if _is_numeric(column) else "l" for column in table.columns.values())
    heads = [cell(name) for name in _named(table)]
    lines = [
        "% \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{{kinds}}}",
        "\\toprule",
        f"{' & '.join(heads)} \\\\",
        "\\midrule",
        *(f"{' & '.join(map(cell, row))} \\\\" for row in zip(*table.columns.values(), strict=True)),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    write_whole(path, ("\n".join(lines) + "\n").encode(errors="backslashreplace"))


def _named(table: Table) -> list[str]:
    """Return the columns' names, of which none is empty."""
    number = "job" if "job" not in table.columns else "run-num"
    return [name or number for name in table.columns]


def _shown(value: Any) -> str:
    """Return a value in one line, as people read it."""
    text = " ".join(shown(value).split())
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 3] + "..."


def _is_numeric(column: Sequence[Any]) -> bool:
    kinds = set(map(type, column)) - {NoneType}
    return bool(kinds) and kinds <= {int, float}


WRITERS: dict[str, Callable[[Table, Path], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
    ".md": _write_markdown,
    ".tex": _write_tex,
}
"""The end of a file's name to what writes such a file."""
