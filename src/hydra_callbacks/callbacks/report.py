"""How did it go? To be looked at rather than read, once the run or sweep has ended."""

from __future__ import annotations

from pathlib import PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Literal

from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback
from hydra_callbacks.lifecycle.callback import log
from hydra_callbacks.support.settings import check, check_name

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.runs.find import Run


class Report(RunCallback):
    """Write a page that shows the run or sweep at a glance: `report.html` in its directory, failed or not.

    It is one HTML file that opens from disk. It shows what the other callbacks have recorded, RunRecord above all: put
    this one first in the configuration, so that it ends last. `hydra-callbacks report` writes the same page at any
    time, also of one job of a sweep, or of a register.

    Args:
        file: Name of the page in the directory of the run or sweep, without a folder; it ends in `.html`.
        metric: The result by which the jobs of a sweep are compared, as in `accuracy`; None for what MultiRunGatherer
            or SweepProgress were told, else the first result that is a number.
        direction: "max" where the highest is best, or "min"; None for theirs, else as the metric's name tells.
        enabled: When False, nothing is written.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        *,
        file: str = "report.html",
        metric: str | None = None,
        direction: Literal["max", "min"] | None = None,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check_name("file", file)
        is_plain = "\0" not in file and file == PurePath(file).name == PureWindowsPath(file).name
        is_page = PurePath(file).suffix.lower() == ".html"
        check("file", file, "a plain file name, without a folder, that ends in .html", is_plain and is_page)
        check("metric", metric, "the name of a result, or null", metric is None or isinstance(metric, str))
        check("direction", direction, "'max', 'min' or null", direction in {"max", "min", None})
        self.file = file
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

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (the record tells how it ended)
        """Write the page.

        Raises:
            HydraCallbacksError: There is a file of that name that is no report.
            OSError: It cannot be written.
        """
        directory = launch.output_dir
        if directory is None or not directory.is_dir():
            return  # nothing was run
        from hydra_callbacks.report.write import write_page  # noqa: PLC0415  (nothing heavy until it is used)

        path = directory / self.file
        data = self._data(launch, directory)
        if launch.is_sweep:
            self._check_metric(data["metric"])
        write_page(data, path)
        log.info("Report: %s", path)

    def _check_metric(self, compared: dict[str, Any] | None) -> None:
        """Warn when the jobs are compared by another result than the one that was asked for."""
        from hydra_callbacks.report.metric import found_in  # noqa: PLC0415  (as above)

        name = compared["name"] if compared else None
        if self.metric and (name is None or found_in(self.metric, [name]) is None):
            instead = f"the page compares the jobs by {name}" if name else "the page compares no jobs"
            log.warning("Report: no job has a number in %r; %s", self.metric, instead)

    def _data(self, launch: Launch, directory: Path) -> dict[str, Any]:
        from hydra_callbacks.report.run import run_data  # noqa: PLC0415  (as above)
        from hydra_callbacks.report.sweep import sweep_data  # noqa: PLC0415  (as above)

        if not launch.is_sweep:
            found = _run(directory, launch.output_subdir)
            return run_data(found, page_dir=directory, redactor=launch.redactor())
        return sweep_data(
            directory,
            page_dir=directory,
            metric_name=self.metric,
            is_max=None if self.direction is None else self.direction == "max",
            is_over=True,
            redactor=launch.redactor(),
        )


def _run(directory: Path, output_subdir: str | None) -> Run:
    """Return a run wherever its record lies; without one, what else there is can be shown."""
    from hydra_callbacks.runs.find import Run, run_in  # noqa: PLC0415  (as above)

    found = run_in(directory) or (run_in(directory / output_subdir) if output_subdir else None)
    return found or Run(str(directory), {})
