"""`hydra-callbacks list`: exact tables, every option, every place where runs are looked for, and every form."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, lines, program, ran, shown_on_terminal
from conftest import wait_for
from run_dirs import GONE, failed, job, make_hydra_run, make_run, run_id, running, write

from hydra_callbacks.cli import list as listing
from hydra_callbacks.cli import options
from hydra_callbacks.runs.index import index
from hydra_callbacks.runs.record import timestamp

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App


@pytest.fixture
def sweep(here: Path) -> Path:
    """A sweep with a job in each state."""

    def config(lr: float) -> dict[str, Any]:
        return {"lr": lr, "opt": {"name": "adam"}, "seed": 7}

    sweep = here / "multirun" / "2026-11-22" / "10-00-00"
    make_run(sweep / "0", 0, job=job(0), config=config(0.001), result={"accuracy": 0.9123456789, "loss": 12})
    make_run(sweep / "1", 1, job=job(1), **failed(config=config(0.01)))
    make_run(sweep / "2", 2, job=job(2), config=config(0.1), status="interrupted", duration_s=4000)
    make_run(sweep / "3", 3, job=job(3), **running(os.getpid(), config=config(1)))
    make_run(sweep / "4", 4, job=job(4), **running(GONE, config=config(10)))
    return sweep


def table(width: int, columns: str | None = None, *, where: str | None = None, **asked: Any) -> str:
    out = io.StringIO()
    listing.run(options.read(where, **asked), columns, "table", out, width=width)
    return lines(out.getvalue())


def names(*words: str) -> list[str]:
    """Return the last part of each directory that is listed."""
    done = called("list", *words, "--format", "json")
    assert done.code == 0, done.err
    return [row["run-dir"].replace("\\", "/").rpartition("/")[2] for row in json.loads(done.out)]


def test_a_table_has_the_columns_that_differ_and_fits_80_characters(sweep: Path) -> None:
    assert table(80) == (
        "In multirun/2026-11-22/10-00-00\n"
        "\n"
        "  run   status             lr   accuracy   loss   duration\n"
        " ───────────────────────────────────────────────────────────\n"
        "    4   ? lost             10\n"
        "    3   ▶ running           1\n"
        "    2   ■ interrupted     0.1                     1 h 6 min\n"
        "    1   ✗ failed         0.01                     12.5 s\n"
        "    0   ✓ completed     0.001   0.912346     12   12.5 s\n"
        "\n"
        "5 runs: 1 lost, 1 running, 1 interrupted, 1 failed, 1 completed\n"
        "Left out for want of room: started, error (--columns, --format csv)."
    )


def test_a_table_uses_the_room_of_160_characters(sweep: Path) -> None:
    assert table(160) == (
        "In multirun/2026-11-22/10-00-00\n"
        "\n"
        "  run   status             lr   accuracy   loss   duration    started               error\n"
        f" {'─' * 112}\n"
        "    4   ? lost             10                                 2026-11-22 10:04:00\n"
        "    3   ▶ running           1                                 2026-11-22 10:03:00\n"
        "    2   ■ interrupted     0.1                     1 h 6 min   2026-11-22 10:02:00\n"
        "    1   ✗ failed         0.01                     12.5 s      2026-11-22 10:01:00   ValueError: "
        "lr must not be 1\n"
        "    0   ✓ completed     0.001   0.912346     12   12.5 s      2026-11-22 10:00:00\n"
        "\n"
        "5 runs: 1 lost, 1 running, 1 interrupted, 1 failed, 1 completed"
    )


def test_what_runs_have_used_is_there_for_who_asks(here: Path) -> None:
    for number in range(2):
        used = {"peak_rss_bytes": (number + 1) * 2**30, "cpu_s": 90.0 + number, "mean_cpu_percent": 7.0}
        make_run(here / f"run {number}", number, resources=used)
    assert table(80, "run,status,peak_rss_bytes,cpu_s") == (
        "\n"
        "  run     status        memory    processor\n"
        f" {'─' * 44}\n"
        "  run 1   ✓ completed   2.0 GiB   1 min 31 s\n"
        "  run 0   ✓ completed   1.0 GiB   1 min 30 s\n"
        "\n"
        "2 runs: 2 completed"
    )
    assert "GiB" not in table(160)
    assert names("--filter", "peak_rss_bytes > 1.5e9", "--sort", "cpu_s") == ["run 1"]


def test_the_columns_that_are_asked_for_are_there_in_this_order(sweep: Path) -> None:
    assert table(80, "status, lr,run,error,status", limit=2, sort="lr") == (
        "In multirun/2026-11-22/10-00-00\n"
        "\n"
        "  status           lr   run   error\n"
        " ──────────────────────────────────────────────────────────\n"
        "  ✓ completed   0.001     0\n"
        "  ✗ failed       0.01     1   ValueError: lr must not be 1\n"
        "\n"
        "2 runs: 1 completed, 1 failed"
    )


def test_all_columns_are_there_with_every_word_whole_even_where_they_do_not_fit(sweep: Path) -> None:
    shown = table(80, "all")
    head = shown.splitlines()[2].split()
    assert head[:5] == ["run", "status", "lr", "name", "seed"]
    assert {"id", "attempt", "host", "overrides", "accuracy", "loss", "run-pid"} <= set(head)
    assert {run_id(0), "0.912346", "completed", "22"} - set(shown.replace("-", " ").split()) == {run_id(0)}
    assert run_id(0) in shown.split()


def test_one_run_alone_is_shown_with_its_results(sweep: Path) -> None:
    assert table(80, filter_="lr=0.001") == (
        "\n"
        "  run                              status        accuracy   loss   duration\n"
        " ───────────────────────────────────────────────────────────────────────────\n"
        "  multirun/2026-11-22/10-00-00/0   ✓ completed   0.912346     12     12.5 s\n"
        "\n"
        "1 run: 1 completed\n"
        "Left out for want of room: started (--columns, --format csv)."
    )


def test_columns_of_the_configuration_may_be_called_as_ours_are(here: Path) -> None:
    for number, state in enumerate(["new", "old"]):
        make_run(here / str(number), number, config={"status": state, "started": number, "a": {"error": number}})
    shown = table(120)
    assert shown.splitlines()[1] == "  run   run-status    status   started   error   duration   run-started"
    assert names("--filter", "status=old") == ["1"]
    assert names("--filter", "`run-status`=completed") == ["1", "0"]
    assert names("--sort", "started") == ["0", "1"]


def test_a_filter_may_ask_for_any_column(sweep: Path) -> None:
    assert names() == ["4", "3", "2", "1", "0"], "the newest first"
    assert names("--filter", "lr<0.1") == ["1", "0"]
    assert names("--filter", "opt.name=adam and lr in (1, 10)") == ["4", "3"]
    assert names("--filter", "accuracy>0.9") == ["0"]
    assert names("--filter", "status in (lost, running)") == ["4", "3"]
    assert names("--filter", "lr in error") == ["1"]
    assert names("--filter", "'must not' in error or num=4") == ["4", "1"]
    assert names("--filter", "not success and duration>20") == ["2"]


def test_runs_are_sorted_and_limited_as_asked(sweep: Path) -> None:
    assert names("--sort", "lr") == ["0", "1", "2", "3", "4"]
    assert names("--sort", "-duration,lr", "--limit", "2") == ["2", "0"]
    assert names("--sort", "-accuracy", "--limit", "1") == ["0"]
    assert names("--limit", "0") == ["4", "3", "2", "1", "0"]


def test_a_table_ends_after_50_runs_and_says_so(here: Path) -> None:
    for number in range(51):
        make_run(here / "outputs" / str(number), number)
    done = called("list")
    assert "50 runs: 50 completed\nNo more than 50 were asked for: --limit 0 lists all.\n" in done.out
    assert "51 runs: 51 completed\n" in called("list", "--limit", "0").out
    assert len(names()) == 51, "the forms for programs have all"


def test_since_a_time_ago_or_a_date(here: Path) -> None:
    for name, age_s in {"minutes": 120, "hours": 7200, "days": 2 * 86400 - 60, "weeks": 20 * 86400}.items():
        make_run(here / name, age_s % 97, started_at=timestamp(time.time() - age_s))
    make_run(here / "long ago", 1, started_at="2020-02-29T23:30:00.000Z")
    assert names("--since", "5m") == ["minutes"]
    assert names("--since", "3h") == ["minutes", "hours"]
    assert names("--since", "2d") == ["minutes", "hours", "days"]
    assert names("--since", "3w") == ["minutes", "hours", "days", "weeks"]
    assert names("--since", "2020-03-01", "--sort", "started")[0] == "long ago", (
        "a date is local: UTC is an hour behind"
    )
    assert "long ago" not in names("--since", "2020-03-01T00:31")


@pytest.mark.parametrize("time_", ["yesterday", "2x", "99999999999999w", "2026-13-01", ""])
def test_what_is_no_time_is_bad_usage(here: Path, time_: str) -> None:
    done = called("list", "--since", time_)
    assert (done.code, done.out) == (2, "")
    assert f"{time_!r} is no time: expected 2d, 12h, 30m, 3w, or a date as in 2026-11-22" in done.err


def test_the_exit_status_tells_whether_there_is_such_a_run_when_asked(sweep: Path) -> None:
    none = ("list", "--filter", "lr=5")
    assert called(*none).code == 0
    assert called(*none, "--exit-code").code == 1
    assert called(*none, "--exit-code", "--format", "json").out == "[]\n"
    assert called("list", "--exit-code").code == 0
    assert called(*none).err == f"No run that fits in {sweep.parents[2]}\n"


def test_an_empty_directory_has_no_runs_whatever_is_asked(here: Path) -> None:
    done = called("list", "--filter", "lr<1", "--sort", "accuracy", "--exit-code")
    assert (done.code, done.out, done.err) == (1, "", f"No run in {here}\n")


def test_the_machine_forms_have_every_column_and_keep_types(sweep: Path) -> None:
    rows = json.loads(called("list", "--format", "json", "--sort", "lr").out)
    assert (rows[0]["lr"], rows[0]["job_success"], rows[0]["run-overrides"]) == (0.001, True, [])
    assert (rows[0]["run-status"], rows[4]["run-status"], rows[4]["run-duration_s"]) == ("completed", "lost", None)
    assert len({tuple(row) for row in rows}) == 1, "each has the same keys"
    text = called("list", "--format", "csv", "--sort", "lr").out
    assert next(csv.DictReader(io.StringIO(text)))["result.accuracy"] == "0.9123456789"
    assert text.splitlines()[0] == ",".join(rows[0])
    few = called("list", "--format", "csv", "--columns", "run,accuracy", "--filter", "lr=0.001").out
    assert few == "run-dir,result.accuracy\nmultirun/2026-11-22/10-00-00/0,0.9123456789\n"


def test_parquet_keeps_numbers_and_texts(sweep: Path) -> None:
    polars = pytest.importorskip("polars")
    make_run(sweep / "5", 5, config={"lr": 100, "seed": 2**70}, result={"accuracy": None})
    file = sweep / "runs.parquet"
    with file.open("wb") as out:
        command = [sys.executable, "-m", "hydra_callbacks", "list", "--format", "parquet", "--sort", "lr"]
        subprocess.run(command, stdout=out, check=True)
    frame = polars.read_parquet(file)
    assert frame["lr"].to_list() == [0.001, 0.01, 0.1, 1, 10, 100]
    assert frame["run-status"].to_list()[1:] == ["failed", "interrupted", "running", "lost", "completed"]
    assert frame["job_success"].to_list() == [True, False, False, False, False, True]
    assert frame["run-overrides"].to_list() == ["[]"] * 6
    assert frame["seed"].to_list() == ["7"] * 5 + [str(2**70)], "which no integer there can hold"
    assert frame["result.accuracy"].to_list() == [0.9123456789, *[None] * 5]


def test_parquet_without_polars_says_how_to_get_it(sweep: Path) -> None:
    without = "import sys; sys.modules['polars'] = None; from hydra_callbacks.cli import main; main()"
    done = ran([sys.executable, "-c", without, "list", "--format", "parquet"])
    assert (done.code, done.out) == (2, "")
    assert done.err == "Error: Parquet needs polars: pip install 'hydra-callbacks[tables]'\n"


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
def test_a_terminal_gets_colours_and_no_parquet(sweep: Path) -> None:
    shown = shown_on_terminal("list")
    assert "\x1b[1;31m✗ failed" in shown
    assert "\x1b[32m✓ completed" in shown
    assert "\x1b[36m▶ running" in shown
    assert "\x1b[33m■ interrupted" in shown
    assert "\x1b[1;35m? lost" in shown
    if importlib.util.find_spec("polars"):
        assert "Error: Parquet is no text: send it into a file" in shown_on_terminal("list", "--format", "parquet")


def test_a_terminal_without_unicode_gets_words_and_escapes(sweep: Path) -> None:
    make_run(sweep / "№ 5", 5, config={"lr": 2, "opt": {"name": "ådam"}, "seed": 7}, status="running", host=None)
    done = program("list", PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (0, "")
    assert done.out.isascii()
    for state in ("completed", "failed", "interrupted", "running", "lost"):
        assert re.search(rf"\| (\? )?{state} +\|", done.out)
    assert "| \\u2116 5 | running     |     2 | \\xe5dam" in done.out


EVIL = "a\x1b]0;owned\x07\x1b[31mb\x9b1m\rc\u202e"
SPELT = r"a\x1b]0;owned\x07\x1b[31mb\x9b1m\rc\u202e"


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals, nor such names")
def test_what_a_terminal_would_obey_is_spelled_out_wherever_it_stands(here: Path) -> None:
    name = EVIL.replace("/", "")
    make_run(here / name / "0", 0, config={EVIL: EVIL, "lr": 1, "note": "a\x1b[1mb"})
    make_run(here / name / "1", 1, **failed(config={"lr": 2, EVIL: "x"}, error={"type": "E", "message": EVIL}))
    write(here / name / "2" / ".hydra" / "run.json", "{")

    def obeyed(*words: str) -> set[str]:
        """Return what is shown that a terminal obeys, but for our own bold type and colours."""
        shown = re.sub(r"\x1b\[(0|1|1;31|32)m", "", shown_on_terminal(*words))
        return set(shown) & set("\x1b\x07\x9b\r\u202e")

    shown = shown_on_terminal("list", "--columns", f"run,lr,error,{EVIL}")
    assert f"In {SPELT}" in shown
    assert "E: " + SPELT.replace(r"\r", " ") in shown, "a cell is one line"
    assert f"Passed over: {here / SPELT / '2'}" in shown.replace("\n", "")
    assert not obeyed("list")
    assert not obeyed("list", name)
    assert not obeyed("list", "--columns", EVIL)
    assert not obeyed("list", "--filter", f"`{EVIL}x` = 1")
    assert not obeyed("list", "--format", "csv")
    assert not obeyed("list", "--format", "json")
    assert ",a\x1b[1mb\n" in called("list", "--format", "csv").out, "a file gets what there is"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_directory_whose_name_is_no_text_is_listed(here: Path) -> None:
    make_run(here / os.fsdecode(b"odd\xff"), 0)
    done = program("list")
    assert (done.code, done.err) == (0, "")
    assert r"odd\udcff" in done.out


def test_no_cell_of_the_csv_form_is_a_formula(here: Path) -> None:
    values = {"a": "=1+1", "b": "@SUM(A1)", "c": "-2+3", "d": "+1", "e": "\t=1", "=f": "x"}
    make_run(here / "run", config=values)
    text = called("list", "--format", "csv", "--columns", "a,b,c,d,e,=f").out
    head, row = csv.reader(io.StringIO(text))
    assert head[-1] == "'=f"
    assert row[:4] == ["'=1+1", "'@SUM(A1)", "'-2+3", "'+1"]
    assert not any(re.match(r"\s*[=+@-]", cell) for cell in [*head, *row])


# Where runs are looked for


@pytest.mark.parametrize("name", ["register.csv", "register.jsonl", "register.db", "register.sqlite"])
def test_a_register_of_each_form_is_listed_alike(sweep: Path, name: str) -> None:
    told = table(160)
    index(sweep.parents[1], sweep.parents[1] / name)
    shown = [table(160, where=where) for where in (f"multirun/{name}", None)]
    assert shown == [told, told]


def test_several_registers_and_those_in_folders_are_listed_at_once(here: Path) -> None:
    make_run(here / "outputs" / "a", 1)
    make_run(here / "multirun" / "day" / "b", 2)
    make_run(here / "elsewhere" / "deep" / "down" / "c", 3)
    index(here / "outputs", here / "outputs" / "register.csv")
    index(here / "multirun", here / "multirun" / "register.db")
    index(here / "elsewhere" / "deep", here / "elsewhere" / "deep" / "register.jsonl")
    assert names() == ["c", "b", "a"]
    assert names("outputs") == ["a"]
    assert names("multirun/register.db") == ["b"]
    assert names("elsewhere") == ["c"]


def test_the_nearest_register_above_is_found(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(here / "outputs" / "a", 1)
    index(here / "outputs", here / "outputs" / "register.csv")
    inside = here / "src" / "package"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert names() == ["a"]
    (inside / ".git").mkdir()
    assert names() == [], "another project's is not"


def test_a_variable_names_the_register(sweep: Path) -> None:
    index(sweep, sweep / "all.jsonl")
    make_run(sweep.parents[2] / "outputs" / "late", 9)
    assert "late" in names()
    done = called("list", "--format", "json", HYDRA_CALLBACKS_REGISTER=str(sweep / "all.jsonl"))
    assert len(json.loads(done.out)) == 5
    assert len(json.loads(called("list", "--format", "json", HYDRA_CALLBACKS_REGISTER="").out)) == 6
    done = called("list", HYDRA_CALLBACKS_REGISTER="nowhere.csv")
    assert done.code == 2
    assert "there is no file or directory 'nowhere.csv'" in done.err


def test_a_run_whose_directory_is_gone_is_still_listed(sweep: Path) -> None:
    index(sweep, sweep.parents[1] / "register.csv")
    shutil.rmtree(sweep / "0")
    assert names() == ["4", "3", "2", "1", "0"]
    assert names(str(sweep)) == ["4", "3", "2", "1"], "a directory tells what is there"


def test_directories_without_a_record_are_listed_as_unknown(here: Path) -> None:
    make_hydra_run(here / "outputs" / "old")
    assert table(80, columns="run,status,lr") == (
        "\n"
        "  run           status       lr\n"
        " ───────────────────────────────\n"
        "  outputs/old   · unknown   0.1\n"
        "\n"
        "1 run: 1 unknown"
    )


def test_damaged_records_are_named_and_passed_over(here: Path) -> None:
    make_run(here / "good", 0)
    for number in range(5):
        write(here / f"bad{number}" / ".hydra" / "run.json", "{" if number else '{"schema": 2}')
    done = called("list")
    assert done.code == 0
    assert "1 run: 1 completed" in done.out
    told = done.err.splitlines()
    assert "bad0/.hydra/run.json has schema 2, this version reads up to 1: pip install -U hydra-callbacks" in told[0]
    assert "bad1/.hydra/run.json is no whole run record" in told[1]
    assert told[3:] == ["Passed over: 2 more"]


# Real applications

RECORDED = ({"_target_": "hydra_callbacks.RegisterRun", "multirun_base_dir": "multirun"},)
RECORDED += ({"_target_": "hydra_callbacks.RunRecord"},)


def test_a_sweep_with_a_job_that_fails(app: App) -> None:
    app.callbacks(*RECORDED)
    assert app.run("-m", "x=1,2,3", "fail_at=2").code == 1
    done = program("list", "--sort", "x", "--columns", "x,status,double,error", cwd=app.directory)
    assert lines(done.out) == (
        "\n"
        "  x   status        double   error\n"
        " ────────────────────────────────────────────────────────\n"
        "  1   ✓ completed        2\n"
        "  2   ✗ failed               ValueError: x must not be 2\n"
        "  3   ✓ completed        6\n"
        "\n"
        "3 runs: 2 completed, 1 failed"
    )
    records = program("list", "--sort", "x", "--columns", "x,status,double,error", "multirun", cwd=app.directory)
    assert records.out == done.out, "the records tell what the register does"


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_an_application_is_running_and_once_killed_lost(app: App) -> None:
    app.callbacks(*RECORDED)
    app.write("app.py", (app.directory / "app.py").read_text().replace("return cfg.x", "import time; time.sleep(60)"))
    process = app.start()
    wait_for(lambda: list(app.directory.glob("outputs/*/*/results.json")) or process.poll() is not None)
    states = [program("list", *where, cwd=app.directory).out for where in ((), ("outputs",))]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    states += [program("list", *where, cwd=app.directory).out for where in ((), ("outputs",))]
    assert ["▶ running" in state for state in states] == [True, True, False, False]
    assert ["? lost" in state for state in states] == [False, False, True, True]


def test_a_register_above_the_working_directory_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose runs these are could not be told otherwise."""
    make_run(here / "outputs/1")
    index(here / "outputs", here / "outputs/register.csv")
    (here / "notebooks").mkdir()
    monkeypatch.chdir(here / "notebooks")
    done = called("list")
    assert (done.code, done.err) == (0, f"Read from {here / 'outputs/register.csv'}\n")
