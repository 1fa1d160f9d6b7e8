"""The older home of `PerfLogger`; new code imports it from `hydra_callbacks`."""

from hydra_callbacks.timing import PerfLogger

__all__ = ["PerfLogger"]
