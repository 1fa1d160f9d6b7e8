"""What came out of the whole sweep, in one table?"""

from __future__ import annotations

import contextlib
import logging
import os
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.errors import SettingError
from hydra_callbacks.lifecycle import Launch, Outcome, RunCallback
from hydra_callbacks.support.settings import check, check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger("hydra.callbacks")
_MOST_NAMED = 10
_CLOCK_SLACK_S = 2.0  # a file server's clock may be behind ours


class MultiRunGatherer(RunCallback):
    """Gather the jobs' result files into `agg_results.csv` in the sweep's directory, failed jobs or not.

    One row for each result, in job order: the job's number first (in a column without a name), then the result's
    values, nested ones flattened with dots. A job without a result, or with one that is torn, is named in the log.

    Args:
        result_file: Name of the JSON file that each job writes into its output directory.
        aggregator: What makes the table instead: a function, or the dotted path of one. It is given the paths of the
            result files, relative to the sweep's directory, which is the working directory meanwhile, and returns the
            path of what it wrote.
        enabled: When False, nothing is gathered.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        result_file: str = "results.json",
        aggregator: Callable[[list[str]], os.PathLike[str]] | str | None = None,
        *,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check_name("result_file", result_file)
        self.result_file = result_file
        self.aggregator = _locate(aggregator) if isinstance(aggregator, str) else aggregator
        check("aggregator", aggregator, "a function or its dotted path", callable(self.aggregator or len))

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (what there is, is gathered)
        """Make the table."""
        if not launch.is_sweep or launch.output_dir is None or not launch.output_dir.is_dir():
            return
        files = self._result_files(launch.output_dir, launch.output_subdir)
        if not files:
            return
        with _working_in(launch.output_dir):
            _warn_of_older(files, launch.started_at)
            written = self.aggregator(files) if self.aggregator else _aggregate(files, launch.output_subdir)
        log.info("Gathered results in %s", launch.output_dir / written if written else launch.output_dir)

    def _result_files(self, sweep_dir: Path, output_subdir: str | None) -> list[str]:
        """Return the paths of the result files relative to the sweep's directory, in job order."""
        from hydra_callbacks.runs import results  # noqa: PLC0415  (nothing heavy until it is used)

        if output_subdir is None:  # nothing marks a job's directory but its result
            found = [file.parent for file in sweep_dir.rglob(self.result_file)]
            jobs = sorted(found, key=lambda job_dir: results.job_order(job_dir, output_subdir))
        else:
            jobs = results.job_dirs(sweep_dir, output_subdir)
        missing = [str(job.relative_to(sweep_dir)) for job in jobs if not (job / self.result_file).is_file()]
        if missing:
            log.warning("No %s from %d of %d jobs: %s", self.result_file, len(missing), len(jobs), _named(missing))
        files = (job / self.result_file for job in jobs)
        return [str(file.relative_to(sweep_dir)) for file in files if file.is_file()]

    @staticmethod
    def _default_aggregator(filenames: list[str]) -> Path:
        """Write `agg_results.csv` in the working directory from the result files, and return its path.

        Args:
            filenames: Paths of JSON files, each in its job's output directory.
        """
        return _aggregate(filenames, ".hydra")


def _aggregate(filenames: list[str], output_subdir: str | None) -> Path:
    from hydra_callbacks.runs import results  # noqa: PLC0415  (as above)
    from hydra_callbacks.support.files import write_whole  # noqa: PLC0415
    from hydra_callbacks.support.redact import Redactor  # noqa: PLC0415
    from hydra_callbacks.support.tables import format_header, format_rows  # noqa: PLC0415

    redactor = Redactor()
    rows: list[dict[str, Any]] = []
    for name in filenames:
        try:
            result = results.read_result(Path(name))
        except (OSError, ValueError) as error:
            log.warning("The result of a job is left out: %s is no whole JSON file (%s)", name, error)
            continue
        num = results.job_num(_job_dir(Path(name), output_subdir), output_subdir)
        rows.append({"": num, **redactor.data(result)})
    columns = list(dict.fromkeys(["", *(column for row in rows for column in row)]))
    table = Path("agg_results.csv")
    lines = format_rows([row.get(column) for column in columns] for row in rows)
    write_whole(table, format_header(columns) + lines)
    return table


def _warn_of_older(files: list[str], started_at: float) -> None:
    """Name the results that were there before the sweep began, from another one in the same directory."""
    older = [name for name in files if Path(name).stat().st_mtime < started_at - _CLOCK_SLACK_S]
    if older:
        log.warning("%d results are from before this sweep, of an earlier one here: %s", len(older), _named(older))


def _named(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")


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
