"""Signs that hide, or turn their neighbours round, are shown by their number: the same in Python and in the page."""

from __future__ import annotations

import re
from pathlib import Path

from run_dirs import make_run, write

from hydra_callbacks.report.hidden import HIDDEN
from hydra_callbacks.report.page import shown
from hydra_callbacks.report.run import run_data
from hydra_callbacks.runs.find import Run

SCRIPT = Path(__file__).parents[2] / "web/src/dom.js"


def test_they_are_shown_by_their_number() -> None:
    assert shown("a\u061cb\ufeff\u202e\x1b\ud800\tc\n\u200d") == "a\\u061cb\\ufeff\\u202e\\u001b\\ud800\tc\n\u200d"


def test_the_script_has_the_same_ones() -> None:
    found = re.search(r"const HIDDEN = /(\[.*?\])/g", SCRIPT.read_text(encoding="utf-8"))
    assert found
    of_script = re.compile(found[1])
    signs = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    assert [sign for sign in signs if of_script.match(sign)] == [sign for sign in signs if HIDDEN.match(sign)]


def test_what_was_printed_holds_none(tmp_path: Path) -> None:
    directory = make_run(tmp_path, console={"file": "console.log"})
    write(directory / "console.log", "".join(map(chr, range(1, 0x300))) + "\u202e\ufeffend\n")
    data = run_data(Run(str(directory), {"console": {"file": "console.log"}}))
    assert data["console"]["text"].endswith("\ufffd\ufffdend")
    assert not HIDDEN.search(data["console"]["text"])
