"""Where are the runs below a directory, and which one does the user mean?"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import RecordError
from hydra_callbacks.runs import record
from hydra_callbacks.support.files import read_if_there

if TYPE_CHECKING:
    from collections.abc import Iterator

HYDRA = ".hydra"
_RECORD = f"/{HYDRA}/{record.FILE_NAME}"
_OF_A_SWEEP = ("jobs.jsonl", "multirun.yaml")
_MOST_LEVELS = 6  # folders between a sweep and its jobs


class Run:
    """A job's output directory that was found; its record is parsed when it is asked for.

    Args:
        place: The directory.
        record: Its record, where it is known.
        problem: What is wrong with it, where that is known.
        text: What is in the record's file.
        file: That file.

    Attributes:
        place: The directory, absolute or relative as what it was found below.
        text: What is in the file of its record, until it is parsed; None when it has none.
    """

    __slots__ = ("_file", "_problem", "_record", "place", "text")

    def __init__(
        self,
        place: str,
        record: dict[str, Any] | None = None,
        problem: str | None = None,
        text: bytes | None = None,
        file: str = "",
    ) -> None:
        self.place = place
        self.text = text
        self._record = {} if record is None and problem else record
        self._problem = problem
        self._file = file

    @property
    def directory(self) -> Path:
        """The directory."""
        return Path(self.place)

    @property
    def is_of_hydra(self) -> bool:
        """Whether there are Hydra's own files only, and they have not been read yet."""
        return self._record is None and self.text is None

    @property
    def record(self) -> dict[str, Any]:
        """Its run record; made from Hydra's own files, with the status `unknown`, when it never had one.

        It is empty when it is damaged.
        """
        if self._record is None:
            try:
                self._record = _of_hydra(self.place) if self.is_of_hydra else record.parse(self.text or b"", self._file)
            except RecordError as error:
                self._record, self._problem = {}, str(error)
            self.text = None
        return self._record

    @property
    def problem(self) -> str | None:
        """What is wrong with the record; None when nothing is."""
        _ = self.record
        return self._problem

    @problem.setter
    def problem(self, value: str) -> None:
        self._problem = value


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
    run = run_in(directory)
    if run is not None:
        yield run
    yield from _below(str(directory))


def run_in(directory: Path | str) -> Run | None:
    """Return the run whose output directory this is; None when it is none."""
    place = str(directory)
    file = place + _RECORD
    try:
        text = read_if_there(file)
        if text is not None:
            return Run(place, None, None, text, file)
        file = f"{place}/{record.FILE_NAME}"
        text = read_if_there(file)
    except OSError as error:
        return Run(place, problem=f"{file} cannot be read: {error.strerror}")
    if text is not None:
        run = Run(place, text=text, file=file)
        if run.problem or "id" in run.record:  # else it is another program's
            run.place = _output_dir(place, run.record)
            return run
    return Run(place) if os.path.exists(f"{place}/{HYDRA}/overrides.yaml") else None  # noqa: PTH110  (see below)


def is_sweep(directory: Path) -> bool:
    """Tell whether a directory is a sweep's: by its journal, by Hydra's own file, or by the first job in it."""
    if _has_mark(directory):
        return True
    if run_in(directory) is not None or not directory.is_dir():
        return False
    first = next((run for run in runs_below(directory) if not run.problem), None)
    return first is not None and sweep_of(first) == directory.absolute()


def sweep_of(run: Run) -> Path | None:
    """Return the directory of a job's sweep, where it is now; None where the run is no job of a sweep."""
    if not record.section(run.record, "job").get("sweep"):
        return None
    job, sweep = (Path(str(run.record.get(key) or "")) for key in ("output_dir", "sweep_dir"))
    here = run.directory.absolute()
    if sweep != Path() and job.is_relative_to(sweep):
        return [here, *here.parents][len(job.relative_to(sweep).parts)]
    return next(filter(_has_mark, here.parents[:_MOST_LEVELS]), here.parent)


def _has_mark(directory: Path) -> bool:
    return any((directory / name).is_file() for name in _OF_A_SWEEP)


# A listing may go through a hundred thousand directories, so what follows uses texts, and no Path.


def _below(place: str) -> Iterator[Run]:
    try:
        with os.scandir(place) as entries:
            folders = [each.name for each in entries if each.name != HYDRA and each.is_dir(follow_symlinks=False)]
    except PermissionError as error:
        yield Run(place, problem=f"{place} cannot be read: {error.strerror}")
        return
    except OSError:  # it has just been removed
        return
    for name in _natural(folders):
        inner = f"{place}/{name}" if place != "." else name
        if name[0] == "." and not os.path.exists(f"{inner}/{record.FILE_NAME}"):  # noqa: PTH110  (see above)
            continue
        run = run_in(inner)
        if run is not None:
            yield run
        else:
            yield from _below(inner)


def _natural(names: list[str]) -> list[str]:
    """Return names in order: numbers by their value, then the others."""
    numbers = sorted(filter(str.isdecimal, names), key=int)
    return numbers if len(numbers) == len(names) else numbers + sorted(set(names).difference(numbers))


def _output_dir(place: str, data: dict[str, Any]) -> str:
    """Return the output directory of a record that lies right here; `hydra.output_subdir` may be this folder's name."""
    named = os.path.basename(str(data.get("output_dir") or place))  # noqa: PTH119  (see above)
    above, name = os.path.split(place)
    return above if name != named == os.path.basename(above) else place  # noqa: PTH119  (see above)


def _of_hydra(place: str) -> dict[str, Any]:
    from hydra_callbacks.runs import hydra_files  # noqa: PLC0415  (few have no record, and YAML takes time to import)

    return hydra_files.record_of(Path(place), Path(place, HYDRA))
