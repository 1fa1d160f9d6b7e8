"""Which packages can be imported here, in which version, and where did they come from?

What `importlib.metadata` and `pip list` tell, in a small part of their time: of each package's metadata only the head
is read. The layout is that of "Recording installed projects" (packaging.python.org), the origin that of PEP 610.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD_BYTES = 2048  # name and version stand in the first lines
_NAME = re.compile(rb"^Name:[ \t]*([^\r\n]*[^\s])", re.MULTILINE)
_VERSION = re.compile(rb"^Version:[ \t]*([^\r\n]*[^\s])", re.MULTILINE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package.

    Attributes:
        name: As PEP 503 normalises it: `ruamel-yaml`.
        version: As its metadata says.
        origin: Where it came from, when that is no package index: `url`, and `editable`, or `vcs`, `commit` and
            `revision`, or `hash`. Credentials in the URL are as they were.
    """

    name: str
    version: str
    origin: dict[str, Any] = field(default_factory=dict)


def installed(paths: Iterable[str] | None = None) -> list[Package]:
    """Return the packages that can be imported, by name; of several of one name the one that `import` finds.

    Args:
        paths: Where to look: directories, eggs and zip files; `sys.path` when None.
    """
    found: dict[str, Package] = {}
    links: dict[str, str] = {}
    places = [place for place in (sys.path if paths is None else paths) if isinstance(place, str)]
    for place in dict.fromkeys(place or os.curdir for place in places):
        for package in _in(place, links):
            found.setdefault(package.name, package)
    for name in links.keys() & found.keys():
        origin = found[name].origin or {"url": links[name], "editable": True}
        found[name] = Package(name, found[name].version, origin)
    return sorted(found.values(), key=lambda package: package.name)


def normalised(name: str) -> str:
    """Return a package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _in(place: str, links: dict[str, str]) -> Iterator[Package]:
    """Yield the packages in one place on the path, and note the directories that its `.egg-link` files name."""
    try:
        with os.scandir(place) as entries:
            names = [entry.name for entry in entries]
    except NotADirectoryError:
        yield from _in_archive(place)
        return
    except OSError:  # not there, or not for us
        return
    if place.endswith(".egg"):
        yield from _read(f"{place}/EGG-INFO", "PKG-INFO")
    eggs = []
    for name in names:
        if name.endswith(".dist-info"):
            if name[0].isalnum():  # else pip has begun to remove it: `~umpy-2.0.0.dist-info`
                yield from _read(f"{place}/{name}", "METADATA")
        elif name.endswith(".egg-info"):
            eggs.append(name)
        elif name.endswith(".egg-link"):
            links[normalised(name.removesuffix(".egg-link"))] = _first_line(f"{place}/{name}")
    for name in eggs:
        yield from _read(f"{place}/{name}", "PKG-INFO")


def _read(folder: str, file: str) -> Iterator[Package]:
    """Yield the package whose metadata lie in a folder, or (of distutils) are this file; none when they tell none."""
    head = _head(f"{folder}/{file}") or (_head(folder) if folder.endswith(".egg-info") else b"")
    name, version = _NAME.search(head), _VERSION.search(head)
    if name and version:
        origin = _origin(f"{folder}/direct_url.json") if file == "METADATA" else {}
        yield Package(normalised(_text(name[1])), _text(version[1]), origin)


def _text(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")


def _head(file: str) -> bytes:
    """Return the headers of metadata, or at least those with the name and the version; nothing where there are none."""
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123  (hundreds of them)
            head = opened.read(_HEAD_BYTES) or b""
            lines = head.rpartition(b"\n")[0]  # the last one may be cut
            if not _NAME.search(lines) or not _VERSION.search(lines):
                lines = head + (opened.readall() or b"")
    except OSError:
        return b""
    return _HEAD_END.split(lines, maxsplit=1)[0]


def _first_line(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:  # noqa: PTH123  (as above)
            return opened.readline().strip()
    except OSError:
        return ""


def _origin(file: str) -> dict[str, Any]:
    """Return what a `direct_url.json` tells; nothing where there is none: the package is an index's."""
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123  (as above)
            data = json.loads(opened.readall())
        vcs, archive = data.get("vcs_info") or {}, data.get("archive_info") or {}
        hashes = [f"{name}={value}" for name, value in (archive.get("hashes") or {}).items()]
        told = {
            "url": data.get("url"),
            "subdirectory": data.get("subdirectory"),
            "editable": (data.get("dir_info") or {}).get("editable"),
            "vcs": vcs.get("vcs"),
            "commit": vcs.get("commit_id"),
            "revision": vcs.get("requested_revision"),
            "hash": hashes[0] if hashes else archive.get("hash"),
        }
    except (OSError, ValueError, AttributeError):  # the last one: JSON, but of another form
        return {}
    return {key: value for key, value in told.items() if value}


def _in_archive(place: str) -> Iterator[Package]:
    """Yield the packages in a zip file on the path: so rare that it may take its time."""
    from importlib.metadata import distributions  # noqa: PLC0415  (heavy)

    try:
        for one in distributions(path=[place]):
            name, version = one.metadata["Name"], one.metadata["Version"]
            if name and version:
                yield Package(normalised(name), version)
    except Exception:  # noqa: BLE001, S110  (whatever lies on the path; it need not be an archive)
        pass
