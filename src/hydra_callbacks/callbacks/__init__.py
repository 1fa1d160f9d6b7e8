"""One room for each callback; a name is imported from its room when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra_callbacks.callbacks.console_capture import ConsoleCapture
    from hydra_callbacks.callbacks.crash_report import CrashReport
    from hydra_callbacks.callbacks.environment_info import EnvironmentInfo
    from hydra_callbacks.callbacks.exec_shell_command import ExecShellCommand
    from hydra_callbacks.callbacks.git_info import GitInfo
    from hydra_callbacks.callbacks.latest_run_link import LatestRunLink
    from hydra_callbacks.callbacks.log_job_return import LogJobReturn
    from hydra_callbacks.callbacks.multi_run_gatherer import MultiRunGatherer
    from hydra_callbacks.callbacks.pickle_job_info import PickleJobInfo
    from hydra_callbacks.callbacks.register_run import RegisterRun, RegisterRunCallback
    from hydra_callbacks.callbacks.report import Report
    from hydra_callbacks.callbacks.resource_monitor import ResourceMonitor
    from hydra_callbacks.callbacks.run_record import RunRecord
    from hydra_callbacks.callbacks.runtime_performance import RuntimePerformance
    from hydra_callbacks.callbacks.set_environment import SetEnvironment
    from hydra_callbacks.callbacks.sweep_progress import SweepProgress
    from hydra_callbacks.lifecycle import AnyRunCallback

ROOMS = {
    "ConsoleCapture": "console_capture",
    "CrashReport": "crash_report",
    "EnvironmentInfo": "environment_info",
    "ExecShellCommand": "exec_shell_command",
    "GitInfo": "git_info",
    "LatestRunLink": "latest_run_link",
    "LogJobReturn": "log_job_return",
    "MultiRunGatherer": "multi_run_gatherer",
    "PickleJobInfo": "pickle_job_info",
    "RegisterRun": "register_run",
    "Report": "report",
    "ResourceMonitor": "resource_monitor",
    "RunRecord": "run_record",
    "RuntimePerformance": "runtime_performance",
    "SetEnvironment": "set_environment",
    "SweepProgress": "sweep_progress",
}
"""Name of each callback to the module that is its room."""

__all__ = [
    "ROOMS",
    "AnyRunCallback",
    "ConsoleCapture",
    "CrashReport",
    "EnvironmentInfo",
    "ExecShellCommand",
    "GitInfo",
    "LatestRunLink",
    "LogJobReturn",
    "MultiRunGatherer",
    "PickleJobInfo",
    "RegisterRun",
    "RegisterRunCallback",
    "Report",
    "ResourceMonitor",
    "RunRecord",
    "RuntimePerformance",
    "SetEnvironment",
    "SweepProgress",
    "dummy_run",
]


def dummy_run(config: Any, **kwargs: Any) -> None:
    """Do nothing: a stand-in where a function for an event is expected."""


def __getattr__(name: str) -> Any:
    if name == "AnyRunCallback":
        home = "hydra_callbacks.lifecycle"
    elif name in __all__:
        home = f"{__name__}.{ROOMS.get(name, 'register_run')}"
    else:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
