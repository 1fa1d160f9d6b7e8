"""Which of the processes that a GPU's driver names are the job's?

In a container a driver may number processes as the host does, or leave them out. NVIDIA's 560 does both at once: the
list of processes has the container's numbers, and the list of what each uses has the host's. So each list must show
by itself that it counts as we do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_OF_THE_HOST = "pid:[4026531836]"  # PROC_PID_INIT_INO in Linux' include/linux/proc_ns.h: the same on every machine
_IN_A_CONTAINER = "the driver does not number processes as this container does: start it with the host's (--pid=host)"


class NotToldError(Exception):
    """A number that this device will never tell; the message is the reason."""


class NotYetToldError(Exception):
    """A number that is not told now, and may be later; the message is the reason."""


class JobProcesses:
    """Finds the job's processes in one of a driver's lists.

    Args:
        proc: Where the kernel shows its processes.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = Path(proc)
        try:
            self._counts_alike = (self._proc / "self/ns/pid").readlink() == Path(_OF_THE_HOST)
        except OSError:  # not Linux: there is one numbering only
            self._counts_alike = True

    def among(self, told: Collection[int], pids: Collection[int]) -> list[int]:
        """Return the job's processes in the list.

        Args:
            told: The processes in the list.
            pids: The job's processes.

        Raises:
            NotYetToldError: The list may number processes in another way.
        """
        mine = [pid for pid in told if pid in pids]
        # A number of the host's may by chance be one of ours; that all of a list are processes here is no chance.
        if not self._counts_alike:
            if not mine or not all((self._proc / str(pid)).exists() for pid in told):
                raise NotYetToldError(_IN_A_CONTAINER)
            self._counts_alike = True
        return mine


def since_first(ask: Callable[[Collection[int]], float]) -> Callable[[Collection[int]], float]:
    """Return what reads how far a counter has come since it was first read."""
    first: list[float] = []

    def grown(pids: Collection[int]) -> float:
        value = ask(pids)
        if not first:
            first.append(value)
        return value - first[0]

    return grown
