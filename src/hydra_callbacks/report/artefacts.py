"""Which files has a run left in its directory?"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hydra_callbacks.report.links import FILE_NAME, is_page
from hydra_callbacks.runs.find import HYDRA

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 500
_MOST_LOOKED_AT = 20_000
_DEEPEST = 8  # folders


class Artefacts(NamedTuple):
    """The files of a run.

    Attributes:
        listed: The first of them, by their paths, with slashes, and their sizes in bytes.
        n_files: How many there are.
        total_bytes: How large they are together.
    """

    listed: list[tuple[str, int]]
    n_files: int
    total_bytes: int


def artefacts(directory: Path, notes: list[str]) -> Artefacts:
    """Return the files below a run's directory.

    Hydra's own folder, hidden ones, what lies behind links, and the page itself are left out; so are the jobs of a
    sweep that was put there.

    Args:
        directory: The run's directory.
        notes: Gets what is left out, in words.
    """
    found: list[tuple[str, int]] = []
    for name, size in _walk(str(directory), "", _DEEPEST):
        if len(found) >= _MOST_LOOKED_AT:
            notes.append(f"there are more than {_MOST_LOOKED_AT:,} files; not all were looked at")
            break
        found.append((name, size))
    found.sort(key=lambda each: (each[0].count("/"), each[0]))
    if len(found) > MOST:
        notes.append(f"of {len(found):,} files, the first {MOST} are listed")
    return Artefacts(found[:MOST], len(found), sum(size for _, size in found))


def _walk(place: str, above: str, levels: int) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(place) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except OSError:  # it may not be read, or has just been removed
        return
    for entry in entries:
        name = f"{above}{entry.name}"
        is_own = not above and (name == FILE_NAME or (name.lower().endswith(".html") and is_page(Path(entry.path))))
        if entry.name.startswith(".") or is_own:
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            yield name, status.st_size
        elif stat.S_ISDIR(status.st_mode) and levels and not os.path.isdir(f"{entry.path}/{HYDRA}"):  # noqa: PTH112  (many entries, and speed matters)
            yield from _walk(entry.path, f"{name}/", levels - 1)
