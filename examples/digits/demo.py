"""Run a sweep of nine jobs, one of which fails on purpose, and show what the callbacks have kept of it."""

from __future__ import annotations

import csv
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.runs import record, results

TRAIN = os.path.relpath(Path(__file__).with_name("train.py"))
CONFIG = os.path.relpath(Path(__file__).with_name("conf") / "config.yaml")
CALLBACKS = "hydra/callbacks=[default,sweep_progress]"
SWEEP = [
    *("-m", CALLBACKS, "+hydra.callbacks.resource_monitor.sample_interval=0.02"),
    *("hydra.callbacks.sweep_progress.metric=accuracy", "hydra.callbacks.sweep_progress.line_interval=0.5"),
    *("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
    *("model.C=0.1,10,1000", "model.gamma=1e-5,1e-4,1e-3"),
]
N_JOBS, N_FAILED = 9, 1
SWEEP_STATUS = 1  # what Hydra ends with when a job has failed

console = Console(highlight=False)
as_typed = subprocess.list2cmdline if os.name == "nt" else shlex.join


def main() -> None:
    python = Path(sys.executable)
    train = [os.path.relpath(python) if python.is_relative_to(Path.cwd()) else str(python), TRAIN]
    before = latest_sweep()
    say("$ " + as_typed([*train, *SWEEP]), style="bold")
    status = subprocess.call([sys.executable, TRAIN, *SWEEP])
    if status != SWEEP_STATUS:
        sys.exit(
            f"The sweep ended with exit status {status}, expected {SWEEP_STATUS}: one of its jobs fails on purpose."
        )
    sweep_dir = latest_sweep()
    if sweep_dir is None or sweep_dir == before:
        sys.exit("The sweep left no link to its directory: expected multirun/latest.")

    jobs = [record.read(job_dir) for job_dir in results.job_dirs(sweep_dir)]
    completed = [job for job in jobs if record.status(job) == "completed"]
    failed = [job for job in jobs if record.status(job) == "failed"]
    if (len(jobs), len(failed), len(completed)) != (N_JOBS, N_FAILED, N_JOBS - N_FAILED):
        told = ", ".join(record.status(job) for job in jobs) or "nothing"
        sys.exit(f"Expected {N_JOBS} jobs, {N_FAILED} of them failed; the records in {sweep_dir} tell of: {told}.")

    best = max(completed, key=lambda job: job["result"]["accuracy"])
    sweep = str(link() if link().is_dir() else sweep_dir)
    heading("What became of the jobs")
    ask("list", sweep)
    heading("Why one of them failed")
    ask("show", f"{sweep}/{failed[0]['job']['num']}")
    heading("The best, and how to run it again")
    ask("best", "accuracy", sweep)
    heading("What is kept of them")
    show_places(sweep_dir, best)
    heading("To run the failed job again, and only that")
    say(f"Mend it (in {CONFIG}, raise max_iter to 1000), then:")
    say("$ " + as_typed(["hydra-callbacks", "resume", sweep, "--allow-changes"]), style="bold")


def ask(*words: str) -> None:
    """Run a command of `hydra-callbacks`, as anyone would."""
    say("$ " + as_typed(["hydra-callbacks", *words]), style="bold")
    sys.stdout.flush()
    status = subprocess.call([sys.executable, "-m", "hydra_callbacks", *words])
    if status:
        sys.exit(f"hydra-callbacks {words[0]} ended with exit status {status}")


def link() -> Path:
    """Return the link to the latest sweep, or the text file in its place where links are not allowed."""
    path = Path("multirun", "latest")
    return path if path.exists() else path.with_suffix(".txt")


def latest_sweep() -> Path | None:
    """Return the directory of the latest sweep; None before the first."""
    if link().suffix == ".txt":
        return Path(link().read_text(encoding="utf-8").strip()).resolve() if link().exists() else None
    return link().resolve()


def record_of(job: dict[str, Any]) -> Path:
    return Path(os.path.relpath(job["output_dir"]), ".hydra", record.FILE_NAME)


def show_places(sweep_dir: Path, best: dict[str, Any]) -> None:
    """List what the sweep has left, and end the program when something is not there."""
    places = [
        (f"Record of job {best['job']['num']}", record_of(best), 0),
        ("Results", sweep_dir / "agg_results.csv", N_JOBS),
        ("Monitoring data", sweep_dir / "resource_monitoring.csv", N_JOBS),
        ("Register", Path("multirun", "register.csv"), N_JOBS),
        ("Latest sweep", link(), 0),
    ]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    complaints = []
    for what, path, least_rows in places:
        n_rows = count_rows(path) if least_rows else None
        if not path.exists() or (n_rows or 0) < least_rows:
            complaints.append(
                f"{what}: expected {os.path.relpath(path)} with {least_rows} rows or more, found {n_rows}."
            )
        table.add_row(what, "" if n_rows is None else f"{n_rows} rows", Text(os.path.relpath(path), style="cyan"))
    console.print(table)
    if complaints:
        sys.exit("\n".join(complaints))


def count_rows(table: Path) -> int:
    if not table.exists():
        return 0
    with table.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def heading(text: str) -> None:
    console.print()
    console.rule(Text(text, style="bold"), align="left")


def say(text: str, *, style: str = "") -> None:
    """Print a line that may be copied: it is not wrapped."""
    console.print(Text(text, style=style), soft_wrap=True)


if __name__ == "__main__":
    try:
        main()
    except HydraCallbacksError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
