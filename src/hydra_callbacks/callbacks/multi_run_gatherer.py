"""What came out of the whole sweep, in one table?"""

from __future__ import annotations

import contextlib
import logging
import os
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.errors import SettingError
from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback
from hydra_callbacks.support.extras import need_extra
from hydra_callbacks.support.settings import check, check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hydra_callbacks.runs.sweep_job import SweepJob

log = logging.getLogger("hydra.callbacks")
_SUFFIXES = (".csv", ".jsonl", ".parquet", ".md", ".tex")


class MultiRunGatherer(RunCallback):
    """Gather what came out of a sweep into `agg_results.csv` in its directory, failed jobs or not.

    One row for each job, in order: its number (in a column without a name), status and duration; each override; each
    value of its result, nested ones with dots; peak memory and error. The log tells how many jobs completed, which did
    not, and which was the best. `runs.gather` has the columns.

    Args:
        result_file: Name of the JSON file that each job writes into its output directory; what the task returns stands
            in where there is none.
        aggregator: What makes the table instead: a function, or the dotted path of one. It is given the paths of the
            result files, relative to the sweep's directory, which is the working directory meanwhile, and returns the
            path of what it wrote.
        table_file: Name of the table in the sweep's directory: `.csv`, `.jsonl`, `.parquet` (extra `tables`), `.md` or
            `.tex`.
        metric: The result by which jobs are compared, as in `accuracy`, or `test.accuracy`; None for no comparison.
        direction: "max" where the highest is best, or "min".
        enabled: When False, nothing is gathered.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        result_file: str = "results.json",
        aggregator: Callable[[list[str]], os.PathLike[str]] | str | None = None,
        *,
        table_file: str = "agg_results.csv",
        metric: str | None = None,
        direction: Literal["max", "min"] = "max",
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check_name("result_file", result_file)
        self.result_file = result_file
        self.aggregator = _locate(aggregator) if isinstance(aggregator, str) else aggregator
        check("aggregator", aggregator, "a function or its dotted path", callable(self.aggregator or len))
        check_name("table_file", table_file)
        suffix = Path(table_file).suffix.lower()
        check("table_file", table_file, f"a file name that ends in {', '.join(_SUFFIXES)}", suffix in _SUFFIXES)
        check("metric", metric, "the name of a result, or null", metric is None or isinstance(metric, str))
        check("direction", direction, "'max' or 'min'", direction in {"max", "min"})
        if enabled and suffix == ".parquet":
            need_extra("polars", "polars", "tables", "Parquet")
        self.table_file = table_file
        self.metric = metric
        self.direction = direction

    def launch_started(self, launch: Launch) -> None:
        """Begin the journal of a sweep, which tells in the end what became of each job."""
        if launch.journal:
            launch.journal.keep()

    def job_started(self, job: Job) -> None:
        """Note it in the journal."""
        if job.journal:
            job.journal.keep()

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (what there is, is gathered)
        """Make the table."""
        if not launch.is_sweep or launch.output_dir is None or not launch.output_dir.is_dir():
            return
        from hydra_callbacks.runs.sweep import read_sweep  # noqa: PLC0415  (nothing heavy until used)

        sweep = read_sweep(launch.output_dir, is_over=True)
        jobs = [*sweep.jobs, *sweep.older]
        for problem in sweep.problems:
            log.warning("Left out: %s", problem)
        if not jobs:
            return
        if self.aggregator is None:
            self._gather(jobs, launch.output_dir)
            return
        places = [job.directory(sweep.directory) / self.result_file for job in jobs]
        files = [str(file.relative_to(sweep.directory)) for file in places if file.is_file()]
        if len(files) < len(places):
            log.warning("No %s from %d of %d jobs", self.result_file, len(places) - len(files), len(places))
        if files:
            with _working_in(sweep.directory):
                written = self.aggregator(files)
            log.info("Gathered results in %s", sweep.directory / written if written else sweep.directory)

    def _gather(self, jobs: list[SweepJob], sweep_dir: Path) -> None:
        from hydra_callbacks.runs.gather import summary, table_of  # noqa: PLC0415  (as above)
        from hydra_callbacks.runs.table_files import write_table  # noqa: PLC0415  (as above)

        table = table_of(jobs, sweep_dir, self.result_file)
        for problem in table.problems:
            log.warning("%s", problem)
        path = sweep_dir / self.table_file
        write_table(table, path)
        log.info("Gathered results in %s", path)
        for line in summary(table, self.metric, is_max=self.direction == "max"):
            log.info("%s", line)

    @staticmethod
    def _default_aggregator(filenames: list[str]) -> Path:
        """Write `agg_results.csv` in the working directory from the result files, and return its path.

        Args:
            filenames: Paths of JSON files, each in its job's output directory.
        """
        return _aggregate(filenames, ".hydra")


def _aggregate(filenames: list[str], output_subdir: str | None) -> Path:
    from hydra_callbacks.runs import results  # noqa: PLC0415  (as above)
    from hydra_callbacks.runs.hydra_files import redactor_of  # noqa: PLC0415  (as above)
    from hydra_callbacks.support.files import write_whole  # noqa: PLC0415  (as above)
    from hydra_callbacks.support.tables import format_header, format_rows  # noqa: PLC0415  (as above)

    rows: list[dict[str, Any]] = []
    for name in filenames:
        try:
            result = results.read_result(Path(name))
        except (OSError, ValueError) as error:
            log.warning("The result of a job is left out: %s is no whole JSON file (%s)", name, error)
            continue
        directory = _job_dir(Path(name), output_subdir)
        num = results.job_num(directory, output_subdir)
        rows.append({"": num, **redactor_of(directory).data(result)})
    columns = list(dict.fromkeys(["", *(column for row in rows for column in row)]))
    table = Path("agg_results.csv")
    lines = format_rows([row.get(column) for column in columns] for row in rows)
    write_whole(table, format_header(columns) + lines)
    return table


def _job_dir(file: Path, output_subdir: str | None) -> Path:
    """Return the output directory that a result file lies in, or below."""
    marked = (folder for folder in file.parents if output_subdir and (folder / output_subdir).is_dir())
    return next(marked, file.parent)


def _locate(path: str) -> Any:
    """Return what a dotted path names."""
    try:
        return pkgutil.resolve_name(path)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"aggregator must be a function or its dotted path, got {path!r}: {error}"
        raise SettingError(msg) from error


@contextlib.contextmanager
def _working_in(directory: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)
