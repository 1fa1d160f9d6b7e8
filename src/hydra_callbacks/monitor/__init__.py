"""What do a process tree and the GPUs use? Plain measuring that knows nothing of runs or of Hydra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra_callbacks.monitor.service import ResourceMonitorService

__all__ = ["ResourceMonitorService"]


def __getattr__(name: str) -> Any:
    if name != "ResourceMonitorService":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from hydra_callbacks.monitor.service import ResourceMonitorService  # noqa: PLC0415  (imported when first used)

    return ResourceMonitorService
