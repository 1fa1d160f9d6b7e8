"""What an application that is to be reproduced has on, and where its runs are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import App

RECORD = {"_target_": "hydra_callbacks.RunRecord"}
GIT = {"_target_": "hydra_callbacks.GitInfo", "patch": True, "show_task": False}
ENVIRONMENT = {"_target_": "hydra_callbacks.EnvironmentInfo"}


def task(app: App, body: str) -> None:
    """Let the application do this first, and commit all."""
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    app.write("app.py", text.replace("    logging.getLogger", f"    {body}\n    logging.getLogger"))
    app.commit()


def only_record(app: App, pattern: str) -> dict[str, Any]:
    (file,) = app.directory.glob(f"{pattern}/.hydra/run.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def run_dir(app: App) -> str:
    (place,) = app.directory.glob("outputs/*/*/.hydra")
    return place.parent.relative_to(app.directory).as_posix()
