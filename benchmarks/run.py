"""What do the callbacks cost? Prints a table of ratios, each measured against a baseline in the same run."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

import cases
import console
import environment
import monitor
import provenance
import registers
import sweeps
from cases import Row

_MODULES = (cases, registers, sweeps, provenance, environment, console, monitor)
CASES = {name: case for module in _MODULES for name, case in module.CASES.items()}

_COLUMNS = ("benchmark", "compared", "measure", "ratio", "quartiles", "least", "limit", "verdict", "medians in ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a first look, not a figure to keep")
    parser.add_argument("--only", metavar="NAME", choices=CASES, help=f"measure one of {', '.join(CASES)}")
    arguments = parser.parse_args()
    if not hasattr(os, "wait4"):
        parser.exit(1, "this system does not tell the CPU time of a process and its children (no os.wait4)\n")
    print(f"Python {platform.python_version()}, hydra-core {version('hydra-core')}, {platform.system()},", end=" ")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    rows: list[Row] = []
    for name in [arguments.only] if arguments.only else CASES:
        with tempfile.TemporaryDirectory(prefix="hydra-callbacks-benchmark-") as folder:
            rows += CASES[name](Path(folder), quick=arguments.quick)
    print(table([_COLUMNS, *map(cells, rows)]))
    print(f"load at the end {os.getloadavg()[0]:.1f}; see benchmarks/README.md for how to read this")


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of the table as text."""
    if row.ratio is None:
        verdict = "OVER" if (bool(row.found) if row.is_over is None else row.is_over) else "within"
        return (row.name, row.compared, row.measure, ", ".join(row.found) or "none", "", "", "", verdict, "")
    ratio = row.ratio
    return (
        row.name,
        row.compared,
        row.measure,
        f"{ratio.median:.3f}",
        f"{ratio.low:.3f}-{ratio.high:.3f}",
        f"{ratio.least:.3f}",
        "-" if row.limit is None else f"{row.limit:.2f}",
        ratio.verdict(row.limit),
        f"{ratio.case_s * 1e3:,.2f} / {ratio.baseline_s * 1e3:,.2f}",
    )


def table(lines: list[tuple[str, ...]]) -> str:
    """Return lines of cells as text whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (lines[0], rule, *lines[1:])
    )


if __name__ == "__main__":
    main()
