"""How do curves become a picture? By matplotlib, where it is installed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hydra_callbacks.cli.plot.axes import clock, unit_of
from hydra_callbacks.cli.plot.curves import highest
from hydra_callbacks.support.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.cli.plot.curves import Panel

_WIDTH, _PANEL_HEIGHT, _HEADING_HEIGHT = 9.0, 2.2, 0.6  # inches
_SHADES = ("C1", "C2", "C3", "C4", "C5")


def draw(
    path: Path,
    title: str,
    panels: Sequence[Panel],
    seconds: Sequence[float],
    spans: Sequence[tuple[str, float, float]],
) -> None:
    """Write a picture; the path's ending tells its kind.

    Args:
        path: The file: .svg, .png or .pdf.
        title: What stands above it.
        panels: What is drawn, from above.
        seconds: Of the samples, from the first on.
        spans: Name, beginning and end of each phase, in seconds.

    Raises:
        MissingExtraError: The extra `plot` is not installed.
        OSError: The file cannot be written.
    """
    import_extra("matplotlib", "matplotlib", "plot", f"a picture in {path.suffix[1:].upper()}")
    make = importlib.import_module("matplotlib.figure").Figure
    figure = make(figsize=(_WIDTH, _PANEL_HEIGHT * len(panels) + _HEADING_HEIGHT), layout="constrained")
    figure.suptitle(title, fontsize="medium")
    all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    size_s, unit = unit_of(seconds[-1])
    times = [second / size_s for second in seconds]
    for axes, panel in zip(all_axes, panels, strict=True):
        _draw_panel(axes, panel, times)
        tops = [(curve.name, highest(curve, seconds)) for curve in panel.curves]
        told = (f"{name} {top[0]:.3g} at {clock(top[1], seconds[-1])}" for name, top in tops if top)
        axes.set_title(f"{panel.title}; highest: {', '.join(told)}", fontsize="small", loc="right")
        for name, began_s, ended_s in spans:
            shade = _SHADES[sorted({span[0] for span in spans}).index(name) % len(_SHADES)]
            axes.axvspan(began_s / size_s, ended_s / size_s, alpha=0.12, color=shade, linewidth=0)
    for name, began_s, _ in _first_of_each(spans):
        all_axes[0].annotate(
            name, (began_s / size_s, 1), xycoords=("data", "axes fraction"), fontsize="x-small", va="bottom"
        )
    all_axes[-1].set_xlabel(unit)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _draw_panel(axes: Any, panel: Panel, times: Sequence[float]) -> None:
    for curve in panel.curves:
        marker = "o" if len(times) == 1 else None
        style = "steps-pre" if curve.is_mean else "default"
        axes.plot(times, curve.values, label=curve.name, drawstyle=style, marker=marker, linewidth=1.2)
    if panel.mark:
        name, height = panel.mark
        axes.axhline(height, color="gray", linestyle=":", label=f"{name} {height:.3g}")
    if len(panel.curves) > 1 or panel.mark:
        axes.legend(fontsize="x-small", loc="best")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.set_ylabel(panel.unit)
    axes.grid(alpha=0.3)


def _first_of_each(spans: Sequence[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    first: dict[str, tuple[str, float, float]] = {}
    for span in spans:
        first.setdefault(span[0], span)
    return list(first.values())
