"""The file of a page: small, whole, closed, and made of what is built from web/."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import page_data
import pytest
from run_dirs import failed, job, make_run

from hydra_callbacks.report import page
from hydra_callbacks.report.page import render
from hydra_callbacks.report.sweep import sweep_data

PARTS = Path(page.__file__).with_suffix("")
SOURCES = Path(__file__).parents[2] / "web/src"


class Elements(HTMLParser):
    """The scripts and styles of a page, and the policy that it states."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self.policy = ""
        self.place = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.place = tag
        if tag in self.texts:
            self.texts[tag].append("")
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""

    def handle_data(self, data: str) -> None:
        if self.place in self.texts:
            self.texts[self.place][-1] += data

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  (html.parser names it)
        self.place = ""


def hashed(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_allows_the_pages_own_script_and_style_and_nothing_else() -> None:
    found = Elements(render(page_data.sweep()))
    script, style = hashed(found.texts["script"][1]), hashed(found.texts["style"][0])
    assert found.policy == (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("text", ["</script><!--<script>", "a & b", "\u2028\u2029", "é", "\udc80", "{{ 7*7 }}", "\x00"])
def test_the_data_comes_through_whole(text: str) -> None:
    data = {**page_data.run(), "title": text}
    html = render(data)
    embedded = Elements(html).texts["script"][0]
    assert not re.search("[<>&\u2028\u2029]", embedded)
    assert json.loads(embedded) == json.loads(json.dumps(data))
    html.encode()
    assert "49" not in html.split("<title>")[1].split("</title>")[0]


def test_numbers_that_are_not_finite_are_none() -> None:
    data = {**page_data.run(), "duration_s": float("nan")}
    assert json.loads(Elements(render(data)).texts["script"][0])["duration_s"] is None


@pytest.mark.parametrize(("data", "limit"), [(page_data.sweep(100), 700e3), (page_data.sweep(10_000), 6e6)])
def test_a_page_is_small(data: dict[str, Any], limit: float) -> None:
    assert len(render(data).encode()) < limit


def test_a_page_is_small_whatever_its_jobs_have_said(tmp_path: Path) -> None:
    """A hundred jobs that failed in ways of their own, each with a very long traceback."""
    for num in range(100):
        word = "".join(chr(ord("a") + int(digit)) for digit in str(num))
        error = {"type": "Error", "message": word, "traceback": f"{page_data.TRACEBACK * 100}Error: {word}\n"}
        make_run(tmp_path / str(num), num, **failed(error=error, job=job(num), overrides=[f"lr={num}"]))
    html = render(sweep_data(tmp_path))
    assert len(html.encode()) < 700e3
    without_script, data = html.split('<script type="application/json"')
    assert without_script.count('<pre class="code">') == 5
    assert data.count("FloatingPointError: loss is nan") > 50


def test_a_page_is_known_for_ours_by_its_first_bytes() -> None:
    assert b'content="hydra-callbacks' in render(page_data.run()).encode()[:4096]


def test_script_and_style_are_built_from_the_sources_beside_them() -> None:
    sources = hashlib.sha256()
    for file in sorted(SOURCES.iterdir(), key=lambda file: file.name):
        sources.update(file.name.encode() + file.read_bytes().replace(b"\r\n", b"\n"))
    notice = (PARTS / "NOTICE").read_text(encoding="utf-8")
    assert sources.hexdigest() in notice, "python3 make.py web builds them anew"


def test_the_library_in_the_page_comes_with_its_licence_and_version() -> None:
    assert re.search(r"uPlot \d+\.\d+\.\d+, under the MIT licence", (PARTS / "NOTICE").read_text(encoding="utf-8"))
    assert "Permission is hereby granted" in (PARTS / "LICENSE.uPlot").read_text(encoding="utf-8")
