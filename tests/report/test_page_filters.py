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
    elif "page" in case or "error" in case:
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
    ],
)
def test_a_columns_field_takes_alternatives(page: Any, field: str, text: str, rows: list[int]) -> None:
    assert fits(page, text, f'[data-filter="{field}"]') == (rows, "")


def test_the_page_knows_the_short_names_of_the_command_line() -> None:
    source = (Path(__file__).parents[2] / "web/src/store.js").read_text(encoding="utf-8")
    assert [short for short in query.SHORT if f'"{short}"' not in source and f"  {short}: " not in source] == []
