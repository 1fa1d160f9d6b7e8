"""reproduce: what a reproduced run is told of itself, and in what it differs from the original."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from mendable import command
from reproducing import ENVIRONMENT, GIT, RECORD, only_record, run_dir, task

if TYPE_CHECKING:
    from conftest import App

DIFFERS = "Differs: the packages are not known: EnvironmentInfo was off"


def differences(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("Differs: ") and line != DIFFERS]


def test_a_job_that_reads_its_number_and_id_gets_them(app: App) -> None:
    app.callbacks(RECORD, GIT)
    task(app, "job = HydraConfig.get().job; return {'num': job.num, 'id': job.id}")
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=multirun/s").code == 0
    done = command(app, "reproduce", "multirun/s/1", "--compare")
    assert done.code == 0, done.text
    assert only_record(app, "multirun/reproduced/*/run")["result"] == {"num": 1, "id": "1"}


def test_an_id_that_looks_like_a_number_stays_as_it_is(app: App) -> None:
    """Those of Slurm: `1234_5` is a number in Python, and in Hydra's grammar."""
    app.callbacks(RECORD, GIT)
    task(app, "return {'id': HydraConfig.get().job.id} if 'id' in HydraConfig.get().job else None")
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=multirun/s").code == 0
    file = app.directory / "multirun/s/1/.hydra/run.json"
    file.write_text(re.sub(r'"id":\s*"1"', '"id": "1234_5"', file.read_text(encoding="utf-8")), encoding="utf-8")
    done = command(app, "reproduce", "multirun/s/1")
    assert done.code == 0, done.text
    assert only_record(app, "multirun/reproduced/*/run")["result"] == {"id": "1234_5"}


def test_a_configuration_that_differs_is_told(app: App) -> None:
    app.callbacks(RECORD, GIT, more="place: ${hydra:runtime.output_dir}/x\nhome: ${hydra:runtime.cwd}/data\n")
    app.commit()
    more = "x_token: ghp_Ab0123456789abcdefghijABCDEFGHIJ012345\n"
    text = (app.directory / "conf/config.yaml").read_text(encoding="utf-8")
    app.write("conf/config.yaml", more + text.replace("lr: 0.1", "lr: 0.7"))
    assert app.run("x=3").code == 0
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=multirun/s").code == 0
    told = ["opt.lr: 0.7 then, 0.1 now", "x_token: <redacted> then, (not there) now"]
    done = command(app, "reproduce", run_dir(app), "x=8")
    assert (done.code, sorted(differences(done.err))) == (0, [f"Differs: {each}" for each in told])
    done = command(app, "reproduce", "multirun/s")
    assert sorted(differences(done.err)) == [f"Differs: job {number}: {each}" for number in (0, 1) for each in told]


def test_the_same_configuration_is_not_told(app: App) -> None:
    app.callbacks(RECORD, {**GIT, "show_task": True}, more="place: ${hydra:runtime.output_dir}/x\nfile: ''\n")
    app.write("values.txt", "1")
    app.commit()
    file = str(app.directory / "values.txt").replace("'", "\\'")
    assert app.run(f"file='{file}'", "opt.lr=.nan").code == 0
    done = command(app, "reproduce", run_dir(app))
    assert (done.code, differences(done.err)) == (0, [])


def test_a_patch_that_was_cut_or_altered_is_told(app: App) -> None:
    app.callbacks(RECORD, GIT)
    app.write("a.txt", "1\n")
    app.write("b.txt", "1\n")
    app.commit()
    app.write("a.txt", "2\n")
    app.write("b.txt", "2\n")
    assert app.run().code == 0
    (file,) = (app.directory / run_dir(app)).glob(".hydra/*.patch")
    assert "Missing" not in command(app, "reproduce", run_dir(app)).err
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.index("diff --git a/b.txt")], encoding="utf-8")
    done = command(app, "reproduce", run_dir(app))
    assert f"Missing: the patch was changed or cut since: {file.name}\n" in done.err
    assert "It ran without 1 part of the original" in done.err
    assert (
        f"# Missing: the patch was changed or cut since: {file.name}\n"
        in command(app, "reproduce", run_dir(app), "--print").out
    )


def test_a_failure_that_is_new_is_no_data_that_git_does_not_know_when_it_is_the_old_one(app: App) -> None:
    app.callbacks(RECORD, GIT)
    task(app, "(Path(HydraConfig.get().runtime.cwd) / 'data').read_text() if cfg.x == 7 else None")
    assert app.run("x=3", "fail_at=3").code == 1
    old = command(app, "reproduce", run_dir(app))
    assert (old.code, "--link" in old.err) == (1, False)
    app.write(".gitignore", "outputs/\n*_x\ndata\n")
    app.write("data", "1")
    assert app.run("x=7", "hydra.run.dir=outputs/seven/x").code == 0
    new = command(app, "reproduce", "outputs/seven/x")
    assert (new.code, "--link" in new.err) == (1, True)


def test_a_secret_that_is_given_anew_is_shown_nowhere_but_in_the_script(app: App) -> None:
    app.callbacks(RECORD, GIT, more="api_key: ''\n")
    app.commit()
    assert app.run("api_key=sk-123456").code == 0
    done = command(app, "reproduce", run_dir(app), "api_key=sk-123456", "--compare")
    assert done.code == 0, done.text
    assert "sk-123456" not in done.text
    assert "api_key=<redacted>" in done.err
    done = command(app, "reproduce", run_dir(app), "api_key=sk-123456", "--print")
    assert "api_key=sk-123456" in done.out
    assert "Note: the script holds api_key, which is secret\n" in done.err


def test_the_interpreter_gets_its_options_again(app: App) -> None:
    app.callbacks(RECORD, GIT, ENVIRONMENT)
    task(app, "return {'optimize': sys.flags.optimize, 'is_dev': sys.flags.dev_mode}")
    assert app.run(flags=("-O", "-X", "dev", "-I")).code == 0
    done = command(app, "reproduce", run_dir(app), "--compare")
    assert done.code == 0, done.text
    assert only_record(app, "outputs/reproduced/*/run")["result"] == {"optimize": 1, "is_dev": True}
    script = command(app, "reproduce", run_dir(app), "--print").out
    assert f"{sys.executable} -O -X dev app.py" in script


def test_why_there_is_no_commit_is_told(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.callbacks(RECORD, GIT)
    app.commit()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "nowhere")
        assert app.run().code == 0
    done = command(app, "reproduce", run_dir(app))
    assert done.code == 2
    assert "recorded no commit: there is no git program on the PATH" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="a shell command as a filter")
def test_why_there_is_no_patch_is_told(app: App) -> None:
    app.callbacks(RECORD, GIT)
    app.write(".gitattributes", "*.bad filter=bad\n")
    app.commit()
    app.git("config", "filter.bad.clean", "false")
    app.git("config", "filter.bad.required", "true")
    app.write("new.bad", "1\n")
    assert app.run().code == 0
    recorded = only_record(app, "outputs/20*/*")["git"]
    assert {"sha", "problem"} <= recorded.keys()
    assert "patch" not in recorded
    done = command(app, "reproduce", run_dir(app))
    assert (done.code, "Missing: what had been changed and not committed: git update-index in " in done.err) == (
        0,
        True,
    )


def test_where_a_commit_that_is_gone_may_be_had(app: App) -> None:
    app.callbacks(RECORD, GIT)
    app.commit()
    app.git("remote", "add", "origin", "https://ada:ghp_Ab0123456789@example.org/x")
    sha = app.git("rev-parse", "HEAD")
    assert app.run().code == 0
    (app.directory / ".git").rename(app.directory / "moved")
    done = command(app, "reproduce", run_dir(app))
    assert done.code == 2
    assert done.err.strip().endswith(f'git -C "{app.directory}" fetch origin {sha}')
