"""The command line, `hydra-callbacks`: one module for each command, imported when the command is asked for."""

from __future__ import annotations

import importlib
from typing import cast

import click

COMMANDS = ("callbacks",)
"""Each command, the same as its module's name and the function in it."""


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, so that none pays for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return every command."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (as above)
        """Import a command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        return cast("click.Command", getattr(importlib.import_module(f"{__name__}.{cmd_name}"), cmd_name))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hydra-callbacks", prog_name="hydra-callbacks")
def main() -> None:
    """Callbacks that make every Hydra run traceable, watched, registered and reproducible."""
