"""A driver with two GPUs, under the names that nvidia-ml-py uses."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace


class NVMLError(Exception):
    """What NVML raises."""


class FakeNvml(ModuleType):
    """Stands for the module `pynvml`.

    Args:
        n_gpus: How many there are.
        init_error: What NVML says at once; None when it works.
        usage_error: What it says when asked for a GPU's usage; None when it tells.
    """

    def __init__(self, n_gpus: int = 2, *, init_error: str | None = None, usage_error: str | None = None) -> None:
        super().__init__("pynvml")
        self.n_gpus = n_gpus
        self.init_error = init_error
        self.usage_error = usage_error
        self.n_open = 0

    def nvmlInit(self) -> None:  # noqa: N802  (NVML's name, as all below)
        if self.init_error:
            raise NVMLError(self.init_error)
        self.n_open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802  (NVML's name)
        self.n_open -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802  (NVML's name)
        return self.n_gpus

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802  (NVML's name)
        return index

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802  (NVML's name)
        return SimpleNamespace(used=(handle + 1) * 2**30)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:  # noqa: N802  (NVML's name)
        if self.usage_error:
            raise NVMLError(self.usage_error)
        return SimpleNamespace(gpu=10 * (handle + 1))
