"""What installs the packages of a run again, each from where it came, and which can no longer be had from there?"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from hydra_callbacks.provenance.moved import inside
from hydra_callbacks.support.redact import REDACTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra_callbacks.provenance.worktree import Code

_OF_CONDA = re.compile(r"/(?:feedstock_root|croot|conda-bld|80754af9|ci_py\w+)/")
"""Where conda's packages were built: no place of the user's, and the packages are those of the index."""


def place_of(origin: Mapping[str, Any]) -> str | None:
    """Return the file or directory that a package came from; None where it was no local one."""
    url = str(origin.get("url") or "")
    if os.path.isabs(url):  # noqa: PTH117  (a text, as an `.egg-link` has it)
        return url
    if not url.startswith("file:"):
        return None
    path = unquote(urlsplit(url).path)
    return path[1:] if os.name == "nt" else path  # `/C:/...`


def to_install(
    packages: Mapping[str, Any], origins: Mapping[str, Any], code: Code, tree: Path
) -> tuple[list[str], list[str]]:
    """Return the words that install packages, for `pip install`, and in words what cannot be had as it was.

    Args:
        packages: Name to version.
        origins: Name to where it came from, of those that are no package index's.
        code: The code of the run; what came from its tree comes from the rebuilt one.
        tree: Where that is, or will be.
    """
    wanted: list[str] = []
    missing: list[str] = []
    for name, version in packages.items():
        told = origins.get(name)
        origin = told if isinstance(told, dict) else {}
        words, why = _one(name, str(version), origin, code, tree)
        wanted += words
        missing += [f"{name} {version}: {why}"] if why else []
    return wanted, missing


def _one(name: str, version: str, origin: Mapping[str, Any], code: Code, tree: Path) -> tuple[list[str], str | None]:
    """Return what installs a package, and what cannot be had."""
    url, place = str(origin.get("url") or "").replace(f"{REDACTED}@", ""), place_of(origin)
    if not url or (place and _OF_CONDA.search(f"{place}/")):
        return [f"{name}=={version}"], None
    here = Path(inside(place, code, tree)) if place else None
    if REDACTED in url:
        return [], f"it came from {url}, and what is secret in that was not kept"
    if here and not here.is_relative_to(tree) and not here.exists():  # the tree itself may not have been rebuilt yet
        return [], f"it came from {here}, which is not there"
    if here and origin.get("editable"):
        return ["--editable", str(here)], None
    is_commit = origin.get("vcs") and origin.get("commit")
    source = f"{origin['vcs']}+{url}@{origin['commit']}" if is_commit else here.as_uri() if here else url
    part = f"#subdirectory={origin['subdirectory']}" if origin.get("subdirectory") else ""
    return [f"{name} @ {source}{part}"], _change(here, str(origin.get("hash") or "")) if here else None


def _change(file: Path, told: str) -> str | None:
    """Return in what a file differs from the one that was installed, as far as its hash was kept."""
    name, _, digest = told.partition("=")
    if name != "sha256" or not digest or not file.is_file():
        return None
    is_same = hashlib.sha256(file.read_bytes()).hexdigest() == digest
    return None if is_same else f"{file} is not the file that it came from: it has changed since"
