"""Pages in a real browser: Debian's Chromium without a window, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
DRAWN = """() => [...document.querySelectorAll("canvas:not(.over)")].map((canvas) => {
  const { width, height } = canvas;
  const copy = Object.assign(document.createElement("canvas"), { width, height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const seen = new Map();
  for (const pixel of pixels) seen.set(pixel, (seen.get(pixel) ?? 0) + 1);
  // Axes, their texts and grids are grey, in both schemes; states and curves are not, whatever shines through them.
  let marked = 0;
  for (const [pixel, count] of seen) {
    const parts = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
    if (Math.max(...parts) - Math.min(...parts) > 60) marked += count;
  }
  return { label: (canvas.closest("[role=img]") ?? canvas).getAttribute("aria-label"), colours: seen.size, marked };
})"""
"""For each chart, its label, how many colours it has, and how many pixels are of a state's or a curve's colour."""
TEXTS = """(() => {
  window.texts = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    window.texts.push(text);
    return fillText.call(this, text, ...rest);
  };
})()"""
"""Before the page begins: keeps what is written into its charts."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the browser; skip the test where it is missing."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on the path")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(_OPTIONS))
        yield browser
        browser.close()


class Opened:
    """A page that is open, and what it did that it must not."""

    def __init__(self, context: Any, file: Path) -> None:
        self.trouble: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        self.page.on("dialog", self._asked)
        self.page.on("request", self._requested)
        self.page.on("popup", lambda popup: self.trouble.append(f"popup: {popup.url}"))
        self.address = file.as_uri()
        self.page.goto(self.address)

    def _said(self, message: Any) -> None:
        self.trouble.append(f"{message.type}: {message.text}")

    def _asked(self, dialog: Any) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: Any) -> None:
        if request.url.split("#")[0] != self.address and not request.url.startswith(("data:image/", "blob:")):
            self.trouble.append(f"request: {request.url}")

    def see_all(self) -> None:
        """Scroll through the page, so that everything is drawn."""
        self.page.evaluate(
            """async () => {
              const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
              for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
                scrollTo({ top: y, behavior: "instant" });
                await frame();
              }
              await frame();
              await frame();
            }"""
        )

    def drawn(self) -> dict[str, int]:
        """Return the label of each chart, and in how many colours it is drawn."""
        self.see_all()
        return {chart["label"]: chart["colours"] for chart in self.page.evaluate(DRAWN)}

    def marked(self) -> dict[str, int]:
        """Return the label of each chart, and how many pixels of it are marks: of a state's colour, or a curve's."""
        self.see_all()
        return {chart["label"]: chart["marked"] for chart in self.page.evaluate(DRAWN)}

    def texts(self) -> set[str]:
        """Return what is written into charts; the context must have been made with the script `TEXTS`."""
        self.see_all()
        return set(self.page.evaluate("window.texts"))

    def numbers(self, column: int) -> list[str]:
        """Return the texts of a column of the table, as far as its rows are made."""
        return list(self.page.locator(f".grid tbody tr[data-row] td:nth-child({column})").all_inner_texts())
