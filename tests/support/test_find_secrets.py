"""Secrets are found in any value by the names around them, and no line of the value's own code is run."""

from __future__ import annotations

import argparse
import subprocess
import threading
from collections import namedtuple
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from hydra_callbacks.support.find_secrets import find_secrets

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-is-no-word"  # noqa: S105  (it is what must be found)
Pair = namedtuple("Pair", ["user", "password"])  # noqa: PYI024  (as people write it)


@dataclass
class Connection:
    host: str
    password: str


class Slotted:
    __slots__ = ("later", "token")

    def __init__(self, token: str) -> None:
        self.token = token


class Wrapped:
    def __init__(self, value: str) -> None:
        self.kind, self._value = "bearer", value

    def __repr__(self) -> str:
        threading.Event().wait()
        return ""

    __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __repr__  # type: ignore[assignment]  # on purpose: whatever is asked of it


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", SECRET),
        ("password", SECRET.encode()),
        ("credentials", {"any": [{"thing": SECRET}]}),
        ("x", {"a": {"b": {"c": {"d": {"e": {"f": {"auth_token": SECRET}}}}}}}),
        ("x", Connection("db", SECRET)),
        ("x", [Slotted(SECRET)]),
        ("x", Pair("me", SECRET)),
        ("x", [("password", SECRET)]),
        ("x", ["mysql", "--password", SECRET]),
        ("x", ("run", f"--token={SECRET}")),
        ("x", f"Client(url='x', token='{SECRET}')"),
        ("x", f"https://me:{SECRET}@host/db"),
        ("x", {"Authorization": f"Bearer {SECRET}1"}),
        ("password", Wrapped(SECRET)),
        ("x", subprocess.CalledProcessError(1, ["login", "--secret", SECRET])),
        ("x", RuntimeError("failed", Connection("db", SECRET))),
        ("x", argparse.Namespace(api_key=SECRET)),
        ("x", OmegaConf.create({"db": {"password": SECRET}})),
    ],
)
def test_a_secret_is_found(name: str, value: Any) -> None:
    assert any(SECRET in found for found in find_secrets([(name, value)]))


def test_the_working_directory_is_none(tmp_path: Path) -> None:
    assert not find_secrets([("env", {"PWD": str(tmp_path), "OLDPWD": "/gone", "SSH_KEY": str(tmp_path)})])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("password", None), ("use_token", True), ("max_tokens", 512), ("token", np.zeros(3)), ("key", "accuracy")),
        *(("tokens", ["the", "model"]), ("text", SECRET), ("kind", Wrapped("bearer")), ("password", "${oc.env:X}"[:0])),
    ],
)
def test_nothing_else_is(name: str, value: Any) -> None:
    assert not {each for each in find_secrets([(name, value)]) if each}


def test_numbers_are_found_under_a_name_that_says_so() -> None:
    assert find_secrets([("password", 12345678), ("key", 3)]) == {"12345678"}


def test_what_holds_itself_and_what_is_huge_has_an_end() -> None:
    loop: list[Any] = []
    loop += [loop, {"password": SECRET, "loop": loop}]
    huge = [["x" * 10_000] * 1000] * 1000
    assert find_secrets([("huge", huge), ("loop", loop)]) == {SECRET}
    many = {f"password_{number}": f"secret-{number}" for number in range(10_000)}
    assert len(find_secrets([("many", many), *many.items()])) == 200
