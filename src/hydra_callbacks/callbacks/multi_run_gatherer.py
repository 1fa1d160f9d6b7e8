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
        aggregate = self.aggregator or self._default_aggregator
        with _working_in(launch.output_dir):
            written = aggregate(files)
        log.info("Gathered results in %s", launch.output_dir / written if written else launch.output_dir)

    def _result_files(self, sweep_dir: Path, output_subdir: str | None) -> list[str]:
        """Return the paths of the result files relative to the sweep's directory, in job order."""
        from hydra_callbacks.runs import results  # noqa: PLC0415  (nothing heavy until it is used)

        if output_subdir is None:  # nothing marks a job's directory but its result
            found = sorted(sweep_dir.rglob(self.result_file), key=lambda file: results.job_order(file.parent))
            return [str(file.relative_to(sweep_dir)) for file in found]
        jobs = results.job_dirs(sweep_dir, output_subdir)
        missing = [str(job.relative_to(sweep_dir)) for job in jobs if not (job / self.result_file).is_file()]
        if missing:
            named = ", ".join(missing[:_MOST_NAMED]) + (", ..." if len(missing) > _MOST_NAMED else "")
            log.warning("No %s from %d of %d jobs: %s", self.result_file, len(missing), len(jobs), named)
        return [
            str((job / self.result_file).relative_to(sweep_dir)) for job in jobs if (job / self.result_file).is_file()
        ]

    @staticmethod
    def _default_aggregator(filenames: list[str]) -> Path:
        """Write `agg_results.csv` in the working directory from the result files, and return its path.

        Args:
            filenames: Paths of JSON files, each in its job's output directory.
        """
        from hydra_callbacks.runs import results  # noqa: PLC0415  (as above)
        from hydra_callbacks.support.files import write_whole  # noqa: PLC0415
        from hydra_callbacks.support.tables import format_rows  # noqa: PLC0415

        rows: list[dict[str, Any]] = []
        for number, name in enumerate(filenames):
            try:
                result = results.read_result(Path(name))
            except (OSError, ValueError) as error:
                log.warning("The result of a job is left out: %s is no whole JSON file (%s)", name, error)
                continue
            num = results.job_num(_job_dir(Path(name)))
            rows.append({"": number if num is None else num, **result})
        columns = list(dict.fromkeys(["", *(column for row in rows for column in row)]))
        table = Path("agg_results.csv")
        write_whole(table, format_rows([columns, *([row.get(column) for column in columns] for row in rows)]))
        return table


def _job_dir(file: Path) -> Path:
    """Return the output directory that a result file lies in, or below."""
    return next((folder for folder in file.parents if (folder / ".hydra").is_dir()), file.parent)


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
