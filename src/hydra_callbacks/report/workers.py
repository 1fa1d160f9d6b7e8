"""Where did each job of a sweep run? In which process, on which machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hydra_callbacks.report.head import cut
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.runs.journal import FILE_NAME
from hydra_callbacks.runs.sweep_job import NOT_STARTED
from hydra_callbacks.support.fast_json import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.runs.sweep_job import SweepJob

_BLOCK_BYTES = 1 << 20
_LONGEST = 60  # characters


class _Host(msgspec.Struct, frozen=True):
    name: str = ""
    pid: int | None = None


class _Line(msgspec.Struct, frozen=True):
    """What the line of a job that starts tells; one of a job that ends tells no host."""

    job: int | None = None
    dir: str = ""
    host: _Host | None = None
    launch: str | None = None


_lines = Reader(_Line)


def workers(jobs: Sequence[SweepJob], sweep_dir: Path) -> list[str | None]:
    """Return where each job ran, shortly: its process, and the machine where there are several; None when not known.

    Args:
        jobs: The jobs.
        sweep_dir: The sweep's directory.
    """
    hosts = _in_journal(sweep_dir / FILE_NAME)
    found = [hosts.get(job.place) or _in_record(job, sweep_dir) for job in jobs]
    names = {host.name for host in found if host}
    short = {name: name.partition(".")[0] for name in names}
    if len(set(short.values())) < len(names):  # they differ in their domains only
        short = {name: name for name in names}
    shown = short if len(names) > 1 else dict.fromkeys(names, "")
    return [None if host is None else cut(_label(host, shown[host.name]), _LONGEST) for host in found]


def _label(host: _Host, name: str) -> str:
    process = "" if host.pid is None else f"process {host.pid}"
    return " ".join(filter(None, [name, process])) or host.name


def _in_journal(path: Path) -> dict[str, _Host]:
    """Return the host of each job's latest start, by the job's directory."""
    hosts: dict[str, _Host] = {}
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                for line in _lines.lines(block + file.readline()):
                    if line.host is not None and line.launch is None:
                        hosts[line.dir or str(line.job)] = line.host
    except OSError:
        return {}
    return hosts


def _in_record(job: SweepJob, sweep_dir: Path) -> _Host | None:
    if job.status in NOT_STARTED:
        return None
    run = run_in(job.directory(sweep_dir))
    told: Any = run.record.get("host") if run and not run.problem else None
    if not isinstance(told, dict):
        return None
    name, pid = told.get("name"), told.get("pid")
    return _Host(name if isinstance(name, str) else "", pid if isinstance(pid, int) else None)
