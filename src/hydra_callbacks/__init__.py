"""Callbacks that make every Hydra run traceable, watched, registered and reproducible.

Name one under `hydra.callbacks` in the configuration; the application's code stays as it is. A name is imported when it
is first used, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra_callbacks.callbacks import (
        AnyRunCallback,
        ConsoleCapture,
        CrashReport,
        EnvironmentInfo,
        ExecShellCommand,
        GitInfo,
        LatestRunLink,
        LogJobReturn,
        MultiRunGatherer,
        PickleJobInfo,
        RegisterRun,
        RegisterRunCallback,
        Report,
        ResourceMonitor,
        RunRecord,
        RuntimePerformance,
        SetEnvironment,
        SweepProgress,
        dummy_run,
    )
    from hydra_callbacks.errors import HydraCallbacksError, RunAborted
    from hydra_callbacks.lifecycle import Job, Launch, Outcome, RunCallback
    from hydra_callbacks.monitor import ResourceMonitorService
    from hydra_callbacks.timing import PerfLogger

__version__ = "0.7.0.dev0"

__all__ = [
    "AnyRunCallback",
    "ConsoleCapture",
    "CrashReport",
    "EnvironmentInfo",
    "ExecShellCommand",
    "GitInfo",
    "HydraCallbacksError",
    "Job",
    "LatestRunLink",
    "Launch",
    "LogJobReturn",
    "MultiRunGatherer",
    "Outcome",
    "PerfLogger",
    "PickleJobInfo",
    "RegisterRun",
    "RegisterRunCallback",
    "Report",
    "ResourceMonitor",
    "ResourceMonitorService",
    "RunAborted",
    "RunCallback",
    "RunRecord",
    "RuntimePerformance",
    "SetEnvironment",
    "SweepProgress",
    "dummy_run",
]

_HOMES = {
    "errors": ("HydraCallbacksError", "RunAborted"),
    "lifecycle": ("Job", "Launch", "Outcome", "RunCallback"),
    "monitor": ("ResourceMonitorService",),
    "timing": ("PerfLogger",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF.get(name, 'callbacks')}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
