"""How does all that a job prints get into a file, and still onto the terminal?

Where the system has what it takes, by the descriptors 1 and 2 (`console_descriptors`): so children and C code are
heard, too, and a job that is killed. Elsewhere, by Python's own streams (`console_streams`).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Capture(Protocol):
    """What writes a console into a file until it is stopped."""

    def stop(self, last: str, secrets: Sequence[str]) -> dict[str, Any]:
        """Give the console back, and end the file.

        Args:
            last: Text that is added to the file.
            secrets: Those that are known by now.

        Returns:
            `bytes` that were printed, `lines` of the text, `is_cut`: True when some of it is left out, `error`: why the
            file could not be written. Nothing of that when the terminal does not take what was printed.
        """


def capture(path: Path, max_bytes: int, secrets: Sequence[str]) -> Capture:
    """Begin to write what this process prints into a file.

    Args:
        path: The file; another one that was there is removed.
        max_bytes: About as large as it may become.
        secrets: Texts that are replaced in it.

    Raises:
        OSError: The file cannot be made.
    """
    path.unlink(missing_ok=True)  # and not written anew: an earlier job's child may still print
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    fd = os.open(path, flags, 0o666)
    if sys.platform != "win32" and not getattr(sys, "frozen", False):  # a frozen program has no interpreter to start
        from hydra_callbacks.provenance.console_descriptors import DescriptorCapture  # noqa: PLC0415  (not on Windows)

        try:
            return DescriptorCapture(fd, max_bytes, secrets)
        except OSError:  # no shell, no more processes or descriptors
            pass
    from hydra_callbacks.provenance.console_streams import StreamCapture  # noqa: PLC0415  (seldom needed)

    return StreamCapture(fd, max_bytes, secrets)
