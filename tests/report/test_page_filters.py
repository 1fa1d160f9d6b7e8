"""One filter language: what the command line takes a filter for, the page takes it for, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import page_data
import pytest
from browser import Opened, chromium

from hydra_callbacks.errors import FilterError
from hydra_callbacks.report.columns import column
from hydra_callbacks.report.page import render
from hydra_callbacks.runs import query

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = json.loads(Path(__file__).with_name("filter_cases.json").read_text(encoding="utf-8"))
ROWS = [
    row | {name: values[number] for name, values in TABLE["unseen"].items()} for number, row in enumerate(TABLE["rows"])
]
CASES = pytest.mark.parametrize("case", TABLE["cases"], ids=[case["filter"] for case in TABLE["cases"]])


@CASES
def test_the_command_line_reads_it_so(case: dict[str, Any]) -> None:
    names = list(ROWS[0])
    if "error" in case:
        with pytest.raises(FilterError) as caught:
            query.ask(names, where=case["filter"])
        assert case["error"] in str(caught.value)
    else:
        found = query.select(ROWS, query.ask(names, where=case["filter"], sort=""))
        assert [ROWS.index(row) for row in found] == case["rows"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page of the table's rows, as `report.register` would draw it."""
    told, values = [], {}
    for name, role in TABLE["roles"].items():
        facts, values[name] = column(name, name.removeprefix("result."), role, [row[name] for row in TABLE["rows"]])
        told.append(facts)
    nothing = [None] * len(TABLE["rows"])
    data = page_data.register() | {"columns": told, "values": values, "by_app": []}
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(render(data | {"runs": {"link": nothing, "path": nothing}}), encoding="utf-8")
    with chromium() as browser:
        opened = Opened(browser.new_context(viewport={"width": 1280, "height": 900}), file)
        yield opened.page
        assert opened.trouble == []


FITS = """([field, text]) => {
  field = document.querySelector(field);
  field.value = text;
  field.dispatchEvent(new Event("input"));
  const rows = [...document.querySelectorAll("tr[data-row]")].map((row) => Number(row.dataset.row));
  return [rows.sort(), document.querySelector(".complaint").textContent];
}"""


def fits(page: Any, text: str, field: str = "#query") -> tuple[list[int], str]:
    """Return which rows fit what is written into a field, and what is wrong with it; the field is empty again then."""
    rows, complaint = page.evaluate(FITS, [field, text])
    page.evaluate(FITS, [field, ""])
    return rows, complaint


@CASES
def test_the_page_reads_it_so(page: Any, case: dict[str, Any]) -> None:
    rows, complaint = fits(page, case["filter"])
    if case.get("words"):
        assert (rows, complaint) == ([], "")
    elif "page" in case or ("error" in case and "page_rows" not in case):
        assert complaint
        assert case.get("page", case.get("error")) in complaint
        assert rows == [0, 1, 2, 3, 4], "what is not understood changes nothing"
    else:
        assert (rows, complaint) == (case.get("page_rows", case.get("rows")), "")


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("killed in epoch 3", [1]),
        ("killed", [1, 2]),
        ("KILLED epoch", [1]),
        ("error", [1]),
        ("not here", []),
        ("completed macro", [0, 3, 4]),
        ("(epoch", []),
        ("killed in epoch (3, 4)", []),
        ('"odd"', [3]),
    ],
)
def test_what_is_no_filter_is_looked_for(page: Any, words: str, rows: list[int]) -> None:
    assert fits(page, words) == (rows, "")


@pytest.mark.parametrize(
    ("field", "text", "rows"),
    [
        ("lr", "0.1", [0]),
        ("lr", "0.1 | 0.01", [0, 1]),
        ("lr", "=0.1 | >5", [0, 3]),
        ("lr", "0.05..2", [0, 4]),
        ("lr", "..0.05 | =none", [1, 2]),
        ("lr", "<none", []),
        ("lr", "|", [0, 1, 2, 3, 4]),
        ("optimizer.name", "ADAM", [0, 1]),
        ("optimizer.name", "=adam | sg", [0, 2]),
        ("optimizer.name", '="null"', [4]),
        ("optimizer.name", "=null", []),
        ("run-error", "epoch 3 | no such", [1]),
        ("run-peak_rss_bytes", ">1 MiB", [2, 3]),
        ("run-peak_rss_bytes", ">=1MiB", [0, 2, 3]),
        ("run-peak_rss_bytes", "<= 2048 kib", [0, 3, 4]),
        ("run-peak_rss_bytes", ">1 MB", [0, 2, 3]),
        ("run-peak_rss_bytes", "<1.1 MB", [0, 4]),
        ("run-peak_rss_bytes", "<0.003 GB", [0, 3, 4]),
        ("run-peak_rss_bytes", ">0.003 GiB", [2]),
        ("run-peak_rss_bytes", ">1e-6 TiB", [2, 3]),
        ("run-peak_rss_bytes", ">1500000", [2, 3]),
        ("run-peak_rss_bytes", "1 MiB..2 MiB", [0, 3]),
        ("run-peak_rss_bytes", "1..2 MiB", [0, 3]),
        ("run-peak_rss_bytes", "..2 MiB", [0, 3, 4]),
        ("run-peak_rss_bytes", "3 MiB..", [2]),
        ("run-peak_rss_bytes", "=1.01 MiB | >3MiB", [0, 2]),
        ("run-peak_rss_bytes", "!=1.0 MiB", [2, 3, 4]),
        ("run-peak_rss_bytes", "2.0 MiB", [3]),
        ("run-peak_rss_bytes", "2", [3]),
        ("run-peak_rss_bytes", "1048576", [0]),
        ("run-peak_rss_bytes", "=none", [1]),
        ("run-duration_s", ">0.6 s", [0, 3, 4]),
        ("run-duration_s", ">600 ms", [0, 3, 4]),
        ("run-duration_s", "<1min", [0, 1]),
        ("run-duration_s", ">=1 min", [3, 4]),
        ("run-duration_s", ">= 1 H", [3]),
        ("run-duration_s", "<0 min 13 s", [0, 1]),
        ("run-duration_s", "10 s..1 h", [0, 3, 4]),
        ("run-duration_s", "10..60 s", [0, 4]),
        ("run-duration_s", "0.01 d..", [3]),
        ("run-duration_s", "10..100", [0, 4]),
        ("run-duration_s", "1 h 0 min", [3]),
        ("run-duration_s", "1", [3, 4]),
        ("run-duration_s", "12", [0]),
    ],
)
def test_a_columns_field_takes_alternatives_and_units(page: Any, field: str, text: str, rows: list[int]) -> None:
    assert fits(page, text, f'[data-filter="{field}"]') == (rows, "")


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("run-peak_rss_bytes", ">1 s", 'run-peak_rss_bytes: "1 s" is no size: a number may have B, KiB,'),
        ("run-peak_rss_bytes", "1 MiB..2 XiB", 'run-peak_rss_bytes: "2 XiB" is no size'),
        ("run-peak_rss_bytes", "7 x", 'run-peak_rss_bytes: "7 x" is no size'),
        ("run-peak_rss_bytes", "1 MiB | <1 MiB 2", 'run-peak_rss_bytes: "1 MiB 2" is no size'),
        (
            "run-duration_s",
            ">1 MiB",
            'run-duration_s: "1 MiB" is no time: a number may have ms, s, min, h or d behind it',
        ),
    ],
)
def test_a_unit_that_is_none_is_told_and_changes_nothing(page: Any, field: str, text: str, says: str) -> None:
    place = f'[data-filter="{field}"]'
    rows, complaint = page.evaluate(FITS, [place, text])
    assert page.locator(place).get_attribute("aria-invalid") == "true"
    page.evaluate(FITS, [place, ""])
    assert page.locator(place).get_attribute("aria-invalid") == "false"
    assert complaint.startswith(says)
    assert rows == [0, 1, 2, 3, 4]


def test_a_field_shows_what_may_be_written_into_it(page: Any) -> None:
    for field, example in (("run-peak_rss_bytes", ">200 MiB"), ("run-duration_s", ">1 min")):
        place = page.locator(f'[data-filter="{field}"]')
        assert place.get_attribute("placeholder") == example
        assert place.get_attribute("title").startswith(f"Such as {example}")


def test_the_page_knows_the_short_names_of_the_command_line() -> None:
    source = (Path(__file__).parents[2] / "web/src/store.js").read_text(encoding="utf-8")
    assert [short for short in query.SHORT if f'"{short}"' not in source and f"  {short}: " not in source] == []
