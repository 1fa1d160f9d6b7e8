"""A configuration written for the published release runs unchanged, and leaves what was promised."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from conftest import PLAIN_APP
from patient import FOR_GPUS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

# The examples of the published API reference, one after the other, as they stand there.
PUBLISHED = """
x: 1
fail_at: -1
hydra:
  callbacks:
    exec_shell:
      _target_: hydra_callbacks.ExecShellCommand
      run_command: echo "run done"
      multirun_command: echo "multirun done"
    git_infos:
      _target_: hydra_callbacks.GitInfo
      clean: true
    latest_run:
      _target_: hydra_callbacks.LatestRunLink
      run_base_dir: outputs
      multirun_base_dir: multirun
    gather:
      _target_: hydra_callbacks.MultiRunGatherer
      result_file: results.json
      aggregator: hydra_callbacks.MultiRunGatherer._default_aggregator
    register_run:
      _target_: hydra_callbacks.RegisterRun
      enabled: true
      register_file: register.csv
      run_base_dir: outputs
      multirun_base_dir: multiruns
    resource_monitor:
      _target_: hydra_callbacks.ResourceMonitor
      enabled: true
      sample_interval: 1
      monitoring_file: resource_monitoring.csv
      gpu_monit: true
    perf:
      _target_: hydra_callbacks.RuntimePerformance
      enabled: true
    set_env:
      _target_: hydra_callbacks.SetEnvironment
      enabled: true
      env:
        VAR1: "value1"
        VAR2: "value2"
"""
PUBLISHED_COLUMNS = ["", "time", "cpus", "rss_GiB", "vms_GiB", "job_name", "job_id"]
LINES = (
    "Git sha: {sha}, dirty: False",
    "Writing monitoring data to {directory}/resource_monitoring.csv",
    "Total runtime: ",
    "Latest run is at: {relative}",
    "Latest run is also at: {base}/latest",
)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("package", ["hydra_callbacks", "hydra_callbacks.callbacks"])
def test_single_runs(app: App, package: str) -> None:
    app.write("conf/config.yaml", PUBLISHED.replace("_target_: hydra_callbacks.", f"_target_: {package}."))
    app.write("app.py", FOR_GPUS + PLAIN_APP)
    sha = app.commit()
    done = app.run()
    assert done.code == 0, done.text
    run = app.one("outputs/2*/*")
    assert_said(done.out, sha, run, app.directory)
    assert "run done" in done.out.splitlines()
    assert done.out.count("[WARNING] - Not measured: gpus: ") == 1
    assert {path.name for path in run.iterdir()} == {".hydra", "app.log", "results.json", "resource_monitoring.csv"}
    assert {path.name for path in app.directory.iterdir()} - {"__pycache__"} == {
        *("app.py", "conf", ".git", ".gitignore", "outputs")
    }
    header, row = rows(app.directory / "outputs/register.csv")
    assert header[:6] == ["x", "fail_at", "git.sha", "git.is_dirty", "run-dir", "job_success"]
    assert row[:6] == ["1", "-1", sha, "False", str(run.relative_to(app.directory)), "True"]
    assert rows(run / "resource_monitoring.csv")[0][:7] == PUBLISHED_COLUMNS


@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]])
def test_sweeps(app: App, launcher: list[str]) -> None:
    app.write("conf/config.yaml", PUBLISHED)
    sha = app.commit()
    done = app.run("-m", "x=1,2,3", *launcher)
    assert done.code == 0, done.text
    sweep = app.one("multirun/2*/*")
    assert_said(done.out, sha, sweep, app.directory)
    assert f"Gathered results in {sweep / 'agg_results.csv'}" in done.out
    assert "multirun done" in done.out.splitlines()
    assert rows(sweep / "agg_results.csv")[0][:2] == ["", "double"]
    monitored = rows(sweep / "resource_monitoring.csv")
    assert monitored[0][:7] == PUBLISHED_COLUMNS
    assert {row[6] for row in monitored[1:]} == {"0", "1", "2"}
    assert len(rows(app.directory / "multiruns/register.csv")) == 4
    assert not list(sweep.rglob("*.tmp")) + list(sweep.rglob("*.lock"))


def assert_said(out: str, sha: str, directory: Path, cwd: Path) -> None:
    relative = directory.relative_to(cwd)
    for line in LINES:
        assert line.format(sha=sha, directory=directory, relative=relative, base=cwd / relative.parts[0]) in out
