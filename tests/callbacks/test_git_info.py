"""GitInfo: every job knows its commit."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from hydra_callbacks.errors import GitError
from hydra_callbacks.provenance.git import read_state

if TYPE_CHECKING:
    from conftest import App

GIT: dict[str, Any] = {"_target_": "hydra_callbacks.GitInfo"}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}


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
    assert app.record()["git"] == {"sha": sha, "branch": "main", "is_dirty": False}


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
        assert app.record(f"multirun/*/*/{number}")["git"] == {"sha": sha, "branch": "main", "is_dirty": True}
    calls = (app.directory / "calls").read_text().splitlines()
    assert len(calls) == 1
    assert " status " in calls[0]


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


def test_clean_refuses_what_is_no_repository(app: App) -> None:
    app.callbacks({**GIT, "clean": True})
    done = app.run("hydra.run.dir=never")
    assert done.code == 1
    assert "No clean git repository, aborting" in done.out
    assert "is in no git repository" in done.out
    assert not (app.directory / "never").exists()


@pytest.mark.parametrize("path", ["nowhere", None])
def test_no_repository_or_no_git_is_said_in_a_line_and_the_run_goes_on(app: App, path: str | None) -> None:
    app.callbacks(GIT, RECORD)
    done = app.run(env={"PATH": path} if path else {})
    assert done.code == 0
    assert "No git information: " in done.out
    assert "there is no git program" in done.out or "is in no git repository" in done.out
    assert "Traceback" not in done.text
    assert "git" not in app.record()


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
