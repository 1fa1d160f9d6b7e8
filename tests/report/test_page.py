"""The pages in a real browser: drawn, quick to answer, safe from what the data holds, and readable by everybody."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import page_data
import pytest
from browser import TEXTS, Opened, chromium

from hydra_callbacks.report.page import MOST_ROWS, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS: dict[str, Callable[[], dict[str, Any]]] = {
    "sweep": page_data.sweep,
    "run": page_data.run,
    "register": page_data.register,
}
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}{% for x in y %}${7*7}<%= 7*7 %>",
    "'\"></textarea></style></title></pre><svg/onload=alert(1)>&lt;b&gt;&#39;<!--<script>",
    "javascript:alert(1)",
    " \tjava\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>",
    "//evil.example/x.js",
    "a\u2028b\u2029c\u202etxt.exe\u0000\x1b[31m\ufeff",
    "__proto__",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open the page of some data; at the end, nothing may have gone wrong in it."""
    opened: list[Opened] = []
    contexts = []

    def show(data: dict[str, Any], **settings: Any) -> Opened:
        file = tmp_path / "report é #1.html"
        file.write_text(render(data), encoding="utf-8")
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings}))
        contexts[-1].add_init_script(TEXTS)
        opened.append(Opened(contexts[-1], file))
        return opened[-1]

    yield show
    for context in contexts:
        context.close()
    assert [trouble for one in opened for trouble in one.trouble] == []


@pytest.mark.parametrize(("kind", "n_charts"), [("sweep", 7), ("run", 4), ("register", 2)])
def test_every_chart_is_drawn_in_both_schemes(show: Any, kind: str, n_charts: int) -> None:
    opened = show(KINDS[kind]())
    light = opened.marked()
    assert len(light) == n_charts
    assert all(marked > 100 for marked in light.values()), light
    before = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    opened.page.get_by_role("button", name="Switch to the dark scheme").click()
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    dark = opened.marked()
    assert all(marked > 100 for marked in dark.values()), dark


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [390, 640])
def test_nothing_is_wider_than_the_window(show: Any, kind: str, width: int) -> None:
    """640 pixels are what a window of 1280 holds at 200 % zoom."""
    opened = show(KINDS[kind](), viewport={"width": width, "height": 800})
    opened.see_all()
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width


def test_a_click_sorts_by_a_column_and_a_second_turns_it_round(show: Any) -> None:
    opened = show(page_data.sweep())
    head = opened.page.locator(".grid th", has_text="accuracy")
    head.get_by_role("button").focus()
    opened.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    rising = [float(text) for text in opened.numbers(7)]
    assert rising == sorted(rising)
    opened.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert opened.numbers(7)[0] == str(page_data.sweep()["best"]["value"])


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("lr < 0.001 and status = completed", lambda row: row["lr"] < 0.001 and row["run-status"] == "completed"),
        (
            "width = 64 or optimizer in (sgd, lion)",
            lambda row: row["model.width"] == 64 or row["optimizer"] in {"sgd", "lion"},
        ),
        ("not accuracy != null", lambda row: row["accuracy"] is None),
        ('"nan" in error', lambda row: "nan" in (row["run-error"] or "")),
        ("adam failed", lambda row: row["optimizer"] == "adam" and row["run-status"] == "failed"),
    ],
)
def test_a_filter_is_that_of_the_command_line_or_words(show: Any, query: str, fits: Callable[[Any], bool]) -> None:
    data = page_data.sweep()
    rows = [dict(zip(data["values"], row, strict=True)) for row in zip(*data["values"].values(), strict=True)]
    wanted = [str(row[""]) for row in rows if fits(row)]
    assert wanted
    opened = show(data)
    opened.page.get_by_label("Filter", exact=True).fill(query)
    opened.page.get_by_text(f"{len(wanted)} of 100 jobs").wait_for()
    assert opened.numbers(1) == wanted[: len(opened.numbers(1))]


def test_a_filter_that_is_not_understood_says_why_and_changes_nothing(show: Any) -> None:
    opened = show(page_data.sweep())
    opened.page.get_by_label("Filter", exact=True).fill("speed < 3")
    opened.page.get_by_text('there is no column "speed"').wait_for()
    assert opened.page.get_by_text("100 jobs", exact=True).is_visible()


def test_columns_are_filtered_hidden_and_cleared(show: Any) -> None:
    opened = show(page_data.sweep())
    opened.page.get_by_label("Filter lr").fill("0.001..0.01")
    opened.page.get_by_label("Filter optimizer").fill("sgd | lion")
    assert {float(text) for text in opened.numbers(4)} <= {0.001, 0.003, 0.01}
    assert set(opened.numbers(5)) == {"sgd", "lion"}
    opened.page.get_by_role("button", name="Clear all").click()
    assert opened.page.get_by_text("100 jobs", exact=True).is_visible()
    opened.page.locator("#jobs summary", has_text="Columns").click()
    opened.page.locator("#jobs").get_by_role("checkbox", name="optimizer").uncheck()
    assert opened.page.locator(".grid th", has_text="optimizer").count() == 0


@pytest.mark.parametrize("stretch", [[250], [60, 66]], ids=["a click", "a stretch without a value"])
def test_brushing_an_axis_filters_table_and_charts_until_it_is_undone(show: Any, stretch: list[int]) -> None:
    opened = show(page_data.sweep())
    before = opened.drawn()

    def brush(*stretch: int) -> None:
        canvas = opened.page.locator(".parallel canvas.over")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        x, y = box["x"] + 60, box["y"]  # the first axis, of lr: the highest is on top
        opened.page.mouse.move(x, y + stretch[0])
        opened.page.mouse.down()
        opened.page.mouse.move(x, y + stretch[-1], steps=4)
        opened.page.mouse.up()

    brush(30, 120)
    opened.page.get_by_role("button", name=re.compile("Remove the filter lr")).wait_for()
    assert {float(text) for text in opened.numbers(4)} == {0.03, 0.1}
    assert opened.drawn() != before
    brush(*stretch)
    assert opened.page.get_by_text("100 jobs", exact=True).is_visible()


def test_a_finger_brushes_an_axis_and_scrolls_beside_it(show: Any) -> None:
    opened = show(page_data.sweep(), viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    canvas = opened.page.locator(".parallel canvas.over")
    canvas.scroll_into_view_if_needed()
    opened.see_all()
    canvas.scroll_into_view_if_needed()
    finger = opened.page.context.new_cdp_session(opened.page)

    def stroke(x: float, *ys: float) -> None:
        box = canvas.bounding_box()
        for kind, y in zip(["touchStart", *["touchMove"] * (len(ys) - 1)], ys, strict=True):
            point = {"x": box["x"] + x, "y": box["y"] + y}
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    before = opened.page.evaluate("scrollY")
    stroke(60, 30, 60, 90, 120)
    opened.page.get_by_role("button", name=re.compile("Remove the filter lr")).wait_for()
    assert opened.page.evaluate("scrollY") == before
    stroke(60, 250)
    opened.page.get_by_text("100 jobs", exact=True).wait_for()
    canvas.scroll_into_view_if_needed()
    before = opened.page.evaluate("scrollY")
    stroke(120, 300, 250, 200, 150, 100)
    opened.page.wait_for_function(f"scrollY > {before}")
    assert opened.page.get_by_text("100 jobs", exact=True).count() == 1


def test_a_state_and_a_kind_of_error_show_their_jobs(show: Any) -> None:
    data = page_data.sweep()
    opened = show(data)
    opened.page.get_by_role("button", name=re.compile(r"\d+ failed")).click()
    assert set(opened.numbers(2)) == {"failed"}
    opened.page.get_by_role("button", name="Clear all").click()
    error = opened.page.locator("details.error").first
    error.locator("summary").click()
    assert "loss is nan at step 118" in error.locator("pre").inner_text()
    error.get_by_role("button", name="Show in the table").click()
    assert opened.numbers(1) == [str(row) for row in data["errors"][0]["rows"]]


def test_a_job_opens_with_all_that_is_known_and_keys_lead_on(show: Any) -> None:
    data = page_data.sweep()
    row = data["errors"][0]["rows"][0]
    opened = show(data)
    opened.page.get_by_label("Filter job").fill(f">={row}")
    opened.page.get_by_role("button", name=f"Open job {row}", exact=True).click()
    panel = opened.page.get_by_role("dialog")
    text = panel.inner_text()
    assert f"Job {row}" in text
    assert "FloatingPointError" in text
    assert f"lr\n{data['values']['lr'][row]}" in text
    assert panel.get_by_role("link", name="Its directory").get_attribute("href") == f"{row}/"
    opened.page.keyboard.press("ArrowRight")
    assert panel.get_by_role("heading", level=2).inner_text() == f"Job {row + 1}"
    opened.page.keyboard.press("Escape")
    assert not panel.is_visible()


def test_the_focus_stays_on_the_step_to_the_next_job(show: Any) -> None:
    page = show(page_data.sweep()).page
    page.get_by_role("button", name="Open job 0", exact=True).click()
    panel, focused = page.get_by_role("dialog"), page.locator("dialog :focus")
    panel.get_by_role("button", name="Copy overrides").focus()
    page.keyboard.press("ArrowRight")
    assert focused.get_attribute("aria-label") == "Next"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert panel.get_by_role("heading", level=2).inner_text() == "Job 3"
    assert focused.get_attribute("aria-label") == "Next"
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert panel.get_by_role("heading", level=2).inner_text() == "Job 0"
    assert focused.get_attribute("aria-label") == "Close"
    page.keyboard.press("ArrowRight")
    assert panel.get_by_role("heading", level=2).inner_text() == "Job 1"


def test_what_a_job_was_given_and_a_command_that_repeats_it_are_copied(show: Any) -> None:
    data = page_data.sweep()
    data["place"] = "/home/ada/été 1"
    data["jobs"]["words"][0] = "+lr=1e-02 'model=[a, b]' ~seed"
    page = show(data).page
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")

    def copied(place: Any, name: str) -> str:
        place.get_by_role("button", name=name).click()
        return str(page.evaluate("window.copied"))

    page.get_by_role("button", name="Open job 0", exact=True).click()
    panel = page.get_by_role("dialog")
    assert copied(panel, "Copy overrides") == data["jobs"]["words"][0]
    assert copied(panel, "Copy the command: reproduce") == "hydra-callbacks reproduce '/home/ada/été 1/0'"
    assert copied(panel, "Copy the directory") == "/home/ada/été 1/0"
    assert panel.get_by_text("Copied", exact=True).is_visible()
    page.keyboard.press("Escape")
    tile = page.locator(".tile", has_text="Best job")
    assert "highest is best, guessed from the name" in tile.inner_text()
    page.get_by_label("What is compared").select_option("loss")
    assert "loss, lowest is best, guessed from the name" in tile.inner_text()
    losses = data["values"]["loss"]
    lowest = losses.index(min(loss for loss in losses if loss is not None))
    assert copied(tile, "Copy the best job's overrides") == data["jobs"]["words"][lowest]


def test_numbers_that_are_not_finite_are_shown_found_and_last(show: Any) -> None:
    data = page_data.sweep()
    there = [row for row, loss in enumerate(data["values"]["loss"]) if loss is not None]
    for row, text in zip(there, ("nan", "inf", "-inf"), strict=False):
        data["values"]["loss"][row] = text
    opened = show(data)
    field = opened.page.get_by_label("Filter", exact=True)
    for row, text in zip(there, ("nan", "inf", "-inf"), strict=False):
        field.fill(f"loss = {text}")
        opened.page.get_by_text("1 of 100 jobs").wait_for()
        assert opened.numbers(1) == [str(row)]
        assert opened.numbers(8) == [text]
        with opened.page.expect_download() as download:
            opened.page.get_by_role("button", name="Save CSV: jobs").click()
        assert f",{text}," in download.value.path().read_text()
    field.fill(f"loss != {data['values']['loss'][there[3]]}")
    opened.page.get_by_text(f"{len(there) - 1} of 100 jobs").wait_for()
    field.fill("loss < 100 or loss in (nan, inf, -inf)")
    opened.page.get_by_text(f"{len(there)} of 100 jobs").wait_for()
    opened.page.get_by_label("Filter loss").fill("!=100")
    head = opened.page.locator(".grid th", has_text="loss").get_by_role("button")
    for _ in ("rising", "falling"):
        head.click()
        opened.page.locator(".scroller").evaluate("node => { node.scrollTop = 1e6; }")
        opened.page.locator(".grid tbody tr[data-row] td", has_text=re.compile("^nan$")).wait_for()
        assert set(opened.numbers(8)[-3:]) == {"nan", "inf", "-inf"}
        opened.page.locator(".scroller").evaluate("node => { node.scrollTop = 0; }")
    assert all(marked > 100 for marked in opened.marked().values())


def test_how_much_overrides_matter_is_told_of_the_result_it_is_known_for(show: Any) -> None:
    page = show(page_data.sweep()).page
    part = page.locator("#importance")
    page.get_by_label("What is compared").select_option("loss")
    assert part.locator(".bars").count() == 0
    assert "known for accuracy only" in part.inner_text()
    page.get_by_label("What is compared").select_option("accuracy")
    assert part.locator(".bars li").count() == 3


def test_another_result_can_be_compared(show: Any) -> None:
    data = page_data.sweep()
    opened = show(data)
    way = opened.page.get_by_label("Which way")
    opened.page.get_by_label("What is compared").select_option("loss")
    assert way.input_value() == "min", "a low loss is good, although a high accuracy is"
    losses = [value for value in data["values"]["loss"] if value is not None]
    best = opened.page.locator(".tile", has_text="Best job").inner_text()
    assert f"Open job {data['values']['loss'].index(min(losses))}" in best
    assert any(label.startswith("loss against lr") for label in opened.drawn())
    way.select_option("max")
    tile = opened.page.locator(".tile", has_text="Best job")
    assert f"Open job {data['values']['loss'].index(max(losses))}" in tile.inner_text()
    assert "loss, highest" in tile.inner_text()
    assert "guessed" not in tile.inner_text()
    opened.page.get_by_label("What is compared").select_option("accuracy")
    assert way.input_value() == "max"
    assert f"Open job {data['best']['num']}" in tile.inner_text()


def test_the_way_of_a_result_is_what_the_sweep_was_told(show: Any) -> None:
    data = page_data.sweep()
    data["metric"]["candidates"][1] |= {"is_max": True, "is_guessed": False}
    page = show(data).page
    page.get_by_label("What is compared").select_option("loss")
    assert page.get_by_label("Which way").input_value() == "max"
    assert "loss, highest" in page.locator(".tile", has_text="Best job").inner_text()
    assert "guessed" not in page.locator(".tile", has_text="Best job").inner_text()


def test_sizes_and_times_are_filtered_as_they_are_shown(show: Any) -> None:
    data = page_data.sweep()
    peaks, durations = data["values"]["run-peak_rss_bytes"], data["values"]["run-duration_s"]
    page = show(data).page

    def wanted(values: list[Any], low: float, high: float) -> str:
        return f"{sum(value is not None and low <= value <= high for value in values)} of 100 jobs"

    page.locator('[data-filter="run-peak_rss_bytes"]').fill("300 MiB..600 MiB")
    page.get_by_text(wanted(peaks, 300 * 2**20, 600 * 2**20)).wait_for()
    page.locator('[data-filter="run-peak_rss_bytes"]').fill("")
    page.get_by_label("Filter", exact=True).fill("duration > 0.5 min and 0.5 min <= duration")
    page.get_by_text(wanted(durations, 30, 1e9)).wait_for()
    page.get_by_label("Filter", exact=True).fill("")
    page.locator('[data-filter="run-duration_s"]').fill(">1 X")
    assert page.locator(".complaint").inner_text().startswith('duration: "1 X" is no time')
    assert page.get_by_text("100 jobs", exact=True).is_visible()


def test_a_stretch_of_sizes_that_is_brushed_says_its_units(show: Any) -> None:
    page = show(page_data.sweep()).page
    page.locator("#overview summary", has_text="Axes").click()
    page.locator("#overview").get_by_role("checkbox", name="peak memory").check()
    for name in ("accuracy", "loss", "lr", "optimizer", "model.width"):
        page.locator("#overview").get_by_role("checkbox", name=name, exact=True).uncheck()
    page.keyboard.press("Escape")
    canvas = page.locator(".parallel canvas.over")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 200, steps=4)
    page.mouse.up()
    chip = page.get_by_role("button", name=re.compile("Remove the filter peak memory")).inner_text()
    assert re.match(r"peak memory: \d+\.\d MiB \.\. \d+\.\d [MG]iB", chip)
    field = page.locator('[data-filter="run-peak_rss_bytes"]')
    assert re.fullmatch(r"[\d.]+\.\.[\d.]+ B", field.input_value())
    shown = page.locator(".count").inner_text()
    field.fill(f"{field.input_value()} ")
    assert page.locator(".count").inner_text() == shown, "the text means the same"


def test_numbers_are_taken_away_as_csv(show: Any) -> None:
    opened = show(page_data.sweep())
    opened.page.get_by_label("Filter", exact=True).fill("status = failed")
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="Save CSV: jobs").click()
    assert download.value.suggested_filename == "jobs.csv"
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("job,run-status,run-duration_s,lr,optimizer,model.width,accuracy,loss")
    assert len(lines) == 1 + page_data.sweep()["counts"]["failed"]
    assert {line.split(",")[1] for line in lines[1:]} == {"failed"}


def test_every_chart_has_its_numbers(show: Any) -> None:
    opened = show(page_data.run())
    for title in ("Processor", "Memory", "GPU", "Disk"):
        with opened.page.expect_download() as download:
            opened.page.get_by_role("button", name=f"Save CSV: {title}").click()
        assert len(download.value.path().read_text().splitlines()) == 1001


def test_times_are_told_with_their_distance_from_utc(show: Any) -> None:
    page = show(page_data.register(), timezone_id="Asia/Kolkata").page
    assert "UTC+5:30" in page.locator("footer").inner_text()
    started = page.locator(".grid tbody tr[data-row] td:nth-child(4)").first
    assert started.get_attribute("title") == page_data.register()["values"]["run-started"][-1]


def test_values_that_differ_in_their_last_bit_have_axes(show: Any) -> None:
    """Ticks between them would all be the same number, without an end."""
    data = page_data.sweep()
    data["values"]["accuracy"] = [0.9333333333333333, 0.9333333333333332] * 50
    data["values"]["lr"] = [0.3, 0.1 + 0.2] * 50
    data["values"]["loss"] = [1.7e308, -1.7e308] * 50
    opened = show(data)
    assert len(opened.drawn()) == 7
    opened.page.get_by_label("What is compared").select_option("loss")
    assert len(opened.drawn()) == 7


def test_a_bar_of_a_job_tells_its_figure(show: Any) -> None:
    data = page_data.sweep(3)
    data["values"]["run-duration_s"] = [75.0, 75.0, 75.0]
    data["values"]["run-peak_rss_bytes"] = [3 * 2**30, 3 * 2**30, 3 * 2**30]
    opened = show(data)
    assert {"0", "1", "2", "1 GiB", "3 GiB"} <= opened.texts()
    assert not {"0.5", "1.5"} & opened.texts(), "jobs are counted"
    for label, told in (
        ("duration of each job", "duration\n1 min 15 s"),
        ("peak memory of each job", "peak memory\n3.0 GiB"),
    ):
        over = opened.page.get_by_role("img", name=label).locator(".u-over")
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        opened.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 30)
        assert told in opened.page.locator(".tooltip.on").inner_text()


def test_what_nobody_saw_end_is_no_work(show: Any) -> None:
    data = page_data.sweep(4, n_workers=1)
    data["values"]["run-status"] = ["completed", "lost", "completed", "completed"]
    data["values"]["run-duration_s"] = [10.0, None, 10.0, 10.0]
    data["jobs"] |= {"begins_s": [0, 10, 90, 110], "worker": ["slot 1"] * 4}
    data |= {"launches_s": [0, 90], "idle_s": 172_800.0, "duration_s": 120.0}
    opened = show(data)
    part = opened.page.locator("#timeline")
    assert part.locator("p").first.inner_text() == (
        "1 worker: busy 25 % of 2 min 0 s; 30.0 s of work in all. 2 d 0 h between its 2 launches are left out. "
        "When 1 job ended is not known: counted as no work."
    )
    part.scroll_into_view_if_needed()
    over = part.locator(".u-over")
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    opened.page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
    assert "its end is not known" in opened.page.locator(".tooltip.on").inner_text()


def test_numbers_stand_in_full(show: Any) -> None:
    data = page_data.sweep(30)
    data["values"]["model.width"][0] = 123_456_789
    data["values"]["lr"][0] = 1.23456789e-7
    page = show(data).page
    assert page.locator("tr[data-row='0']").get_by_text("123456789", exact=True).is_visible()
    page.get_by_role("button", name="Open job 0", exact=True).click()
    text = page.get_by_role("dialog").inner_text()
    assert "model.width\n123456789\n" in text
    assert "lr\n1.23456789e-7\n" in text


def test_a_users_own_duration_is_no_time(show: Any) -> None:
    data = page_data.sweep(30)
    data["columns"].append(page_data.column("duration_s", "result"))
    data["values"]["duration_s"] = [7200] * 30
    page = show(data).page
    page.get_by_label("Filter", exact=True).fill("duration_s = 7200")
    page.get_by_text("30 jobs", exact=True).wait_for()
    assert page.locator("tr[data-row='0'] td").last.inner_text() == "7200"


def test_words_that_cannot_be_pasted_have_no_button_but_a_reason(show: Any) -> None:
    data = page_data.sweep()
    best = data["best"]["row"]
    data["columns"].insert(3, page_data.column("api_key", "override", "category"))
    data["values"]["api_key"] = ["<redacted>"] * 100
    data["values"]["api_key"][best] = None
    data["jobs"]["words"] = [None] * 100
    data["best"]["words"] = None
    page = show(data).page
    tile = page.locator(".tile", has_text="Best job")
    assert "too long" in tile.inner_text()
    assert tile.get_by_role("button", name=re.compile("Copy")).count() == 0
    page.get_by_role("button", name="Open job 0", exact=True).click()
    panel = page.get_by_role("dialog")
    assert "a secret in them is left out" in panel.inner_text()
    assert panel.get_by_role("button", name="Copy overrides").count() == 0


@pytest.mark.parametrize("word", ["db.password=<redacted>", f"note={'x' * 200}… (3,010 characters)"])
def test_overrides_of_a_run_that_cannot_be_pasted_have_no_button(show: Any, word: str) -> None:
    page = show({**page_data.run(), "overrides": ["lr=0.1", word]}).page
    part = page.locator("#config")
    assert "Not to be copied" in part.inner_text()
    assert part.get_by_role("button", name="Copy the overrides").count() == 0


def test_a_run_of_a_register_is_reproduced_from_its_own_folder(show: Any) -> None:
    data = page_data.register()
    page = show(data).page
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.locator("tr[data-row='299'] td").last.click()
    panel = page.get_by_role("dialog")
    panel.get_by_role("button", name="Copy the command: reproduce").click()
    path = data["runs"]["path"][299]
    assert page.evaluate("window.copied") == f"hydra-callbacks reproduce {path}"
    panel.get_by_role("button", name="Copy the directory").click()
    assert page.evaluate("window.copied") == path
    page.keyboard.press("Escape")
    page.locator("tr[data-row='294'] td").last.click()
    assert "Reproduce" not in panel.inner_text()
    assert data["values"]["run-dir"][294] in panel.inner_text()


def test_a_process_that_is_killed_leaves_no_traceback(show: Any) -> None:
    data = page_data.sweep()
    status = data["values"]["run-status"]
    row = status.index("failed")
    data["errors"][data["jobs"]["error"][row]]["traceback"] = None
    page = show(data).page
    told = {
        "lost": "A process that is killed leaves no traceback.",
        "failed": "there may be one in the job's directory",
    }
    for state, words in told.items():
        page.locator('[data-filter=""]').fill(f"={status.index(state)}")
        page.get_by_role("button", name=f"Open job {status.index(state)}", exact=True).click()
        assert words in page.get_by_role("dialog").inner_text()
        page.keyboard.press("Escape")
    error = page.locator("details.error", has_text="killed")
    error.locator("summary").click()
    assert told["lost"] in error.inner_text()


def test_the_files_that_are_not_listed_are_counted(show: Any) -> None:
    assert show(page_data.run()).page.get_by_text("3 of 812 files; all together 305.5 MiB").is_visible()


def test_the_tab_key_leads_through_all_rows(show: Any) -> None:
    page = show(page_data.sweep()).page
    page.get_by_role("button", name="Open job 0", exact=True).focus()
    focused = "document.activeElement.closest('tr')?.dataset.row"
    for row in range(1, 41):
        page.keyboard.press("Tab")
        # In a frame, rows are made before they are drawn: nobody presses a key more often than that.
        assert page.evaluate(f"new Promise((done) => requestAnimationFrame(() => done({focused})))") == str(row)


def test_charts_that_are_gone_listen_no_longer(show: Any) -> None:
    page = show(page_data.sweep()).page
    page.evaluate("""() => {
      window.heard = 0;
      const { addEventListener, removeEventListener } = window;
      window.addEventListener = (...all) => { window.heard += 1; addEventListener.apply(window, all); };
      window.removeEventListener = (...all) => { window.heard -= 1; removeEventListener.apply(window, all); };
    }""")
    for name in ("loss", "accuracy", "loss"):
        page.get_by_label("What is compared").select_option(name)
    assert page.evaluate("window.heard") == 0


def test_paper_is_white_for_readers_of_the_dark_scheme(show: Any) -> None:
    page = show(page_data.sweep(), color_scheme="dark").page
    grey = """() => {
      const canvas = document.querySelector("#resources canvas");
      const { width, height } = canvas;
      const copy = Object.assign(document.createElement("canvas"), { width, height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      const counts = new Map();
      for (let i = 0; i < data.length; i += 4) {
        const [red, green, blue, alpha] = data.subarray(i, i + 4);
        if (alpha === 255 && Math.abs(red - blue) < 20) counts.set(green, (counts.get(green) ?? 0) + 1);
      }
      return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
    }"""  # that of the lines behind the marks
    page.locator("#resources").scroll_into_view_if_needed()
    page.locator("#resources canvas").first.wait_for()
    page.wait_for_function(f"({grey})() < 100")
    # A microtask later, as after a real event; not a frame later, for which no printer waits.
    drawn = page.evaluate(f"() => (dispatchEvent(new Event('beforeprint')), Promise.resolve().then({grey}))")
    assert drawn > 200, "it is drawn at once"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_function(f"({grey})() < 100")


def test_a_formula_in_a_text_stays_a_text_in_a_spreadsheet(show: Any) -> None:
    data = page_data.sweep()
    data["values"]["optimizer"] = ["=cmd|' /C calc'!A0"] * 100
    opened = show(data)
    with opened.page.expect_download() as download:
        opened.page.get_by_role("button", name="Save CSV: jobs").click()
    assert ",'=cmd|' /C calc'!A0," in download.value.path().read_text()


def test_the_curves_zoom_together_and_back(show: Any) -> None:
    opened = show(page_data.run())
    before = opened.drawn()
    opened.page.get_by_role("button", name=re.compile("^evaluate")).click()
    near = opened.drawn()
    assert all(near[label] != before[label] for label in before)
    opened.page.get_by_role("button", name="All of the run").click()
    back = opened.drawn()
    assert all(abs(back[label] - before[label]) < abs(near[label] - before[label]) for label in before)


ORANGE = """() => [...document.querySelectorAll(".curve canvas")].map((canvas) => {
  const { width, height } = canvas;
  const copy = Object.assign(document.createElement("canvas"), { width, height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  let n = 0;
  for (let i = 0; i < data.length; i += 4) n += data[i] > 150 && data[i] - data[i + 2] > 100;
  return n;
})"""


@pytest.mark.parametrize("width", [390, 1280])
def test_the_kernels_peak_has_the_colour_of_no_curve_and_its_words_lie_on_none(show: Any, width: int) -> None:
    data = page_data.run()
    (memory,) = data["curves"]["panels"] = [data["curves"]["panels"][1]]
    memory["series"].pop()  # the control group's, which is orange
    opened = show(data, viewport={"width": width, "height": 900})
    assert not any("kernel" in text for text in opened.texts())
    assert opened.page.evaluate(ORANGE) == [0]
    legend = opened.page.locator(".series li", has_text="kernel's peak")
    assert legend.inner_text().split("\n")[-1].endswith("3.1 GiB")
    colours = "node => getComputedStyle(node.querySelector('.swatch')).borderTopColor"
    assert legend.evaluate(colours) == opened.page.evaluate("getComputedStyle(document.body).color")


def test_a_peak_far_above_the_samples_is_told_and_not_drawn(show: Any) -> None:
    data = page_data.run()
    data["curves"]["panels"][1]["mark"]["value"] = 100
    text = show(data).page.locator(".series li", has_text="kernel's peak").inner_text()
    assert "100 GiB, above what is drawn" in text


def test_phases_outside_of_the_samples_are_seen(show: Any) -> None:
    data = page_data.run(2)
    data["curves"] |= {"time_s": [0, 1], "n_samples": 2, "is_thinned": False}
    for panel in data["curves"]["panels"]:
        for series in panel["series"]:
            series["values"] = [1, 2]
    spans = {"load": (-0.5, 0.25), "train": (0.25, 9), "step": (3, 6)}
    data["curves"]["phases"] = [{"name": name, "began_s": low, "ended_s": high} for name, (low, high) in spans.items()]
    opened = show(data)
    assert {"train", "step"} <= opened.texts()
    opened.page.get_by_role("button", name=re.compile("^step")).click()
    assert {"3 s", "6 s"} <= opened.texts()


TONES = """moments => {
  const canvas = document.querySelector(".curve canvas");
  const over = document.querySelector(".curve .u-over");
  const [left, wide] = [over.offsetLeft * devicePixelRatio, over.offsetWidth * devicePixelRatio];
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const y = (over.offsetTop + 17) * devicePixelRatio; // between the names and the curve
  return moments.map((moment) => context.getImageData(left + (wide * moment) / 12, y, 1, 1).data.join());
}"""
"""The colours behind the curves, at moments of twelve."""


def test_a_phase_can_be_told_from_that_before_it_and_from_that_around_it(show: Any) -> None:
    data = page_data.run(2)
    (panel,) = data["curves"]["panels"] = data["curves"]["panels"][:1]
    panel["series"][0]["values"] = [1, 1]
    spans = [("load", 0, 2), ("train", 2, 9), ("step", 3, 4), ("step", 5, 6), ("step", 7, 8), ("save", 9, 12)]
    phases = [{"name": name, "began_s": low, "ended_s": high} for name, low, high in spans]
    data["curves"] |= {"time_s": [0, 12], "phases": phases}
    opened = show(data)
    opened.see_all()
    load, train, *others = opened.page.evaluate(TONES, [1.3, 2.6, 3.6, 4.6, 5.6, 6.6, 7.6, 8.6, 10.3])
    assert load != train
    assert others == [load, train, load, train, load, train, load]


def test_a_run_shows_its_patch_its_console_and_its_pictures(show: Any) -> None:
    opened = show(page_data.run())
    opened.see_all()
    assert "+            self.history.append(loss)" in opened.page.locator(".diff .ins").all_inner_texts()[2]
    console = opened.page.get_by_label("Console output", exact=True).inner_text()
    assert console.endswith("epoch 60: 100% |##########|")
    opened.page.get_by_role("button", name="Enlarge curves/loss.png").click()
    assert opened.page.get_by_role("dialog", name="Image").is_visible()
    opened.page.keyboard.press("Escape")
    opened.page.get_by_label("Search the configuration").fill("depth")
    assert opened.page.locator(".config tbody tr").all_inner_texts() == ["model.depth\t4"]


def test_a_register_leads_into_its_runs_newest_first(show: Any) -> None:
    data = page_data.register()
    opened = show(data)
    assert opened.page.locator(".grid tbody tr[data-row]").first.get_attribute("data-row") == "299"
    assert (
        opened.page.get_by_role("link", name="outputs/2026-10/299").get_attribute("href") == data["runs"]["link"][299]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_the_data_never_runs(show: Any, browser: Any, kind: str, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 2000})
    small = {"sweep": page_data.sweep(30), "run": page_data.run(60), "register": page_data.register(40)}
    for number, hostile in enumerate(HOSTILE):
        data = with_texts(small[kind], hostile)
        file = tmp_path / f"{number}.html"
        file.write_text(render(data), encoding="utf-8")
        opened = Opened(context, file)
        opened.see_all()
        assert opened.page.locator("h1").count() == 1
        if kind != "run":
            opened.page.locator(".grid tbody tr[data-row] td").first.click(position={"x": 2, "y": 2})
            assert opened.page.get_by_role("dialog").is_visible()
        else:
            assert opened.page.locator(".gallery img").count() == 2
        opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        links = opened.page.evaluate("[...document.querySelectorAll('a[href]')].map((link) => link.protocol)")
        assert set(links) <= {"file:", "http:", "https:"}, hostile
        made = opened.page.evaluate(
            "document.querySelectorAll('script, iframe, object, embed, form, base, link, [onerror], [onload]').length"
        )
        assert made == 2, hostile  # the data and the page's own
        told = opened.page.evaluate(
            "[...document.querySelectorAll('*')].map((one) => `${one.title}${one.alt}${one.ariaLabel}`).join('')"
        )
        assert "\u202e" not in told + opened.page.inner_text("body"), hostile
        assert opened.trouble == [], hostile
        opened.page.close()
    context.close()


def with_texts(data: Any, hostile: str, kept: tuple[str, ...] = ("kind", "role", "uri")) -> Any:
    """Replace every text, the names of a user's columns included; equal texts stay equal, different ones different."""
    numbers: dict[str, int] = {}
    count = itertools.count()

    def replaced(text: str) -> str:
        if text in {"", "run-dir", "run-app", "run-status", "run-started", "run-duration_s", "run-peak_rss_bytes"}:
            return text  # ours
        return f"{hostile}{numbers.setdefault(text, next(count)) or ''}"

    def visit(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            is_names = key in {"values", "counts"}
            return {replaced(name) if is_names else name: visit(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [visit(each, key) for each in value]
        return replaced(value) if isinstance(value, str) and key not in kept else value

    return visit(data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_without_javascript_sees_the_main_facts(show: Any, kind: str) -> None:
    data = KINDS[kind]()
    page = show(data, java_script_enabled=False).page
    text = page.locator("body").inner_text()
    assert data["title"] in text
    assert "Without JavaScript" in text
    if kind == "run":
        assert "loss is nan at step 118" in text
    else:
        assert page.locator("tbody tr").count() == min(len(data["values"][data["columns"][0]["name"]]), MOST_ROWS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_serious(show: Any, kind: str, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci --prefix web")
    opened = show(KINDS[kind](), color_scheme=scheme)
    opened.see_all()
    opened.page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    opened.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = opened.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    grave = {
        each["id"]: [node["html"][:160] for node in each["nodes"][:3]]
        for each in found
        if each["impact"] in {"serious", "critical"}
    }
    assert grave == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_can_be_printed(show: Any, kind: str) -> None:
    opened = show(KINDS[kind]())
    assert opened.page.pdf().startswith(b"%PDF")
    assert opened.page.get_by_role("button", name="Switch to the dark scheme").is_visible()


@pytest.mark.parametrize("n_jobs", [0, 1, 2])
def test_a_sweep_of_hardly_any_jobs_has_a_page(show: Any, n_jobs: int) -> None:
    data = page_data.sweep(max(n_jobs, 1))
    if not n_jobs:
        data["values"] = {name: [] for name in data["values"]}
        data["jobs"] = {name: [] for name in data["jobs"]}
        data |= {
            "counts": {},
            "metric": None,
            "best": None,
            "errors": [],
            "importance": None,
            "started_at": None,
            "duration_s": None,
        }
    opened = show(data)
    opened.see_all()
    assert opened.page.locator(".tile").first.inner_text().startswith("Jobs")


def test_a_run_of_which_nothing_is_known_has_a_page(show: Any) -> None:
    data = page_data.run()
    empty = {key: [] for key, value in data.items() if isinstance(value, list)}
    data |= empty | dict.fromkeys(
        ("started_at", "ended_at", "duration_s", "num", "host", "sweep", "error", "curves", "git", "console")
    )
    opened = show(data)
    opened.see_all()
    assert opened.page.get_by_role("heading", level=1).inner_text() == data["title"]
