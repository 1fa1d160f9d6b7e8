"""reproduce: relative paths lead into the rebuilt tree, or are told; and what is linked lies in both trees."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import Ran
from mendable import command
from reproducing import ENVIRONMENT, GIT, RECORD, only_record, run_dir, task

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

OURS = [sys.executable, "-m", "hydra_callbacks", "reproduce"]


def called(cwd: Path, *words: str, **variables: str) -> Ran:
    environ = {**os.environ, **variables}
    done = subprocess.run(words, cwd=cwd, env=environ, capture_output=True, encoding="utf-8", check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def elsewhere(app: App) -> Path:
    """A directory outside of an application's tree, in which it is started; its module `ours` tells the trees apart."""
    app.write("src/ours.py", "VALUE = 1\n")
    app.write("src/__init__.py", "")
    app.callbacks(RECORD, GIT, ENVIRONMENT, more="file: null\n")
    task(app, "sys.path.append(str(Path(__file__).parent / 'src')); import ours; return ours.VALUE")
    folder = app.directory.parent / "elsewhere"
    folder.mkdir()
    return folder


def overwrite(app: App) -> None:
    app.write("src/ours.py", "VALUE = 1000\n")


def test_a_program_that_was_named_from_outside_of_its_tree_is_the_rebuilt_one(app: App, elsewhere: Path) -> None:
    program = f"../{app.directory.name}/app.py"
    assert called(elsewhere, sys.executable, program, "hydra.run.dir=o/a").code == 0
    assert called(elsewhere, sys.executable, program, "-m", "x=1,2", "hydra.sweep.dir=o/s").code == 0
    overwrite(app)
    done = called(elsewhere, *OURS, "o/a", "--compare")
    assert " return_value      1     1   =" in done.out, done.text
    done = called(elsewhere, *OURS, "o/s", "--compare")
    assert "    1   return_value      1     1   =" in done.out, done.text
    script = called(elsewhere, *OURS, "o/a", "--print").out
    (line,) = (line for line in script.splitlines() if "app.py" in line)
    assert "elsewhere/o/reproduced/" in line.partition("app.py")[0]


def test_a_relative_path_of_modules_leads_into_the_rebuilt_tree(app: App, elsewhere: Path) -> None:
    app.write("src/program.py", (app.directory / "app.py").read_text().replace('"conf"', '"../conf"'))
    app.commit()
    path = f"../{app.directory.name}/src"
    words = (sys.executable, "-m", "program", "hydra.run.dir=o/a")
    assert called(elsewhere, *words, PYTHONPATH=path).code == 0
    overwrite(app)
    for now in ("", path):
        done = called(elsewhere, *OURS, "o/a", "--compare", PYTHONPATH=now)
        assert " return_value      1     1   =" in done.out, done.text
    script = called(elsewhere, *OURS, "o/a", "--print").out
    (line,) = (line for line in script.splitlines() if line.startswith("export PYTHONPATH="))
    assert path not in line
    assert line.rstrip("'").endswith("/code/src")


def test_relative_paths_out_of_the_tree_are_told(app: App) -> None:
    app.callbacks(RECORD, GIT, more="file: null\n")
    app.commit()
    outside = app.directory.parent / "conf outside"
    outside.mkdir()
    (app.directory / "conf/config.yaml").rename(outside / "config.yaml")
    words = ("-cp", "../conf outside", "x=3", "file=../data/d", "+near=conf/../app.py", "+very='../quoted'")
    assert app.run(*words).code == 0
    done = command(app, "reproduce", run_dir(app))
    notes = [line.partition(" leads ")[0] for line in done.err.splitlines() if line.startswith("Note: ")]
    assert notes == ["Note: -cp ../conf outside", "Note: file=../data/d", "Note: +very='../quoted'"]
    assert " leads out of the tree, and is elsewhere seen from the rebuilt one" in done.err
    assert command(app, "reproduce", run_dir(app), "--print").err.count("Note: ") == 3


def test_only_what_lies_in_the_original_tree_is_linked(app: App) -> None:
    app.callbacks(RECORD, GIT)
    app.write("ignored/x", "1")
    app.commit()
    app.write(".gitignore", "outputs\nignored\n__pycache__\n")
    app.write("data/x.pem", "its name says that it is secret")
    app.git("rm", "-q", "-r", "--cached", "ignored")
    app.git("commit", "-q", "-a", "-m", "ignored")
    assert app.run().code == 0
    before = sorted(app.directory.iterdir())
    for link, why in {
        str(app.directory / "nowhere"): "there is no ",
        "nowhere": "there is no ",
        "../outside": "is not in ",
        str(app.directory.parent): "is not in ",
        ".": "is not in ",
    }.items():
        done = command(app, "reproduce", run_dir(app), "--link", link)
        assert (done.code, f"--link {link}" in done.err, why in done.err) == (2, True, True), done.text
    assert sorted(app.directory.iterdir()) == before
    assert not list(app.directory.glob("outputs/reproduced/*"))
    absolute = str(app.directory / "ignored")
    done = command(app, "reproduce", run_dir(app), "--link", absolute, "--link", "./data/x.pem")
    assert done.code == 0, done.text
    assert "Missing" not in done.err
    assert "It ran without" not in done.err
    (code,) = app.directory.glob("outputs/reproduced/*/code")
    assert (code / "ignored").readlink() == app.directory / "ignored"
    assert (code / "data/x.pem").readlink() == app.directory / "data/x.pem"


def test_a_submodule_that_cannot_be_had_can_be_linked(app: App) -> None:
    lib = app.directory.parent / "lib"
    lib.mkdir()
    (lib / "sub.py").write_text("VALUE = 5\n", encoding="utf-8")
    me = ("-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "protocol.file.allow=always")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "all")):
        subprocess.run(["git", *me, *words], cwd=lib, check=True)
    app.callbacks(RECORD, GIT)
    app.git("init", "-q")
    subprocess.run(["git", *me, "submodule", "--quiet", "add", str(lib), "vendor/sub"], cwd=app.directory, check=True)
    task(app, "sys.path.append(str(Path(__file__).parent / 'vendor/sub')); import sub; return sub.VALUE")
    assert app.run().code == 0
    lib.rename(lib.with_name("moved"))
    modules = app.directory / ".git/modules/vendor/sub"
    (modules / "objects").rename(modules / "kept")  # as where the commit is in no repository here
    (modules / "objects").mkdir()
    done = command(app, "reproduce", run_dir(app))
    assert (done.code, "Missing: the submodule vendor/sub: " in done.err) == (1, True), done.text
    done = command(app, "reproduce", run_dir(app), "--compare", "--link", "vendor/sub")
    assert " return_value      5     5   =" in done.out, done.text
    assert "It ran without" not in done.err
    assert only_record(app, "outputs/reproduced/*-2/run")["git"]["sha"] == app.git("rev-parse", "HEAD")


def test_what_is_made_beside_a_run_is_no_part_of_the_next_patch(app: App) -> None:
    app.callbacks(RECORD, GIT)
    app.commit()
    app.write(".gitignore", "__pycache__\n")
    app.git("commit", "-q", "-a", "-m", "less is ignored")
    assert app.run("hydra.run.dir=x").code == 0
    done = command(app, "reproduce", "x")
    assert done.code == 0, done.text
    assert app.git("status", "--porcelain", "--untracked-files=all", "reproduced") == ""
    assert app.run("hydra.run.dir=y").code == 0
    assert "left_out" not in only_record(app, "y")["git"]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_scripts_that_are_printed_one_after_the_other_do_not_meet(app: App) -> None:
    app.callbacks(RECORD, GIT)
    app.commit()
    assert app.run("hydra.run.dir=x").code == 0
    scripts = [command(app, "reproduce", "x", "--print").out for _ in range(2)]
    for script in scripts:
        subprocess.run(["sh"], input=script, cwd=app.directory, check=True, encoding="utf-8", capture_output=True)
    assert len(list(app.directory.glob("reproduced/*/run/.hydra/run.json"))) == 2
    assert app.git("status", "--porcelain", "reproduced") == ""
