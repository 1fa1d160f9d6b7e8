"""The command line, `hydra-callbacks`: one module for each command, imported when the command is asked for."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import sys
from typing import Any, cast

import click

from hydra_callbacks.errors import HydraCallbacksError

COMMANDS = (
    *("best", "callbacks", "clean", "completion", "diff", "gather", "index", "list", "monitor", "plot"),
    *("report", "reproduce", "resume", "show", "sql", "top", "watch"),
)
"""Each command, the same as its module's name; the module's `command` is it."""


class Failure(click.ClickException):
    """An error that is told in a line or two; exit status 2, for 1 means that nothing was found."""

    exit_code = 2

    def format_message(self) -> str:
        """Return the message as it may be shown on a terminal."""
        from hydra_callbacks.support.texts import printable  # noqa: PLC0415  (what fails not needs none of it)

        return printable(self.message)


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, so that none pays for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return every command."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (as above)
        """Import a command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        return cast("click.Command", importlib.import_module(f"{__name__}.{cmd_name}").command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what is ours or the system's to complain of is told without a traceback."""
        collects = gc.isenabled()
        gc.disable()  # JSON makes no cycles, and to look for them among a million objects takes longer than to read it
        if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without Unicode, or a file name that is none
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:  # as with `>&-`
                sys.stdout.flush()
        except HydraCallbacksError as error:
            raise Failure(str(error)) from error
        except OSError as error:
            if error.errno in {errno.EPIPE, errno.ENOSPC}:  # nobody reads on, or there is no room for what was said
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if error.errno == errno.EPIPE:
                ctx.exit(0)
            msg = f"{error.filename or 'the output'}: {error.strerror or error}"
            raise Failure(msg) from error
        finally:
            if collects:
                gc.enable()
        return result


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hydra-callbacks", prog_name="hydra-callbacks")
def main() -> None:
    """Find, compare and tidy up runs of Hydra applications, and list the callbacks that keep track of them.

    WHERE is a register (a file or a postgresql:// address), or a directory whose run records are read. Without it, the
    variable HYDRA_CALLBACKS_REGISTER names the register; else the registers in the working directory and below are
    read, or the nearest above it, or else the records below it.

    RUN is a job's output directory, a sweep's directory with a job's number behind it (multirun/2026-11-22/10-00-00/3),
    the beginning of an id, `latest`, or `latest/3` for a job of the latest sweep.
    """
