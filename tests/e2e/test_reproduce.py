"""reproduce: the same code, rebuilt from commit and patch, gives the same result; the user's tree stays as it is."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, find_uv, wait_for
from mendable import command
from reproducing import ENVIRONMENT, GIT, RECORD, only_record, run_dir

from hydra_callbacks.provenance import packages

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App, Ran

HELPED = "    from helper import offset\n    return cfg.x + offset\n\n    logging.getLogger"


@pytest.fixture
def changed(app: App) -> App:
    """An application that ran from a tree with changes, which have all been undone and overwritten since."""
    app.callbacks(RECORD, GIT)
    app.write(".gitignore", "outputs\nmultirun\n__pycache__\nreproduced\n")
    app.commit()
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    app.write("app.py", text.replace("    logging.getLogger", HELPED))
    app.write("helper.py", "offset = 1000\n")
    app.write("conf/extra é.yaml", "x: 5\n")
    assert app.run("x=7").code == 0
    assert app.run("-m", "x=1,2", "opt.lr=0.5").code == 0
    app.write("app.py", "raise SystemExit('overwritten')\n")
    (app.directory / "helper.py").unlink()
    app.git("commit", "-q", "-a", "-m", "something else")
    return app


def tree(app: App) -> dict[str, bytes]:
    files = (path for path in app.directory.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(file): file.read_bytes() for file in files if "reproduced" not in file.parts}


def reproduced(app: App, *words: str) -> Ran:
    before, status = tree(app), app.git("status", "--porcelain")
    done = command(app, "reproduce", *words)
    assert tree(app) == before
    assert app.git("status", "--porcelain") == status
    return done


def test_a_run_from_a_dirty_tree_gives_the_same_again(changed: App) -> None:
    first = only_record(changed, "outputs/20*/*")
    done = reproduced(changed, run_dir(changed), "--compare")
    assert done.code == 0, done.text
    assert " return_value   1007   1007   =" in done.out
    again = only_record(changed, "outputs/reproduced/*/run")
    assert again["result"] == {"return_value": 1007}
    assert (again["reproduces"], again["overrides"], again["config"]) == (
        first["id"],
        first["overrides"],
        first["config"],
    )
    assert again["git"]["patch"] == first["git"]["patch"], "its name tells that the code is the same"
    (code,) = changed.directory.glob("outputs/reproduced/*/code")
    assert (code / "helper.py").read_text() == "offset = 1000\n"
    removal = done.err.splitlines()[-1].removeprefix("To remove the code: ")
    assert removal.startswith("git -C ")
    second = reproduced(changed, run_dir(changed), "x=8", "--compare")
    assert " return_value   1007   1008   ≠" in second.out
    assert len(list(changed.directory.glob("outputs/reproduced/*/run"))) == 2
    subprocess.run(shlex.split(removal), check=True)
    assert not code.exists()
    assert str(code) not in changed.git("worktree", "list")


def test_a_job_of_a_sweep_and_a_whole_sweep_are_reproduced(changed: App) -> None:
    (sweep,) = changed.directory.glob("multirun/20*/*")
    name = sweep.relative_to(changed.directory).as_posix()
    done = reproduced(changed, f"{name}/1", "--compare")
    assert done.code == 0, done.text
    assert " return_value   1002   1002   =" in done.out
    again = only_record(changed, "multirun/reproduced/*/run")
    assert (again["overrides"], again["job"]["sweep"]) == (["x=2", "opt.lr=0.5"], False)
    done = reproduced(changed, name, "--compare", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert done.code == 0, done.text
    assert "    0   return_value   1001   1001   =" in done.out
    assert "    1   return_value   1002   1002   =" in done.out
    assert only_record(changed, "multirun/reproduced/*/sweep/1")["reproduces"] == str(sweep)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_script_does_the_same_by_hand(changed: App) -> None:
    done = reproduced(changed, run_dir(changed), "--print")
    assert done.code == 0, done.text
    assert not list(changed.directory.glob("outputs/reproduced"))
    subprocess.run(["sh"], input=done.out, cwd=changed.directory, check=True, encoding="utf-8", capture_output=True)
    assert only_record(changed, "outputs/reproduced/*/run")["result"] == {"return_value": 1007}


def test_what_cannot_be_had_is_told(changed: App) -> None:
    place = run_dir(changed)
    (patch,) = (changed.directory / place).glob(".hydra/*.patch")
    kept = patch.read_bytes()
    patch.unlink()
    done = reproduced(changed, place, "--compare")
    assert "  double                14    ≠" in done.out, "it was the commit alone that ran"
    assert "Missing: what had been changed and not committed: " in done.err
    patch.write_bytes(kept[: len(kept) // 2])
    done = reproduced(changed, place)
    assert done.code == 2
    assert "cannot be applied; the commit alone is in " in done.err
    patch.write_bytes(kept)
    moved = changed.directory / ".git elsewhere"
    (changed.directory / ".git").rename(moved)
    done = command(changed, "reproduce", place)
    assert done.code == 2
    assert "the commit " in done.err
    assert "Traceback" not in done.text
    subprocess.run(["git", "init", "-q"], cwd=changed.directory, check=True)
    assert "is neither in " in command(changed, "reproduce", place).err


def test_a_repository_that_git_does_not_read_and_no_git_at_all_are_told(
    changed: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GIT_CONFIG_NOSYSTEM": "1",  # where the repository may be declared safe
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1",
    }.items():
        monkeypatch.setenv(name, value)
    done = command(changed, "reproduce", run_dir(changed))
    assert done.code == 2
    assert "is in a repository of another user, which git does not read; if you trust it: git config " in done.err
    monkeypatch.setenv("PATH", "nowhere")
    done = command(changed, "reproduce", run_dir(changed))
    assert (done.code, "there is no git program on the PATH" in done.err) == (2, True)


def test_a_run_without_a_commit_says_what_there_is(app: App) -> None:
    app.callbacks(RECORD)
    assert app.run().code == 0
    done = command(app, "reproduce", run_dir(app))
    assert done.code == 2
    assert "recorded no commit: GitInfo was off, or it ran outside of a repository" in done.err


def test_a_repository_without_a_commit_is_rebuilt_from_its_patch_alone(app: App) -> None:
    app.callbacks(RECORD, GIT)
    app.write(".gitignore", "outputs\n")
    app.git("init", "-q")
    assert app.run("x=3").code == 0
    app.write("app.py", "raise SystemExit('overwritten')\n")
    done = command(app, "reproduce", run_dir(app), "--compare")
    assert done.code == 0, done.text
    assert "  double    6      6     =" in done.out


def test_a_secret_is_asked_for(app: App) -> None:
    app.callbacks(RECORD, GIT, more="api_key: ''\n")
    app.commit()
    assert app.run("api_key=sk-123456").code == 0
    place = run_dir(app)
    done = command(app, "reproduce", place)
    assert (done.code, "the value of api_key was not kept" in done.err) == (2, True)
    assert command(app, "reproduce", place, "api_key=sk-123456").code == 0


def test_a_module_below_the_tree_and_a_file_that_git_does_not_know(app: App) -> None:
    """As with a layout with `src`, and data that is ignored."""
    app.callbacks(RECORD, GIT)
    app.write("src/ours/__init__.py", "VALUE = 1\n")
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    body = "    import ours\n    return ours.VALUE + int(Path('data/big.txt').read_text())\n\n    logging.getLogger"
    app.write("app.py", text.replace("    logging.getLogger", body))
    app.commit()
    app.write("data/big.txt", "41")
    app.write(".gitignore", "outputs\ndata\n__pycache__\n")
    path = {"PYTHONPATH": str(app.directory / "src")}
    assert app.run(env=path).code == 0
    app.write("src/ours/__init__.py", "VALUE = 100\n")
    words = [sys.executable, "-m", "hydra_callbacks", "reproduce", run_dir(app), "--compare", "--link", "data"]
    done = subprocess.run(
        words, cwd=app.directory, env={**os.environ, **path}, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert " return_value     42    42   =" in done.stdout
    again = command(app, "reproduce", run_dir(app), "--link", "src")
    assert (again.code, "src is in the rebuilt tree already" in again.err) == (2, True)


def test_a_job_that_asks_for_its_number_gets_it(app: App) -> None:
    app.callbacks(RECORD, GIT, more="seed: ${hydra:job.num}\n")
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    app.write("app.py", text.replace("    logging.getLogger", "    return cfg.seed\n\n    logging.getLogger"))
    app.write(".gitignore", "multirun\n")
    app.commit()
    assert app.run("-m", "x=1,2,3", "hydra.sweep.dir=multirun/s").code == 0
    done = command(app, "reproduce", "multirun/s/2", "--compare")
    assert done.code == 0, done.text
    assert " return_value      2     2   =" in done.out


@pytest.fixture
def python_as_here(wheel: Path, tmp_path: Path) -> Any:
    """Return a function that makes a Python with our wheel and others, and with the versions installed here.

    Those can surely be installed once more; the newest ones of this minute cannot.
    """

    def make(*more: str) -> str:
        pins = tmp_path / "pins.txt"
        here = (package for package in packages.installed() if not package.origin)
        pins.write_text("".join(f"{package.name}=={package.version}\n" for package in here), encoding="utf-8")
        venv = tmp_path / "venv as here"
        python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        install = ["pip", "install", "--quiet", "--constraint", str(pins), "--python", str(python)]
        for words in (["venv", "--quiet", "--python", sys.executable, str(venv)], [*install, str(wheel), *more]):
            subprocess.run([find_uv(), *words], check=True)
        return str(python)

    return make


def test_the_environment_is_compared_and_can_be_made(app: App, python_as_here: Any) -> None:
    app.python = python_as_here()
    app.callbacks(RECORD, GIT, ENVIRONMENT)
    app.write(".gitignore", "outputs\n__pycache__\n")
    app.commit()
    assert app.run(env={"OMP_NUM_THREADS": "3"}).code == 0
    place = run_dir(app)
    same = command(app, "reproduce", place, "--python", app.python)
    assert same.code == 0, same.text
    assert "Differs" not in same.err
    assert only_record(app, "outputs/reproduced/*/run")["environment"]["variables"]["OMP_NUM_THREADS"] == "3"
    shutil.rmtree(app.directory / "outputs/reproduced")  # git has not been told
    file = app.one("outputs/20*/*/.hydra/environment.json")
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["packages"]["omegaconf"]
    made = command(app, "reproduce", place, "--create-env")
    assert made.code == 0, made.text
    assert "Differs" not in made.err
    assert (next(app.directory.glob("outputs/reproduced/*/venv")) / "pyvenv.cfg").is_file()
    told["packages"]["omegaconf"] = "2.0.0"
    file.write_text(json.dumps(told), encoding="utf-8")
    other = command(app, "reproduce", place, "--python", app.python)
    assert "Differs: omegaconf: 2.0.0 then, " in other.err


BACKEND = """
import pathlib, zipfile
NAME, VERSION = "{name}", "{version}"

def build_wheel(folder, config_settings=None, metadata_directory=None, path=None):
    name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        wheel.writestr(f"{{info}}/METADATA", f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n")
        kind = "Root-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{{info}}/WHEEL", f"Wheel-Version: 1.0\\nGenerator: test\\n{{kind}}")
        wheel.writestr(f"{{info}}/RECORD", "")
        if path:
            wheel.writestr(f"{{NAME}}.pth", path)
        else:
            wheel.write(f"{{NAME}}.py")
    return name

def build_editable(folder, config_settings=None, metadata_directory=None):
    return build_wheel(folder, path=str(pathlib.Path.cwd()))
"""
"""A build backend that needs nothing from anywhere, in the project that it builds."""


def make_project(folder: Path, name: str, value: int, version: str = "1.0") -> Path:
    """Make a project with one module, which holds a value."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(f"VALUE = {value}\n", encoding="utf-8")
    (folder / "backend.py").write_text(BACKEND.format(name=name, version=version), encoding="utf-8")
    system = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    project = f'[project]\nname = "{name}"\nversion = "{version}"\n'
    (folder / "pyproject.toml").write_text(system + project, encoding="utf-8")
    return folder


def commit_all(folder: Path) -> None:
    me = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "all")):
        subprocess.run(["git", *me, *words], cwd=folder, check=True)


def test_packages_come_back_from_where_they_came(app: App, tmp_path: Path, python_as_here: Any) -> None:
    """The application itself, a commit of a repository, a directory and a wheel."""
    make_project(app.directory, "ours", 1)
    commit_all(make_project(tmp_path / "fröm git", "from_git", 10))
    directory = make_project(tmp_path / "a directory", "from_directory", 100)
    wheels = tmp_path / "whéels"
    build = [find_uv(), "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", str(wheels)]
    subprocess.run([*build, str(make_project(tmp_path / "built", "from_wheel", 1000))], check=True)
    (from_wheel,) = wheels.glob("*.whl")
    urls = {
        "from_git": f"git+{(tmp_path / 'fröm git').as_uri()}",
        "from_directory": directory.as_uri(),
        "from_wheel": from_wheel.as_uri(),
    }
    asked = [f"{name} @ {url}" for name, url in urls.items()]
    app.python = python_as_here("--editable", str(app.directory), *asked)
    app.callbacks(RECORD, GIT, ENVIRONMENT)
    app.write(".gitignore", "outputs\n__pycache__\n")
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    modules = ("ours", *urls)
    value = f"    import {', '.join(modules)}\n    return {' + '.join(f'{name}.VALUE' for name in modules)}\n\n"
    app.write("app.py", text.replace("    logging.getLogger", f"{value}    logging.getLogger"))
    app.commit()
    assert app.run().code == 0
    place = run_dir(app)

    make_project(app.directory, "ours", 2)
    commit_all(make_project(tmp_path / "fröm git", "from_git", 20))
    done = command(app, "reproduce", place, "--create-env", "--compare")
    assert done.code == 0, done.text
    assert " return_value   1111   1111   =" in done.out
    assert "Missing" not in done.err
    assert "Differs" not in done.err
    (venv,) = app.directory.glob("outputs/reproduced/*/venv")
    (link,) = venv.rglob("ours.pth")
    assert link.read_text(encoding="utf-8") == str(venv.parent / "code")

    shutil.rmtree(tmp_path / "fröm git")
    shutil.rmtree(directory)
    done = command(app, "reproduce", place, "--create-env")
    assert done.code == 1
    missing = [line for line in done.err.splitlines() if line.startswith("Missing: ")]
    assert missing == [
        f"Missing: from-directory 1.0: it came from {directory}, which is not there",
        f"Missing: from-git 1.0: it came from {tmp_path / 'fröm git'}, which is not there",
    ]
    assert "Differs: from-directory: 1.0 then, (not there) now" in done.err
    printed = command(app, "reproduce", place, "--create-env", "--print").out
    assert all(f"# {line}\n" in printed for line in missing)


def test_a_place_that_is_taken_and_a_python_that_is_none_are_told(changed: App, tmp_path: Path) -> None:
    place = run_dir(changed)
    assert "is there already" in command(changed, "reproduce", place, "--into", str(tmp_path)).err
    assert "cannot be run" in command(changed, "reproduce", place, "--python", str(tmp_path / "nowhere")).err
    done = command(changed, "reproduce", place, "--into", str(tmp_path / "it's here"), "--compare")
    assert done.code == 0, done.text
    assert (tmp_path / "it's here/run/.hydra/run.json").is_file()


def test_the_digits_example_from_a_dirty_tree_gives_the_same_accuracy(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    project = tmp_path / "digits"
    shutil.copytree(ROOT / "examples/digits", project, ignore=shutil.ignore_patterns("__pycache__", "outputs"))

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=project, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    git = ("git", "-c", "user.name=me", "-c", "user.email=me@example.org")
    run(*git, "init", "-q")
    run(*git, "add", "-A")
    run(*git, "commit", "-q", "-m", "all")
    train = (project / "train.py").read_text(encoding="utf-8")
    (project / "train.py").write_text(
        train.replace("import hydra\n", "import hydra\nimport seeds\n", 1), encoding="utf-8"
    )
    (project / "seeds.py").write_text("import random\nrandom.seed(1)\n", encoding="utf-8")
    config = (project / "conf/config.yaml").read_text(encoding="utf-8")
    (project / "conf/config.yaml").write_text(
        config.replace("test_fraction: 0.25", "test_fraction: 0.4"), encoding="utf-8"
    )
    callbacks = "hydra/callbacks=[default,environment_info]"
    run(sys.executable, "train.py", callbacks, "model.C=10", "hydra.run.dir=outputs/first")
    first = json.loads((project / "outputs/first/.hydra/run.json").read_text(encoding="utf-8"))
    for name in ("train.py", "conf/config.yaml"):
        (project / name).write_text("overwritten\n", encoding="utf-8")
    (project / "seeds.py").unlink()
    said = run(sys.executable, "-m", "hydra_callbacks", "reproduce", "outputs/first", "--compare")
    (file,) = project.glob("outputs/reproduced/*/run/.hydra/run.json")
    again = json.loads(file.read_text(encoding="utf-8"))
    assert again["result"]["accuracy"] == first["result"]["accuracy"] > 0.9
    (line,) = (line for line in said.splitlines() if line.split()[:1] == ["accuracy"])
    assert line.split()[3] == "="
    assert (again["reproduces"], again["git"]["patch"]) == (first["id"], first["git"]["patch"])


def test_nothing_of_a_git_hook_that_calls_it_leads_to_the_users_index(changed: App) -> None:
    place = run_dir(changed)
    changed.write("staged.py", "x = 1\n")
    changed.git("add", "staged.py")
    index = (changed.directory / ".git/index").read_bytes()
    git = {"GIT_INDEX_FILE": str(changed.directory / ".git/index"), "GIT_DIR": str(changed.directory / ".git")}
    done = subprocess.run(
        [sys.executable, "-m", "hydra_callbacks", "reproduce", place, "--compare"],
        cwd=changed.directory,
        env={**os.environ, **git, "GIT_WORK_TREE": str(changed.directory)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert " return_value   1007   1007   =" in done.stdout
    assert (changed.directory / ".git/index").read_bytes() == index


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script as a hook")
def test_no_hook_of_the_repository_is_run(changed: App) -> None:
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        hook = changed.write(f".git/hooks/{name}", f"#!/bin/sh\ntouch '{changed.directory.name}-ran'\n")
        hook.chmod(0o755)
    assert command(changed, "reproduce", run_dir(changed)).code == 0
    assert not list(changed.directory.rglob("*-ran"))


def test_paths_into_the_original_tree_lead_into_the_rebuilt_one(app: App) -> None:
    app.callbacks(RECORD, GIT, {**ENVIRONMENT, "variables": ["PYTHONPATH"]}, more="file: ''\n")
    app.write("src/ours.py", "VALUE = 1\n")
    app.write("values/one.txt", "10")
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    body = "    import ours\n    return ours.VALUE + int(Path(cfg.file).read_text())\n\n    logging.getLogger"
    app.write("app.py", text.replace("    logging.getLogger", body))
    app.commit()
    file = str(app.directory / "values/one.txt").replace("'", "\\'")
    assert app.run(f"file='{file}'", env={"PYTHONPATH": str(app.directory / "src")}).code == 0
    app.write("src/ours.py", "VALUE = 100\n")
    app.write("values/one.txt", "1000")
    done = command(app, "reproduce", run_dir(app), "--compare")
    assert done.code == 0, done.text
    assert " return_value     11    11   =" in done.out


def test_how_a_failed_run_ended_is_compared_too(app: App) -> None:
    app.callbacks(RECORD, GIT)
    app.commit()
    assert app.run("x=3", "fail_at=3").code == 1
    done = command(app, "reproduce", run_dir(app), "--compare")
    assert done.code == 1
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "status failed failed =" in lines
    assert any(line.startswith("error ValueError: x must") for line in lines)
    assert "--link" not in done.err, "it failed for the same reason"
    assert "--link" in command(app, "reproduce", run_dir(app), "x=4", "fail_at=4").err


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM")
def test_it_ends_when_it_is_told_to_and_so_does_the_application(app: App) -> None:
    app.callbacks(RECORD, GIT)
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    waits = (
        "    import time\n    while cfg.x == 5 and Path('.git').is_file(): time.sleep(0.01)\n\n    logging.getLogger"
    )
    app.write("app.py", text.replace("    logging.getLogger", waits))
    app.commit()
    assert app.run("x=5").code == 0
    words = [sys.executable, "-m", "hydra_callbacks", "reproduce", run_dir(app)]
    process = subprocess.Popen(words, cwd=app.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: list(app.directory.glob("outputs/reproduced/*/run/.hydra/run.json")))
    pid = only_record(app, "outputs/reproduced/*/run")["host"]["pid"]
    process.terminate()
    assert process.wait() == 128 + 15
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
