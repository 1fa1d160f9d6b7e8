"""How is a register made again from the run records, which are the truth?"""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_callbacks.runs.find import Run, runs_below
from hydra_callbacks.runs.register import is_url, open_register
from hydra_callbacks.runs.sources import row_of_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        prune: Take away the rows of all other runs, too; else they stay, for their directories may be gone.
        progress: Is told how many runs were found so far.

    Raises:
        NotADirectoryError: There is no such directory.
        RegisterError: The register cannot be written, or is something else.
    """
    done = Indexed()
    base = _base(directory, register)

    def counted() -> Iterator[Row]:
        seen: dict[str, str] = {}
        for run in runs_below(directory):
            key = str(run.record.get("id") or "")
            if key and seen.setdefault(key, run.place) != run.place:
                run.problem = f"{run.place} is a copy of {seen[key]}: both have the id {key}"
            if run.problem:
                done.problems.append(run)
                continue
            row = row_of_run(run, seen_from=base)
            done.n_runs += 1
            done.n_unknown += row["run-status"] == "unknown"
            progress(done.n_runs)
            yield row

    with tempfile.TemporaryDirectory(prefix="hydra-callbacks-") as folder:
        rows = _Spool(Path(folder, "rows.jsonl"))
        rows.fill(counted())
        with contextlib.closing(open_register(register)) as opened:
            opened.merge(rows, prune=prune)
    return done


def _base(directory: Path, register: str | Path) -> Path | None:
    """Return from where rows name directories: the folder above the register's, if the runs lie below, as when made."""
    if is_url(str(register)):
        return None
    folder = Path(register).expanduser().absolute().parent
    return next((base for base in (folder.parent, folder) if directory.absolute().is_relative_to(base)), None)
