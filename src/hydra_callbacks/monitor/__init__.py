"""What do a process tree and the GPUs use? Plain measuring that knows nothing of runs or of Hydra."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer to import than all that samples from beside the job
if TYPE_CHECKING:
    from typing import Any

    from hydra_callbacks.monitor.service import ResourceMonitorService

__all__ = ["ResourceMonitorService"]


def __getattr__(name: str) -> Any:
    if name != "ResourceMonitorService":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from hydra_callbacks.monitor.service import ResourceMonitorService  # noqa: PLC0415  (imported when first used)

    return ResourceMonitorService
