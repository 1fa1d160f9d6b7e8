"""What is left of a terminal's output on paper, in whatever pieces it comes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.provenance import console_text
from hydra_callbacks.provenance.console_text import Paper

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = [
    *(b"\n", b"\r", b"\r\n", b"\x08", b" ", b"abc", b"hello world", "é".encode(), b"x" * 35, b"\n\n\n"),
    *(b"\x1b[A", b"\x1b[2A", b"\x1b[1B", b"\x1b[1G", b"\x1b[K", b"\x1b[2K", b"\x1b[J", b"\x1b[31m", b"\x1b[?25l"),
    *(b"\x1b]0;title\x07", b"\x1b]8;;x\x1b\\", b"\x1b7", b"\x1b8", b"\x1b", b"\x1b[", b"\x1b]", b"\x1b]0;"),
]


def text_of(*pieces: bytes) -> str:
    paper = Paper()
    return (b"".join(map(paper.write, pieces)) + paper.close()).decode()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@pytest.fixture(scope="module", autouse=True)
def _short_lines() -> Iterator[None]:
    """Let the limits for long lines matter in short texts, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console_text, "LONGEST_LINE", 40)
        patch.setattr(console_text, "_PIECE_BYTES", 16)
        shorter = console_text._OVERWRITTEN.pattern.replace(b"1000", b"30")
        patch.setattr(console_text, "_OVERWRITTEN", re.compile(shorter))
        yield


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(b"".join), st.lists(st.integers(0, 500), max_size=8))
def test_the_pieces_do_not_matter(data: bytes, places: list[int]) -> None:
    whole = text_of(data)
    assert text_of(*cut(data, places)) == whole
    assert text_of(*(data[index : index + 1] for index in range(len(data)))) == whole


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_nor_do_they_in_what_is_no_text(data: bytes, places: list[int]) -> None:
    paper, other = Paper(), Paper()
    whole = paper.write(data) + paper.close()
    assert b"".join(map(other.write, cut(data, places))) + other.close() == whole
    assert b"\x1b" not in whole


@given(st.lists(st.text(st.characters(categories=["L", "N"]), max_size=39), max_size=9))
def test_plain_lines_are_kept_as_they_are(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    paper = Paper()
    assert paper.write(text.encode()) == text.encode()
    assert paper.n_lines == len(lines)


@pytest.mark.parametrize(
    ("printed", "left"),
    [
        ("\r 10%\r 50%\r100%\nend\n", "100%\nend\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("10%\r20%\r", "20%\n"),
        ("Name: ", "Name:" + " \n"),
        ("\x1b[1;31mred\x1b[0m \x1b]8;;https://example.org\x1b\\link\x1b]8;;\x07", "red link\n"),
        ("|\b/\b-\b done\n", " done\n"),
        ("café\b\be!\n", "cae!\n"),
        ("100%\b\b\b\b\n", "100%\n"),
        ("clear\r\x1b[Kdone\n", "done\n"),
        ("clear\r\x1b[2K\n", "\n"),
        ("a\x1b7\x1b[20;1Hthe panel below\x1b8b\n", "ab\n"),
        ("a\x1b7never restored\nb\n", "a\nb\n"),
    ],
)
def test_what_stood_there_last_is_kept(printed: str, left: str) -> None:
    assert text_of(printed.encode()) == left


def test_bars_below_each_other_stay_where_they_are() -> None:
    bars = "".join(f"\router {step // 10}\n\rinner {step % 10}\x1b[A" for step in range(100))
    assert text_of(b"start\n", bars.encode(), b"\n\ndone\n") == "start\nouter 0\nouter 9\ninner 9\ndone\n"


def test_a_line_without_end_takes_no_memory() -> None:
    paper = Paper()
    assert sum(len(paper.write(b"x" * 1000)) for _ in range(100)) > 99_900
    assert len(paper.open_text) < 40
