"""Where are the runs below a directory, and which one does the user mean?"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hydra_callbacks.errors import RecordError
from hydra_callbacks.runs import record
from hydra_callbacks.support.plain import plain
from hydra_callbacks.support.redact import Redactor, overrides

if TYPE_CHECKING:
    from collections.abc import Iterator

HYDRA = ".hydra"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is installed
_NUM = re.compile(r"^    num: (\d+)\s*$", re.MULTILINE)
_NAME = re.compile(r"^    name: (\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """A job's output directory that was found.

    Attributes:
        directory: The directory, absolute or relative as what it was found below.
        record: Its run record; made from Hydra's own files, with the status `unknown`, when it never had one; empty
            when it is damaged.
        problem: What is wrong with the record; None when nothing is.
    """

    directory: Path
    record: dict[str, Any]
    problem: str | None = None


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
        raise NotADirectoryError(directory)
    yield from _below(str(directory), is_first=True)


def _below(directory: str, *, is_first: bool = False) -> Iterator[Run]:
    run = run_in(Path(directory))
    if run is not None:
        yield run
        if not is_first:
            return
    try:
        with os.scandir(directory) as entries:
            folders = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:  # no right to look, or it has just been removed
        return
    for name in sorted(folders, key=_natural):
        inner = os.path.join(directory, name)  # noqa: PTH118  (a third of the time of `/`)
        if not name.startswith(".") or os.path.exists(f"{inner}/{record.FILE_NAME}"):  # noqa: PTH110  (as above)
            yield from _below(inner)


def _natural(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (1 << 62, name)


def run_in(directory: Path) -> Run | None:
    """Return the run whose output directory this is; None when it is none."""
    folder = next((each for each in (directory / HYDRA, directory) if (each / record.FILE_NAME).exists()), None)
    if folder is not None:
        try:
            data = record.read(folder / record.FILE_NAME)
        except RecordError as error:
            return Run(directory, {}, str(error))
        except OSError as error:
            return Run(directory, {}, f"{folder / record.FILE_NAME} cannot be read: {error.strerror}")
        return Run(_directory(directory, folder, data), data)
    return None if not (directory / HYDRA / "overrides.yaml").is_file() else _run_of_hydra(directory)


def _directory(directory: Path, folder: Path, data: dict[str, Any]) -> Path:
    """Return the output directory; `hydra.output_subdir` may have another name than `.hydra`."""
    named = Path(str(data.get("output_dir") or directory)).name
    return directory.parent if folder == directory and directory.name != named == directory.parent.name else directory


def _run_of_hydra(directory: Path) -> Run:
    """Make a record from the files that Hydra itself keeps of a job."""
    folder = directory / HYDRA
    try:
        config = yaml.load((folder / "config.yaml").read_bytes(), _LOADER)  # noqa: S506  (a safe loader)
        words = yaml.load((folder / "overrides.yaml").read_bytes(), _LOADER)  # noqa: S506  (as above)
        hydra = (folder / "hydra.yaml").read_text(encoding="utf-8")
        started = (folder / "config.yaml").stat().st_mtime
    except (OSError, ValueError, yaml.YAMLError) as error:
        return Run(directory, {}, f"{folder} is damaged ({' '.join(str(error).split())})")
    config = config if isinstance(config, dict) else {}
    redactor = Redactor(plain(config))
    num, name = _NUM.search(hydra), _NAME.search(hydra.partition("\n  job:")[2])
    data = {
        "status": "unknown",
        "app": name[1] if name else None,
        "started_at": record.timestamp(started),
        "overrides": overrides(map(str, words if isinstance(words, list) else []), redactor),
        "config": redactor.data(plain(config)),
        "output_dir": str(directory.absolute()),
        "job": {"num": int(num[1]) if num else 0, "sweep": num is not None},
    }
    return Run(directory, data)
