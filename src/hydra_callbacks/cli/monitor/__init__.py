"""`hydra-callbacks monitor -- ANY COMMAND`: what did a program use that knows nothing of Hydra?"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from itertools import pairwise
from operator import mul
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from hydra_callbacks.cli import render
from hydra_callbacks.cli.monitor.child import Child, Signals, StartError
from hydra_callbacks.cli.used import used_lines
from hydra_callbacks.monitor import requested
from hydra_callbacks.monitor.processes.tree import GIB
from hydra_callbacks.monitor.sampler import percent
from hydra_callbacks.monitor.service import ResourceMonitorService
from hydra_callbacks.runs.record import timestamp
from hydra_callbacks.support.files import write_whole
from hydra_callbacks.support.redact import Redactor
from hydra_callbacks.support.tables import format_columns, format_header
from hydra_callbacks.support.texts import as_words, duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_callbacks.cli.monitor.child import Ended

_ENDINGS = (".csv", ".json")
_UNSEEN_SHARE, _UNSEEN_S = 1.02, 0.05
"""So much above the kernel's total, the samples have seen processes that nobody waited for."""
_UNSEEN = {"peak_rss_bytes", "sampled_peak_rss_bytes", "mean_rss_bytes", "peak_vms_bytes", "max_open_files"}


def check_files(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, Path]:
    """Return the files by their endings, so that a wrong one costs no long run.

    Raises:
        click.BadParameter: One has another ending, or cannot be written.
    """
    files: dict[str, Path] = {}
    for name in value:
        path = Path(name)
        if path.suffix in files:
            msg = f"{name!r} is one too many: {str(files[path.suffix])!r} ends in {path.suffix}, too"
            raise click.BadParameter(msg, ctx, param)
        if path.suffix not in _ENDINGS:
            msg = f"{name!r} is no name for it: expected FILE.csv, for the samples, or FILE.json, for the summary"
            raise click.BadParameter(msg, ctx, param)
        if not path.parent.is_dir():
            msg = f"{name!r} cannot be written: there is no folder {str(path.parent)!r}"
            raise click.BadParameter(msg, ctx, param)
        files[path.suffix] = path
    return files


@click.command("monitor", context_settings={"allow_interspersed_args": False})
@click.option(
    "--interval", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="Seconds from sample to sample."
)
@click.option("--gpu", is_flag=True, help="Sample the GPUs, too (extra `gpu`).")
@click.option(
    *("-o", "--output", "files"),
    multiple=True,
    metavar="FILE",
    callback=check_files,
    help="FILE.csv takes the samples; FILE.json the summary, instead of stderr. May be given twice, once for each.",
)
@click.option(
    *("--format", "form"),
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the summary is told on stderr.",
)
@click.argument("words", nargs=-1, required=True, metavar="[--] COMMAND [ARGUMENTS]...", type=click.UNPROCESSED)
def command(*, interval: float, gpu: bool, files: dict[str, Path], form: str, words: tuple[str, ...]) -> None:
    """Run COMMAND, any program, and tell on stderr what it has used, with all processes that it starts.

    Its input, output, signals and exit status are its own: 128 and the signal's number when a signal ended it, 127
    when it is not found, 126 when it cannot be run. Processor time is the kernel's total. The peak of the memory is
    that of all its processes together, from the samples and the kernel's marks; that of the largest process is the
    kernel's. `hydra-callbacks plot FILE.csv` draws the samples.
    """
    sys.stdout.flush()
    took_s = 0.0

    def at_end() -> None:
        nonlocal took_s
        took_s = time.monotonic() - began_s
        service.stop()

    with Signals() as signals:
        began_at, began_s = time.time(), time.monotonic()
        try:
            child = Child(words)
        except StartError as error:
            render.tell(f"Error: {error}")
            sys.exit(error.status)
        signals.go_to(child)
        service = ResourceMonitorService(child.pid, interval, gpu_monit=gpu)
        with contextlib.suppress(ProcessLookupError):  # it has ended already, where nothing is told of it any more
            service.start()
        ended = child.wait(at_end)
        told = {
            "command": Redactor().data(list(words), "command"),
            "exit_status": ended.status,
            "signal": ended.signal_name,
            "started_at": timestamp(began_at),
            "duration_s": round(took_s, 6),
            "resources": _resources(service, ended, took_s),
        }
        _keep(service, told, files)
        if ".json" not in files:
            run(told, sys.stderr, as_json=form == "json")
    sys.exit(ended.status)


def run(told: Mapping[str, Any], out: IO[str], *, as_json: bool = False) -> None:
    """Print how a program ended, and what it used.

    Args:
        told: The summary.
        out: Where it is printed.
        as_json: Print it as JSON.
    """
    if as_json:
        render.as_json(told, out)
        return
    name = told["signal"]
    how = f"was killed by {name}" if name else f"ended with exit status {told['exit_status']}"
    onto = render.console(out)
    onto.print(f"{as_words(told['command'])} {how} after {duration(told['duration_s'])}", soft_wrap=True)
    lines = used_lines(told["resources"])
    wide = max(map(len, lines), default=0)
    for title, line in lines.items():
        onto.print(f"  {title:<{wide}}  {line}", soft_wrap=True)


def _resources(service: ResourceMonitorService, ended: Ended, took_s: float) -> dict[str, Any]:
    """Return what was used: what the samples tell, and the kernel's totals in place of theirs."""
    summary, exact = service.summary(), dict(ended.usage)
    if summary.get("cpu_s", 0.0) > exact.get("cpu_s", 0.0) * _UNSEEN_SHARE + _UNSEEN_S:
        exact = {name: value for name, value in exact.items() if name not in {"cpu_s", "user_s", "system_s"}}
    summary |= exact
    below = summary.get("peak_process_rss_below_bytes")
    if below and summary.get("peak_rss_bytes", 0) > below * max(summary.get("max_processes", 1), 1):
        del summary["peak_process_rss_below_bytes"]  # nobody waited for the one that had more
    mean_bytes = _mean_rss_bytes(service) if ended.usage else 0
    if mean_bytes:  # the summary counts the last sample, of a process that has ended and has no memory any more
        summary["mean_rss_bytes"] = min(mean_bytes, summary.get("peak_rss_bytes", mean_bytes))  # samples are rounded
    if not summary.get("peak_rss_bytes"):  # it was over before it was seen
        summary = {name: value for name, value in summary.items() if name not in _UNSEEN}
    peaks = [summary[name] for name in ("peak_rss_bytes", "peak_process_rss_bytes") if name in summary]
    if peaks:
        summary["peak_rss_bytes"] = max(peaks)
    if "cpu_s" in summary:
        summary["mean_cpu_percent"] = round(percent(summary["cpu_s"], took_s), 2)
    asked = requested.requested()
    if asked:
        summary |= {"requested": asked, "used_share": requested.shares(asked, summary, took_s)}
    absent = service.absent()
    return summary | ({"absent": absent} if absent else {})


def _mean_rss_bytes(service: ResourceMonitorService) -> int:
    """Return the mean over time, of what the process had until it ended."""
    columns = service.columns()
    times, rss_gib = columns["time"], columns["rss_GiB"]
    if len(times) <= 1:
        return 0
    lasted_s = [after - before for before, after in pairwise(times)]
    held = [*rss_gib[1:-1], rss_gib[-2]]
    total_s = sum(lasted_s)
    return round(sum(map(mul, held, lasted_s)) / total_s * GIB) if total_s > 0 else 0


def _keep(service: ResourceMonitorService, told: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Write the files that were asked for; what the program did is worth more, so a failure is only told."""
    if ".csv" in files:
        table = service.table()
        columns = {"": range(len(table["time"])), **table}
        _write(files[".csv"], format_header(columns) + format_columns(columns))
    if ".json" in files:
        _write(files[".json"], (json.dumps(told, indent=2) + "\n").encode())


def _write(path: Path, text: bytes) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        render.tell(f"Error: {path} cannot be written: {error.strerror}")
