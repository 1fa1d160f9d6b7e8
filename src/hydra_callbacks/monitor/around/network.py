"""How many bytes has this machine received and sent meanwhile?

The kernel counts them for each network interface, and not for each process (proc_pid_net(5)): they are those of the
whole machine, or of the container where it has a network of its own. Bytes pass a bridge, a bond or a tunnel besides
the hardware below it; so where there is hardware, it alone is counted. What RDMA moves, the kernel does not see.
"""

from __future__ import annotations

import math
import os

from hydra_callbacks.monitor.around.kept_file import KeptFile, why_not
from hydra_callbacks.monitor.processes.tree import GIB

TYPE_CHECKING = False  # as `typing` says it, without loading it
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from hydra_callbacks.monitor.meter import Span

_HEADLINES = 2
_NEARLY_A_PAGE = 3072  # bytes; at least a page is read at once, unless the end comes before, and no line is so long
_SENT = 8  # the number of bytes sent, among the numbers of an interface; those received come first


class Network:
    """Counts bytes since its first reading, as a `Meter` does.

    Args:
        root: Where `/proc` and `/sys` are found.
    """

    def __init__(self, root: str = "/") -> None:
        self.columns: Sequence[str] = ()
        self.absent: Mapping[str, str] = {}
        self._file: KeptFile | None = None
        self._hardware = _hardware(os.path.join(root, "sys/class/net"))  # noqa: PTH118  (without pathlib)
        self._before: dict[bytes, tuple[int, int]] | None = None
        self._received_bytes = self._sent_bytes = 0
        try:
            self._file = KeptFile(os.path.join(root, "proc/net/dev"))  # noqa: PTH118  (as above)
        except OSError as error:
            self.absent = {"net": f"/proc/net/dev: {why_not(error)}"}
        else:
            self.columns = ("net_received_GiB", "net_sent_GiB")

    def read(self, pids: Collection[int]) -> Sequence[float]:  # noqa: ARG002  (a meter's)
        """Return GiB received and sent."""
        if self._file is None:
            return ()
        try:
            text = self._file.read()
            if len(text) > _NEARLY_A_PAGE:
                text = self._file.read_all()
        except OSError:
            return (math.nan, math.nan)
        now: dict[bytes, tuple[int, int]] = {}
        for line in text.splitlines()[_HEADLINES:]:
            name, _, counts = line.partition(b":")
            name = name.strip()
            if name != b"lo" and (not self._hardware or name in self._hardware):
                numbers = counts.split()
                now[name] = int(numbers[0]), int(numbers[_SENT])
        if self._before is not None:
            for name, (received, sent) in now.items():
                received_before, sent_before = self._before.get(name, (0, 0))  # one that has come since began at 0
                self._received_bytes += _grown(received, received_before)
                self._sent_bytes += _grown(sent, sent_before)
        self._before = now
        return (self._received_bytes / GIB, self._sent_bytes / GIB)

    def summary(self, spans: Mapping[str, Span]) -> dict[str, Any]:
        """Return the bytes received and sent, as `machine`."""
        told = {"received_bytes": spans.get("net_received_GiB"), "sent_bytes": spans.get("net_sent_GiB")}
        grown = {name: span.grown * GIB for name, span in told.items() if span is not None}
        return {"machine": {name: round(value) for name, value in grown.items() if not math.isnan(value)}}

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _grown(now: int, before: int) -> int:
    return now - before if now >= before else now  # some drivers begin anew when the interface goes up


def _hardware(directory: str) -> set[bytes]:
    """Return the interfaces behind which there is a device (sysfs-class-net); none as a container sees its own."""
    try:
        names = os.listdir(directory)  # noqa: PTH208  (without pathlib)
    except OSError:
        return set()
    return {os.fsencode(name) for name in names if os.path.exists(f"{directory}/{name}/device")}  # noqa: PTH110  (no pathlib in what samples)
