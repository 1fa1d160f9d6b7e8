"""What installs recorded packages again: from an index, from where they came, from the rebuilt tree, or not at all."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from hydra_callbacks.cli.recorded_packages import to_install
from hydra_callbacks.provenance.worktree import Code

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "1" * 40
GIT = {"vcs": "git", "commit": COMMIT}


def installs(folder: Path, origin: dict[str, Any]) -> tuple[list[str], list[str]]:
    code = Code(folder / "my code", folder / "my code", COMMIT)
    return to_install({"one": "1.0"}, {"one": origin}, code, folder / "rebuilt")


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ({}, ["one==1.0"]),
        (None, ["one==1.0"]),
        ({"url": "https://example.org/one.whl"}, ["one @ https://example.org/one.whl"]),
        ({"url": "https://example.org/x", **GIT}, [f"one @ git+https://example.org/x@{COMMIT}"]),
        (
            {"url": "https://<redacted>@example.org/x", "subdirectory": "python", **GIT},
            [f"one @ git+https://example.org/x@{COMMIT}#subdirectory=python"],
        ),
        ({"url": "file:///home/conda/feedstock_root/build_artifacts/one_17/work"}, ["one==1.0"]),
        ({"url": "file:///croot/one_17/work"}, ["one==1.0"]),
    ],
)
def test_what_does_not_lie_here(odd_path: Path, origin: dict[str, Any], words: list[str]) -> None:
    assert installs(odd_path, origin) == (words, [])


def test_what_lies_in_the_tree_comes_from_the_rebuilt_one(odd_path: Path) -> None:
    rebuilt = odd_path / "rebuilt"
    tree = (odd_path / "my code").as_uri()
    assert installs(odd_path, {"url": tree, "editable": True}) == (["--editable", str(rebuilt)], [])
    assert installs(odd_path, {"url": f"{tree}/libs/one"}) == ([f"one @ {(rebuilt / 'libs/one').as_uri()}"], [])
    linked = {"url": str(odd_path / "my code/libs"), "editable": True}  # as an `.egg-link` has it
    assert installs(odd_path, linked) == (["--editable", str(rebuilt / "libs")], [])


def test_what_lies_elsewhere_is_installed_from_there_or_named(odd_path: Path) -> None:
    wheel = odd_path / "one-1.0-py3-none-any.whl"
    origin = {"url": wheel.as_uri(), "hash": f"sha256={hashlib.sha256(b'wheel').hexdigest()}"}
    assert installs(odd_path, origin) == ([], [f"one 1.0: it came from {wheel}, which is not there"])
    assert installs(odd_path, {**origin, **GIT}) == ([], [f"one 1.0: it came from {wheel}, which is not there"])
    wheel.write_bytes(b"wheel")
    assert installs(odd_path, origin) == ([f"one @ {wheel.as_uri()}"], [])
    wheel.write_bytes(b"another")
    words, (missing,) = installs(odd_path, origin)
    assert words == [f"one @ {wheel.as_uri()}"]
    assert missing == f"one 1.0: {wheel} is not the file that it came from: it has changed since"


def test_a_secret_that_was_not_kept_is_named(odd_path: Path) -> None:
    url = "https://example.org/one.whl?sig=<redacted>"
    assert installs(odd_path, {"url": url}) == (
        [],
        [f"one 1.0: it came from {url}, and what is secret in that was not kept"],
    )
