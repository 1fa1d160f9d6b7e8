"""An application whose jobs fail, leave or wait until somebody mends it; and what a sweep of it should come to."""

from __future__ import annotations

import csv
import subprocess
import sys
from typing import TYPE_CHECKING

from conftest import Ran

from hydra_callbacks.runs.sweep import read_sweep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import App

SWEEP = ("-m", "hydra/callbacks=default", "hydra.sweep.dir=multirun/s")
BODY = """
    import time
    flag = Path(FLAG)
    mended = flag.exists()
    if not mended and cfg.x == 2: raise ValueError("x must not be 2")
    if not mended and cfg.x == 3: sys.exit(7)
    slow = cfg.get("slow")
    if (slow is True or slow == cfg.x) and not mended:
        Path(HydraConfig.get().runtime.output_dir, "at-work").touch()
        for _ in range(12000):  # ten minutes
            if flag.exists(): break
            time.sleep(0.05)
"""


def make_mendable(app: App) -> App:
    """Let the jobs x=2 and x=3 fail until there is a file `mended`; `+slow=4` lets job x=4 wait for it."""
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    body = BODY.replace("FLAG", repr(str(app.directory / "mended")))
    app.write("app.py", text.replace('    logging.getLogger("app")', f'{body}    logging.getLogger("app")'))
    return app


def command(app: App, *words: str) -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "hydra_callbacks", *words],
        cwd=app.directory,
        capture_output=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def all_columns(app: App) -> list[dict[str, str]]:
    with (app.directory / "multirun/s/agg_results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(app: App) -> list[dict[str, str]]:
    """Return what the sweep found out, without what differs from run to run."""
    return [{key: row[key] for key in ("", "run-status", "x", "double", "deep.er")} for row in all_columns(app)]


def undisturbed(xs: Iterable[int]) -> list[dict[str, str]]:
    return [
        {"": str(num), "run-status": "completed", "x": str(x), "double": str(2 * x), "deep.er": "é"}
        for num, x in enumerate(xs)
    ]


def states(app: App) -> dict[int, str]:
    return {job.num: job.status for job in read_sweep(app.directory / "multirun/s").jobs}
