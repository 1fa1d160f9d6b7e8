"""Pages of what really ran: a sweep, a run and a register, from the application to the browser."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import page_data
import pytest
from browser import Opened, chromium
from conftest import ODD_NAME, App

from hydra_callbacks.report.page import render
from hydra_callbacks.report.register import register_data
from hydra_callbacks.report.run import run_data
from hydra_callbacks.report.sweep import sweep_data
from hydra_callbacks.runs.find import run_in

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = Path(__file__).parents[2] / "web"
KINDS = ["sweep", "run", "register"]
CALLBACKS = (
    {"_target_": "hydra_callbacks.RunRecord"},
    {"_target_": "hydra_callbacks.ConsoleCapture"},
    {"_target_": "hydra_callbacks.CrashReport"},
    {"_target_": "hydra_callbacks.EnvironmentInfo"},
    {"_target_": "hydra_callbacks.GitInfo", "patch": True},
    {"_target_": "hydra_callbacks.ResourceMonitor", "sample_interval": 0.05},
    {"_target_": "hydra_callbacks.RuntimePerformance"},
    {"_target_": "hydra_callbacks.RegisterRun", "run_base_dir": ".", "multirun_base_dir": "."},
)
PROGRAM = f"""
import base64, json, time
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig
from hydra_callbacks import PerfLogger

main_args = {{}} if hydra.__version__ >= "1.4" else {{"version_base": None}}
if hydra.__version__ >= "1.4":
    main_args["execution_whitelist"] = ["hydra_callbacks.*"]

@hydra.main(config_path="conf", config_name="config", **main_args)
def main(cfg):
    folder = Path(HydraConfig.get().runtime.output_dir)
    with PerfLogger(print, name="load"):
        time.sleep(0.1)  # so that a phase has a width, and samples
    with PerfLogger(print, name="train"):
        work = sum(number * number for number in range(200_000))
        time.sleep(0.2)  # as above
    print("\\x1b[32m 50 %\\r100 %\\x1b[0m")
    (folder / "loss é.png").write_bytes(base64.b64decode({page_data.picture(64, 48).partition(",")[2]!r}))
    if cfg.x == cfg.fail_at:
        raise ValueError(f"x must not be {{cfg.x}} <b>")
    (folder / "results.json").write_text(json.dumps({{"score": 1 / cfg.x, "loss": cfg.x * 1.5, "note": cfg.opt.name}}))

if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The data of a sweep of nine jobs, one of which fails, of a run that fails, and of the register that has both."""
    app = App(tmp_path_factory.mktemp("real") / ODD_NAME)
    app.write("app.py", PROGRAM)
    app.callbacks(*CALLBACKS)
    app.commit()
    app.write("app.py", f"{PROGRAM}# changed since\n")
    sweep = app.run("-m", "x=1,3,10", "opt.name=adam,sgd,lion", "fail_at=10", "hydra/launcher=joblib")
    assert sweep.code == 1, sweep.text
    (folder,) = app.directory.glob("multirun/*/*")
    run = app.run("x=7", "fail_at=7", "opt.name='it is, odd'")
    assert run.code == 1, run.text
    found = run_in(app.one("outputs/*/*"))
    assert found
    return {
        "sweep": sweep_data(folder),
        "run": run_data(found),
        "register": register_data(str(app.directory / "register.csv")),
    }


@pytest.fixture(scope="module")
def pages(real: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Opened]]:
    """The pages, open; at the end, nothing may have gone wrong in them, and nothing may have been asked for."""
    folder = tmp_path_factory.mktemp("pages")
    with chromium() as browser:
        opened = {}
        for kind, data in real.items():
            (folder / f"{kind}.html").write_text(render(data), encoding="utf-8")
            opened[kind] = Opened(browser.new_context(viewport={"width": 1280, "height": 900}), folder / f"{kind}.html")
        yield opened
        assert {kind: one.trouble for kind, one in opened.items()} == {kind: [] for kind in KINDS}


@pytest.mark.parametrize(("kind", "n_charts"), [("sweep", 6), ("run", 2), ("register", 2)])
def test_charts_have_marks(pages: dict[str, Opened], kind: str, n_charts: int) -> None:
    marked = pages[kind].marked()
    assert len(marked) >= n_charts
    # Not each curve of a run has values to be seen: a machine may tell nothing of its disk.
    assert sum(n > 30 for n in marked.values()) >= n_charts, marked


def hovered(page: Any, label: str, across: float, down: float) -> str:
    """Return the tooltip at a place of a chart, in shares of its width and height."""
    chart = page.get_by_role("img", name=re.compile(label))
    chart.scroll_into_view_if_needed()
    over = chart.locator(".u-over")
    over.wait_for()
    box = over.bounding_box()
    over.hover(position={"x": box["width"] * across, "y": box["height"] * down})
    return str(page.locator(".tooltip.on").inner_text())


def test_a_sweep_is_looked_at_and_filtered(pages: dict[str, Opened], real: dict[str, Any]) -> None:
    page = pages["sweep"].page
    assert re.search(r"duration\n\S+ s$", hovered(page, "duration of each job", 0.5, 0.95))
    assert re.search(r"peak memory\n\S+ MiB$", hovered(page, "peak memory of each job", 0.5, 0.95))
    page.get_by_label("Filter", exact=True).fill("3 = x and name in (adam, sgd) and status = completed")
    page.get_by_text("2 of 9 jobs").wait_for()
    page.get_by_role("button", name="Clear all").click()
    page.get_by_role("button", name=re.compile(r"3 failed")).click()
    page.get_by_text("3 of 9 jobs").wait_for()
    page.get_by_role("button", name="Clear all").click()
    page.get_by_role("button", name="Open job 4", exact=True).click()
    panel = page.get_by_role("dialog")
    text = panel.inner_text()
    assert "opt.name\nsgd" in text
    command = shlex.split(panel.locator("code", has_text="hydra-callbacks reproduce").inner_text())
    assert command == ["hydra-callbacks", "reproduce", f"{real['sweep']['place']}/4"]
    page.keyboard.press("Escape")


def test_a_run_is_looked_at(pages: dict[str, Opened]) -> None:
    page = pages["run"].page
    pages["run"].see_all()
    text = page.locator("body").inner_text()
    assert "x must not be 7 <b>" in text
    assert "opt.name='it is, odd'" in page.locator("#config").inner_text()
    assert "+# changed since\n" in page.locator(".diff .ins").all_inner_texts()
    assert "100 %" in page.get_by_label("Console output", exact=True).inner_text()
    assert page.locator(".gallery img").count() == 1
    assert re.search(r"\d files, \S+ KiB", page.locator("#artefacts").inner_text())
    assert page.get_by_role("button", name=re.compile("^train")).count() >= 1, "a phase"
    chart = page.get_by_role("img", name=re.compile("^Memory over time"))
    chart.scroll_into_view_if_needed()
    chart.locator(".u-over").hover()
    assert re.search(r"\d", page.locator(".curve", has=chart).locator(".live").first.inner_text())


def test_a_register_is_looked_at_and_filtered(pages: dict[str, Opened], real: dict[str, Any]) -> None:
    page = pages["register"].page
    assert re.search(r"(completed|failed)\n\d+", hovered(page, "^Runs over time", 0.5, 0.5))
    page.get_by_label("Filter", exact=True).fill("x = 3 and error = null")
    page.get_by_text("3 of 10 runs").wait_for()
    page.locator("tr[data-row] td.n").first.click()
    panel = page.get_by_role("dialog")
    command = shlex.split(panel.locator("code", has_text="hydra-callbacks reproduce").inner_text())
    assert command[2] in real["register"]["runs"]["path"]
    assert Path(command[2]).is_dir()
    page.keyboard.press("Escape")


OPEN = {"values", "counts"}  # named by what the data holds


def shape(value: Any, name: str = "") -> Any:
    """Return what data consists of: a mapping of its keys, a list of what all its items are, a value of its type."""
    if isinstance(value, dict):
        if name in OPEN:
            return {"*": merged([shape(each) for each in value.values()])}
        return {key: shape(each, key) for key, each in value.items()}
    if isinstance(value, list):
        is_pair = name in {"facts", "environment", "packages"}
        return [merged([shape(each, "" if is_pair else name) for each in value])]
    if isinstance(value, bool) or value is None:
        return {type(value).__name__}
    return {"number" if isinstance(value, (int, float)) else "text"}


def merged(shapes: list[Any]) -> Any:
    """Return one shape that says what several do; an empty set where nothing is known."""
    told = [each for each in shapes if each not in ({"NoneType"}, set())]
    sets = [each for each in told if isinstance(each, set)]
    if not told:
        return set().union(*shapes)
    if isinstance(told[0], dict):
        keys = dict.fromkeys(key for each in told for key in each)
        return {key: merged([each[key] for each in told if key in each]) for key in keys}
    if isinstance(told[0], list):
        return [merged([item for each in told for item in each])]
    return set().union(*sets)


def differences(made_up: Any, found: Any, place: str = "") -> list[str]:
    """Return where two shapes differ: in keys, or in types; where one says nothing, there is nothing to compare."""
    if found in ({"NoneType"}, set()) or made_up in ({"NoneType"}, set()):
        return []
    if type(made_up) is not type(found):
        return [f"{place}: {made_up} is {found}"]
    if isinstance(found, dict):
        keys = [f"{place}.{key}" for key in {*made_up} ^ {*found}]
        return keys + [
            each for key in {*made_up} & {*found} for each in differences(made_up[key], found[key], f"{place}.{key}")
        ]
    if isinstance(found, list):
        return differences(made_up[0], found[0], f"{place}[]")
    types = found - made_up - {"NoneType"}
    return [f"{place}: {types} is not in the made-up data"] if types and not place.endswith(".value") else []


@pytest.mark.parametrize("kind", KINDS)
def test_the_made_up_data_has_the_shape_of_the_real(real: dict[str, Any], kind: str) -> None:
    made_up = {"sweep": page_data.sweep, "run": page_data.run, "register": page_data.register}[kind]()
    assert differences(shape(made_up), shape(real[kind]), kind) == []


def test_the_types_of_the_script_are_those_of_the_data(real: dict[str, Any], tmp_path: Path) -> None:
    compiler = WEB / "node_modules/.bin/tsc"
    if not compiler.exists():
        pytest.skip("TypeScript is not installed: npm ci --prefix web")
    made_up = {"sweep": page_data.sweep(), "run": page_data.run(60), "register": page_data.register(40)}
    lines = [
        f"export const {which}_{kind}: {kind.title()}Data = {json.dumps(data)};"
        for which, each in (("real", real), ("made_up", made_up))
        for kind, data in each.items()
    ]
    (tmp_path / "types.d.ts").write_text((WEB / "src/types.d.ts").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "data.ts").write_text("\n".join(lines), encoding="utf-8")
    words = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "types.d.ts", "data.ts"]
    done = subprocess.run([compiler, *words], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert done.stdout == ""
