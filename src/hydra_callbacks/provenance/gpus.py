"""Which GPUs of NVIDIA and AMD, and which driver, does this machine have?

NVML tells of NVIDIA's, where nvidia-ml-py (module `pynvml`) is installed; else, on Linux, what the driver writes below
`/proc`. Of AMD's, Linux tells below `/sys` (docs.kernel.org/gpu/amdgpu/driver-misc.html). No program is started.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

_DRIVER = re.compile(r"\s(\d+(?:\.\d+)+)\s")
_AMD = "0x1002"  # its number as a maker of PCI devices
_SIGNS = ("proc/driver/nvidia/version", "dev/dxg", "dev/nvidiactl")  # the second one is that of WSL


def gpu_facts(root: Path = Path("/")) -> dict[str, Any]:
    """Return `driver` (its version) and `devices`: the name, memory_bytes and uuid of each; nothing without a driver.

    Where there are both makers' GPUs, `driver` is NVIDIA's.

    Args:
        root: Where `/proc`, `/sys` and `/dev` are found.
    """
    nvidia, amd = _of_nvidia(root), _of_amd(root)
    found = {**amd, **nvidia, "devices": [*nvidia.get("devices", []), *amd.get("devices", [])]}
    return found if nvidia or amd else {}


def _of_nvidia(root: Path) -> dict[str, Any]:
    if sys.platform == "darwin" or (sys.platform == "linux" and not any((root / sign).exists() for sign in _SIGNS)):
        return {}  # saves the import of NVML's bindings, which are large
    return _from_nvml() or _from_files(root / "proc/driver/nvidia")


def _of_amd(root: Path) -> dict[str, Any]:
    """Return what the kernel tells: names of those only that servers have, and the version of a driver from outside."""
    cards = (root / "sys/class/drm").glob("card*/device")
    numbers = {int(card.parent.name[4:]): card for card in cards if card.parent.name[4:].isdecimal()}
    folders = [card for _, card in sorted(numbers.items()) if _read(card / "vendor") == _AMD]
    driver = _read(root / "sys/module/amdgpu/version")
    devices = [_amd_device(folder) for folder in folders]
    return {**({"driver": driver} if driver else {}), "devices": devices} if devices else {}


def _amd_device(folder: Path) -> dict[str, Any]:
    memory = _read(folder / "mem_info_vram_total")
    told = {
        "name": _read(folder / "product_name") or f"AMD {_read(folder / 'device')}".strip(),
        "memory_bytes": int(memory) if memory.isdecimal() else None,
        "uuid": _read(folder / "unique_id"),
    }
    return {key: value for key, value in told.items() if value}


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


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
