"""Which NVIDIA GPUs and which driver does this machine have?

NVML tells, where nvidia-ml-py (module `pynvml`) is installed; else, on Linux, what the driver writes below `/proc`. No
program is started.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

_DRIVER = re.compile(r"\s(\d+(?:\.\d+)+)\s")
_SIGNS = ("proc/driver/nvidia/version", "dev/dxg", "dev/nvidiactl")  # the second one is that of WSL


def gpu_facts(root: Path = Path("/")) -> dict[str, Any]:
    """Return `driver` (its version) and `devices`: the name, memory_bytes and uuid of each; nothing without a driver.

    Args:
        root: Where `/proc` and `/dev` are found.
    """
    if sys.platform == "darwin" or (sys.platform == "linux" and not any((root / sign).exists() for sign in _SIGNS)):
        return {}  # saves the import of NVML's bindings, which are large
    return _from_nvml() or _from_files(root / "proc/driver/nvidia")


def _from_nvml() -> dict[str, Any]:
    try:
        import pynvml  # noqa: PLC0415  (optional, and large)

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001  (whatever driver and bindings do; the files below /proc may tell)
        return {}
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return {
            "driver": _text(pynvml.nvmlSystemGetDriverVersion()),
            "devices": [
                {
                    "name": _text(pynvml.nvmlDeviceGetName(handle)),
                    "memory_bytes": int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
                    "uuid": _text(pynvml.nvmlDeviceGetUUID(handle)),
                }
                for handle in handles
            ],
        }
    except Exception:  # noqa: BLE001  (as above)
        return {}
    finally:
        pynvml.nvmlShutdown()


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)  # older bindings give bytes


def _from_files(folder: Path) -> dict[str, Any]:
    try:
        said = (folder / "version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    driver = _DRIVER.search(said.partition("\n")[0] + " ")
    devices = [
        _device(file.read_text(encoding="utf-8", errors="replace")) for file in folder.glob("gpus/*/information")
    ]
    return {**({"driver": driver[1]} if driver else {}), "devices": devices}


def _device(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines())
    told = {name.strip(): value.strip() for name, _, value in lines}
    known = {"name": told.get("Model"), "uuid": told.get("GPU UUID")}
    return {key: value for key, value in known.items() if value}
