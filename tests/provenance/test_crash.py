"""A report tells where a task failed, whatever it raised."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks.provenance.crash import Crash
from hydra_callbacks.provenance.frames import innermost, is_own, related, secrets_of
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = __file__.rpartition("test_crash.py")[0]


def raised(function: Callable[..., Any], *arguments: Any) -> BaseException:
    try:
        function(*arguments)
    except BaseException as error:  # noqa: BLE001  (any)
        return error
    raise AssertionError


def crash(error: BaseException, **changes: Any) -> Crash:
    settings: dict[str, Any] = {"start": HERE, "log": [], "with_locals": True, **changes}
    return Crash(error, settings.pop("redactor", None) or Redactor({}, {}), **settings)


def report(error: BaseException, **changes: Any) -> str:
    return crash(error, **changes).text({"app": "train"}, ["python train.py"], {"lr": 0.1})


def divide(number: int) -> float:
    halves = number // 2
    return 1 / halves


def translated(number: int) -> None:
    try:
        divide(number)
    except ZeroDivisionError as error:
        raise RuntimeError(number) from error


def handled(number: int) -> None:
    try:
        divide(number)
    except ZeroDivisionError:
        missing = {}
        missing["remedy"]


def deep(number: int) -> int:
    return deep(number + 1)


class NoText(Exception):  # noqa: N818  (a name)
    def __str__(self) -> str:
        raise ValueError


def fail(error: BaseException) -> None:
    raise error


def test_the_line_and_its_values_are_told() -> None:
    error = raised(divide, 1)
    section = crash(error, log=[f"line {number} {'x' * 200}" for number in range(50)]).section()
    assert section.pop("at").startswith("test_crash.py:")
    assert [line[:8] for line in section.pop("log")] == [f"line {number} " for number in range(40, 50)]
    assert section == {"locals": {"number": "1", "halves": "0"}}
    text = report(error)
    assert "\n  >    " in text
    assert " |     return 1 / halves\n" in text
    assert "\n    number = 1\n    halves = 0\n" in text
    assert "locals" not in crash(error, with_locals=False).section()
    assert "halves = 0" not in report(error, with_locals=False)


def test_the_cause_is_where_it_failed_and_an_error_in_its_handling_is_another_one() -> None:
    for function, where in ((translated, "divide"), (handled, "handled")):
        line = innermost(raised(function, 1))
        assert line is not None
        assert line.function == where
    text = report(raised(translated, 1))
    assert text.index("Where ZeroDivisionError came from") < text.index("Where RuntimeError came from")
    assert "The above exception was the direct cause" in text


def test_a_library_that_calls_back_is_folded_to_a_line() -> None:
    text = report(raised(lambda: json.loads("[1")))
    assert "came from" in text
    folded = [line for line in text.splitlines() if line.startswith("  ... ")]
    assert len(folded) == 1
    assert " lines of json, to " in folded[0]
    assert folded[0].endswith(" in raw_decode")


def test_a_recursion_is_told_by_its_ends() -> None:
    text = report(raised(deep, 0))
    assert text.count("in deep\n") <= 20
    assert "\n  ...\n" in text
    assert "number = 0\n" in text
    assert len(text) < 20_000


def test_an_error_that_has_no_text_and_one_that_has_too_much() -> None:
    assert "NoText: <exception str() failed>" in report(raised(fail, NoText()))
    text = report(raised(fail, ValueError("m" * 10**6 + "\nlast")))
    assert "characters left out]" in text
    assert "last" in text
    assert len(text) < 200_000
    assert max(map(len, text.splitlines())) < 1100


def test_the_last_lines_of_the_log_are_counted() -> None:
    error = raised(divide, 1)
    assert "\nThe last line of the log:\n  a\n" in report(error, log=["a"])
    assert "\nThe last 2 lines of the log:\n  a\n  b\n" in report(error, log=["a", "b"])


def test_what_a_terminal_would_obey_is_spelled_out() -> None:
    text = report(raised(fail, ValueError("a\x1b[31mb \udcff")), log=["\x1b]0;owned\x07"])
    assert "\x1b" not in text
    assert r"a\x1b[31mb" in text
    assert text.encode(errors="backslashreplace")


def test_notes_and_groups() -> None:
    if sys.version_info < (3, 11):
        pytest.skip("Python 3.11 brought them")
    member = raised(divide, 1)
    member.add_note("the number was odd")
    group = raised(fail, ExceptionGroup("several", [member, KeyError("b")]))  # noqa: F821  (see above)
    assert related(group)[0] is group
    assert member in related(group)
    text = report(group)
    assert "the number was odd" in text
    assert "halves = 0" in text


def test_errors_that_hold_each_other_have_an_end() -> None:
    first, second = raised(divide, 1), raised(divide, 0)
    first.__cause__, second.__cause__ = second, first
    assert related(first) == [first, second]


def connect(password: str, options: dict[str, Any]) -> None:
    api_key = "sk-live-0123456789abcdef"  # a secret in a source line
    message = f"{'.' * 180}{password}"  # which is cut in the middle of it
    raise RuntimeError(password, options, api_key, message)


def test_a_secret_of_a_local_value_is_found_everywhere() -> None:
    secrets = ["sword\\fish 1/2\n'é'", "deep-secret-0099", "url-pass-4711", "sk-live-0123456789abcdef"]
    options = {"a": {"b": {"c": {"d": {"auth_token": secrets[1]}}}}, "url": f"https://me:{secrets[2]}@host/x"}
    redactor = Redactor({}, {})
    error = raised(connect, secrets[0], options)
    redactor.learn_texts(secrets_of(error))  # as the lifecycle does, before any callback hears of the end
    found = crash(error, redactor=redactor, log=[f"with {secrets[0]} and {secrets[1]}"])
    everything = found.text({"app": "train"}, ["run"], {"note": secrets[1]}) + str(found.section())
    for secret in secrets:
        for part in (secret, secret[:9], repr(secret)):
            assert part not in everything
    assert "options" in everything


@pytest.mark.parametrize(
    ("file", "module", "package", "told"),
    [
        ("/home/me/train.py", "__main__", "", True),
        ("/home/me/.venv/lib/python3.11/site-packages/torch/nn.py", "torch.nn", "", False),
        ("/home/me/.venv/lib/python3.11/site-packages/mine/train.py", "mine.train", "mine", True),
        ("/home/me/src/hydra/core/utils.py", "hydra.core.utils", "", False),
        (threading.__file__, "threading", "", False),
        ("<frozen importlib._bootstrap>", "importlib._bootstrap", "", False),
        ("<string>", "__main__", "", True),
    ],
)
def test_which_code_is_the_users(file: str, module: str, package: str, told: bool) -> None:
    assert is_own(file.replace("/", os.sep), module, package) is told
