"""How does the code of a run come back? As a fresh worktree of its commit with its patch applied."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import GitError
from hydra_callbacks.provenance.git_program import NO_HOOKS, SHA, of_another_user, output, run
from hydra_callbacks.provenance.patch import read_patch

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Code:
    """The code that a run recorded, as far as it can be had.

    Attributes:
        root: Top directory of the working tree that it ran from.
        repository: A directory in a repository that has the commit; None when nothing was committed yet.
        sha: The commit; None likewise.
        patch: What is applied to it; empty when nothing differed.
        patch_file: Where that is kept.
        missing: What cannot be had, in words.
    """

    root: Path
    repository: Path | None
    sha: str | None
    patch: bytes = b""
    patch_file: Path | None = None
    missing: list[str] = field(default_factory=list)

    def rebuild(self, folder: Path) -> list[str]:
        """Make the working tree in a folder that is not there yet; the user's own tree is not touched.

        No hook of the repository is run.

        Returns:
            What could not be had, in words.

        Raises:
            GitError: Git refuses; the message has its own words.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self.repository is None or self.sha is None:
            folder.mkdir()
            output(folder, ["init", "--quiet"])
        else:
            add = ["worktree", "add", "--quiet", "--force", "--detach"]  # though one that was there has been deleted
            output(self.repository, [*NO_HOOKS, *add, str(folder), self.sha])
        if self.patch:
            words = ["apply", "--index", "--binary", "--whitespace=nowarn", "-"]
            try:
                output(folder, [*NO_HOOKS, *words], stdin=self.patch)
            except GitError as error:
                msg = f"the patch {self.patch_file} cannot be applied; the commit alone is in {folder} ({error})"
                raise GitError(msg) from error
        if not (folder / ".gitmodules").exists():
            return []
        done = run(folder, [*NO_HOOKS, "submodule", "--quiet", "update", "--init", "--recursive"])
        said = done.stderr.decode(errors="replace").strip()
        return [f"a submodule: {said}"] if done.returncode else []


def code_of(record: Mapping[str, Any], output_dir: Path) -> Code:
    """Return the code that a record tells of.

    Args:
        record: The run record.
        output_dir: The job's directory, where it is now.

    Raises:
        GitError: It tells of none, or the commit is gone; the message says what is missing, and how near one can get.
    """
    told = record.get("git")
    if not isinstance(told, dict) or not told.get("root"):
        msg = f"the run in {output_dir} recorded no commit: GitInfo was off, or it ran outside of a repository; its"
        msg += " configuration and overrides are there, to run the present code with (hydra-callbacks show)"
        raise GitError(msg)
    root, sha = Path(str(told["root"])), told.get("sha")
    left_out = told.get("left_out")
    lacks = [each for each in left_out if isinstance(each, dict)] if isinstance(left_out, list) else []
    missing = [f"{each.get('file')}: {each.get('why')}" for each in lacks]
    if "patch" not in told and told.get("is_dirty"):
        missing.append("what had been changed and not committed: no patch was kept (GitInfo's setting `patch`)")
    patch, file = b"", None
    if told.get("patch"):
        file = output_dir / str(told["patch"])
        try:
            patch = read_patch(file)
        except OSError as error:
            missing.append(f"what had been changed and not committed: {file} cannot be read ({error})")
    repository = None if sha is None else _repository_with(str(sha), root, told.get("remote"))
    return Code(root, repository, sha, patch, file, missing)


def _repository_with(sha: str, root: Path, remote: str | None) -> Path:
    """Return a directory in a repository that has a commit: where it ran, or the working directory.

    Raises:
        GitError: None has it, or git does not read it.
    """
    for directory in (root, Path.cwd()):
        if SHA.fullmatch(sha) and directory.is_dir():
            done = run(directory, ["cat-file", "-e", f"{sha}^{{commit}}"])
            if done.returncode == 0:
                return directory
            refused = of_another_user(directory, done.stderr.decode(errors="replace"))
            if refused:
                raise GitError(refused)
    origin = f"; it may still be had by: git fetch {remote} {sha}" if remote else ""
    msg = f"the commit {sha} is neither in {root} nor in the repository of the working directory{origin}"
    raise GitError(msg)


def mapped(word: str, code: Code, folder: Path) -> str:
    """Return a word in which a path into the tree, as a whole or behind a sign, leads to what has been rebuilt there.

    What is not in the rebuilt tree, as data that git does not know, stays where it is.
    """
    head, sign, path = word.partition("=") if "=" in word else ("", "", word)
    if len(path) > 1 and path[0] == path[-1] in "'\"":  # as Hydra quotes
        inner = path[1:-1].replace(f"\\{path[0]}", path[0])
        place = _there(inner, code, folder)
        return word if place == inner else f"{head}{sign}{path[0]}{place.replace(path[0], chr(92) + path[0])}{path[0]}"
    found = os.pathsep.join(_there(each, code, folder) for each in path.split(os.pathsep))
    return f"{head}{sign}{found}"


def _there(path: str, code: Code, folder: Path) -> str:
    place = inside(path, code, folder) if os.path.isabs(path) else path  # noqa: PTH117  (a text)
    return place if os.path.lexists(place) else path


def inside(path: str, code: Code, folder: Path) -> str:
    """Return a path that led into the tree as it leads into the one that was rebuilt; any other as it is."""
    real = os.path.realpath(path) if os.path.isabs(path) else path  # noqa: PTH117  (a text)
    root = os.path.realpath(code.root)
    for each, top in ((path, str(code.root)), (real, root)):
        if each == top or each.startswith(top + os.sep):
            return str(folder) + each[len(top) :]
    return path
