"""What did a run use, from second to second? Its samples as curves that a page can hold, with every peak.

Of many samples, some that follow each other become two: the lowest of each column, then the highest, as
`monitor.samples` merges them, so that a curve through them is the envelope of that through all.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import HydraCallbacksError
from hydra_callbacks.monitor.phases import told_spans
from hydra_callbacks.monitor.processes.tree import GIB
from hydra_callbacks.monitor.samples_file import NoSamplesError, read_table
from hydra_callbacks.report.head import cut, number
from hydra_callbacks.report.panels import panels_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MOST_POINTS = 1000
"""Of each curve."""
_MOST_PHASES = 500


def curves(
    file: Path, num: int | None, resources: Mapping[str, Any], notes: list[str], *, began_at: float | None = None
) -> dict[str, Any] | None:
    """Return the curves of a run; None when there are no samples.

    Args:
        file: The file of the samples, of one job or of all of its sweep.
        num: The job's number; None for any.
        resources: The section of the run's record.
        notes: Gets what could not be read, in words.
        began_at: When the run began, in seconds since the epoch; None where that is not known.
    """
    try:
        samples = read_table(file, num, began_at)
    except (FileNotFoundError, NoSamplesError):
        return None
    except (OSError, HydraCallbacksError) as error:
        notes.append(f"the curves are left out: {error}")
        return None
    seconds = samples.elapsed_s()
    columns = {name: [None if isnan(value) else value for value in values] for name, values in samples.columns.items()}
    peak = number(resources.get("peak_rss_bytes"))
    panels = panels_of(columns, seconds, peak_gib=None if peak is None else peak / GIB)
    series = [each["values"] for panel in panels for each in panel["series"]]
    edges, thinned = thin(seconds, series)
    for panel in panels:
        for each in panel["series"]:
            each["values"] = thinned.pop(0)
    return {
        "time_s": [round(moment, 3) for moment in edges],
        "panels": panels,
        "phases": [
            {"name": cut(name, 200), "began_s": round(began_s, 3), "ended_s": round(ended_s, 3)}
            for name, began_s, ended_s in (told_spans(resources) or samples.spans())[:_MOST_PHASES]
        ],
        "n_samples": len(seconds),
        "is_thinned": len(edges) < len(seconds),
    }


def thin(
    times: Sequence[float], series: Sequence[Sequence[float | None]], most: int = MOST_POINTS
) -> tuple[list[float], list[list[float | None]]]:
    """Return fewer points, with the lowest and the highest value of each part of the time.

    Args:
        times: When each sample was taken.
        series: The values of each curve.
        most: As many points as are kept.
    """
    if len(times) <= most:
        return list(times), [list(values) for values in series]
    n_parts = most // 2
    parts = [(len(times) * part // n_parts, len(times) * (part + 1) // n_parts) for part in range(n_parts)]
    edges = [times[place] for begin, end in parts for place in (begin, end - 1)]
    return edges, [[each for begin, end in parts for each in _extremes(values[begin:end])] for values in series]


def _extremes(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    there = [value for value in values if value is not None]
    return (min(there), max(there)) if there else (None, None)
