"""What does it cost to tell the environment, beside `pip freeze`?"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

from cases import Row
from timing import Cost, compare, process, rounds

import hydra_callbacks

if TYPE_CHECKING:
    from collections.abc import Callable

_N_PACKAGES = 200
_LIMIT = 0.30
_SOURCE = Path(hydra_callbacks.__file__).parents[1]
_PROGRAM = f"""
import sys
from time import perf_counter, process_time
from pathlib import Path
sys.path.append({str(_SOURCE)!r})
from hydra_callbacks.provenance import environment
from hydra_callbacks.support.redact import Redactor
begun, begun_cpu = perf_counter(), process_time()
app = environment.Application.now(hydra="1.3.8", cwd=Path.cwd(), variables=["*"])
told = environment.capture(app, Redactor())
assert len(told["packages"]) >= {_N_PACKAGES} and "problems" not in told, told
environment.write(Path("environment.json"), told)
print(process_time() - begun_cpu, perf_counter() - begun)
"""


def environment(folder: Path, *, quick: bool) -> list[Row]:
    """The whole environment of a Python with 200 packages, told and written, in a fresh process."""
    python = _python(folder / "venv")
    log = folder / "environment.log"
    inside: list[Cost] = []

    def told() -> Cost:
        cost = process([python, "-c", _PROGRAM], cwd=folder, log=log)
        cpu_s, wall_s = map(float, log.read_text(encoding="utf-8").split())
        inside.append(Cost(cpu_s=cpu_s, wall_s=wall_s))
        return cost

    runners = {
        "environment": told,
        "pip freeze": lambda: process([python, "-m", "pip", "freeze"], cwd=folder, log=log),
    }
    whole, freeze = rounds("environment", runners, 5 if quick else 31).values()
    alone = inside[1:]  # the first round does not count
    return [
        Row("environment", "200 packages / pip freeze", "cpu", compare(alone, freeze, "cpu"), limit=_LIMIT),
        Row("environment", "with Python's start and imports / pip freeze", "cpu", compare(whole, freeze, "cpu")),
    ]


def _python(folder: Path) -> str:
    """Make a virtual environment with pip, and 200 packages that consist of metadata of the usual length."""
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())
    for number in range(_N_PACKAGES):
        name, version = f"made_up_{number}", f"{number % 7}.{number % 11}.{number % 3}"
        place = site / f"{name}-{version}.dist-info"
        place.mkdir()
        needed = "".join(f"Requires-Dist: made-up-{(number + each) % _N_PACKAGES}>=0\n" for each in range(1, 6))
        head = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\nSummary: none\n{needed}\n"
        (place / "METADATA").write_text(head + "A line of the description.\n" * 200, encoding="utf-8")
        (place / "RECORD").write_text(f"{name}/__init__.py,,\n" * 20, encoding="utf-8")
        (place / "INSTALLER").write_text("pip\n", encoding="utf-8")
        if number % 20 == 0:
            origin = {"url": "https://example.org/x.git", "vcs_info": {"vcs": "git", "commit_id": "a" * 40}}
            (place / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")
    return python


CASES: dict[str, Callable[..., list[Row]]] = {"environment": environment}
