"""Real Hydra applications, run in subprocesses as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a script's `&` has it so, and applications would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
ODD_NAME = "mes expériences d'été № 1"
"""A directory with spaces, a quote and letters that are not ASCII: where every application here lives."""

PLAIN_APP = """
import json, os, sys, logging
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig

main_args = {} if hydra.__version__ >= "1.4" else {"version_base": None}
if hydra.__version__ >= "1.4":
    main_args["execution_whitelist"] = ["hydra_callbacks.*", "recorder.*"]

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    logging.getLogger("app").info("x is %s", cfg.x)
    if cfg.x == cfg.fail_at:
        raise ValueError(f"x must not be {cfg.x}")
    output_dir = Path(HydraConfig.get().runtime.output_dir)
    output_dir.joinpath("results.json").write_text(json.dumps({"double": 2 * cfg.x, "deep": {"er": "é"}}))
    return cfg.x

if __name__ == "__main__":
    main()
"""
LAUNCHERS = (
    "hydra-joblib-launcher==1.2.0",
    "hydra-submitit-launcher==1.2.0",
    "hydra-zen==0.17.2",
)
OF_THIS_HYDRA = ("hydra-optuna-sweeper==1.3.0", "hydra-ray-launcher==1.2.2", "ray==2.60.0")
PLAIN_CONFIG = "x: 1\nfail_at: -1\nopt: {lr: 0.1, name: adam}\n"


@dataclass
class Ran:
    """What a command did: exit status (negative: the signal that ended it), and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class App:
    """A Hydra application in a directory of its own."""

    def __init__(self, directory: Path, python: str = sys.executable) -> None:
        self.directory = directory
        self.python = python
        (directory / "conf").mkdir(parents=True)
        self.write("app.py", PLAIN_APP)
        self.write("conf/config.yaml", PLAIN_CONFIG)

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def callbacks(self, *entries: dict[str, Any], more: str = "") -> None:
        """Put callbacks into the config, in this order, as the published documentation shows."""
        named = {f"c{number}": entry for number, entry in enumerate(entries)}
        self.write("conf/config.yaml", f"{PLAIN_CONFIG}{more}\nhydra: {json.dumps({'callbacks': named})}\n")

    def command(self, *args: str, flags: tuple[str, ...] = ()) -> list[str]:
        return [self.python, *flags, "app.py", *args]

    def environment(self, env: dict[str, str] | None = None) -> dict[str, str]:
        drop = {"COLUMNS", "HYDRA_FULL_ERROR"}
        return {name: value for name, value in os.environ.items() if name not in drop} | (env or {})

    def run(self, *args: str, flags: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Ran:
        done = subprocess.run(
            self.command(*args, flags=flags),
            cwd=self.directory,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start it as the leader of a process group, as a shell does."""
        return subprocess.Popen(
            self.command(*args),
            cwd=self.directory,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def interrupt(self, *args: str, when: str, count: int = 1) -> Ran:
        """Run it, and press Ctrl-C as a terminal does once `count` files match the pattern `when`."""
        process = self.start(*args)
        wait_for(lambda: len(list(self.directory.glob(when))) >= count or process.poll() is not None)
        while True:
            os.killpg(process.pid, signal.SIGINT)
            try:
                out, err = process.communicate(timeout=30)
                break
            except subprocess.TimeoutExpired:  # joblib may wait for ever after the first; people press again
                continue
        return Ran(process.returncode, out, err)

    def one(self, pattern: str) -> Path:
        """Return the only file that matches."""
        (found,) = self.directory.glob(pattern)
        return found

    def record(self, pattern: str = "outputs/*/*") -> dict[str, Any]:
        return json.loads(self.one(f"{pattern}/.hydra/run.json").read_text(encoding="utf-8"))

    def git(self, *args: str) -> str:
        command = ["git", "-c", "user.name=me", "-c", "user.email=me@example.org", *args]
        done = subprocess.run(command, cwd=self.directory, check=True, capture_output=True, encoding="utf-8")
        return done.stdout.strip()

    def commit(self) -> str:
        """Make the directory a repository with everything committed, and return the commit's sha."""
        self.git("init", "-q", "-b", "main")
        self.write(".gitignore", "outputs/\nmultirun*/\n__pycache__/\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "all")
        return self.git("rev-parse", "HEAD")


def wait_for(condition: Any, timeout_s: float = 60.0) -> None:
    """Wait until another process has done something; there is no event to wait on."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("the application did not get there in time")
        time.sleep(0.02)


@pytest.fixture
def odd_path(tmp_path: Path) -> Path:
    path = tmp_path / ODD_NAME
    path.mkdir()
    return path


@pytest.fixture
def here(odd_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An oddly named working directory, in a time zone an hour before UTC, with no register named."""
    with monkeypatch.context() as patch:
        patch.chdir(odd_path)
        patch.setenv("TZ", "CET-1")
        patch.setenv("COLUMNS", "80")
        patch.delenv("HYDRA_CALLBACKS_REGISTER", raising=False)
        _set_time_zone()
        yield odd_path
    _set_time_zone()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """An oddly named directory that any user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="hydra-callbacks-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, ODD_NAME)
        path.mkdir(mode=0o755)
        yield path
        path.chmod(0o755)


def _set_time_zone() -> None:
    if os.name == "posix":
        time.tzset()


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path / ODD_NAME)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the sdist, once for all test processes."""
    folder = tmp_path_factory.getbasetemp().parent / "wheel"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = tmp_path_factory.mktemp("wheel")
    return _once(folder, _build_wheel)


def _build_wheel(folder: Path) -> None:
    uv = find_uv()
    build = [uv, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder)]
    subprocess.run([*build, "--sdist", str(ROOT)], check=True)
    (sdist,) = folder.glob("*.tar.gz")
    subprocess.run([*build, "--wheel", str(sdist)], check=True)


def _once(folder: Path, fill: Any) -> Path:
    """Fill a folder in the first test process that comes, and return the wheel in it."""
    from hydra_callbacks.support.locks import locked  # noqa: PLC0415  (a broken package should fail tests, not this file)

    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "ready", timeout_s=240):
        if not (folder / "ready").exists():
            fill(folder)
            (folder / "ready").touch()
    return next(folder.glob("*.whl"), folder)


def find_uv() -> str:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    assert uv, "the tests need uv (it is among the development requirements)"
    return uv


@pytest.fixture(scope="session")
def python_with_hydra(wheel: Path) -> Any:
    """Return a function from a version of Hydra to a Python that has it, joblib's launcher and our wheel."""

    def python_with(version: str) -> str:
        return _python(wheel, f"hydra-{version}", f"hydra-core=={version}", "hydra-joblib-launcher==1.2.0")

    return python_with


@pytest.fixture(scope="session")
def python_with_launchers(wheel: Path) -> str:
    """Return a Python that has our wheel, and the launchers and sweepers that work with the current Hydra."""
    return _python(wheel, "launchers", "hydra-core==1.3.8", *LAUNCHERS, *OF_THIS_HYDRA)


@pytest.fixture(scope="session")
def next_python_with_launchers(wheel: Path) -> str:
    """Return one with the next Hydra, with which neither Ray's launcher nor Optuna's sweeper works yet."""
    return _python(wheel, "next-launchers", "hydra-core==1.4.0rc3", *LAUNCHERS)


def _python(wheel: Path, name: str, *packages: str) -> str:
    """Return a Python in an environment of that name with these packages and our wheel, made once."""

    def fill(folder: Path) -> None:
        venv = [find_uv(), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder / "venv")]
        subprocess.run(venv, check=True)
        install = [find_uv(), "pip", "install", "--quiet", "--prerelease=allow", "--python", str(folder / "venv")]
        subprocess.run([*install, str(wheel), *packages], check=True)

    folder = wheel.parent / name
    _once(folder, fill)
    return str(folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


@pytest.fixture(scope="session")
def stub_nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a libnvidia-ml.so.1 that does what the environment says; see monitor/nvml_stub.c."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("the stub of NVML needs Linux and a C compiler (Debian: gcc and libc6-dev)")
    folder = tmp_path_factory.mktemp("nvml")
    flags = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    target = ["-o", str(folder / "libnvidia-ml.so.1"), str(Path(__file__).parent / "monitor" / "nvml_stub.c")]
    subprocess.run([compiler, *flags, *target], check=True)
    return folder


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[int]]:
    """What tells the process groups of all that samples for this test, or is about to: others run beside it."""
    name, value = "WHOSE_HELPERS", uuid.uuid4().hex
    monkeypatch.setenv(name, value)

    def groups() -> set[int]:
        found = set()
        for folder in Path("/proc").iterdir():
            with suppress(OSError):  # it is no process, it has ended, or it is another user's
                is_helper = b"hydra_callbacks.monitor.helper" in (folder / "cmdline").read_bytes().split(b"\0")
                if is_helper and f"{name}={value}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.add(os.getpgid(int(folder.name)))
        return found

    return groups
