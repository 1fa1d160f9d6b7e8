"""Writes a page for each command, from the program itself; `python3 make.py pages` runs it.

What `docs/snippets/find/<command>.console` shows is put under "Example". A test compares the pages with the program.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click

from hydra_callbacks.cli import COMMANDS, main

PAGES = Path(__file__).parent / "reference" / "commands"
EXAMPLES = Path(__file__).parent / "snippets" / "find"


_WORDS = {
    "WHERE": (
        "[`WHERE`](../command-line.md#where)",
        "which runs are looked at; everything that is near when left out.",
    ),
    "RUN": ("[`RUN`](../command-line.md#run)", "a directory, the beginning of an id, `latest`, or a job's number."),
    "FILTER": ("[`FILTER`](../filters.md)", "which runs are meant."),
}


def page(name: str) -> str:
    """Return the page of a command, as Markdown."""
    group = click.Context(main, info_name="hydra-callbacks")
    command = main.get_command(group, name)
    if command is None:
        msg = f"there is no command {name!r}"
        raise LookupError(msg)
    ctx = click.Context(command, info_name=name, parent=group)
    usage = command.get_usage(ctx).removeprefix("Usage: ")
    parts = [f"# hydra-callbacks {name}", inspect.cleandoc(command.help or ""), f"```text\n{usage}\n```"]
    options = [each.get_help_record(ctx) or ("", "") for each in command.params if isinstance(each, click.Option)]
    words = usage + " ".join(names for names, _ in options)
    parts += [f"{link}: {text}" for word, (link, text) in _WORDS.items() if word in re.findall(r"[A-Z]+", words)]
    rows = [f"| {_cell(f'`{names}`')} | {_cell(' '.join(text.split()))} |" for names, text in options]
    if rows:
        parts.append("\n".join(["| Option | Meaning |", "|---|---|", *rows]))
    if command.epilog:
        lines = (line.strip() for line in command.epilog.splitlines() if line.strip())
        parts.append("```text\n" + "\n".join(lines) + "\n```")
    if (EXAMPLES / f"{name}.console").is_file():
        parts.append(f'## Example\n\n```console\n--8<-- "find/{name}.console"\n```')
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for name in COMMANDS:
        (PAGES / f"{name}.md").write_text(page(name), encoding="utf-8")
