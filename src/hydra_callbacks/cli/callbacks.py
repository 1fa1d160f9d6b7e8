"""`hydra-callbacks callbacks [NAME]`: which callbacks are there, what can be set, and how is one switched on?"""

from __future__ import annotations

import difflib
import json
import math
import sys
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

import click
import yaml

from hydra_callbacks.cli import catalogue, render
from hydra_callbacks.cli.catalogue import Callback, Preset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

Form = Literal["table", "csv", "json"]


@click.command("callbacks")
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(get_args(Form)), default="table", show_default=True)
def command(name: str | None, form: Form) -> None:
    """List the callbacks with their settings.

    With NAME, tell all about that one.
    """
    run(name, form, sys.stdout)


def run(name: str | None, form: Form, out: IO[str], *, width: int | None = None) -> None:
    """Print the listing, or one callback or preset in full.

    Args:
        name: A name in the config group (`git_info`) or of a class (`GitInfo`); everything when None.
        form: "table", "csv" or "json".
        out: Where it is printed.
        width: Of tables, in characters; that of the terminal when None.

    Raises:
        click.UsageError: There is no callback or preset of that name.
    """
    found, presets = catalogue.read()
    everything: list[Callback | Preset] = [*found, *presets]
    entry = None if name is None else _find(name, everything)
    if form == "json":
        render.as_json(_data(entry) if entry else [_data(each) for each in everything], out)
    elif form == "csv":
        render.as_csv(_rows_of(entry) if entry else [_row(each) for each in everything], out, str)
    elif entry is None:
        _print_listing(found, presets, render.console(out, width))
    elif isinstance(entry, Callback):
        _print_callback(entry, render.console(out, width))
    else:
        _print_preset(entry, render.console(out, width))


def _find(name: str, entries: Sequence[Callback | Preset]) -> Callback | Preset:
    known = {entry.name: entry for entry in entries}
    known |= {entry.target.rpartition(".")[2]: entry for entry in entries if isinstance(entry, Callback)}
    if name in known:
        return known[name]
    by_lower = {each.lower(): entry.name for each, entry in known.items()}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    names = list(dict.fromkeys(by_lower[each] for each in near)) or [entry.name for entry in entries]
    msg = f"no callback or preset is called {name!r}; {'nearest' if near else 'there are'}: {', '.join(names)}"
    raise click.UsageError(msg)


def _data(entry: Callback | Preset) -> dict[str, Any]:
    if isinstance(entry, Callback):
        return {"kind": "callback", **asdict(entry), "description": "\n\n".join(entry.description)}
    return {"kind": "preset", **asdict(entry)}


def _row(entry: Callback | Preset) -> dict[str, str]:
    row = {"name": entry.name, "kind": "callback", "help": entry.help, "settings": "", "callbacks": ""}
    if isinstance(entry, Callback):
        return {**row, "settings": json.dumps(_defaults(entry))}
    return {**row, "kind": "preset", "settings": json.dumps(entry.settings), "callbacks": " ".join(entry.callbacks)}


def _rows_of(entry: Callback | Preset) -> list[dict[str, str]]:
    if isinstance(entry, Callback):
        return [
            {"setting": setting.name, "default": _shown(setting.default), "help": setting.help}
            for setting in entry.settings
        ]
    return [{"callback": name, "settings": _assigned(entry.settings.get(name, {}))} for name in entry.callbacks]


def _defaults(entry: Callback) -> dict[str, Any]:
    return {setting.name: setting.default for setting in entry.settings}


def _assigned(settings: Mapping[str, Any], prefix: str = "") -> str:
    """Return settings as overrides, separated by spaces."""
    return " ".join(f"{prefix}{name}={_shown(value)}" for name, value in settings.items())


def _shown(value: Any) -> str:
    """Return a value as YAML and overrides state it: `true`, `null`, `1.0`, `register.csv`, `''`."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=math.inf)
    return text.removesuffix("...\n").strip()


def _print_listing(found: Sequence[Callback], presets: Sequence[Preset], onto: Console) -> None:
    rows = [
        {"Callback": entry.name, "What it does": entry.help, "Settings": _assigned(_defaults(entry))} for entry in found
    ]
    render.table(rows, onto)
    render.table([{"Preset": entry.name, "Switches on": ", ".join(entry.callbacks)} for entry in presets], onto)
    onto.print("hydra-callbacks callbacks NAME tells all about one of them.")


def _print_callback(entry: Callback, onto: Console) -> None:
    first = dict(list(_defaults(entry).items())[:1])
    onto.print(f"{entry.name} ({entry.target})\n{entry.question}\n")
    onto.print("\n\n".join([entry.help, *entry.description]) + "\n")
    onto.print("Settings")
    render.table(_rows_of(entry), onto, indent=2)
    onto.print()
    _print_code(
        onto,
        *_by_group(entry.name, _assigned(first, f"hydra.callbacks.{entry.name}.")),
        "",
        "Switch it on in a configuration, with what should differ from the defaults",
        "  hydra:",
        "    callbacks:",
        f"      {entry.name}:",
        f"        _target_: {entry.target}",
        *(f"        {setting.name}: {_shown(setting.default)}" for setting in entry.settings),
    )


def _print_preset(entry: Preset, onto: Console) -> None:
    onto.print(f"{entry.name} (a preset)\n")
    if entry.help:
        onto.print(entry.help + "\n")
    onto.print("Switches on")
    render.table(_rows_of(entry), onto, indent=2)
    onto.print()
    _print_code(onto, *_by_group(entry.name))


def _by_group(name: str, override: str = "") -> list[str]:
    command = f"python your_app.py hydra/callbacks={name}"
    return [
        "Switch it on by its config group",
        f"  {command}",
        *([f"  {command} {override}"] if override else []),
        "",
        "  defaults:",
        f"    - override hydra/callbacks: {name}",
    ]


def _print_code(onto: Console, *lines: str) -> None:
    """Print lines that the reader may copy: never wrapped."""
    onto.print("\n".join(lines), soft_wrap=True)
