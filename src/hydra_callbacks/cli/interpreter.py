"""Which Python is to run an application again, and what does it have?"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass

from hydra_callbacks.cli import Failure
from hydra_callbacks.provenance import packages

_TELL_PATH = "import json, platform, sys; print(json.dumps([platform.python_version(), sys.path[1:]]))"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that is to run the application.

    Attributes:
        program: Its path.
        version: Its version.
        path: Where it looks for modules.
    """

    program: str
    version: str
    path: list[str]

    @classmethod
    def of(cls, program: str) -> Interpreter:
        """Ask one.

        Raises:
            Failure: It cannot be run.
        """
        try:
            with tempfile.TemporaryDirectory() as nowhere:
                done = subprocess.run(  # noqa: S603  (the user's own)
                    [program, "-c", _TELL_PATH], cwd=nowhere, capture_output=True, check=True
                )
            version, path = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            msg = f"{program} cannot be run ({error}); name another with --python, or let one be made with --create-env"
            raise Failure(msg) from error
        return cls(program, version, path)

    def packages(self) -> dict[str, str]:
        """Return its packages and their versions."""
        return {package.name: package.version for package in packages.installed(self.path)}
