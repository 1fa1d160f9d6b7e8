"""Lines are added whole, or not at all; a torn one costs itself only."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra_callbacks.support.lines import append_lines, begin, first_line, first_line_of, mend_last
from hydra_callbacks.support.locks import alone

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "plain", "quoted"),
    [
        (b"", b"", b""),
        (b"\n", b"\n", b"\n"),
        (b"a,b\n1,2\n", b"a,b\n", b"a,b\n"),
        (b"a,b\r\n1,2\n", b"a,b\r\n", b"a,b\r\n"),
        (b"a,b", b"a,b", b"a,b"),
        (b'"a\nb",c\n1,2\n', b'"a\n', b'"a\nb",c\n'),
        (b'"a""\n""b",c\n"1\n",2\n', b'"a""\n', b'"a""\n""b",c\n'),
        (b'"never closed\n\n', b'"never closed\n', b'"never closed\n\n'),
        (b"x" * 20_000 + b"\nmore", b"x" * 20_000 + b"\n", b"x" * 20_000 + b"\n"),
        (b"x" * 8191 + b"\nmore", b"x" * 8191 + b"\n", b"x" * 8191 + b"\n"),
        (b"x" * 8192 + b"\nmore", b"x" * 8192 + b"\n", b"x" * 8192 + b"\n"),
    ],
    ids=lambda content: repr(content)[:16],
)
def test_the_first_line(odd_path: Path, content: bytes, plain: bytes, quoted: bytes) -> None:
    path = odd_path / "file"
    path.write_bytes(content)
    assert first_line_of(path) == plain
    assert first_line_of(path, quoted=True) == quoted
    with path.open("rb", buffering=0) as file:
        file.seek(3)
        assert first_line(file.fileno()) == plain


def test_a_file_that_is_missing_has_no_first_line(odd_path: Path) -> None:
    assert first_line_of(odd_path / "none") == b""


def is_whole(line: bytes) -> bool:
    return line.endswith(b".")


def add(path: Path, *lines: bytes) -> None:
    for line in lines:
        with alone(path) as file:
            mend_last(path, file.fd, is_whole=is_whole)
            append_lines(file.fd, line + b"\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(
        st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").replace(b".", b"") + b"."), max_size=5
    ),
    cut=st.integers(0, 200),
)
def test_a_cut_anywhere_costs_what_is_behind_it_and_no_whole_line(odd_path: Path, lines: list[bytes], cut: int) -> None:
    path = odd_path / "file"
    path.unlink(missing_ok=True)
    add(path, *lines)
    whole = path.read_bytes() if lines else b""
    path.write_bytes(whole[:cut])
    add(path, b"new.")
    kept = whole[:cut].split(b"\n")
    expected = kept[:-1] + ([kept[-1]] if is_whole(kept[-1]) else []) + [b"new.", b""]
    assert path.read_bytes() == b"\n".join(expected)


@pytest.mark.parametrize("length", [10, 65_535, 65_536, 65_537, 200_000])
def test_a_torn_line_of_any_length_is_taken_away_and_told_of(
    odd_path: Path, caplog: pytest.LogCaptureFixture, length: int
) -> None:
    path = odd_path / "file"
    path.write_bytes(b"first.\n" + b"x" * length)
    add(path, b"new.")
    assert path.read_bytes() == b"first.\nnew.\n"
    (record,) = caplog.records
    assert f"{path} ended in a torn row, which is taken away: b'xxxx" in record.getMessage()
    assert len(record.getMessage()) < len(str(path)) + 270


def test_a_file_begins_with_all_of_its_first_lines(odd_path: Path) -> None:
    """Whoever reads it meanwhile sees none or all of them; who waits for it finds the new one."""
    path = odd_path / "file"
    with alone(path) as file, path.open("rb") as before:
        begin(path, file, b"a.\nb.\n")
        assert before.read() == b""
        assert path.read_bytes() == b"a.\nb.\n"
    add(path, b"c.")
    assert path.read_bytes() == b"a.\nb.\nc.\n"
    assert os.listdir(odd_path) == ["file"]  # noqa: PTH208  (hidden files count)


FULL = """
import resource, signal, sys
from pathlib import Path
from hydra_callbacks.support.locks import alone
from hydra_callbacks.support.lines import append_lines
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
path = Path(sys.argv[1])
with alone(path) as file:
    try:
        append_lines(file.fd, b"y" * 9_000 + b"\\n")
    except OSError as error:
        print(error.strerror)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits as in POSIX")
def test_what_is_written_in_part_is_taken_back(odd_path: Path) -> None:
    """The system writes what fits before it says that there is no more room."""
    path = odd_path / "file"
    path.write_bytes(b"x" * 4_000 + b"\n")
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "File too large\n"
    assert path.read_bytes() == b"x" * 4_000 + b"\n"
