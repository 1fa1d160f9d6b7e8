"""How is a register made again from the run records, which are the truth?"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_callbacks.runs.find import Run, run_in, runs_below
from hydra_callbacks.runs.register import is_url, open_register
from hydra_callbacks.runs.register.row import directory_of, key_of
from hydra_callbacks.runs.sources import row_of_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hydra_callbacks.runs.register import Register
    from hydra_callbacks.runs.register.row import Row


@dataclass(slots=True)
class Indexed:
    """What became of it.

    Attributes:
        n_runs: How many runs were found and registered.
        n_unknown: How many of them have only Hydra's own files.
        problems: The runs whose records are damaged; they are not registered.
    """

    n_runs: int = 0
    n_unknown: int = 0
    problems: list[Run] = field(default_factory=list)


class _Spool:
    """Rows on the disk, to be gone through more than once, however many they are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._n_rows = 0

    def fill(self, rows: Iterator[Row]) -> None:
        with self._path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")
                self._n_rows += 1

    def __iter__(self) -> Iterator[Row]:
        with self._path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def __len__(self) -> int:
        return self._n_rows

    def __contains__(self, row: object) -> bool:
        return any(each == row for each in self)


def index(
    directory: Path,
    register: str | Path,
    *,
    prune: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Indexed:
    """Register every run below a directory.

    Args:
        directory: Where the runs are.
        register: A file or URL; made when missing.
        prune: Take away the rows of runs that are gone: no directory, or another run in it.
        progress: Is told how many runs were found so far.

    Raises:
        NotADirectoryError: There is no such directory.
        RegisterError: The register cannot be written, or is something else.
    """
    done = Indexed()
    file = None if is_url(str(register)) else Path(register).absolute()
    seen: dict[str, str] = {}

    def found() -> Iterator[Row]:
        known: set[str] | None = None
        for run in runs_below(directory):
            key = str(run.record.get("id") or "")
            if key and seen.setdefault(key, run.place) != run.place:
                run.problem = f"{run.place} is a copy of {seen[key]}: both have the id {key}"
            if run.problem:
                done.problems.append(run)
                continue
            done.n_runs += 1
            progress(done.n_runs)
            row = row_of_run(run, seen_from=_base(run, file))
            if not key:
                known = _known(opened, file) if known is None else known
                if os.path.abspath(run.place) in known:  # noqa: PTH100  (links stay)
                    continue
                done.n_unknown += 1
                seen[key_of(row)] = run.place
            yield row

    def others() -> Iterator[Row]:
        for row in opened.rows():
            if key_of(row) not in seen and _is_there(row, file):
                yield row

    with (
        tempfile.TemporaryDirectory(prefix="hydra-callbacks-") as folder,
        contextlib.closing(open_register(register)) as opened,
    ):
        rows = _Spool(Path(folder, "rows.jsonl"))
        rows.fill(chain(found(), others() if prune else ()))
        opened.merge(rows, prune=prune)
    return done


def _known(register: Register, file: Path | None) -> set[str]:
    """Return the directories of the runs whose end a register knows, which Hydra's own files do not tell."""
    rows = (row for row in register.rows() if row.get("run-status") not in {None, "unknown"})
    return {str(directory_of(row, file)) for row in rows}


def _is_there(row: Row, file: Path | None) -> bool:
    """Tell whether a row's directory is still there, and still that run's."""
    directory = directory_of(row, file)
    run = run_in(directory) if directory else None
    return run is not None and run.record.get("id") in {None, row.get("run-id")}


def _base(run: Run, file: Path | None) -> Path | None:
    """Return from where a row names its directory: from where the application was started, in a moved tree, too."""
    if file is None:
        return None
    place = os.path.abspath(run.place)  # noqa: PTH100  (links stay)
    was, started_in = (str(run.record.get(key) or "") for key in ("output_dir", "cwd"))
    inner = was.removeprefix(started_in) if was.startswith(started_in + os.sep) else ""
    base = place.removesuffix(inner)
    return Path(base) if base != place and str(file).startswith(base + os.sep) else file.parent
