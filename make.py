#!/usr/bin/env python3
"""Set up, try and check this project on any system: `python3 make.py` lists the commands.

Every command first makes `.venv` here, or brings it up to date with pyproject.toml and requirements-dev.txt. This
program itself needs the standard library only.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036  (the one line that older versions get to see)
    sys.exit(
        f"This project needs Python 3.10 or newer, and this is {sys.version.split()[0]}: run make.py with another."
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "made-from.txt"
REQUIREMENTS = ROOT / "requirements-dev.txt"

LOCK = (
    "uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate"
    " --python-version 3.10 --group dev pyproject.toml -o requirements-dev.txt"
)
COMMANDS: dict[str, tuple[str, list[str]]] = {
    "demo": ("run the example: a sweep of nine jobs, one of which fails", ["python examples/digits/demo.py"]),
    "test": ("run the tests; options of pytest may follow", ["pytest -n logical --maxprocesses 8 --dist worksteal"]),
    "check": (
        "check format, lint rules, types, imports and documentation",
        [
            "ruff format --check .",
            "ruff check .",
            *(f"mypy --platform {system} --cache-dir .mypy_cache/{system}" for system in ("linux", "win32", "darwin")),
            "lint-imports --no-logo",
            "mkdocs build --strict --quiet",
        ],
    ),
    "docs": ("build the documentation: site/index.html", ["mkdocs build --strict --quiet"]),
    "web": (
        "build the script and style of report pages from web/; needs Node.js 20 or newer",
        ["npm ci --prefix web --ignore-scripts", "npm run check --prefix web", "npm run build --prefix web"],
    ),
    "pages": ("write the pages of the commands anew: docs/reference/commands", ["python docs/commands.py"]),
    "bench": ("measure the speed; options of benchmarks/run.py may follow", ["python benchmarks/run.py"]),
    "lock": (
        "pin the development requirements anew; options of `uv pip compile` may follow, such as --upgrade",
        [LOCK],
    ),
    "setup": ("make .venv, or bring it up to date, and no more", []),
}
"""Name of each command to what it does, and the programs it runs."""


def main(words: list[str]) -> int:
    """Run one command, and return the exit status of the first of its programs that fails."""
    name, *options = words or ["--help"]
    if name not in COMMANDS:
        is_question = name in {"-h", "--help", "help"}
        lines = [f"  {command:<6} {what}" for command, (what, _) in COMMANDS.items()]
        print("Usage: python3 make.py COMMAND", *lines, sep="\n", file=sys.stdout if is_question else sys.stderr)
        return 0 if is_question else 2
    programs = COMMANDS[name][1]
    if options and len(programs) != 1:
        print(f"`{name}` takes no options, got: {' '.join(options)}", file=sys.stderr)
        return 2
    set_up()
    for program in programs:
        print("$", program, *options, flush=True)
        status = run(*program.split(), *options)
        if status:
            if len(programs) > 1:
                print(f"make.py {name}: `{program}` ended with exit status {status}", file=sys.stderr)
            return status
    return 0


def set_up() -> None:
    """Make `.venv`, or bring it up to date."""
    place = f"Python {sys.version_info.major}.{sys.version_info.minor} in {VENV}\n"
    sources = (ROOT / "pyproject.toml").read_bytes() + REQUIREMENTS.read_bytes()
    stamp = f"{place}{hashlib.sha256(sources).hexdigest()}\n"
    before = STAMP.read_text(encoding="utf-8") if STAMP.is_file() else ""
    if before == stamp:
        return
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        sys.exit(
            f"{sys.executable} cannot make virtual environments: it lacks venv or ensurepip.\n"
            "On Debian and Ubuntu: apt-get install python3-venv. Elsewhere: use the Python from python.org."
        )
    print("Setting up .venv: once, a minute or a few ...", flush=True)
    moved = before and not before.startswith(place)  # another Python's, or from before the folder was moved
    must([sys.executable, "-m", "venv", *(["--clear"] if moved else []), str(VENV)])
    STAMP.write_text(place, encoding="utf-8")  # if what follows is cut short, the next run takes it up
    pip = [str(shutil.which("python", path=BIN)), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    must([*pip, "--use-pep517", "--require-hashes", "-r", str(REQUIREMENTS)])
    must([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    STAMP.write_text(stamp, encoding="utf-8")


def must(command: list[str]) -> None:
    """Run a step of the setting up; end the program when it fails."""
    status = subprocess.call(command, cwd=ROOT)
    if status:
        sys.exit(f"Setting up stopped: exit status {status} from: {' '.join(command)}")


def run(name: str, *words: str) -> int:
    """Run a program of `.venv` in the project's folder, and return its exit status."""
    environment = {
        "UV_SYSTEM_CERTS": "true",  # uv trusts whom pip and git trust here, a company's proxy included
        "NO_MKDOCS_2_WARNING": "true",  # the theme's notice of its end of life, in 2027, at every build
        **os.environ,
        "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)]),
    }
    program = shutil.which(name, path=None if name == "npm" else BIN)
    if program is None and name == "npm":
        sys.exit("There is no npm on the path: it comes with Node.js (on Debian and Ubuntu: apt-get install npm).")
    if program is None:
        sys.exit(f"There is no {name} in {BIN}: remove {VENV}, and it is made anew.")
    return subprocess.call([program, *words], cwd=ROOT, env=environment)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
