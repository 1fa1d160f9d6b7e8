"""The documentation names what there is: every page, every setting, every key and every column."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from conftest import PLAIN_APP, ROOT, App

import hydra_callbacks
from hydra_callbacks.callbacks import ROOMS
from hydra_callbacks.cli import COMMANDS
from hydra_callbacks.monitor.processes.figures import HAS_PROC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
GROUP = ROOT / "src" / "hydra_callbacks" / "conf" / "hydra" / "callbacks"

each_callback = pytest.mark.parametrize("name", ROOMS)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a language that the page itself holds."""
    found = re.findall(rf"^```{language}\b.*?\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [text for text in found if not text.startswith("--8<--")]


def entries(config: Any) -> Iterator[dict[str, Any]]:
    """Yield what our classes are to be made from, at any depth of a configuration."""
    if isinstance(config, dict):
        if str(config.get("_target_", "")).startswith("hydra_callbacks."):
            yield config
        for value in config.values():
            yield from entries(value)


def navigated(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from navigated(item)


def test_the_navigation_lists_every_page_once() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(navigated(config["nav"])) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)


@each_callback
def test_the_page_of_a_callback_states_every_setting_with_its_default(name: str) -> None:
    page = DOCS / "reference" / "callbacks" / f"{ROOMS[name]}.md"
    shown = yaml.safe_load(blocks(page, "yaml")[0])["hydra"]["callbacks"]
    assert shown == yaml.safe_load((GROUP / f"{ROOMS[name]}.yaml").read_text(encoding="utf-8"))
    assert f"\n::: hydra_callbacks.{name}\n" in page.read_text(encoding="utf-8")
    assert f"[{name}](reference/callbacks/{ROOMS[name]}.md)" in (DOCS / "index.md").read_text(encoding="utf-8")


@each_page
def test_what_a_page_configures_can_be_made(page: Path) -> None:
    for text in blocks(page, "yaml"):
        for entry in entries(yaml.safe_load(text)):
            settings = {key: value for key, value in entry.items() if key != "_target_"}
            getattr(hydra_callbacks, entry["_target_"].partition(".")[2])(**settings)


@each_page
def test_what_a_page_states_as_json_is_json(page: Path) -> None:
    for text in blocks(page, "json"):
        json.loads(text)


def test_the_table_of_the_preset_is_the_preset() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\w+)\]", text, re.MULTILINE)[:7]
    preset = yaml.safe_load((GROUP / "default.yaml").read_text(encoding="utf-8"))
    assert {ROOMS[name] for name in listed} == set(preset)


def test_every_key_of_a_record_and_every_column_is_explained(app: App) -> None:
    timed = "    with hydra_callbacks.PerfLogger(print, name='part'):\n        ended = time.process_time() + 0.5\n"
    timed += "        while time.process_time() < ended: pass\n"
    imports = "import hydra_callbacks, time\n"
    app.write("app.py", imports + PLAIN_APP.replace("    if cfg.x ==", f"{timed}    if cfg.x =="))
    app.commit()
    often = "+hydra.callbacks.resource_monitor.sample_interval=0.01"  # a column has to be seen to be known
    assert app.run("-m", "x=1,2", "fail_at=2", "hydra/callbacks=default", often).code == 1

    keys = set()
    for job in (0, 1):
        for key, value in app.record(f"multirun/*/*/{job}").items():
            is_section = isinstance(value, dict) and key not in {"config", "result", "timers"}
            keys |= {f"{key}.{inner}" for inner in value} if is_section else {key}
    assert {"status", "result", "error.traceback", "git.sha", "resources.cpu_s", "timers", "host.pid"} <= keys
    page = (DOCS / "reference" / "run-record.md").read_text(encoding="utf-8")
    assert not {key for key in keys if f"`{key}`" not in page and f"\n## {key}\n" not in page}

    page = (DOCS / "reference" / "files.md").read_text(encoding="utf-8")
    for pattern, surely in (
        ("multirun/register.csv", {"run-peak_rss_bytes", "run-cpu_s"}),
        ("multirun/*/*/resource_monitoring.csv", {"phase", *({"pss_GiB", "net_received_GiB"} if HAS_PROC else ())}),
    ):
        columns = next(csv.reader(app.one(pattern).read_text(encoding="utf-8").splitlines()))
        assert surely <= set(columns)
        config = {"", "x", "fail_at", "opt.lr", "opt.name", "result.double", "result.deep.er"}
        assert not {column for column in columns if column not in config and f"`{column}`" not in page}


def test_the_addresses_of_the_project_are_left_out() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert not {"repo_url", "site_url"} & config.keys()
    assert config["theme"]["font"] is False


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_a_command_is_what_the_program_says(name: str) -> None:
    """`python3 make.py pages` writes them anew."""
    spec = importlib.util.spec_from_file_location("commands", DOCS / "commands.py")
    assert spec is not None
    assert spec.loader is not None
    commands = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(commands)
    assert (commands.PAGES / f"{name}.md").read_text(encoding="utf-8") == commands.page(name)
    overview = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    assert f"[`{name}`](commands/{name}.md)" in overview


def test_there_is_no_page_without_a_command() -> None:
    assert {page.stem for page in (DOCS / "reference" / "commands").glob("*.md")} == set(COMMANDS)
