"""Which folder does the user mean, who may leave out the one that Hydra keeps runs in?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_callbacks.runs.resolve import BASES

if TYPE_CHECKING:
    from collections.abc import Sequence

OF_SWEEPS = tuple(base for base in BASES if base != "outputs")
"""Where Hydra keeps sweeps."""


def folder_called(name: str, bases: Sequence[str] = BASES) -> Path | None:
    """Return the folder of this name, here or where Hydra keeps runs; None when there is none.

    Args:
        name: The name; `~` is somebody's home. `resolve.LATEST` is no folder's, but that of the run that started last.
        bases: Where Hydra may keep it, from here.
    """
    named = os.path.expanduser(name)  # noqa: PTH111  (leaves the name of an unknown user as it is)
    for base in bases:
        path = Path(base, named)
        if path.is_dir():
            return path.resolve() if path.is_symlink() else path
    return None
