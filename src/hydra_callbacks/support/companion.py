"""How does a process of our own work beside the job, in nobody's way, until the job ends or is killed?

It is nobody's child: who waits for his children, counts or kills them must not meet it. It has a session of its own, so
that Ctrl-C and a kill of the job's process group do not reach it. It runs the application's own Python without `site`,
which is there in ten milliseconds; its modules are found past the package's own imports, and past whatever is called
`json.py` in the working directory.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

if sys.platform == "win32":
    msg = "Windows has no way to start a process that is nobody's child"
    raise ImportError(msg)

_SHELL = "/bin/sh"
# From its first moment on, it heeds no signal that is sent to many.
_SCRIPT = "trap '' HUP INT QUIT TERM ALRM USR1 USR2; "
_START = _SCRIPT + '"$@" &'
_START_LATER = _SCRIPT + 'later=$1; shift; { sleep "$later"; exec "$@"; } &'
_PROGRAM = (
    "import sys; module, package, *sys.argv[1:] = sys.argv[1:]; sys.path[:1] = []; sys.path += sys.argv[1:]; "
    "ours = type(sys)('hydra_callbacks'); ours.__path__ = [package]; sys.modules['hydra_callbacks'] = ours; "
    "__import__(module); sys.modules[module].main()"
)
_PYTHON_VARIABLES = {"PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"}  # that it gets


def start(
    module: str,
    fds: Mapping[int, int],
    *,
    closed: Sequence[int] = (),
    after_s: float = 0.0,
    path: Sequence[str] = (),
) -> int | None:
    """Start a module's function `main` in a process of its own.

    Args:
        module: Its full name.
        fds: What it is to have open besides what it inherits: number there to descriptor here.
        closed: Numbers of the standard streams that lead nowhere there.
        after_s: Seconds to wait before Python starts there; without effect where it cannot have a session of its own.
        path: Where it finds modules besides the package's own and the standard library.

    Returns:
        The number of its process group; None where it has none of its own.

    Raises:
        OSError: It cannot be started.
    """
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in fds.items()]
    actions += [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in closed]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON") or name in _PYTHON_VARIABLES
    }
    program = [sys.executable, "-S", "-c", _PROGRAM, module, str(Path(__file__).parents[1]), *path]
    later = [_SHELL, "-c", _START_LATER, "sh", f"{after_s:.3f}", *program]
    at_once = [_SHELL, "-c", _START, "sh", *program]
    group: int | None
    try:
        group = pid = os.posix_spawn(
            _SHELL, later if after_s else at_once, environment, file_actions=actions, setsid=True
        )
    except NotImplementedError:  # an old system; then the module makes its session, a moment later
        group, pid = None, os.posix_spawn(_SHELL, at_once, environment, file_actions=actions)
    with contextlib.suppress(ChildProcessError):  # the application lets the system wait for its children
        status = os.waitpid(pid, 0)[1]
        if status:
            msg = f"{_SHELL} ended with status {status}"
            raise OSError(msg)
    return group
