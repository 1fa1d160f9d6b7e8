"""`reproduce --print`: which shell script reproduces a run by hand?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from hydra_callbacks.provenance.submodules import from_here
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hydra_callbacks.cli.reproduction import Reproduction


def script(
    plan: Reproduction, variables: dict[str, str], python: str, *, install: Sequence[Sequence[str]], missing: list[str]
) -> str:
    """Return a shell script that reproduces by hand.

    Args:
        plan: What is to be done.
        variables: What is set.
        python: The interpreter.
        install: The commands that make the environment.
        missing: What cannot be had, in words.
    """
    lines = [
        "#!/bin/sh",
        "set -eu",
        "unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE",
        *(f"# Missing: {' '.join(each.split())}" for each in missing),
        *_rebuilding(plan),
        *map(as_words, install),
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        f"cd {as_words([plan.cwd])}",
        as_words([python, *plan.command()]),
        *([f"# To remove the code: {as_words(plan.removal())}"] if plan.code.repository else []),
    ]
    return "".join(f"{line}\n" for line in lines)


def _rebuilding(plan: Reproduction) -> Iterator[str]:
    """Yield the lines that rebuild the code, in a folder at which git does not look."""
    code, tree = plan.code, as_words([plan.tree])
    if plan.makes_shelf:
        shelf = plan.folder.parent
        yield f"mkdir -p {as_words([shelf])}"
        yield f"echo '*' > {as_words([shelf / '.gitignore'])}"
    if code.repository and code.sha:
        yield f"git -C {as_words([code.repository])} worktree add --detach {tree} {code.sha}"
    else:
        yield f"git init {tree}"
    if code.patch_file and code.patch:
        unpack = "gunzip -c" if code.patch_file.suffix == ".gz" else "cat"
        file = as_words([code.patch_file.absolute()])
        for words in code.applying():
            yield f"{unpack} {file} | git -C {tree} {as_words(words)}"
    if code.root.joinpath(".gitmodules").exists():
        yield f"{as_words(['git', '-C', plan.tree, *from_here(code.root)])} submodule update --init --recursive"
    for each in plan.links:
        link = plan.tree / each
        yield f"mkdir -p {as_words([link.parent])}"
        yield f"ln -s {as_words([code.root / each, link])}"
