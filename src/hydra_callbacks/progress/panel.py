"""How does a look at a sweep read: in a few lines of a terminal, or in one line of a log?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.text import Text

from hydra_callbacks.support.texts import as_words, duration, printable, shown, sign_of, style_of

if TYPE_CHECKING:
    from hydra_callbacks.runs.sweep_job import SweepJob
    from hydra_callbacks.runs.view import View

_BAR = 24  # characters
_STATES = ("completed", "failed", "interrupted", "lost", "missing", "unknown", "running")
_SAID = {
    "running": "",
    "completed": "all completed",
    "failed": "ended, not all well",
    "stopped": "stopped before the end",
    "died": "its launching process was killed",
    "unknown": "no journal",
}
_SECONDS_A_MINUTE = 60


def line(view: View) -> str:
    """Return a look at a sweep as one line of plain text, `12 of 40 jobs ended (10 completed, 2 failed), ...`."""
    told = ", ".join(
        f"{view.counts[state]:,} {state}" for state in _STATES if view.counts[state] and state != "running"
    )
    parts = [f"{view.n_ended:,} of {_total(view)} ended{f' ({told})' if told else ''}"]
    if view.counts["running"]:
        parts.append(f"{view.counts['running']:,} running")
    return printable(", ".join([*parts, *_pace(view), *_best(view)]))


def panel(view: View, width: int, *, most_failed: int = 1) -> list[Text]:
    """Return a look at a sweep as lines for a terminal.

    Args:
        view: The look.
        width: Of the terminal, in characters; longer lines are cut.
        most_failed: How many of the jobs that failed are told with their error.
    """
    said = _SAID[view.state]
    head = Text(f"── {_near(view.directory)}{f' · {said}' if said else ''} ", style="bold")
    head.append("─" * max(width - head.cell_len, 0))
    lines = [head, Text.assemble(_bar(view), "  ", *_counts(view), "   ".join(_pace(view)))]
    lines += [Text(best, style="green") for best in _best(view)]
    lines += [Text(failure(job), style=style_of(job.status)) for job in view.failed[:most_failed]]
    for each in lines:
        each.plain = printable(each.plain)
        each.truncate(width, overflow="ellipsis")
    return lines


def failure(job: SweepJob) -> str:
    """Return in a line what became of a job that did not complete."""
    why = str(job.error or job.status)
    words = as_words(job.overrides)
    return " ".join(f"{sign_of(job.status)} job {job.num}: {why}{f'   ({words})' if words else ''}".split())


def _total(view: View) -> str:
    return f"{view.n_jobs:,} job{'' if view.n_jobs == 1 else 's'}"


def _bar(view: View) -> Text:
    bar = Text()
    done = 0
    for state in ("completed", "failed", "lost", "interrupted", "running"):
        n_signs = round(_BAR * (done + view.counts[state]) / max(view.n_jobs, 1)) - round(
            _BAR * done / max(view.n_jobs, 1)
        )
        bar.append(("█" if state != "running" else "▒") * n_signs, style=style_of(state))
        done += view.counts[state]
    return bar.append("░" * (_BAR - len(bar)), style="dim")


def _counts(view: View) -> list[Text]:
    told = [(state, view.counts[state]) for state in _STATES if view.counts[state]]
    parts = (Text(f"{sign_of(state)} {count:,} {state}  ", style=style_of(state)) for state, count in told)
    return [Text(f"{view.n_ended:,}/{view.n_jobs:,}  ", style="bold"), *parts]


def _pace(view: View) -> list[str]:
    parts = []
    if view.rate_per_s and view.state == "running":
        per_minute = view.rate_per_s * _SECONDS_A_MINUTE
        parts.append(
            f"{per_minute:.3g} jobs/min" if per_minute >= 1 else f"{per_minute * _SECONDS_A_MINUTE:.3g} jobs/h"
        )
    if view.left_s is not None:
        left = duration(view.left_s) if view.left_s >= _SECONDS_A_MINUTE else f"{view.left_s:.0f} s"
        parts.append(f"about {left} left")
    elif view.elapsed_s is not None:
        parts.append(f"{'for' if view.state == 'running' else 'took'} {duration(view.elapsed_s)}")
    return parts


def _best(view: View) -> list[str]:
    if view.best is None:
        return []
    job, value, name = view.best
    words = as_words(job.overrides)
    return [f"best {name} {shown(value)}, job {job.num}{f': {words}' if words else ''}"]


def _near(directory: str) -> str:
    """Return a directory as it is shortest to type from here."""
    relative = os.path.relpath(directory)
    return relative if not relative.startswith("..") else directory
