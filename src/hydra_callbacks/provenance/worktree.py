"""How does the code of a run come back? As a fresh worktree of its commit with its patch applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.errors import GitError
from hydra_callbacks.provenance.git_program import NO_HOOKS, SHA, of_another_user, output, run
from hydra_callbacks.provenance.patch import is_as_written, names_in, read_patch
from hydra_callbacks.provenance.submodules import update_submodules
from hydra_callbacks.support.redact import REDACTED
from hydra_callbacks.support.texts import as_words

if TYPE_CHECKING:
    from collections.abc import Mapping

_ATTRIBUTES = (".gitattributes", "*/.gitattributes")


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
        try:
            for words in self.applying() if self.patch else ():
                output(folder, [*NO_HOOKS, *words], stdin=self.patch)
        except GitError as error:
            msg = f"the patch {self.patch_file} cannot be applied; the commit alone is in {folder} ({error})"
            raise GitError(msg) from error
        return update_submodules(folder, self.root, self.repository)

    def applying(self) -> list[list[str]]:
        """Return the words with which git applies the patch, one after the other.

        What the patch says of attributes comes first: by them git writes the other files, with their line endings.
        """
        apply = ["apply", "--index", "--binary", "--whitespace=nowarn"]
        if not any(name.rpartition("/")[2] == ".gitattributes" for name in names_in(self.patch)):
            return [[*apply, "-"]]
        return [[*apply, *(f"--{only}={name}" for name in _ATTRIBUTES), "-"] for only in ("include", "exclude")]

    def has(self, path: str) -> bool:
        """Tell whether commit or patch has a file or directory, relative to the tree's top."""
        if any(name == path or name.startswith(f"{path}/") for name in names_in(self.patch)):
            return True
        if self.repository is None or self.sha is None:
            return False
        return bool(run(self.repository, ["ls-tree", "--full-tree", self.sha, "--", path]).stdout)


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
        problem = told.get("problem") if isinstance(told, dict) else None
        why = problem or "GitInfo was off, or it ran outside of a repository"
        msg = f"the run in {output_dir} recorded no commit: {why}; its"
        msg += " configuration and overrides are there, to run the present code with (hydra-callbacks show)"
        raise GitError(msg)
    root, sha = Path(str(told["root"])), told.get("sha")
    left_out = told.get("left_out")
    lacks = [each for each in left_out if isinstance(each, dict)] if isinstance(left_out, list) else []
    missing = [f"{each.get('file')}: {each.get('why')}" for each in lacks]
    if told.get("problem"):
        missing.append(f"what had been changed and not committed: {told['problem']}")
    elif "patch" not in told and told.get("is_dirty"):
        missing.append("what had been changed and not committed: no patch was kept (GitInfo's setting `patch`)")
    patch, file = b"", None
    if told.get("patch"):
        file = output_dir / str(told["patch"])
        try:
            patch = read_patch(file)
        except OSError as error:
            missing.append(f"what had been changed and not committed: {file} cannot be read ({error})")
        else:
            missing += [] if is_as_written(file, patch) else [f"the patch was changed or cut since: {file.name}"]
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
    source = "origin" if remote and REDACTED in remote else remote
    where = as_words([root if root.is_dir() else Path.cwd()])
    origin = f"; it may still be had by: git -C {where} fetch {source} {sha}" if source else ""
    msg = f"the commit {sha} is neither in {root} nor in the repository of the working directory{origin}"
    raise GitError(msg)
