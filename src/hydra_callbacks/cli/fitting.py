"""How does a text fit into a line of a terminal?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from rich.console import Console


def fitted(text: str, width: int, onto: Console) -> str:
    """Return a text that is no wider, with a sign where its end is left out: rich's own sign is not in every code."""
    if cell_len(text) <= width:
        return text
    sign = "…" if onto.encoding.lower().startswith("utf") else "..."
    return (set_cell_size(text, width - len(sign)) + sign) if width > len(sign) else sign[:width]
