"""What came out of a sweep becomes one table, whatever became of its jobs, in whichever file it ends up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from run_dirs import failed, job, make_run, write

from hydra_callbacks.runs.gather import best_of, summary, table_of
from hydra_callbacks.runs.sweep import read_sweep
from hydra_callbacks.runs.sweep_job import Error, SweepJob
from hydra_callbacks.runs.table_files import WRITERS, complaint, write_table
from hydra_callbacks.support.tables import format_header, format_rows, read_rows

if TYPE_CHECKING:
    from pathlib import Path

    from hydra_callbacks.runs.gather import Table


def done(number: int = 0, result: Any = None, **facts: Any) -> SweepJob:
    """Return a job that has completed, as a sweep tells of it."""
    return SweepJob(**{"num": number, "status": "completed", "duration_s": 1.5, "found": result, **facts})


def of_results(tmp_path: Path, *results: Any) -> Table:
    return table_of([done(number, result) for number, result in enumerate(results)], tmp_path)


# The table


def test_each_job_is_a_row_of_its_overrides_and_results(odd_path: Path) -> None:
    jobs = [
        done(0, {"loss": 0.5, "test": {"acc": {"top1": 9}}}, overrides=["x=1", "+opt.name=adam"], peak_rss_bytes=1024),
        done(1, {"loss": 0.25, "test": {"acc": {"top1": 8}}}, overrides=["x=1e-3", "+opt.name=null"]),
    ]
    table = table_of(jobs, odd_path)
    assert table.columns == {
        "": [0, 1],
        "run-status": ["completed"] * 2,
        "run-duration_s": [1.5] * 2,
        "x": [1, 0.001],
        "opt.name": ["adam", None],
        "loss": [0.5, 0.25],
        "test.acc.top1": [9, 8],
        "run-peak_rss_bytes": [1024, None],
        "run-error": [None, None],
    }
    assert list(table.columns)[3:7] == ["x", "opt.name", "loss", "test.acc.top1"]
    assert (table.overrides, table.results, table.problems) == (["x", "opt.name"], ["loss", "test.acc.top1"], [])
    assert table.row(1)["loss"] == 0.25


def test_jobs_that_have_failed_or_never_started_are_rows_too(odd_path: Path) -> None:
    error = Error("ValueError", "x must not be 1")
    jobs = [
        done(0, {"y": 1}, overrides=["x=0"]),
        SweepJob(num=1, status="failed", overrides=["x=1"], error=error),
        SweepJob(num=2, status="missing", overrides=["x=2"]),
    ]
    table = table_of(jobs, odd_path)
    assert table.columns["run-status"] == ["completed", "failed", "missing"]
    assert table.columns["run-error"] == [None, "ValueError: x must not be 1", None]
    assert (table.columns["x"], table.columns["y"]) == ([0, 1, 2], [1, None, None])


def test_jobs_may_set_and_find_different_things(odd_path: Path) -> None:
    jobs = [
        done(0, {"a": 1, "deep": {"er": 1}}, overrides=["x=0", "y=0"]),
        done(1, {"b": 2, "deep": 5}, overrides=["y=1"]),
        done(2, None, overrides=["z=2", "x=2"]),
    ]
    columns = table_of(jobs, odd_path).columns
    assert (columns["x"], columns["y"], columns["z"]) == ([0, None, 2], [0, 1, None], [None, None, 2])
    assert (columns["a"], columns["b"]) == ([1, None, None], [None, 2, None])
    assert (columns["deep.er"], columns["deep"]) == ([1, None, None], [None, 5, None])


def test_an_override_with_the_name_of_a_result_is_told_apart(odd_path: Path) -> None:
    table = table_of([done(0, {"lr": 0.5}, overrides=["lr=0.1", "x=1"])], odd_path)
    assert (table.overrides, table.results) == (["override.lr", "x"], ["lr"])
    assert (table.columns["override.lr"], table.columns["lr"]) == ([0.1], [0.5])


@pytest.mark.parametrize("result", [5, 0.5, "text", False, [1, {"a": 2}]])
def test_a_result_that_is_no_object_is_a_column_of_its_own(odd_path: Path, result: Any) -> None:
    table = of_results(odd_path, result, None, {"y": 1})
    assert table.results == ["result", "y"]
    assert table.columns["result"] == [result, None, None]


def test_directories_stand_in_the_table_only_where_they_are_not_the_numbers(odd_path: Path) -> None:
    assert "run-dir" not in table_of([done(0), done(1, dir="1")], odd_path).columns
    assert table_of([done(0), done(1, dir="lr is 1")], odd_path).columns["run-dir"] == ["0", "lr is 1"]


def test_a_sweep_without_jobs_is_a_table_without_rows(odd_path: Path) -> None:
    table = table_of([], odd_path)
    assert list(table.columns) == ["", "run-status", "run-duration_s", "run-peak_rss_bytes", "run-error"]
    assert best_of(table, "y", is_max=True) is None


def test_a_result_that_was_too_large_for_the_journal_is_taken_from_the_record(odd_path: Path) -> None:
    losses = list(range(10_000))
    make_run(odd_path / "0", job=job(0), result={"losses": losses, "y": 1})
    table = table_of([done(0, is_cut=True), done(1, {"y": 2})], odd_path)
    assert (table.columns["losses"], table.columns["y"]) == ([losses, None], [1, 2])
    lost = table_of([done(7, is_cut=True)], odd_path)
    assert lost.results == []
    assert "job 7" in lost.problems[0]


def test_another_result_file_may_be_asked_for(odd_path: Path) -> None:
    write(odd_path / "0" / "metrics.json", '{"deep": {"y": 1}, "odd": NaN}')
    write(odd_path / "1" / "metrics.json", "[1, 2]")
    write(odd_path / "2" / "metrics.json", '{"torn": ')
    write(odd_path / "4" / "metrics.json", '{"y": "from before"}')
    jobs = [*(done(number, {"returned": number}) for number in range(4)), SweepJob(num=4, status="missing")]
    table = table_of(jobs, odd_path, "metrics.json")
    assert (table.columns["deep.y"], table.columns["odd"]) == ([1, *[None] * 4], ["nan", *[None] * 4])
    assert table.columns["result"] == [None, [1, 2], None, None, None]
    assert table.columns["returned"] == [None, None, 2, 3, None], "what the task returned stands in"
    assert "y" not in table.columns, "what lies where job 4 is to start is not its own"
    (problem,) = table.problems
    assert "2/metrics.json is no whole JSON file" in problem


def test_a_result_file_that_an_earlier_job_has_left_is_not_the_present_ones(odd_path: Path) -> None:
    for number in range(2):
        write(odd_path / str(number) / "metrics.json", '{"y": "from a file"}')
    started_at = "2026-11-22T09:00:00.000Z"
    os.utime(odd_path / "0" / "metrics.json", (1_700_000_000, 1_700_000_000))  # in the year 2023
    os.utime(odd_path / "1" / "metrics.json", (1_800_000_000, 1_800_000_000))  # in the year 2027
    jobs = [done(number, {"y": "returned"}, started_at=started_at) for number in range(2)]
    table = table_of(jobs, odd_path, "metrics.json")
    assert table.columns["y"] == ["returned", "from a file"]
    (problem,) = table.problems
    assert "0/metrics.json is older than job 0" in problem


def test_a_result_file_that_the_journal_has_read_is_not_read_again(odd_path: Path) -> None:
    write(odd_path / "0" / "metrics.json", '{"y": "changed since"}')
    table = table_of([done(0, {"y": 1}, result_file="metrics.json")], odd_path, "metrics.json")
    assert table.columns["y"] == [1]


def test_a_secret_in_a_result_file_does_not_reach_the_table(odd_path: Path) -> None:
    write(odd_path / "0" / "metrics.json", '{"db": {"password": "swordfish"}, "y": 1}')
    table = table_of([done(0)], odd_path, "metrics.json")
    assert table.columns["y"] == [1]
    assert "swordfish" not in json.dumps(table.columns)


def test_a_secret_of_the_jobs_configuration_does_not_reach_the_table_under_another_name(odd_path: Path) -> None:
    write(odd_path / "0" / ".hydra" / "config.yaml", "db: {password: swordfish-77}\n")
    write(odd_path / "0" / "metrics.json", '{"used": "swordfish-77", "y": 1}')
    table = table_of([done(0)], odd_path, "metrics.json")
    assert table.columns["used"] == ["<redacted>"]
    assert table.columns["y"] == [1]


# The best job


def test_the_best_job_has_the_highest_or_the_lowest_number(odd_path: Path) -> None:
    table = of_results(odd_path, {"y": 2}, {"y": 3.5}, {"y": -1}, {"z": 100})
    assert best_of(table, "y", is_max=True) == (1, "y")
    assert best_of(table, "y", is_max=False) == (2, "y")


def test_of_equally_good_jobs_the_first_is_best(odd_path: Path) -> None:
    table = of_results(odd_path, {"y": 1}, {"y": 2}, {"y": 2.0}, {"y": 1})
    assert best_of(table, "y", is_max=True) == (1, "y")
    assert best_of(table, "y", is_max=False) == (0, "y")


@pytest.mark.parametrize("odd", ["nan", float("nan"), True, None, "7", [9]])
def test_what_is_no_number_is_not_the_best(odd_path: Path, odd: Any) -> None:
    table = of_results(odd_path, {"y": odd}, {"y": 0.5}, {"y": odd})
    assert best_of(table, "y", is_max=True) == (1, "y")
    assert best_of(table, "y", is_max=False) == (1, "y")
    assert best_of(of_results(odd_path, {"y": odd}), "y", is_max=True) is None


@pytest.mark.parametrize("status", ["failed", "interrupted", "running", "lost"])
def test_a_job_that_has_not_completed_is_not_the_best(odd_path: Path, status: str) -> None:
    table = table_of([done(0, {"y": 9}, status=status), done(1, {"y": 1}, status="unknown")], odd_path)
    assert best_of(table, "y", is_max=True) == (1, "y")


def test_the_metric_may_be_the_end_of_a_nested_name(odd_path: Path) -> None:
    table = table_of([done(0, {"test": {"acc": 1}, "xacc": 5}), done(1, {"test": {"acc": 2}})], odd_path)
    assert best_of(table, "acc", is_max=True) == (1, "test.acc")
    assert best_of(table, "test.acc", is_max=False) == (0, "test.acc")
    assert best_of(table, "cc", is_max=True) is None


def test_a_metric_is_a_result_and_no_other_column(odd_path: Path) -> None:
    table = table_of([done(0, {"y": 1}, overrides=["x=1"])], odd_path)
    assert [best_of(table, name, is_max=True) for name in ("x", "run-duration_s", "")] == [None] * 3


def test_the_summary_tells_what_became_of_the_jobs_and_which_was_the_best(odd_path: Path) -> None:
    jobs = [
        done(0, {"test": {"acc": 0.5}}, overrides=["lr=1"]),
        done(1, {"test": {"acc": 0.25}}, overrides=["lr=2", "name=a b"]),
        *(SweepJob(num=number, status="failed", overrides=[f"lr={number}"]) for number in (2, 4)),
        SweepJob(num=3, status="missing", overrides=["lr=3"]),
    ]
    table = table_of(jobs, odd_path)
    told = ["5 jobs: 2 completed, 2 failed, 1 missing", "Failed: 2, 4", "Missing: 3"]
    assert summary(table) == told
    assert summary(table, "acc") == [*told, "Best test.acc: 0.5, of job 0: lr=1"]
    assert summary(table, "acc", is_max=False) == [*told, "Best test.acc: 0.25, of job 1: lr=2 'name=a b'"]
    assert summary(table, "loss") == [*told, "No completed job has a number in 'loss'; results: test.acc"]


# Files


def as_csv(table: Table, folder: Path) -> list[dict[str, Any]]:
    write_table(table, folder / "table.csv")
    return list(read_rows(folder / "table.csv"))


texts = st.text(st.sampled_from("=+-@'\"\\;,|\t \r\n\0[]{}:01.e5aTruNone\ufeff\u2028é\x7f"), max_size=8) | st.text(
    st.characters(codec="utf-8"), max_size=8
)
numbers = st.sampled_from([0, 1, -1, 1e-7, 1e300, 1e16, -0.0, 0.1, 2**63, 2**64, 10**30, 123456789.0])
ints, floats = st.integers(), st.floats(allow_nan=False, allow_infinity=False)
kinds = [
    ints,
    st.integers(-9, 9),
    floats,
    numbers,
    texts,
    ints | floats,
    st.none() | texts,
    st.none() | ints | floats | st.booleans(),
    st.none() | texts | numbers | st.booleans() | st.lists(numbers | texts, max_size=3),
]
columns_of_rows = st.integers(0, 5).flatmap(
    lambda n_rows: st.dictionaries(
        texts.filter(lambda name: name and not name.startswith("run-")),
        st.sampled_from(kinds).flatmap(lambda kind: st.lists(kind, min_size=n_rows, max_size=n_rows)),
        max_size=4,
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(columns_of_rows)
@example({"a": ["],[", "a],[b"], "b": [1, 2]})
@example({"a": [1e-7, 1e300], "b": ['"', "x"]})
@example({"a": [2**64, 1], "b": ["", None]})
@example({"a": [True, None], "b": [None, None]})
@example({"a": ['a "b"', 'a "b"'], "b": ["=1", "=1"]})
@example({"a": ["1", "True"], "b": ["=1", "two\nlines"]})
def test_a_csv_file_holds_every_value_as_it_was(odd_path: Path, columns: dict[str, list[Any]]) -> None:
    n_rows = len(next(iter(columns.values()), []))
    jobs = [done(n, {name: values[n] for name, values in columns.items()}) for n in range(n_rows)]
    table = table_of(jobs, odd_path)
    rows = as_csv(table, odd_path)
    assert repr(rows) == repr([table.row(number) for number in range(n_rows)])
    lines = format_header(table.columns) + format_rows(zip(*table.columns.values(), strict=True))
    (odd_path / "slowly.csv").write_bytes(lines)
    assert repr(rows) == repr(list(read_rows(odd_path / "slowly.csv")))


def test_a_csv_file_is_as_published(odd_path: Path) -> None:
    jobs = [
        done(0, {"y": 0.5, "note": "a, b"}, overrides=["x=1"]),
        SweepJob(num=1, status="failed", overrides=["x=2"], error=Error("E", '"no"')),
    ]
    write_table(table_of(jobs, odd_path), odd_path / "table.csv")
    assert (odd_path / "table.csv").read_text(encoding="utf-8") == (
        ",run-status,run-duration_s,x,y,note,run-peak_rss_bytes,run-error\n"
        '0,completed,1.5,1,0.5,"a, b",,\n'
        '1,failed,,2,,,,"E: ""no"""\n'
    )


def test_a_table_longer_than_a_step_of_writing_is_written_whole(odd_path: Path) -> None:
    rows = as_csv(of_results(odd_path, *({"y": number / 8} for number in range(2500))), odd_path)
    assert [(row[""], row["y"]) for row in rows] == [(number, number / 8) for number in range(2500)]


def test_half_of_a_character_does_not_cost_the_table(odd_path: Path) -> None:
    for suffix in (".csv", ".jsonl", ".md", ".tex"):
        file = odd_path / f"table{suffix}"
        write_table(of_results(odd_path, {"y": "\udc80", "z": "é"}), file)
        assert "é" in file.read_text(encoding="utf-8")


def test_a_jsonl_file_has_an_object_for_each_job(odd_path: Path) -> None:
    write_table(of_results(odd_path, {"y": [1, None], "z": "é\n"}, {"y": 10**30}), odd_path / "table.jsonl")
    text = (odd_path / "table.jsonl").read_text(encoding="utf-8")
    first, second = map(json.loads, text.splitlines())
    assert (first["job"], first["y"], first["z"]) == (0, [1, None], "é\n")
    assert (second["job"], second["y"], second["z"]) == (1, 10**30, None)
    assert "é" in text


def test_a_parquet_file_has_columns_with_types(odd_path: Path) -> None:
    pl = pytest.importorskip("polars")
    results = (
        {"i": 1, "f": 1, "nan": "nan", "b": True, "t": "é", "mixed": 1, "big": 2**70, "list": [1], "none": None},
        {"i": None, "f": 0.5, "nan": 2.5, "b": None, "t": None, "mixed": "x", "big": 1, "list": [{}], "none": None},
    )
    write_table(of_results(odd_path, *results), odd_path / "table.parquet")
    frame = pl.read_parquet(odd_path / "table.parquet")
    assert frame.columns[0] == "job"
    types = {name: frame.schema[name] for name in ("job", "i", "f", "nan", "b", "t", "mixed", "big", "list")}
    assert types == {
        **dict.fromkeys(("job", "i"), pl.Int64),
        **dict.fromkeys(("f", "nan"), pl.Float64),
        "b": pl.Boolean,
        **dict.fromkeys(("t", "mixed", "big", "list"), pl.String),
    }
    assert frame["i"].to_list() == [1, None]
    assert frame["f"].to_list() == [1.0, 0.5]
    assert str(frame["nan"].to_list()) == "[nan, 2.5]"
    assert frame["b"].to_list() == [True, None]
    assert frame["mixed"].to_list() == ["1", "x"]
    assert frame["big"].to_list() == [str(2**70), "1"]
    assert frame["list"].to_list() == ["[1]", "[{}]"]
    assert frame["none"].to_list() == [None, None]


def test_a_markdown_file_is_a_table_whatever_stands_in_it(odd_path: Path) -> None:
    write_table(of_results(odd_path, {"a_b": "x|y\nz", "n": 0.123456789}, {"n": 2}), odd_path / "table.md")
    head, rule, first, second = (odd_path / "table.md").read_text(encoding="utf-8").splitlines()
    assert head == "| job | run-status | run-duration\\_s | a\\_b | n | run-peak\\_rss\\_bytes | run-error |"
    assert rule == "| ---: | --- | ---: | --- | ---: | --- | --- |"
    assert first == "| 0 | completed | 1.5 | x\\|y z | 0.123457 |  |  |"
    assert second == "| 1 | completed | 1.5 |  | 2 |  |  |"


def test_a_long_cell_is_cut_in_a_table_for_people(odd_path: Path) -> None:
    for suffix in (".md", ".tex"):
        write_table(of_results(odd_path, {"y": "x" * 500}), odd_path / f"table{suffix}")
        text = (odd_path / f"table{suffix}").read_text(encoding="utf-8")
        assert "x" * 117 + "..." in text
        assert "x" * 118 not in text


def test_a_latex_file_escapes_what_latex_obeys(odd_path: Path) -> None:
    write_table(of_results(odd_path, {"a_b": "5 % & more_\\x{#$}~^"}), odd_path / "table.tex")
    lines = (odd_path / "table.tex").read_text(encoding="utf-8").splitlines()
    assert lines[1] == r"\begin{tabular}{rlrlll}"
    assert lines[3].split(" & ")[3] == r"a\_b"
    told = r"5 \% \& more\_\textbackslash{}x\{\#\$\}\textasciitilde{}\textasciicircum{}"
    assert lines[5] == rf"0 & completed & 1.5 & {told} &  &  \\"
    assert lines[-1] == r"\end{tabular}"


def test_a_file_is_written_in_the_form_that_its_name_asks_for_in_any_case(odd_path: Path) -> None:
    write_table(of_results(odd_path, {"y": 1}), odd_path / "odd.name.CSV")
    assert [row["y"] for row in read_rows(odd_path / "odd.name.CSV")] == [1]


def test_a_name_with_an_unknown_end_is_complained_of() -> None:
    assert [complaint(f"results{end}") for end in (".csv", ".PARQUET", ".md", ".jsonl", ".tex")] == [None] * 5
    told = "a file name that ends in .csv, .jsonl, .parquet, .md or .tex"
    assert [complaint(name) for name in ("results", "results.xlsx", "csv", "results.csv.gz", "")] == [told] * 5


WITHOUT_ROOM = """
import resource, signal, sys
from pathlib import Path
from hydra_callbacks.runs.gather import table_of
from hydra_callbacks.runs.sweep_job import SweepJob
from hydra_callbacks.runs.table_files import write_table
if sys.argv[1].endswith(".parquet"):
    import polars
results = ({"y": f"{n * 7919 % 10007:x}" * 40} for n in range(3000))
jobs = [SweepJob(num=n, status="completed", found=result) for n, result in enumerate(results)]
table = table_of(jobs, Path())
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_table(table, Path(sys.argv[1]))
except Exception as error:  # polars has its own
    print("File too large" in str(error))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits as in POSIX")
@pytest.mark.parametrize("suffix", list(WRITERS))
def test_what_cannot_be_written_leaves_what_was_there(odd_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("polars")
    file = write(odd_path / f"table{suffix}", "the old one")
    command = [sys.executable, "-c", WITHOUT_ROOM, str(file)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.stdout == "True\n", done.stderr
    assert file.read_text(encoding="utf-8") == "the old one"
    assert list(odd_path.iterdir()) == [file]


def test_a_failed_job_that_is_read_from_its_record_has_its_error(odd_path: Path) -> None:
    make_run(odd_path / "0", job=job(0), **failed())
    table = table_of(read_sweep(odd_path).jobs, odd_path)
    assert table.columns["run-error"] == ["ValueError: lr must not be 1"]


def test_an_empty_part_of_a_result_is_a_value(odd_path: Path) -> None:
    table = of_results(odd_path, {"a": {}, "b": {"c": 1}})
    assert table.columns["a"] == [{}]
    assert table.columns["b.c"] == [1]


def test_a_result_named_like_a_column_of_ours_does_not_take_its_place(odd_path: Path) -> None:
    table = of_results(odd_path, {"run-status": "fine", "": 7})
    assert table.columns["run-status"] == ["completed"]
    assert table.columns["result.run-status"] == ["fine"]
    assert table.columns["result."] == [7]
