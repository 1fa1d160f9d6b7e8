"""How big is the page of a sweep, how soon does it open, how quickly does a filter answer? Needs Chromium."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/report"))

import page_data
from browser import chromium

from hydra_callbacks.report.page import render

# Resolves once everything is drawn that is in view: after two frames, and what they left to do.
_DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))"
_FILTER = f"""async ([column, text]) => {{
  const field = document.querySelector(`[data-filter="${{column}}"]`);
  const begin = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input"));
  const answered = performance.now();
  await {_DRAWN};
  return [answered - begin, performance.now() - begin];
}}"""
_QUERY = f"""async (text) => {{
  const field = document.querySelector("#query");
  const before = document.querySelector(".count").textContent;
  const begin = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input"));
  while (document.querySelector(".count").textContent === before) await new Promise((done) => setTimeout(done, 0));
  const answered = performance.now();
  await {_DRAWN};
  return [answered - begin, performance.now() - begin];
}}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured; the median counts")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {arguments.rounds}, without a GPU")
    print("jobs    page      rendered   opened    column filter (answered / all drawn)   query (answered / all drawn)")
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        for n_jobs in (100, 1000, 10_000):
            measure(browser, n_jobs, Path(folder) / "report.html", arguments.rounds)


def measure(browser: Any, n_jobs: int, file: Path, rounds: int) -> None:
    """Print a line of figures."""
    data = page_data.sweep(n_jobs, n_workers=16)
    began = time.perf_counter()
    html = render(data)
    rendered_s = time.perf_counter() - began
    file.write_text(html, encoding="utf-8")
    opened, column, query = [], [], []
    for _ in range(rounds):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        page.goto(file.as_uri())
        page.evaluate(_DRAWN)
        opened.append(time.perf_counter() - began)
        page.locator("#jobs").scroll_into_view_if_needed()
        page.evaluate(_DRAWN)
        column += [page.evaluate(_FILTER, ["lr", text]) for text in ("<0.01", "<0.1", "")]
        query += [page.evaluate(_QUERY, text) for text in ("lr < 0.01 and accuracy > 0.85", "adam completed", "")]
        page.close()
    figures = [statistics.median(each) for each in (*zip(*column, strict=True), *zip(*query, strict=True))]
    size_mb, opened_s = len(html.encode()) / 1e6, statistics.median(opened)
    print(
        f"{n_jobs:<7} {size_mb:.2f} MB   {rendered_s * 1e3:5.0f} ms   {opened_s:.2f} s"
        f"   {figures[0]:7.1f} ms / {figures[1]:.1f} ms   {figures[2]:25.1f} ms / {figures[3]:.1f} ms"
    )


if __name__ == "__main__":
    main()
