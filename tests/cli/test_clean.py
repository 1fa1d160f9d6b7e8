"""`hydra-callbacks clean`: what may go goes, after a question, and nothing else ever does."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, lines, program, program_of_nobody
from conftest import wait_for
from run_dirs import GONE, failed, job, make_hydra_run, make_run, running, write

from hydra_callbacks.cli import clean
from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.record import timestamp

if TYPE_CHECKING:
    from conftest import App, Ran

FAILED = ("clean", "--state", "failed")
ALL = ("clean", *(word for state in clean._STATES for word in ("--state", state)), "--delete", "--yes")
NOTHING = "There is nothing to clean up\n"


@pytest.fixture
def sweep(here: Path) -> Path:
    """A sweep with two jobs that failed, and one in each other state."""
    sweep = here / "multirun" / "2026-11-22" / "10-00-00"
    write(sweep / "multirun.yaml", "hydra: {}\n")
    make_run(sweep / "0", 0, job=job(0))
    make_run(sweep / "1", 1, job=job(1), **failed())
    make_run(sweep / "2", 2, job=job(2), status="interrupted")
    make_run(sweep / "3", 3, job=job(3), **running(os.getpid()))
    make_run(sweep / "4", 4, job=job(4), **running(GONE))
    make_hydra_run(sweep / "5", num=5)
    make_run(sweep / "6", 6, job=job(6), **failed())
    write(sweep / "1" / "model.bin", "x" * 1_572_864)
    for folder in sweep.iterdir():
        if folder.is_dir():
            total = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            write(folder / "fill", " " * (10_240 - total % 10_240))
    return sweep


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def left_alone(done: Ran) -> list[str]:
    return [line.partition(": ")[2] for line in done.err.splitlines() if line.startswith("Left alone: ")]


@pytest.mark.parametrize("width", [80, 160])
def test_it_says_first_what_would_go_and_how_much_it_is(sweep: Path, width: int) -> None:
    chosen, spared = clean.choose(Path(), {"completed", "failed", "lost", "unknown", "interrupted"}, None)
    out = io.StringIO()
    clean.tell(chosen, out, width=width)
    assert spared == []
    assert lines(out.getvalue()) == (
        "\n"
        "  run                              status          size\n"
        " ───────────────────────────────────────────────────────────\n"
        "  multirun/2026-11-22/10-00-00/0   ✓ completed     10.0 KiB\n"
        "  multirun/2026-11-22/10-00-00/1   ✗ failed        1.5 MiB\n"
        "  multirun/2026-11-22/10-00-00/2   ■ interrupted   10.0 KiB\n"
        "  multirun/2026-11-22/10-00-00/4   ? lost          10.0 KiB\n"
        "  multirun/2026-11-22/10-00-00/5   · unknown       10.0 KiB\n"
        "  multirun/2026-11-22/10-00-00/6   ✗ failed        10.0 KiB\n"
        "\n"
        "6 runs (1 completed, 2 failed, 1 interrupted, 1 lost, 1 unknown), 1.6 MiB"
    )


def test_nothing_is_done_without_a_yes(sweep: Path) -> None:
    before = names(sweep)
    for answer in ("n\n", "\n"):
        done = called(*FAILED, "--delete", answer=answer)
        assert done.code == 0
        assert "2 runs (2 failed), 1.5 MiB\nDelete them for good? [y/N]: " in done.out
        assert done.out.endswith("Nothing was done\n")
    assert called(*FAILED, "--delete", answer="").code == 1, "no answer is none"
    assert called(*FAILED, "--dry-run").out.endswith("2 runs (2 failed), 1.5 MiB\n")
    assert "Move them to the trash folder? [y/N]: " in called(*FAILED, answer="n\n").out
    assert names(sweep) == before


def test_what_may_go_must_be_said(sweep: Path) -> None:
    done = called("clean", "--delete", "--yes")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("Error: say which runs may go: --state failed, --older-than 30d, or both\n")
    assert called("clean", "--state", "running").code == 2
    assert called("clean", "--older-than", "soon").code == 2
    done = called(*FAILED, "nowhere")
    assert (done.code, done.err) == (2, "Error: there is no directory 'nowhere'; name one that holds runs\n")


def test_runs_are_deleted_for_good_when_asked(sweep: Path) -> None:
    done = called(*FAILED, "--state", "lost", "--delete", answer="y\n")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("Deleted: 3 runs\n")
    assert names(sweep) == {"0", "2", "3", "5", "multirun.yaml"}
    done = called(*FAILED, "--delete", "--yes")
    assert (done.code, done.out) == (0, "There is nothing to clean up\n")


def test_old_runs_go_by_the_time_they_started(here: Path) -> None:
    for name, days in {"young": 1, "old": 31}.items():
        make_run(here / name, days, started_at=timestamp(time.time() - days * 86400))
    make_run(here / "never told", 3, started_at=None)
    assert "Deleted: 1 run\n" in called("clean", "--older-than", "30d", "--delete", "--yes").out
    assert names(here) == {"young", "never told"}
    assert "nothing" in called("clean", "--older-than", "12h", "--state", "failed", "--delete", "--yes").out
    assert called("clean", "--older-than", "12h", "--delete", "--yes").code == 0
    assert names(here) == {"never told"}


# The trash folder


@pytest.mark.skipif(sys.platform != "linux", reason="the trash folder is elsewhere")
def test_runs_are_moved_to_the_trash_folder(sweep: Path, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    done = program(*FAILED, answer="y\n", **home)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("[y/N]: Moved to the trash folder: 2 runs\n")
    assert names(sweep) == {"0", "2", "3", "4", "5", "multirun.yaml"}
    trash = tmp_path / "data" / "Trash"
    assert names(trash / "files") == {"1", "6"}
    assert (trash / "files/1/model.bin").stat().st_size == 1_572_864
    assert json.loads((trash / "files/6/.hydra/run.json").read_text())["status"] == "failed"
    make_run(sweep / "1", 1, **failed())
    assert program(*FAILED, "--yes", **home).code == 0
    assert len(names(trash / "files")) == 3, "another one of the same name is kept beside it"


SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (another file system, if there is one)


@pytest.mark.skipif(
    sys.platform != "linux"
    or not os.access(SHARED_MEMORY, os.W_OK)
    or SHARED_MEMORY.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev,
    reason="there is no other file system to write to",
)
def test_on_another_file_system_runs_are_moved_to_its_own_trash_folder(tmp_path: Path) -> None:
    trash = SHARED_MEMORY / f".Trash-{os.getuid()}"
    was_there = trash.exists()
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        name = f"run of {Path(folder).name}"
        make_run(Path(folder, name), **failed())
        done = program(*FAILED, folder, "--yes", HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "data"))
        assert (done.code, done.err) == (0, "")
        assert names(Path(folder)) == set()
    moved = trash / "files" / name
    try:
        assert (moved / ".hydra" / "run.json").is_file()
    finally:
        shutil.rmtree(moved if was_there else trash)
        (trash / "info" / f"{name}.trashinfo").unlink(missing_ok=True)


@pytest.mark.skipif(sys.platform != "linux", reason="the trash folder is elsewhere")
def test_without_a_trash_folder_runs_stay(sweep: Path, tmp_path: Path) -> None:
    write(tmp_path / "data", "a file")
    done = program(*FAILED, "--yes", HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "data"))
    assert done.code == 2
    assert len(left_alone(done)) == 2
    assert "--delete does without the trash folder" in done.err
    assert done.out.endswith("Moved to the trash folder: 0 runs\n")
    assert done.err.endswith("Error: left alone, for the reasons above: 2 runs\n")
    assert {"1", "6"} < names(sweep)


# What is never touched


def test_a_run_that_is_running_is_never_touched(sweep: Path) -> None:
    assert called(*ALL).out.endswith("Deleted: 6 runs\n")
    assert called(*ALL).out == NOTHING
    assert names(sweep) == {"3", "multirun.yaml"}


def test_a_run_that_starts_again_while_you_think_is_never_touched(sweep: Path) -> None:
    command = [sys.executable, "-m", "hydra_callbacks", *FAILED, "--state", "lost", "--delete"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None
        asked = b""
        while not asked.endswith(b"[y/N]: "):
            asked += process.stdout.read(1)
        make_run(sweep / "1", 1, job=job(1), attempt=2, **running(os.getpid()))
        make_run(sweep / "6", 6, job=job(6), attempt=2)
        _, err = process.communicate(b"y\n")
    assert process.returncode == 2
    place = "multirun/2026-11-22/10-00-00"
    assert err.decode().splitlines() == [
        f"Left alone: {place}/1: it is running",
        f"Left alone: {place}/6: it has changed meanwhile",
        "Error: left alone, for the reasons above: 2 runs",
    ]
    assert names(sweep) == {"0", "1", "2", "3", "5", "6", "multirun.yaml"}


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_a_real_application_is_left_alone_while_it_runs(app: App) -> None:
    app.callbacks({"_target_": "hydra_callbacks.RunRecord"})
    app.write("app.py", (app.directory / "app.py").read_text().replace("return cfg.x", "import time; time.sleep(60)"))
    process = app.start()
    wait_for(lambda: list(app.directory.glob("outputs/*/*/results.json")) or process.poll() is not None)
    assert program(*ALL, cwd=app.directory).out == NOTHING
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert program(*ALL, cwd=app.directory).out.endswith("Deleted: 1 run\n")
    assert names(app.directory) >= {"app.py", "conf"}
    assert not list(app.directory.glob("outputs/*")), "the day goes with its only run"


def test_a_sweeps_directory_stays_for_what_else_is_in_it(sweep: Path) -> None:
    shutil.rmtree(sweep / "3")
    write(sweep / "agg_results.csv", "job_id\n")
    assert called(*ALL).code == 0
    assert names(sweep) == {"multirun.yaml", "agg_results.csv"}


def test_folders_that_are_empty_then_go_but_not_the_one_that_was_named(here: Path) -> None:
    make_run(here / "outputs" / "2026-11-22" / "10-00-00")
    make_run(here / "outputs" / "2026-11-23" / "10-00-00", 1)
    assert called(*ALL, "outputs/2026-11-22").code == 0
    assert names(here / "outputs") == {"2026-11-22", "2026-11-23"}
    assert called(*ALL, "outputs").code == 0
    assert names(here / "outputs") == {"2026-11-22"}, "it was empty before"
    make_run(here / "alone" / "run")
    assert called(*ALL, "alone/run").code == 0
    assert names(here) == {"alone", "outputs"}, "nothing above the directory that was named goes"


@pytest.mark.parametrize("name", ["register.csv", "register.jsonl", "register.db"])
def test_registers_stay_with_all_their_rows(here: Path, name: str) -> None:
    make_run(here / "outputs" / "day" / "run", cwd=str(here))
    index(here / "outputs", here / "outputs" / name)
    before = (here / "outputs" / name).read_bytes()
    assert called(*ALL).code == 0
    assert names(here / "outputs") == {name}
    assert (here / "outputs" / name).read_bytes() == before
    assert "1 run: 1 completed" in called("list").out


@pytest.mark.parametrize("make", [make_run, make_hydra_run])
def test_the_directory_of_a_project_is_left_alone(here: Path, monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    """hydra.run.dir=. makes the directory of the project a job's output directory, too."""
    project = here / "project"
    make(project, cwd=str(project))
    monkeypatch.chdir(here)
    done = called(*ALL)
    assert (done.out, left_alone(done)) == (NOTHING, ["project: it is the directory of a project, too"])
    moved = project.rename(here / "moved")
    assert left_alone(called(*ALL)) == ["moved: it is the directory of a project, too"], "what was recorded still tells"
    for kept in (".git", "pyproject.toml", "setup.py"):
        make(here / kept / "run", cwd=str(moved))
        write(here / kept / "run" / kept, "")
        assert left_alone(called(*ALL, kept)) == [f"{kept}/run: it is the directory of a project, too"]


def test_a_real_application_that_runs_where_it_is_keeps_its_files(app: App) -> None:
    assert app.run("hydra.run.dir=.").code == 0
    before = names(app.directory)
    for where in (app.directory, app.directory.parent):
        done = program(*ALL, cwd=where)
        assert (done.code, done.out) == (0, NOTHING)
        assert "it is the directory of a project, too" in done.err
    assert names(app.directory) == before


def test_what_holds_the_working_directory_is_left_alone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = make_run(here / "outputs" / "run") / "checkpoints"
    inside.mkdir()
    monkeypatch.chdir(inside)
    done = called(*ALL, str(here))
    assert (done.out, left_alone(done)) == (NOTHING, [f"{here / 'outputs' / 'run'}: it holds the working directory"])


def test_the_working_directory_stays_when_it_is_empty(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(here / "outputs" / "day" / "run")
    monkeypatch.chdir(here / "outputs" / "day")
    assert called(*ALL, str(here)).code == 0
    assert (here / "outputs" / "day").is_dir()


def test_what_holds_other_runs_is_left_alone(here: Path) -> None:
    make_run(here / "outer", 1, **failed())
    make_run(here / "outer" / "deep" / "inner", 2)
    done = called(*FAILED, "--delete", "--yes")
    assert (done.out, left_alone(done)) == (NOTHING, ["outer: it holds other runs"])


def test_what_holds_a_register_is_left_alone(here: Path) -> None:
    make_run(here / "outputs", 1)
    index(here / "outputs", here / "outputs" / "register.csv")
    done = called(*ALL)
    assert (done.out, left_alone(done)) == (NOTHING, ["outputs: it holds a register"])


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_links_are_not_followed(here: Path, tmp_path: Path) -> None:
    outside = make_run(tmp_path / "outside", 1)
    run = make_run(here / "run", 2)
    (run / "data").symlink_to(outside)
    (here / "link").symlink_to(outside)
    assert called(*ALL).out.endswith("Deleted: 1 run\n")
    assert names(here) == {"link"}
    assert names(outside) == {".hydra"}
    done = called(*ALL, "link")
    assert (done.out, left_alone(done)) == (NOTHING, ["link: it is a link"])


def test_damaged_and_foreign_directories_are_left_alone(here: Path) -> None:
    write(here / "torn" / ".hydra" / "run.json", "{")
    write(here / "foreign" / "run.json", '{"name": "of another program"}')
    write(here / "data" / "numbers.csv", "1\n")
    done = called(*ALL)
    assert (done.out, left_alone(done)) == (NOTHING, ["torn: it cannot be read"])
    assert names(here) == {"torn", "foreign", "data"}


@pytest.mark.skipif(os.name == "nt", reason="rights as in POSIX")
def test_nothing_goes_from_a_folder_that_may_not_be_written(open_path: Path) -> None:
    run = make_run(open_path / "run")
    write(run / "model.bin", "x")
    run.chmod(0o777)
    done = program_of_nobody(*ALL, cwd=open_path)
    assert (done.code, done.out) == (0, NOTHING)
    assert left_alone(done) == ["run: nothing may be removed from its folder"]
    assert names(run) == {".hydra", "model.bin"}


@pytest.mark.skipif(os.name == "nt", reason="rights as in POSIX")
def test_what_can_only_be_deleted_in_part_is_told(open_path: Path) -> None:
    run = make_run(open_path / "run")
    write(run / "kept" / "model.bin", "x")
    for folder in (open_path, run):
        folder.chmod(0o777)
    done = program_of_nobody(*ALL, cwd=open_path)
    assert done.code == 2
    (told,) = left_alone(done)
    assert told.startswith("run: some of it could not be deleted: ")
    assert told.endswith(": Permission denied")
    assert (run / "kept" / "model.bin").is_file()


def test_what_only_looks_like_a_runs_directory_is_left_alone(here: Path) -> None:
    """Each of these was somebody's work before it was taken for a run's."""
    write(here / "other/data/run.json", '{"id": "5", "status": "failed", "started_at": "2020-01-01T00:00:00Z"}')
    run = make_run(here / "outputs/a", **failed())
    shutil.copytree(run / ".hydra", here / "docs/attachments")
    outer = make_run(here / "outputs/b", 1, **failed())
    make_run(outer / ".cache/inner", 2)
    whole = make_run(here / "multirun/s", 3, job=job(2), sweep_dir=str(here / "multirun/s"), **failed())
    write(whole / "multirun.yaml", "hydra: {}\n")
    done = called(*ALL)
    assert not run.exists(), "that one is a run's"
    for kept in ("other/data/run.json", "docs/attachments/run.json", "outputs/b/.cache/inner", "multirun/s"):
        assert (here / kept).exists(), kept
    assert sorted(left_alone(done)) == [
        "docs/attachments: its record tells of another directory",
        "multirun/s: it is the directory of a whole sweep",
        "other/data: its record tells of another directory",
        "outputs/b: it holds other runs",
    ]
