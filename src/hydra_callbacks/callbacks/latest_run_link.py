"""Where is the run that I just started?"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

from hydra_callbacks.lifecycle import Launch, Outcome, RunCallback
from hydra_callbacks.support.files import relink
from hydra_callbacks.support.settings import check_name

log = logging.getLogger("hydra.callbacks")


class LatestRunLink(RunCallback):
    """Keep a link `latest` to the latest run's or sweep's output directory.

    The link is replaced in one step, so it always leads somewhere, also while many runs end at once. A real file or
    directory of that name is never touched. Where links are not allowed (Windows without the right to make them),
    `latest.txt` holds the path.

    Args:
        run_base_dir: Directory that gets the link after a single run; relative to where the application was started.
        multirun_base_dir: The same for sweeps.
        enabled: When False, no link is made.
        on_error: What becomes of an exception in one of its events: "warn" or "abort".
    """

    def __init__(
        self,
        run_base_dir: str = "outputs",
        multirun_base_dir: str = "multirun",
        *,
        enabled: bool = True,
        on_error: Literal["warn", "abort"] = "warn",
    ) -> None:
        super().__init__(enabled=enabled, on_error=on_error)
        check_name("run_base_dir", run_base_dir)
        check_name("multirun_base_dir", multirun_base_dir)
        self.run_base_dir = run_base_dir
        self.multirun_base_dir = multirun_base_dir

    def launch_ended(self, launch: Launch, outcome: Outcome) -> None:  # noqa: ARG002  (failed runs get the link too)
        """Replace the link."""
        target = launch.output_dir
        if target is None or not target.is_dir():
            return  # nothing was run
        base_dir = launch.cwd / (self.multirun_base_dir if launch.is_sweep else self.run_base_dir)
        base_dir.mkdir(parents=True, exist_ok=True)
        written = relink(base_dir / "latest", target)
        log.info("Latest run is at: %s", _as_seen_from(launch.cwd, target))
        log.info("Latest run is also at: %s", written)


def _as_seen_from(cwd: Path, target: Path) -> Path:
    """Return a path below the working directory as relative, any other as it is."""
    try:
        return target.relative_to(cwd) if target != cwd else Path(os.curdir)
    except ValueError:
        return target
