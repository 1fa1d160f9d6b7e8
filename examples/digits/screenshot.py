"""Run a sweep of 25 jobs, make its report, and take the picture of it that stands in the README.

Needs Chromium (Debian: apt-get install chromium) and Playwright (pip install playwright). The variable CHROMIUM names
another browser of that family.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE.parents[1] / "docs" / "images" / "digits-report.png"
SWEEP = [
    *("-m", "hydra/callbacks=[default,sweep_progress]", "+hydra.callbacks.resource_monitor.sample_interval=0.05"),
    "hydra.callbacks.sweep_progress.metric=accuracy",
    *("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.sweep.dir=digits"),
    *("model.C=0.1,1,10,100,1000", "model.gamma=1e-5,1e-4,1e-3,1e-2,1e-1"),
]
SWEEP_STATUS = 1  # what Hydra ends with when a job has failed, as one does here
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=PICTURE)
    parser.add_argument("--width", type=int, default=1280, help="pixels")
    parser.add_argument("--height", type=int, default=1480, help="pixels; 0 for the whole page")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="digits-") as folder:
        page = make_page(Path(folder))
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        take(page, options.picture, options.width, options.height, "dark" if options.dark else "light")
    print(f"Wrote {os.path.relpath(options.picture)} ({options.picture.stat().st_size / 1000:.0f} kB)")


def make_page(folder: Path) -> Path:
    """Run the sweep in a folder of its own, so that the page names no other, and return its page."""
    shutil.copy(HERE / "train.py", folder)
    shutil.copytree(HERE / "conf", folder / "conf")
    status = subprocess.call([sys.executable, "train.py", *SWEEP], cwd=folder)
    if status != SWEEP_STATUS:
        sys.exit(f"The sweep ended with exit status {status}, expected {SWEEP_STATUS}")
    report = [sys.executable, "-m", "hydra_callbacks", "report", "digits"]
    subprocess.run(report, cwd=folder, check=True)
    page = folder / "digits" / "report.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace(str(folder), "~/experiments"), encoding="utf-8")  # it is a temporary one
    return page


def take(page: Path, picture: Path, width: int, height: int, scheme: str) -> None:
    """Take a picture of a page as a browser shows it.

    Args:
        page: The page.
        picture: The picture, a PNG.
        width: Of the window, in pixels.
        height: Of the picture, in pixels; 0 for all of the page.
        scheme: "light" or "dark".
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (the sweep needs none of it)

    browser_file = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_file, args=BROWSER)
        view = browser.new_page(viewport={"width": width, "height": height or 900}, color_scheme=scheme)
        view.goto(page.as_uri())
        view.evaluate(
            """async () => {  // charts are drawn when they come into view
              for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
                scrollTo({ top: y, behavior: "instant" });
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
              }
              scrollTo({ top: 0, behavior: "instant" });
              await new Promise((done) => setTimeout(done, 200));
            }"""
        )
        view.screenshot(path=picture, full_page=not height)
        browser.close()


if __name__ == "__main__":
    main()
