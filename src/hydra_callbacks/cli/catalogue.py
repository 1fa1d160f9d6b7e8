"""Which callbacks and presets are there, and what can be set?

Answered from the config groups and the docstrings, without importing a callback: the listing costs no Hydra, and it
cannot say anything else than the files that users override.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).parents[1]
_SECTION = re.compile(r"^[A-Z]\w*:$")  # "Args:", "Raises:"
_ARGUMENT = re.compile(r"^(?P<name>\w+)(?: \([^)]*\))?: *(?P<text>.*)$")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a callback.

    Attributes:
        name: As in the configuration.
        default: Its value in the config group; "???" when it must be given.
        help: What the class's docstring says of it.
    """

    name: str
    default: Any
    help: str


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that a file of the config group `hydra/callbacks` switches on.

    Attributes:
        name: Name of the file, as in `hydra/callbacks=NAME`.
        target: Dotted path of the class.
        question: What it answers, from the module's docstring.
        help: One line.
        description: The class's docstring up to its sections, as paragraphs.
        settings: In the order of the file.
    """

    name: str
    target: str
    question: str
    help: str
    description: tuple[str, ...]
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Preset:
    """A file of the config group that switches on several callbacks.

    Attributes:
        name: Name of the file, as in `hydra/callbacks=NAME`.
        help: One line, from the comment at the top of the file.
        callbacks: Names of what it switches on, in order.
        settings: Name of a callback to the settings that the preset changes.
    """

    name: str
    help: str
    callbacks: tuple[str, ...]
    settings: dict[str, dict[str, Any]]


def read(package: Path = _PACKAGE) -> tuple[list[Callback], list[Preset]]:
    """Read what a package offers, each list sorted by name.

    Args:
        package: The folder that holds `callbacks/` and `conf/hydra/callbacks/`.
    """
    callbacks, presets = [], []
    for file in sorted((package / "conf" / "hydra" / "callbacks").glob("*.yaml")):
        name, text = file.stem, file.read_text(encoding="utf-8")
        config = yaml.safe_load(text) or {}
        entries = {key: entry for key, entry in config.items() if isinstance(entry, dict) and "_target_" in entry}
        if "defaults" in config or len(entries) != 1:
            switched_on = dict.fromkeys([*_defaults(config.get("defaults", [])), *entries])
            changed = {key: entry for key, entry in config.items() if key in switched_on and key not in entries}
            presets.append(Preset(name, _first_comment(text), tuple(switched_on), changed))
        else:
            callbacks.append(_callback(name, next(iter(entries.values())), package))
    return callbacks, presets


def _callback(name: str, entry: dict[str, Any], package: Path) -> Callback:
    target = str(entry["_target_"])
    module = ast.parse((package / "callbacks" / f"{name}.py").read_text(encoding="utf-8"))
    documented = _docstring(module, target.rpartition(".")[2])
    body, arguments = _split(documented)
    return Callback(
        name=name,
        target=target,
        question=(ast.get_docstring(module) or "").partition("\n")[0],
        help=body[0] if body else "",
        description=body[1:],
        settings=tuple(
            Setting(key, default, arguments.get(key, "")) for key, default in entry.items() if key != "_target_"
        ),
    )


def _docstring(module: ast.Module, class_name: str) -> str:
    classes = (node for node in module.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    return next((ast.get_docstring(node) or "" for node in classes), "")


def _split(docstring: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the paragraphs of a Google docstring up to its first section, and what `Args:` says of each argument."""
    lines = inspect.cleandoc(docstring).splitlines()
    sections = [index for index, line in enumerate(lines) if _SECTION.match(line)]
    body = "\n".join(lines[: sections[0]] if sections else lines)
    paragraphs = tuple(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", body.strip()) if paragraph)
    arguments: dict[str, str] = {}
    if "Args:" in lines:
        start = lines.index("Args:") + 1
        end = next((index for index in sections if index >= start), len(lines))
        name = ""
        for line in inspect.cleandoc("\n".join(["", *lines[start:end]])).splitlines():
            argument = _ARGUMENT.match(line)
            if argument:
                name, text = argument["name"], argument["text"]
            else:
                text = line.strip()
            arguments[name] = f"{arguments.get(name, '')} {text}".strip()
    return paragraphs, arguments


def _defaults(entries: list[Any]) -> list[str]:
    """Return the names that a defaults list takes from its own group, whatever way it is written."""
    names: list[str] = []
    for entry in entries:
        values = list(entry.values()) if isinstance(entry, dict) else [entry]
        for value in values:
            names.extend(str(name) for name in (value if isinstance(value, list) else [value]))
    return [name for name in names if name not in {"_self_", "None"}]


def _first_comment(text: str) -> str:
    lines = (line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#"))
    return next((line for line in lines if line and not line.startswith("@package")), "")
