"""`hydra-callbacks completion SHELL`: how does the Tab key complete commands, options and runs?"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_HOW = {
    "bash": 'eval "$(hydra-callbacks completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(hydra-callbacks completion zsh)" in ~/.zshrc',
    "fish": "hydra-callbacks completion fish | source in ~/.config/fish/config.fish",
}


@click.command("completion", epilog="\n\n".join(f"{shell}: {line}" for shell, line in _HOW.items()))
@click.argument("shell", type=click.Choice(list(_HOW)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes the Tab key complete in SHELL.

    It completes commands, options and runs.
    """
    make = get_completion_class(shell)
    if make is None:  # pragma: no cover  (a shell that click has dropped)
        msg = f"{shell} is not supported by this version of click"
        raise click.UsageError(msg)
    program = ctx.find_root().info_name or "hydra-callbacks"
    click.echo(make(ctx.find_root().command, {}, program, "_HYDRA_CALLBACKS_COMPLETE").source())
