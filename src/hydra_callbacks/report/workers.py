"""Where did each job of a sweep run? In which process, on which machine; in which slot, where processes take turns."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from hydra_callbacks.report.head import cut
from hydra_callbacks.report.launches import Host
from hydra_callbacks.runs import record
from hydra_callbacks.runs.find import run_in
from hydra_callbacks.runs.sweep_job import NOT_STARTED
from hydra_callbacks.support.values import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hydra_callbacks.runs.sweep_job import SweepJob

_LONGEST = 60  # characters
_SLACK_S = 0.05  # by which clocks and roundings may let a process begin before another one's end


def workers(jobs: Sequence[SweepJob], sweep_dir: Path, hosts: Mapping[str, Host]) -> list[str | None]:
    """Return where each job ran, shortly, and the machine where there are several; None when not known.

    That is its process. Where some began after others had ended, as on a cluster, or when a sweep was resumed, it is a
    slot: there are as many as processes were at work at once on a machine.

    Args:
        jobs: The jobs.
        sweep_dir: The sweep's directory.
        hosts: Where jobs started, as `report.launches` tells; of others, the record is asked.
    """
    found = [hosts.get(job.place) or _in_record(job, sweep_dir) for job in jobs]
    names = {host.name for host in found if host}
    short = {name: name.partition(".")[0] for name in names}
    if len(set(short.values())) < len(names):  # they differ in their domains only
        short = {name: name for name in names}
    shown = short if len(names) > 1 else dict.fromkeys(names, "")
    slots = _slots((host, _span(job)) for host, job in zip(found, jobs, strict=True) if host and begun_s(job))
    if max(Counter((host.name, slot) for host, slot in slots.items()).values(), default=0) <= 1:
        slots = {}
    return [None if host is None else cut(_label(host, shown[host.name], slots.get(host)), _LONGEST) for host in found]


def begun_s(job: SweepJob) -> float:
    """Return when a job began, in seconds since the epoch; 0 when it did not, or nobody knows."""
    return record.seconds(job.started_at) if job.started_at else 0.0


def _label(host: Host, name: str, slot: int | None) -> str:
    process = "" if host.pid is None else f"process {host.pid}"
    return " ".join(filter(None, [name, process if slot is None else f"slot {slot + 1}"])) or host.name


def _span(job: SweepJob) -> tuple[float, float]:
    """Return from when to when a job ran; of one whose end nobody knows, the start alone."""
    begin = begun_s(job)
    return begin, math.inf if job.status == "running" else begin + (job.duration_s or 0.0)


def _slots(jobs: Iterable[tuple[Host, tuple[float, float]]]) -> dict[Host, int]:
    """Return in which slot of its machine each process was, from when its jobs ran: a slot that is free is taken."""
    spans: dict[Host, tuple[float, float]] = {}
    for host, (begin, end) in jobs:
        first, last = spans.get(host, (begin, end))
        spans[host] = min(first, begin), max(last, end)
    ends: dict[str, list[tuple[float, int]]] = defaultdict(list)  # of each machine, when which slot is free again
    slots: dict[Host, int] = {}
    for host, (begin, end) in sorted(spans.items(), key=lambda each: each[1]):
        known = ends[host.name]
        slots[host] = heapq.heappop(known)[1] if known and known[0][0] <= begin + _SLACK_S else len(known)
        heapq.heappush(known, (end, slots[host]))
    return slots


def _in_record(job: SweepJob, sweep_dir: Path) -> Host | None:
    if job.status in NOT_STARTED:
        return None
    run = run_in(job.directory(sweep_dir))
    told: dict[str, Any] = record.section(run.record, "host") if run and not run.problem else {}
    name, pid, begun = told.get("name"), told.get("pid"), told.get("pid_started")
    if not told:
        return None
    return Host(
        name if isinstance(name, str) else "",
        pid if isinstance(pid, int) else None,
        float(begun) if is_number(begun) else None,
    )
