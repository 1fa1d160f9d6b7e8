"""In which environment did a run take place? Its record says, and the file that the record names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydra_callbacks.runs.named_file import named_file
from hydra_callbacks.runs.record import section
from hydra_callbacks.support.fast_json import loads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SHA = 8  # characters that are told of a commit
_HASH = 12  # characters that are told of a file's hash


def document(record: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Return what the file holds that the record's section `environment` names; nothing where it is not there.

    Args:
        record: The run record.
        directory: The job's output directory, where it is now.
    """
    file = named_file(directory, section(record, "environment").get("file"))
    try:
        data = loads(file.read_bytes()) if file else None
    except (OSError, ValueError):
        data = None
    return data if isinstance(data, dict) else {}


def packages_of(record: Mapping[str, Any], directory: Path) -> dict[str, str]:
    """Return the installed packages and their versions, with where they came from if that is no package index.

    They stand in the file that the section names, or in the section itself: as an object, or as the name of a text file
    with lines `name==version`.

    Args:
        record: The run record.
        directory: The job's output directory, where it is now.
    """
    inline = section(record, "environment").get("packages")
    if isinstance(inline, str):
        return _listed(inline, directory)
    found = document(record, directory)
    packages = inline or found.get("packages")
    origins = found.get("origins")
    if not isinstance(packages, dict):
        return {}
    return {
        name: _told(str(version), origins.get(name) if isinstance(origins, dict) else None)
        for name, version in packages.items()
    }


def facts_of(record: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Return the section, with what the file tells of the machine and the lock files, short enough to be shown.

    Args:
        record: The run record.
        directory: The job's output directory, where it is now.
    """
    found = document(record, directory)
    facts = {key: found[key] for key in ("os", "cpu", "memory") if isinstance(found.get(key), dict)}
    container, gpus = (_object(found.get(key)) for key in ("container", "gpus"))
    facts["container"] = {key: container[key] for key in ("kind", "image") if key in container}
    devices = [_object(device).get("name") for device in _list(gpus.get("devices"))]
    facts["gpus"] = {"driver": gpus.get("driver"), "devices": ", ".join(map(str, devices))} if gpus else {}
    locks = map(_object, _list(found.get("lock_files")))
    facts["lock_files"] = {str(lock.get("file")): str(lock.get("sha256"))[:_HASH] for lock in locks}
    return {**section(record, "environment"), **{key: value for key, value in facts.items() if value}}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _told(version: str, origin: Any) -> str:
    """Return a version with its origin: `0.7.0 (git 1a2b3c4d)`."""
    told = _object(origin)
    if told.get("commit"):
        return f"{version} ({told.get('vcs')} {str(told['commit'])[:_SHA]})"
    where = "editable" if told.get("editable") else told.get("url")
    return f"{version} ({where})" if where else version


def _listed(name: str, directory: Path) -> dict[str, str]:
    for file in (named_file(directory, f".hydra/{name}"), named_file(directory, name)):
        try:
            lines = file.read_text(encoding="utf-8").split("\n") if file else []
        except (OSError, ValueError):
            continue
        if not lines:
            continue
        pairs = (line.strip().partition("==") for line in lines if line.strip() and not line.startswith("#"))
        return {package: version or "(no version)" for package, _, version in pairs}
    return {}
