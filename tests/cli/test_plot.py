"""`hydra-callbacks plot`: the curves of a job, in a terminal and as a picture."""

from __future__ import annotations

import csv
import io
import math
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from commands import called, program, ran
from hypothesis import given, settings
from hypothesis import strategies as st
from run_dirs import GONE, job, make_run, running, write

from hydra_callbacks.cli.plot.axes import clock, rounded_up, ticks
from hydra_callbacks.cli.plot.curves import Curve, Panel
from hydra_callbacks.cli.plot.drawing import BRAILLE, PLAIN, panel_lines, points
from hydra_callbacks.support.tables import append_rows

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import App

FILE = "resource_monitoring.csv"


def samples(path: Path, number: int = 0, n: int = 50, more: dict[str, list[Any]] | None = None) -> Path:
    """Write the samples of a job: one each second, the memory rises to 2 GiB."""
    rows = [
        {
            "": index,
            "time": 1.7e9 + index,
            "cpus": 0.0 if index == 0 else 100.0,
            "rss_GiB": 2 * index / max(n - 1, 1),
            "vms_GiB": 3.0,
            "job_name": "train",
            "job_id": number,
            "cpu_s": float(index),
            "read_GiB": 0.0,
            "written_GiB": index / 1024,
            **{name: values[index] for name, values in (more or {}).items()},
        }
        for index in range(n)
    ]
    append_rows(path, rows)
    return path


@pytest.fixture
def one(here: Path) -> Path:
    """A run with samples, whose peak between two of them was 2.5 GiB."""
    directory = make_run(here / "outputs" / "a", overrides=["lr=0.1"], resources={"peak_rss_bytes": 5 * 2**29})
    phases = ["load"] * 10 + ["train/epoch"] * 35 + [None] * 5
    samples(directory / FILE, more={"phase": phases})
    return directory


def test_the_curves_of_a_run_with_their_peaks_phases_and_times(one: Path) -> None:
    done = called("plot", "a", COLUMNS="80")
    assert (done.code, done.err) == (0, "")
    said = done.out.splitlines()
    assert said[0].rstrip() == "outputs/a  lr=0.1  50 samples"
    assert said[1].rstrip() == "processors, % of a core   highest 100 at 1 s"
    assert said[2].startswith("      100 ┤⠉⠉⠉")
    assert [line.rstrip() for line in said if line.startswith("memory")] == [
        "memory, GiB   highest 2 at 49 s   kernel's peak 2.5"
    ]
    assert "disk, written, MiB/s   highest 1 at 1 s" in done.out
    assert said[-3].startswith("    phase  ├────load─────├─────")
    assert "train/epoch" in said[-3]
    assert said[-1].split() == ["0", "s", "10", "s", "20", "s", "30", "s", "40", "s"]
    assert max(map(len, said)) <= 80


def test_what_is_drawn_can_be_chosen(one: Path) -> None:
    done = called("plot", str(one), "--of", "rss_GiB+vms_GiB, cpu_s,memory")
    titles = [line.rstrip() for line in done.out.splitlines() if "highest" in line]
    assert titles == [  # without colours, two curves in one panel cannot be told apart
        "rss_GiB + vms_GiB rss_GiB, GiB   highest 2 at 49 s   kernel's peak 2.5",
        "rss_GiB + vms_GiB vms_GiB, GiB   highest 3 at 0 s   kernel's peak 2.5",
        "cpu_s, s   highest 49 at 49 s",
        "memory, GiB   highest 2 at 49 s   kernel's peak 2.5",
    ]


def test_a_column_that_is_not_there_is_told_with_those_that_are(one: Path) -> None:
    done = called("plot", "a", "--of", "gpu0_usage")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        "Error: there is no column 'gpu0_usage' in the samples; there are cpu, memory, disk, cpus"
    )


def test_a_terminal_without_unicode_gets_points(one: Path) -> None:
    done = program("plot", str(one), PYTHONIOENCODING="ascii", COLUMNS="80")
    assert (done.code, done.err) == (0, "")
    assert done.out.isascii()
    assert "      100 |''''''" in done.out
    assert "|----load-----|------" in done.out


def test_gpus_share_a_panel_each_for_memory_and_usage(here: Path) -> None:
    gpus = {f"gpu{i}_{name}": [float(i + 1)] * 50 for i in (0, 1) for name in ("mem_GiB", "usage", "job_mem_GiB")}
    make_run(here / "a")
    samples(here / "a" / FILE, more=gpus)
    done = called("plot", "a", "-o", "b.csv")
    assert done.out == "Written: b.csv\n"
    columns = next(csv.reader(io.StringIO((here / "b.csv").read_text())))
    assert columns == [
        *("elapsed_s", "cpus", "rss_GiB", "gpu0_job_mem_GiB", "gpu1_job_mem_GiB", "gpu0_usage", "gpu1_usage"),
        "written_MiB_per_s",
    ]


def test_the_job_of_a_sweep_is_found_in_the_sweeps_file(here: Path) -> None:
    sweep = here / "multirun" / "s"
    for number in (0, 1):
        make_run(sweep / str(number), number, job=job(number), sweep_dir=str(sweep), overrides=[f"lr={number}"])
        samples(sweep / FILE, number, n=10 + number)
    write(sweep / "jobs.jsonl", "")
    expected = "multirun/s/1  lr=1  11 samples"
    for words in (["multirun/s/1"], ["s/1"], ["s", "--job", "1"], ["latest/1"]):
        done = called("plot", *words)
        assert done.code == 0, done.err
        assert done.out.splitlines()[0].rstrip() == expected
    by_file = called("plot", f"multirun/s/{FILE}", "--job", "1")
    assert by_file.out.splitlines()[0].rstrip() == f"multirun/s/{FILE}  11 samples"
    assert "name one of them: --job 0, --job 1\n" in called("plot", "s").err
    assert called("plot", "s", "--job", "7").err == (
        f"Error: multirun/s/{FILE} has no samples of job 7, but of --job 0, --job 1; they are written when a job ends\n"
    )


def test_a_moved_sweep_is_read_where_it_is(here: Path) -> None:
    sweep = here / "elsewhere"
    make_run(sweep / "lr=0.1" / "x", job=job(0), sweep_dir="/gone/s", output_dir="/gone/s/lr=0.1/x")
    samples(sweep / FILE)
    assert called("plot", "elsewhere/lr=0.1/x").code == 0


def test_of_a_job_that_was_started_again_the_last_start_is_shown(here: Path) -> None:
    make_run(here / "a")
    samples(here / "a" / FILE, n=30)
    samples(here / "a" / FILE, n=20)
    assert called("plot", "a").out.splitlines()[0].rstrip() == "a  20 samples"


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_a_picture(one: Path, here: Path, ending: str) -> None:
    pytest.importorskip("matplotlib")
    done = program("plot", "a", "-o", f"b.{ending}", cwd=here, MPLBACKEND="")
    assert (done.code, done.out) == (0, f"Written: b.{ending}\n"), done.err
    data = (here / f"b.{ending}").read_bytes()
    if ending == "svg":
        ET.fromstring(data)  # noqa: S314  (our own)
    else:
        assert data.startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[ending])
    assert len(data) > 5000


def test_without_matplotlib_the_line_that_brings_it_is_named(one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    done = called("plot", "a", "-o", "b.svg")
    assert (done.code, done.out) == (2, "")
    assert done.err == "Error: a picture in SVG needs matplotlib: pip install 'hydra-callbacks[plot]'\n"


def test_a_file_of_another_kind_is_refused(one: Path) -> None:
    assert "expected .svg, .png, .pdf or .csv" in called("plot", "a", "-o", "b.txt").err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no samples: it is empty"),
        (",time,cpus,rss_GiB\n", "has no samples; they are written when a job ends"),
        ("a,b\n1,2\n", "has no samples: expected a column `time` and others"),
        (",time,rss_GiB\n0,1,\udcff\n", "line 2, is no row of a CSV table in UTF-8"),
        (",time,x\n0,1,2\n", "has neither processors nor memory in its columns; name others with --of"),
    ],
    ids=["empty", "header", "other", "bytes", "neither"],
)
def test_a_file_without_samples_is_told(here: Path, text: str, told: str) -> None:
    (here / "x.csv").write_bytes(text.encode(errors="surrogateescape"))
    done = called("plot", "x.csv")
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_damaged_lines_are_passed_over_and_counted(here: Path) -> None:
    write(here / "x.csv", ",time,cpus,rss_GiB\n0,1,0,3\n1,?,2,3\n2,3,50,1\n3,4,5")
    done = called("plot", "x.csv")
    assert done.code == 0
    assert done.err == "Passed over: 1 damaged line in x.csv\n"
    assert done.out.splitlines()[0].rstrip() == "x.csv  2 samples"


def test_one_sample_is_a_point(here: Path) -> None:
    write(here / "x.csv", ",time,cpus,rss_GiB\n0,1,0,3\n")
    done = called("plot", "x.csv")
    assert done.code == 0
    assert "highest 3 at 0 s" in done.out


@pytest.mark.parametrize(
    ("changes", "why"),
    [({}, "is the callback ResourceMonitor on?"), (running(GONE), "until then, see hydra-callbacks top")],
    ids=["ended", "runs"],
)
def test_a_run_without_samples_is_told(here: Path, changes: dict[str, Any], why: str) -> None:
    make_run(here / "a", **changes)
    done = called("plot", "a")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Error: there are no samples: no {FILE} in a (")
    assert why in done.err


def drawn(values: list[float], width: int, signs: Any = BRAILLE, *, is_mean: bool = False) -> list[str]:
    panel = Panel("x", "", [Curve("x", values, is_mean=is_mean)])
    lines = panel_lines(panel, [float(i) for i in range(len(values))], width, 7, signs)
    return [line.plain for line in lines][1:]


@settings(deadline=None)  # other work may go on beside
@given(st.integers(0, 9_999), st.sampled_from([BRAILLE, PLAIN]), st.booleans())
def test_a_single_high_sample_among_ten_thousand_is_seen(place: int, signs: Any, is_mean: bool) -> None:
    values = [1.0] * 10_000
    values[place] = 100.0
    if is_mean and place == 0:
        return  # nothing is known before the first sample
    top = drawn(values, 60, signs, is_mean=is_mean)[0]
    assert top.startswith("      100 ")
    assert top[11:].strip(), "the highest line has a dot"


@settings(deadline=None)  # other work may go on beside
@given(st.lists(st.floats(0, 1e9) | st.just(math.nan), min_size=1, max_size=40), st.integers(12, 120))
def test_anything_can_be_drawn(values: list[float], width: int) -> None:
    said = drawn(values, width)
    assert len(said) == 7
    assert all(len(line) <= max(width, 12) for line in said)


def test_a_rate_stands_for_the_time_before_its_sample() -> None:
    assert list(points(Curve("cpus", [0.0, 50.0, 100.0], is_mean=True), [0.0, 1.0, 2.0])) == [
        (0.0, 50.0, 1.0, 50.0),
        (1.0, 50.0, 1.0, 100.0),
        (1.0, 100.0, 2.0, 100.0),
    ]


def test_numbers_beside_the_axes_are_good_to_read() -> None:
    assert [rounded_up(value) for value in (0, 0.93, 1, 1.01, 37, 100, 2.1e9)] == [1, 1, 1, 1.5, 40, 100, 2.5e9]
    assert ticks(0) == [0]
    assert ticks(12.0) == [0, 2, 4, 6, 8, 10, 12]
    assert [clock(each, 5400) for each in ticks(5400)] == [
        "0 min",
        "15 min",
        "30 min",
        "45 min",
        "60 min",
        "75 min",
        "90 min",
    ]
    assert clock(86400 * 2.5, 86400 * 5) == "2.5 d"


def test_a_real_run_is_drawn(app: App) -> None:
    app.callbacks(
        {"_target_": "hydra_callbacks.ResourceMonitor", "sample_interval": 0.02},
        {"_target_": "hydra_callbacks.RunRecord"},
    )
    text = (app.directory / "app.py").read_text(encoding="utf-8")
    timed = "    import gc, hydra_callbacks, time\n    from hydra_callbacks.monitor import ResourceMonitorService\n"
    timed += "    (service,) = (each for each in gc.get_objects() if type(each) is ResourceMonitorService)\n"
    timed += "    with hydra_callbacks.PerfLogger(print, name='part'):\n"
    # No event tells of a sample, so they are counted now and then.
    timed += "        while len(service.rows()) < 20: time.sleep(0.02)\n"
    timed += "    while len(service.rows()) < 25: time.sleep(0.02)\n"
    app.write("app.py", text.replace("    return cfg.x", timed + "    return cfg.x"))
    assert app.run("hydra.run.dir=outputs/a").code == 0
    done = ran([sys.executable, "-m", "hydra_callbacks", "plot", "a"], cwd=app.directory)
    assert (done.code, done.err) == (0, "")
    assert "processors, % of a core   highest" in done.out
    assert "kernel's peak" in done.out
    assert "part" in done.out
