"""Which folder does the user mean, who may leave out the one that Hydra keeps runs in?"""

from __future__ import annotations

import os
from pathlib import Path

from hydra_callbacks.runs.journal import FILE_NAME

_BASES = ("", "outputs", "multirun", "multiruns")


def folder_called(name: str) -> Path | None:
    """Return the folder of this name, here or where Hydra keeps runs; None when there is none."""
    named = os.path.expanduser(name)  # noqa: PTH111  (leaves the name of an unknown user as it is)
    for base in _BASES:
        path = Path(base, named)
        if path.is_dir():
            return path.resolve() if path.is_symlink() else path
    return None


def is_sweep(directory: Path) -> bool:
    """Tell whether a folder is a sweep's, as far as its journal tells."""
    return (directory / FILE_NAME).is_file()
