"""GitInfo: every job knows its commit."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from hydra_callbacks.errors import GitError
from hydra_callbacks.provenance.git import read_state
from hydra_callbacks.provenance.patch import read_patch

if TYPE_CHECKING:
    from conftest import App

GIT: dict[str, Any] = {"_target_": "hydra_callbacks.GitInfo"}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
PATCH = {**GIT, "patch": True, "show_task": False}


def count_calls(app: App) -> dict[str, str]:
    """Put a program named git on the path that writes down its calls, and return the environment for it."""
    real = app.git("--exec-path")
    script = app.write("bin/git", f'#!/bin/sh\necho "$@" >> "{app.directory}/calls"\nexec "{real}/git" "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}"}


def test_a_single_run_logs_it_and_shows_it_to_the_task(app: App) -> None:
    app.callbacks(GIT, RECORD)
    sha = app.commit()
    app.write("untracked.txt", "does not count")
    done = app.run()
    assert done.code == 0, done.text
    assert f"Git sha: {sha}, dirty: False" in done.out
    config = yaml.safe_load(app.one("outputs/*/*/.hydra/config.yaml").read_text())
    assert config["git"] == {"sha": sha, "is_dirty": False}
    told = {"sha": sha, "branch": "main", "is_dirty": False, "root": str(app.directory)}
    assert app.record()["git"] == told


def test_a_key_of_the_applications_own_stays_and_the_preset_adds_none(app: App) -> None:
    app.callbacks(GIT)
    app.commit()
    assert app.run("+git={repo: x}").code == 0
    assert yaml.safe_load(app.one("outputs/*/*/.hydra/config.yaml").read_text())["git"] == {"repo": "x"}
    app.write("conf/config.yaml", "x: 1\nfail_at: -1\n")
    assert app.run("hydra/callbacks=default", "hydra.run.dir=outputs/by/preset").code == 0
    config = yaml.safe_load((app.directory / "outputs/by/preset/.hydra/config.yaml").read_text())
    assert config == {"x": 1, "fail_at": -1}
    assert len(app.record("outputs/by/preset")["git"]["sha"]) == 40


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for git")
@pytest.mark.parametrize("order", [[GIT, RECORD], [RECORD, GIT]])
@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]])
def test_every_job_of_a_sweep_records_it_and_the_tree_is_read_once(
    app: App, launcher: list[str], order: list[dict[str, Any]]
) -> None:
    app.callbacks(*order)
    sha = app.commit()
    app.write("app.py", (app.directory / "app.py").read_text() + "\n# changed\n")
    done = app.run("-m", "x=1,2,3", *launcher, env=count_calls(app))
    assert done.code == 0, done.text
    assert f"Git sha: {sha}, dirty: True" in done.out
    for number in range(3):
        told = {"sha": sha, "branch": "main", "is_dirty": True, "root": str(app.directory)}
        assert app.record(f"multirun/*/*/{number}")["git"] == told
    calls = (app.directory / "calls").read_text().splitlines()
    assert sum(" status " in call for call in calls) == 1


@pytest.mark.parametrize("mode", [[], ["-m", "x=1,2"]])
def test_clean_refuses_a_dirty_tree(app: App, mode: list[str]) -> None:
    app.callbacks({**GIT, "clean": True})
    app.commit()
    assert app.run(*mode).code == 0
    app.write("conf/config.yaml", (app.directory / "conf/config.yaml").read_text() + "# staged\n")
    app.git("add", "-A")
    done = app.run(*mode, "hydra.run.dir=never", "hydra.sweep.dir=never")
    assert done.code == 1
    assert "Repo is dirty, aborting" in done.out
    assert "commit or stash" in done.out
    assert done.err == ""
    assert not (app.directory / "never").exists()


@pytest.mark.parametrize(("env", "why"), [({}, "is in no git repository"), ({"PATH": "nowhere"}, "is no git program")])
def test_clean_refuses_what_is_no_repository_or_cannot_be_read(app: App, env: dict[str, str], why: str) -> None:
    app.callbacks({**GIT, "clean": True})
    done = app.run("hydra.run.dir=never", env=env)
    assert done.code == 1
    assert "No clean git repository, aborting" in done.out
    assert why in done.out
    assert not (app.directory / "never").exists()


@pytest.mark.parametrize("path", ["nowhere", None])
def test_no_repository_or_no_git_is_said_in_a_line_and_the_run_goes_on(app: App, path: str | None) -> None:
    app.callbacks(GIT, RECORD)
    done = app.run(env={"PATH": path} if path else {})
    assert done.code == 0
    assert "No git information: " in done.out
    assert "there is no git program" in done.out or "is in no git repository" in done.out
    assert "Traceback" not in done.text
    (problem,) = app.record()["git"].values()
    assert "there is no git program" in problem or "is in no git repository" in problem


def others(app: App, how: str) -> dict[str, str]:
    """Let the repository belong to another user, and return the environment for it."""
    if how == "owner":
        if sys.platform == "win32" or os.geteuid() != 0:
            pytest.skip("only root can give files away")
        for path in (app.directory, *app.directory.rglob("*")):
            os.chown(path, 65534, 65534, follow_symlinks=False)
    config = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}  # where it may be declared safe
    return config if how == "owner" else {**config, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}


@pytest.mark.parametrize("how", ["owner", "as git's own tests do"])
def test_a_repository_of_another_user_is_said_in_a_line_and_the_run_goes_on(app: App, how: str) -> None:
    app.callbacks(PATCH, RECORD)
    app.commit()
    env = others(app, how)
    remedy = f"git config --global --add safe.directory '{app.directory}'".replace("d'été", "d'\\''été")
    for mode in ([], ["-m", "x=1,2"]):
        done = app.run(*mode, env=env)
        assert done.code == 0, done.text
        (line,) = (line for line in done.out.splitlines() if "No git information: " in line)
        assert line.endswith(f"is in a repository of another user, which git does not read; if you trust it: {remedy}")
        assert "Traceback" not in done.text
    assert app.record()["git"] == {"problem": line.partition("No git information: ")[2]}
    app.callbacks({**GIT, "clean": True})
    done = app.run("hydra.run.dir=never", env=env)
    assert done.code == 1
    assert "No clean git repository, aborting: " in done.out
    assert remedy in done.out
    assert not (app.directory / "never").exists()
    trusting = app.write("trusting", "[safe]\n\tdirectory = *\n")  # what the remedy comes to
    assert "Git sha: " in app.run(env={**env, "GIT_CONFIG_GLOBAL": str(trusting)}).out


def test_states_that_a_tree_can_be_in(app: App) -> None:
    app.git("init", "-q", "-b", "été")
    assert read_state(app.directory) == (state := read_state(app.directory))
    assert (state.sha, state.branch, state.is_dirty) == (None, "été", False)
    sha = app.commit()
    (app.directory / "conf").joinpath("new\nline.txt").write_text("untracked")
    assert read_state(app.directory / "conf").sha == sha
    app.git("checkout", "-q", "--detach")
    state = read_state(app.directory)
    assert (state.sha, state.branch, state.is_dirty) == (sha, None, False)
    app.git("rm", "-q", "--cached", "app.py")
    assert read_state(app.directory).is_dirty


def test_git_errors_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GitError, match=r"is in no git repository; run `git init`"):
        read_state(tmp_path)
    with pytest.raises(GitError, match="could not be run"):
        read_state(tmp_path / "gone")
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    with pytest.raises(GitError, match="git"):
        read_state(tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GitError, match="no git program on the PATH"):
        read_state(tmp_path)


def test_reading_changes_nothing_in_the_repository(app: App) -> None:
    app.commit()
    (app.directory / "app.py").touch()  # git would like to refresh its index
    before = {path: path.read_bytes() for path in Path(app.directory / ".git").rglob("*") if path.is_file()}
    assert not read_state(app.directory).is_dirty
    assert {path: path.read_bytes() for path in Path(app.directory / ".git").rglob("*") if path.is_file()} == before


# The patch


def applied(app: App, record: dict[str, Any], where: Path) -> Path:
    """Return a fresh clone of a record's commit with its patch applied."""
    app.git("clone", "-q", record["git"]["root"], str(where))
    subprocess.run(["git", "checkout", "-q", record["git"]["sha"]], cwd=where, check=True)
    data = read_patch(Path(record["output_dir"]) / record["git"]["patch"])
    subprocess.run(["git", "apply", "--binary", "-"], input=data, cwd=where, check=True)
    return where


def test_the_patch_of_a_single_run_gives_the_tree_that_ran(app: App, tmp_path: Path) -> None:
    app.callbacks(PATCH, RECORD)
    app.write(".gitignore", "outputs\n")
    app.commit()
    app.write("conf/config.yaml", (app.directory / "conf/config.yaml").read_text() + "# changed\n")
    app.write("helper é.py", "x = 1\n")
    assert app.run().code == 0
    record = app.record()
    assert record["git"]["is_dirty"] is True
    assert re.fullmatch(r"\.hydra/git-[0-9a-f]{8}\.patch", record["git"]["patch"])
    clone = applied(app, record, tmp_path / "clone")
    for name in ("conf/config.yaml", "helper é.py", "app.py"):
        assert (clone / name).read_bytes() == (app.directory / name).read_bytes()


@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]])
def test_the_jobs_of_a_sweep_share_one_patch(app: App, tmp_path: Path, launcher: list[str]) -> None:
    app.callbacks(RECORD, PATCH)
    app.write(".gitignore", "multirun\n")
    app.commit()
    app.write("new.py", "x = 1\n")
    assert app.run("-m", "x=1,2", *launcher).code == 0
    for number in range(2):
        record = app.record(f"multirun/*/*/{number}")
        assert re.fullmatch(r"\.\./\.provenance/git-[0-9a-f]{8}\.patch", record["git"]["patch"])
        assert (applied(app, record, tmp_path / f"clone {number}") / "new.py").read_text() == "x = 1\n"
    assert len(list(app.directory.rglob("*.patch*"))) == 1


def test_what_runs_have_made_is_no_part_of_the_patch(app: App) -> None:
    app.callbacks(PATCH, RECORD)
    app.git("init", "-q")
    app.git("add", "-A")
    app.git("commit", "-q", "-m", "nothing is ignored")
    app.write("helper.py", "x = 1\n")
    app.write("__pycache__/helper.cpython-311.pyc", "made")
    assert app.run().code == 0
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=sweeps/first").code == 0
    app.write("other/module.py", "x = 1\n")
    assert app.run("hydra.run.dir=other/place").code == 0
    (patch,) = app.directory.glob("other/place/.hydra/*.patch")
    files = [line.rpartition(" b/")[2] for line in patch.read_text().splitlines() if line.startswith("diff --git ")]
    assert [name for name in files if not name.startswith("sweeps/first/")] == ["helper.py", "other/module.py"]
    assert not [name for name in files if name.startswith("sweeps/first/0/")], "the directory of a run"


def test_a_clean_tree_has_no_patch(app: App) -> None:
    app.callbacks(PATCH, RECORD)
    app.write(".gitignore", "outputs\n")
    app.commit()
    assert app.run().code == 0
    assert app.record()["git"]["patch"] is None
    assert list(app.directory.rglob("*.patch*")) == []


def test_what_the_patch_lacks_is_logged_and_recorded_and_no_secret_is_written(app: App) -> None:
    app.callbacks(PATCH, RECORD, more="db: {password: swordfish-17}\n")
    app.commit()
    app.write(".env", "KEY=other-secret-1\n")
    app.write("notes.txt", "it is swordfish-17\n")
    app.write("large.bin", "x" * 1_100_000)
    app.write("of-swordfish-17.pem", "x\n")
    app.write("fine.py", "x = 1\n")
    done = app.run()
    assert done.code == 0, done.text
    assert "The patch lacks .env, large.bin, of-<redacted>.pem, notes.txt (" in done.out
    assert app.record()["git"]["left_out"] == [
        {"file": ".env", "why": "its name says that it is secret"},
        {"file": "large.bin", "why": "1.1 MB"},
        {"file": "of-<redacted>.pem", "why": "its name says that it is secret"},
        {"file": "notes.txt", "why": "holds a secret"},
    ]
    outputs = [file for file in (app.directory / "outputs").rglob("*") if file.is_file()]
    told = {file.name: file.read_bytes() for file in outputs if file.name != "config.yaml"}  # Hydra's own
    assert b"+x = 1" in b"".join(told.values())
    assert not [name for name, text in told.items() if b"swordfish-17" in text or b"other-secret-1" in text]


def test_the_repository_is_that_of_the_application_or_as_it_is_set(app: App, tmp_path: Path) -> None:
    app.callbacks(GIT, RECORD)
    mine = app.commit()
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "other"]):
        subprocess.run(["git", "-c", "user.name=me", "-c", "user.email=me@x", *words], cwd=elsewhere, check=True)
    for name, setting, is_mine in (("a", "app", True), ("b", "cwd", False), ("c", str(app.directory), True)):
        app.callbacks({**GIT, "repository": setting}, RECORD)
        words = [sys.executable, str(app.directory / "app.py"), f"hydra.run.dir={name}"]
        subprocess.run(words, cwd=elsewhere, env=app.environment(), check=True, capture_output=True)
        record = json.loads((elsewhere / name / ".hydra/run.json").read_text())
        assert (record["git"]["sha"] == mine) is is_mine
        assert record["git"]["root"] == str(app.directory if is_mine else elsewhere)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for git")
def test_a_job_does_not_wait_for_git_and_is_recorded_when_git_has_answered(app: App) -> None:
    app.callbacks(PATCH, RECORD)
    app.commit()
    real = app.git("--exec-path")
    slow = 'case "$*" in *status*) while [ ! -e go ]; do sleep 0.01; done;; esac'
    script = app.write("bin/git", f'#!/bin/sh\n{slow}\nexec "{real}/git" "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    waits = (
        "    import time\n    from pathlib import Path\n"
        "    run = next(Path().glob('outputs/*/*/.hydra/run.json'))\n"
        "    assert 'git' not in json.loads(run.read_text())\n"
        "    Path('go').touch()\n"
        "    while 'git' not in json.loads(run.read_text()): time.sleep(0.01)\n"
    )
    text = (app.directory / "app.py").read_text()
    app.write("app.py", text.replace("    if cfg.x ==", f"{waits}    if cfg.x =="))
    done = app.run(env={"PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}"})
    assert done.code == 0, done.text
    assert app.record()["git"]["is_dirty"] is True
