"""Which files near an application pin its packages, and what do they hold?"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

_LOCK_FILES = re.compile(
    r"(?:uv|poetry|pdm|pixi|Pipfile)\.lock|pylock(?:\..+)?\.toml|(?:.+[-_.])?(?:requirements|constraints)(?:[-_.].+)?\.txt"
    r"|(?:.+[-_.])?environment(?:[-_.].+)?\.ya?ml|(?:.+[-_.])?conda-lock(?:[-_.].+)?\.ya?ml|conda-.+\.lock"
)
_LARGEST_LOCK_FILE = 64 << 20  # bytes; a larger one is none
_PROJECT_SIGNS = (".git", "pyproject.toml")


def lock_files(cwd: Path, program: Path | None = None) -> list[dict[str, str]]:
    """Return the files that pin packages, with their SHA-256, each as it is named from the working directory.

    They are looked for where the application was started and where its program lies, and in the directories above up
    to that of the project (with `.git` or `pyproject.toml`).

    Args:
        cwd: Where the application was started.
        program: Its file.
    """
    places = [*_up_to_project(cwd), *(_up_to_project(program.parent) if program else ())]
    files = [place / name for place in dict.fromkeys(places) for name in _names(place) if _LOCK_FILES.fullmatch(name)]
    digests = [(file, _sha256(file)) for file in files]
    return [{"file": relative(file, cwd), "sha256": digest} for file, digest in digests if digest]


def _up_to_project(place: Path) -> list[Path]:
    places = [place, *place.parents]
    for index, each in enumerate(places):
        if any((each / sign).exists() for sign in _PROJECT_SIGNS):
            return places[: index + 1]
    return [place]  # no project's: what lies above is anybody's


def _names(place: Path) -> list[str]:
    try:
        return sorted(os.listdir(place))  # noqa: PTH208  (names are wanted)
    except OSError:
        return []


def _sha256(file: Path) -> str | None:
    """Return the hash of a file; None where it is none, or cannot be read."""
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST_LOCK_FILE:
            return None
        digest = hashlib.sha256()
        with file.open("rb") as opened:
            while part := opened.read(1 << 20):
                digest.update(part)
    except OSError:
        return None
    return digest.hexdigest()


def relative(path: Path, base: Path) -> str:
    """Return a path as it is named from a directory, with `/`; as it is where there is no such name."""
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:  # another drive of Windows
        return path.as_posix()
