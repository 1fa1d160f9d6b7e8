"""What is said again of a command line: the interpreter's own options, and texts that look like numbers."""

from __future__ import annotations

import pytest

from hydra_callbacks.runs.command_line import assigned, flags_of


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["python", "app.py", "-O"], []),
        (["python", "-O", "-X", "dev", "-Werror", "app.py", "-X"], ["-O", "-X", "dev", "-Werror"]),
        (["python", "-I", "-OO", "-u", "-m", "app", "-v"], ["-OO", "-u"]),
        (["python", "-Bu", "-c", "pass", "-O"], ["-Bu"]),
        ([], []),
    ],
)
def test_options_of_the_interpreter(words: list[str], flags: list[str]) -> None:
    assert flags_of(words) == flags


def test_a_text_that_looks_like_a_number() -> None:
    assert assigned("a", "1234_5") == "a=1234_5"
    assert assigned("a", "1234_5", is_text=True) == "a='1234_5'"
    assert assigned("a", "it's", is_text=True) == r"a='it\'s'"
