"""Where are the runs below a directory, and which one does the user mean?"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RecordError
from hydra_callbacks.runs import record

if TYPE_CHECKING:
    from collections.abc import Iterator

HYDRA = ".hydra"
_STEP_BYTES = 1 << 14  # most records are shorter, and a larger buffer takes longer to make


@dataclass(slots=True)
class Run:
    """A job's output directory that was found.

    Attributes:
        place: The directory, absolute or relative as what it was found below.
        record: Its run record; made from Hydra's own files, with the status `unknown`, when it never had one; empty
            when it is damaged.
        problem: What is wrong with the record; None when nothing is.
    """

    place: str
    record: dict[str, Any]
    problem: str | None = None

    @property
    def directory(self) -> Path:
        """The directory."""
        return Path(self.place)


def as_typed(directory: Path | str) -> str:
    """Return a directory as it is shortest to type from here."""
    here = os.getcwd()  # noqa: PTH109  (see below)
    text = os.path.abspath(directory)  # noqa: PTH100  (links stay)
    return os.path.relpath(text, here) if text.startswith(here + os.sep) else text


def runs_below(directory: Path) -> Iterator[Run]:
    """Yield the runs in a directory and below, in the order of the directories' names.

    What lies below a job's output directory is the job's own, and not looked at, unless the search begins there. Links
    are not followed, and hidden folders are passed over.

    Args:
        directory: Where to look.

    Raises:
        NotADirectoryError: There is no such directory.
    """
    if not directory.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "there is no such directory", str(directory))
    yield from _below(str(directory), is_first=True)


def run_in(directory: Path | str) -> Run | None:
    """Return the run whose output directory this is; None when it is none."""
    place = str(directory)
    file = f"{place}/{HYDRA}/{record.FILE_NAME}"
    try:
        text = _read(file)
        if text is not None:
            return Run(place, record.parse(text, file))
        file = f"{place}/{record.FILE_NAME}"
        text = _read(file)
        data = {} if text is None else record.parse(text, file)
        if "id" in data:  # else it is another program's
            return Run(_output_dir(place, data), data)
    except RecordError as error:
        return Run(place, {}, str(error))
    except OSError as error:
        return Run(place, {}, f"{file} cannot be read: {error.strerror}")
    return _run_of_hydra(place)


# A listing may go through a hundred thousand directories, so what follows uses texts, and no Path.


def _below(place: str, *, is_first: bool = False) -> Iterator[Run]:
    run = run_in(place)
    if run is not None:
        yield run
        if not is_first:
            return
    try:
        with os.scandir(place) as entries:
            folders = [each.name for each in entries if each.name != HYDRA and each.is_dir(follow_symlinks=False)]
    except PermissionError as error:
        yield Run(place, {}, f"{place} cannot be read: {error.strerror}")
        return
    except OSError:  # it has just been removed
        return
    for name in sorted(folders, key=_natural):
        inner = f"{place}/{name}" if place != "." else name
        if name[0] != "." or os.path.exists(f"{inner}/{record.FILE_NAME}"):  # noqa: PTH110  (see above)
            yield from _below(inner)


def _natural(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (1 << 62, name)


def _read(file: str) -> bytes | None:
    """Return what is in a file; None when there is none."""
    try:
        fd = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        text = part = os.read(fd, _STEP_BYTES)
        while len(part) == _STEP_BYTES:
            text += (part := os.read(fd, _STEP_BYTES))
    finally:
        os.close(fd)
    return text


def _output_dir(place: str, data: dict[str, Any]) -> str:
    """Return the output directory of a record that lies right here; `hydra.output_subdir` may be this folder's name."""
    named = os.path.basename(str(data.get("output_dir") or place))  # noqa: PTH119  (see above)
    above, name = os.path.split(place)
    return above if name != named == os.path.basename(above) else place  # noqa: PTH119  (see above)


def _run_of_hydra(place: str) -> Run | None:
    if not os.path.exists(f"{place}/{HYDRA}/overrides.yaml"):  # noqa: PTH110  (see above)
        return None
    from hydra_callbacks.runs import hydra_files  # noqa: PLC0415  (few have no record, and YAML takes time to import)

    try:
        return Run(place, hydra_files.record_of(Path(place), Path(place, HYDRA)))
    except RecordError as error:
        return Run(place, {}, str(error))
