"""A program that holds 512 MiB of the first GPU and keeps it busy until it is killed; it needs CUDA's driver alone."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

N_BYTES = 512 * 2**20


def main() -> int:
    """Hold the memory, say so, and write to it again and again."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 1
    device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    steps: list[tuple[str, Any]] = [
        ("cuInit", (0,)),
        ("cuDeviceGet", (ctypes.byref(device), 0)),
        ("cuDevicePrimaryCtxRetain", (ctypes.byref(context), device)),
        ("cuCtxSetCurrent", (context,)),
        ("cuMemAlloc_v2", (ctypes.byref(memory), ctypes.c_size_t(N_BYTES))),
    ]
    if any(getattr(cuda, function)(*arguments) for function, arguments in steps):
        return 1
    print("holding", flush=True)  # noqa: T201  (what the test waits for)
    number = 0
    while True:
        number += 1
        cuda.cuMemsetD8_v2(memory, ctypes.c_ubyte(number % 256), ctypes.c_size_t(N_BYTES))
        if number % 64 == 0:
            cuda.cuCtxSynchronize()


if __name__ == "__main__":
    sys.exit(main())
