"""How does a look at running jobs read in a terminal, and how does their end?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from hydra_callbacks.cli.fitting import fitted
from hydra_callbacks.cli.top.running import called, totals
from hydra_callbacks.cli.used import used_lines
from hydra_callbacks.progress.panel import line, panel
from hydra_callbacks.runs import record
from hydra_callbacks.runs.find import as_typed, run_in
from hydra_callbacks.runs.view import view_of
from hydra_callbacks.support import texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hydra_callbacks.cli.top.running import Look, Running, Watched

_GAP = 2
_LEAST_WORDS = 16  # characters: of the overrides, before other columns give way
_GIVE_WAY = ("threads", "processes", "host pid", "read/s", "written/s", "peak")
_MINUTE_S, _HOUR_S = 60, 3600


def lines(watched: Watched, look: Look, onto: Console, *, most: int | None = None) -> list[Text]:
    """Return a look as lines that fit the console.

    Args:
        watched: What is looked at.
        look: The look.
        onto: The console.
        most: So many lines at most; None for any number.
    """
    head = Text(f"{as_typed(watched.directory)}  ", style="bold")
    if look.sweep and look.sweep.launch:
        head.append(line(view_of(look.sweep)), style="not bold")
    elif not watched.is_run:
        head.append(texts.counted(len(look.running), "running job"), style="not bold")
    shown = [_fitting(head, onto)]
    if len(look.running) != 1:
        shown.append(_fitting(Text(_total(look.running), style="cyan"), onto))
    shown.append(Text())
    room = None if most is None else most - len(shown) - 2  # the columns' names, and what is left out
    cut = look.running if room is None or len(look.running) <= room + 1 else look.running[: max(room, 0)]
    shown += _table(cut, look, onto, with_job=not watched.is_run)
    if len(cut) < len(look.running):
        shown.append(Text(f"... and {len(look.running) - len(cut):,} more", style="dim"))
    return shown


def print_end(watched: Watched, look: Look, onto: Console) -> None:
    """Print how all jobs ended, and what was recorded of what they used."""
    if look.sweep is None:
        _print_run(watched, onto)
        return
    if look.sweep.launch is None:
        n_runs = texts.counted(len(look.sweep.jobs))
        onto.print(f"{as_typed(watched.directory)}: no job runs; {n_runs} below it", soft_wrap=True)
        return
    for each in panel(view_of(look.sweep), onto.width):
        onto.print(each, no_wrap=True, overflow="ellipsis")
    largest = max(look.sweep.jobs, key=lambda job: job.peak_rss_bytes or 0, default=None)
    if largest is not None and largest.peak_rss_bytes:
        words = texts.as_words(largest.overrides)
        told = f"most memory: {texts.size(largest.peak_rss_bytes)}, {called(largest, look.sweep)}"
        onto.print(f"{told}{f': {words}' if words else ''}", soft_wrap=True)


def _print_run(watched: Watched, onto: Console) -> None:
    run = run_in(watched.directory)
    data = run.record if run else {}
    state = record.status(data)
    took = texts.duration(data.get("duration_s"))
    head = onto.render_str(texts.status(state, onto), style=texts.style_of(state))
    onto.print(head, as_typed(watched.directory) + (f", took {took}" if took else ""), sep="   ", soft_wrap=True)
    resources = data.get("resources")
    used = used_lines(resources) if isinstance(resources, dict) else {}
    wide = max(map(len, used), default=0)
    for name, text in used.items():
        onto.print(f"  {name:<{wide}}  {text}", soft_wrap=True)
    if not used:
        onto.print("  What it has used was not recorded; ResourceMonitor does that.", soft_wrap=True)


def _total(running: Sequence[Running]) -> str:
    sums = totals(running)
    told = {
        "cpu_percent": f"CPU {sums.get('cpu_percent', 0):.0f} %",
        "rss_bytes": f"memory {_size(sums.get('rss_bytes'))}",
        "processes": f"{sums.get('processes', 0):,} processes",
        "threads": f"{sums.get('threads', 0):,} threads",
        "read_bytes_per_s": f"reading {_size(sums.get('read_bytes_per_s'))}/s",
        "written_bytes_per_s": f"writing {_size(sums.get('written_bytes_per_s'))}/s",
        "gpu_memory_bytes": f"GPU memory {_size(sums.get('gpu_memory_bytes'))}",
    }
    parts = [text for name, text in told.items() if name in sums]
    return f"in all: {', '.join(parts)}" if parts else ""


def _table(running: Sequence[Running], look: Look, onto: Console, *, with_job: bool) -> list[Text]:
    """Return the jobs as lines, the names of the columns first; what does not fit gives way, column by column."""
    if not running:
        return []
    cells = [_cells(each, look, with_job=with_job) for each in running]
    words = [texts.printable(texts.as_words(each.job.overrides)) for each in running]
    columns = dict.fromkeys(name for told in cells for name, cell in told.items() if cell)
    wide = {name: max(map(cell_len, [name, *(told.get(name, "") for told in cells)])) for name in columns}
    longest = max(map(cell_len, words))
    least = max(min(longest, _LEAST_WORDS), len("overrides")) if longest else 0
    for name in _GIVE_WAY:
        if sum(wide.values()) + _GAP * len(wide) + least > onto.width:
            wide.pop(name, None)
    room = max(onto.width - sum(wide.values()) - _GAP * len(wide), 0)
    widest = min(room, max(longest, len("overrides"))) if longest else 0
    shown = [Text(_row({name: name for name in wide}, wide, "overrides", widest, onto), style="bold")]
    for each, told, text in zip(running, cells, words, strict=True):
        row = _row(told, wide, text, widest, onto)
        shown.append(Text(f"{row}  ({texts.printable(each.note)})", style="dim") if each.note else Text(row))
    return shown


def _cells(running: Running, look: Look, *, with_job: bool) -> dict[str, str]:
    use = running.use
    told = {
        "job": called(running.job, look.sweep).removeprefix("job ") if with_job else "",
        "host pid": str(running.job.host.get("pid") or ""),
        "time": _clock(running.elapsed_s),
    }
    if use is not None:
        told |= {
            "CPU %": f"{use.cpu_percent:.0f}" if use.cpu_percent is not None else "",
            "memory": texts.size(use.rss_bytes),
            "peak": texts.size(use.peak_rss_bytes),
            "GPU mem": _size(use.gpu_memory_bytes),
            "processes": f"{use.processes:,}",
            "threads": f"{use.threads:,}",
            "read/s": _size(use.read_bytes_per_s),
            "written/s": _size(use.written_bytes_per_s),
        }
    return told


def _row(cells: dict[str, str], wide: dict[str, int], words: str, widest: int, onto: Console) -> str:
    """Return a line: the figures to the right of their columns, the words to the left of theirs."""
    parts = [" " * (width - cell_len(cells.get(name, ""))) + cells.get(name, "") for name, width in wide.items()]
    if widest:
        parts.insert(1 if "job" in wide else 0, set_cell_size(fitted(words, widest, onto), widest))
    return (" " * _GAP).join(parts).rstrip()


def _fitting(text: Text, onto: Console) -> Text:
    return Text(fitted(texts.printable(text.plain.rstrip()), onto.width, onto), style=text.style)


def _size(n_bytes: float | None) -> str:
    return "" if n_bytes is None else texts.size(n_bytes)


def _clock(seconds: float) -> str:
    """Return a time as a clock shows it: `0:07`, `1:02:03`."""
    if math.isnan(seconds):
        return ""
    hours, rest = divmod(int(seconds), _HOUR_S)
    minutes, left = divmod(rest, _MINUTE_S)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
