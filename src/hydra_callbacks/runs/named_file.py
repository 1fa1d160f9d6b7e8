"""Which file does a record name? A record may come from anywhere, so only one that lies where its writers put such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SHARED = ".provenance"  # what all jobs of a sweep have in common


def named_file(directory: Path, name: Any) -> Path | None:
    """Return a regular file in a run's directory, or in its sweep's folder of provenance; None where it is no such.

    Args:
        directory: The job's output directory, where it is now.
        name: What the record has, relative to the directory.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        return None
    try:
        file, top = (directory / name).resolve(), directory.resolve()
        is_ours = file.is_relative_to(top) or any(
            folder.name == _SHARED and top.is_relative_to(folder.parent) for folder in file.parents
        )
        return file if is_ours and file.is_file() else None
    except (OSError, RuntimeError):  # links in a circle
        return None
