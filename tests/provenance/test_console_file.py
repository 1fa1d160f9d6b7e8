"""A file of limited size gets the beginning and the end of what is printed, without secrets."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_callbacks.provenance.console_file import Cleaner, ConsoleFile
from hydra_callbacks.provenance.console_secrets import without_secrets

SECRETS = [b"swordfish", b"swordfish-long", b"fish-tank", b"aaaaaab", b"key line 1\nkey line 2"]
WORDS = [
    *(b"swordfish", b"swordfish-", b"swordfish-long", b"fish-", b"tank", b"sword", b"aaa", b"aaaaaab", b"b"),
    *(b"key line 1", b"\n", b"key line 2", b" ", b"text", b"\r"),
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=40).map(b"".join)


def written(*pieces: bytes, max_bytes: int = 10_000, sync: bool = False, **more: Any) -> tuple[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "console.log")
        file = ConsoleFile(os.open(path, os.O_RDWR | os.O_CREAT), max_bytes, SECRETS)
        for piece in pieces:
            file.write(piece)
            if sync:
                file.sync()
        facts = file.end(**more)
        return path.read_text(encoding="utf-8"), facts


def single(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


@given(TEXTS)
def test_no_secret_is_written_in_whatever_pieces_it_comes(data: bytes) -> None:
    cleaner = Cleaner(SECRETS)
    whole = Cleaner(SECRETS).all(data)
    assert b"".join(map(cleaner.write, single(data))) + cleaner.all(cleaner.held) == whole
    assert not any(secret in whole for secret in cleaner.secrets)


@pytest.mark.parametrize("gap", [b"", b" ", b"-and-", b"\n"])
def test_where_the_tail_begins_no_part_of_a_secret_is_left(gap: bytes) -> None:
    for n_more in range(40):
        text, facts = written(b"x" * n_more + (b"swordfish-long" + gap) * 2000, max_bytes=1000)
        assert facts["is_cut"]
        assert not re.search("sword|fish|ord|long", text.replace("<redacted>", ""))


@given(TEXTS, st.sampled_from([10, 60, 10_000]), st.booleans())
def test_the_pieces_do_not_matter(data: bytes, max_bytes: int, sync: bool) -> None:
    whole = written(data, max_bytes=max_bytes)
    assert written(*single(data), max_bytes=max_bytes, sync=sync) == whole
    assert not any(secret in whole[0].encode() for secret in Cleaner(SECRETS).secrets)


@pytest.mark.parametrize("sync", [False, True])
def test_of_long_output_the_beginning_and_the_end_are_kept(sync: bool) -> None:
    lines = [b"line %5d\n" % number for number in range(10_000)]
    text, facts = written(*lines, max_bytes=1000, sync=sync)
    head, left_out, tail = re.split(r"^\.\.\. (.*) left out \.\.\.\n", text, flags=re.MULTILINE)
    assert head == "".join(f"line {number:5}\n" for number in range(46))
    assert tail == "".join(f"line {number:5}\n" for number in range(9_955, 10_000))
    assert left_out == "0.1 MB"
    assert facts == {"bytes": 110_000, "lines": 10_000, "is_cut": True}


def test_what_fits_is_kept_as_it_is() -> None:
    text = "".join(f"line {number:5}\n" for number in range(90))
    assert written(text.encode(), max_bytes=1000) == (text, {"bytes": 990, "lines": 90})


def test_a_file_that_is_read_meanwhile_has_the_line_that_is_not_ended(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    file = ConsoleFile(os.open(path, os.O_RDWR | os.O_CREAT), 1000, SECRETS)
    for printed, seen in (("a\nName: ", "a\nName: "), ("x", "a\nName: x"), ("\rb", "a\nb"), ("\nc\n", "a\nb\nc\n")):
        file.write(printed.encode())
        file.sync()
        assert path.read_text(encoding="utf-8") == seen
    assert file.end(last=b"Traceback\n") == {"bytes": 14, "lines": 3}
    assert path.read_text(encoding="utf-8") == "a\nb\nc\nTraceback\n"


def test_a_secret_that_is_known_only_at_the_end_is_taken_out() -> None:
    text, _ = written(b"the token is hunter2-hunter2\n", secrets=[b"hunter2-hunter2"])
    assert text == "the token is <redacted>\n"


NAMED = (
    *(b"password: hunter2\n", b"tokens/s: 512, token: 3\n", b"at https://me:hunter2@host/x\n", b"\n", b"text "),
    *(b"Authorization: Bearer hunter2\n", b"API_KEY='hunter2' again\n", b"run --secret hunter2 -v\n", b"key: lr\n"),
)


@given(st.lists(st.sampled_from(NAMED), max_size=20), st.sampled_from([300, 10_000]), st.booleans())
def test_what_stands_under_a_secret_name_is_taken_out(lines: list[bytes], max_bytes: int, sync: bool) -> None:
    data = b"".join(lines)
    whole = written(data, max_bytes=max_bytes)
    assert written(*single(data), max_bytes=max_bytes, sync=sync) == whole
    assert "hunter2" not in whole[0]


def test_other_lines_stay_as_they_are() -> None:
    text = b"tokens/s: 512, eos_token='</s>'\nhttp://host/x \xff\xc3\xa9 key: lr\nmonkey=3 basic things\n"
    assert without_secrets(text) == text
    assert without_secrets(text + b"PASSWORD=x\n" + text) == text + b"PASSWORD=<redacted>\n" + text


def test_an_error_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.touch()
    file = ConsoleFile(os.open(path, os.O_RDONLY), 1000, [])
    file.write(b"a\n")
    file.write(b"b\n")
    assert file.end() == {"bytes": 4, "lines": 2, "error": "Bad file descriptor"}
