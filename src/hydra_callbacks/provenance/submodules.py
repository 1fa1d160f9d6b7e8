"""How do submodules come back? From the repositories that git keeps of them here; else from where they came."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from hydra_callbacks.provenance.git_program import NO_HOOKS, run

if TYPE_CHECKING:
    from pathlib import Path

_LOCAL = ("-c", "protocol.file.allow=always")  # git refuses what lies here where it would clone by itself


class Submodule(NamedTuple):
    """A submodule of a tree.

    Attributes:
        name: What git calls it.
        path: Where it lies, relative to the tree's top.
        sha: The commit that it is to be on.
    """

    name: str
    path: str
    sha: str


def listed(root: Path) -> list[Submodule]:
    """Return the submodules of a tree; those of submodules are not among them.

    Args:
        root: Its top directory.

    Raises:
        GitError: Git cannot be run.
    """
    asked = ["config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"]
    pairs = (entry.partition("\n") for entry in os.fsdecode(run(root, asked).stdout).split("\0") if entry)
    names = {path: key.removeprefix("submodule.").removesuffix(".path") for key, _, path in pairs}
    if not names:
        return []
    entries = os.fsdecode(run(root, ["--literal-pathspecs", "ls-files", "--stage", "-z", "--", *names]).stdout)
    split = (entry.partition("\t") for entry in entries.split("\0") if entry.startswith("160000 "))
    return [Submodule(names[path], path, facts.split(" ")[1]) for facts, _, path in split if path in names]


def update_submodules(folder: Path, original: Path, repository: Path | None) -> list[str]:
    """Check out the submodules of a rebuilt tree, and theirs in turn.

    Args:
        folder: The rebuilt tree.
        original: The tree that it was made after, which may be gone.
        repository: A directory in the repository that has its commit.

    Returns:
        What could not be had, in words.

    Raises:
        GitError: Git cannot be run.
    """
    return _update(folder, original, _modules(repository))


def from_here(root: Path) -> list[str]:
    """Return the options by which git takes the submodules of a tree from the repositories that lie here."""
    modules = _modules(root)
    sources = [_source(each, root, modules) for each in listed(root)]
    return [*_LOCAL, *(word for source in sources for word in source)] if any(sources) else []


def _modules(repository: Path | None) -> Path | None:
    """Return the folder in which git keeps the repositories of submodules."""
    if repository is None:
        return None
    told = os.fsdecode(run(repository, ["rev-parse", "--git-common-dir"]).stdout).removesuffix("\n")
    return repository / told / "modules"


def _update(folder: Path, original: Path, modules: Path | None) -> list[str]:
    if not (folder / ".gitmodules").exists():
        return []
    missing = []
    for each in listed(folder):
        source = _source(each, original, modules)
        options = [*NO_HOOKS, *(_LOCAL if source else ()), *source, "--literal-pathspecs"]
        done = run(folder, [*options, "submodule", "--quiet", "update", "--init", "--", each.path])
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            missing.append(f"the submodule {each.path}: {said}")
            if list((folder / each.path).glob("*")) == [folder / each.path / ".git"]:
                (folder / each.path / ".git").unlink()  # of the clone that failed; an empty folder may be linked
        else:
            inner = modules / each.name / "modules" if modules else None
            missing += _update(folder / each.path, original / each.path, inner)
    return missing


def _source(which: Submodule, original: Path, modules: Path | None) -> list[str]:
    """Return the option that names a repository here which has the commit; nothing where none has it."""
    own = modules / which.name if modules else None
    tree = original / which.path
    known = ["cat-file", "-e", f"{which.sha}^{{commit}}"]
    if "=" in which.name:  # git takes what stands before it for the key
        return []
    if (tree / ".git").exists() and run(tree, known).returncode == 0:
        return ["-c", f"submodule.{which.name}.url={tree}"]
    alone = {"GIT_DIR": ".", "GIT_WORK_TREE": "."}  # its tree may be gone
    if own and own.is_dir() and run(own, known, env=alone).returncode == 0:
        return ["-c", f"submodule.{which.name}.url={own}"]
    return []
