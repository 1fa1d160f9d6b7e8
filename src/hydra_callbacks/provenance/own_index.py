"""How does git work on a tree with an index of our own, so that the user's, and the repository, stay as they are?"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_callbacks.provenance.git_program import Call, output

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SETTINGS = (
    *("core.looseCompression=0", "core.safecrlf=false", "core.fsmonitor=false", "core.untrackedCache=false"),
    *("core.splitIndex=false", "core.quotePath=true", "advice.addEmbeddedRepo=false"),
)
_PLAIN = tuple(word for setting in _SETTINGS for word in ("-c", setting))


@dataclass(frozen=True, slots=True)
class OwnIndex:
    """An index that starts as a copy of the user's, with room for objects.

    Attributes:
        root: Top directory of the working tree.
        folder: A folder for what is made; it goes with the index.
        env: The variables that let git write there.
    """

    root: Path
    folder: Path
    env: Mapping[str, str]

    def call(self, words: Sequence[str], paths: Iterable[str] = ()) -> Call:
        """Begin to ask git, which reads paths; no hook is run.

        Raises:
            GitError: It cannot be run.
        """
        return Call(self.root, self._words(words), env=self.env, stdin=_lines(paths))

    def output(self, words: Sequence[str], paths: Iterable[str] = (), *, stdin: bytes = b"") -> bytes:
        """Return what git prints, which reads paths, or something else.

        Raises:
            GitError: It cannot be run, or fails.
        """
        return output(self.root, self._words(words), env=self.env, stdin=stdin or _lines(paths))

    def _words(self, words: Sequence[str]) -> list[str]:
        return [*_PLAIN, "-c", f"core.hooksPath={self.folder}", *words]


@contextlib.contextmanager
def own_index(root: Path, hidden: Sequence[str] = ()) -> Iterator[OwnIndex]:
    """Make an index of our own for a while.

    Args:
        root: Top directory of the working tree.
        hidden: Files at which git is to look here, though the user's index says that it need not.

    Raises:
        GitError: Git cannot be run, or fails.
        OSError: There is no room for temporary files.
    """
    index, objects = _places(root)
    with tempfile.TemporaryDirectory(prefix="hydra-callbacks-") as folder:
        copy, own_objects = Path(folder, "index"), Path(folder, "objects")
        own_objects.mkdir()
        with contextlib.suppress(FileNotFoundError):  # nothing has ever been added
            shutil.copy2(index, copy)  # with its time: a file as young as that is read, though its size and time match
        own = OwnIndex(root, Path(folder), _environment(copy, own_objects, objects))
        for flag in ("--no-assume-unchanged", "--no-skip-worktree") if hidden else ():
            own.output(["update-index", flag, "-z", "--stdin"], hidden)
        yield own


def _lines(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


def _places(root: Path) -> tuple[Path, Path]:
    """Return the user's index, and the folder of the repository's objects."""
    if (root / ".git").is_dir():
        return root / ".git" / "index", root / ".git" / "objects"
    told = output(root, ["rev-parse", "--git-path", "index", "--git-path", "objects"])
    index, objects = (root / os.fsdecode(line) for line in told.splitlines())
    return index, objects


def _environment(index: Path, objects: Path, originals: Path) -> Mapping[str, str]:
    """Return the variables that let git write into folders of our own."""
    quoted = '"' + str(originals).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return {
        "GIT_INDEX_FILE": str(index),
        "GIT_OBJECT_DIRECTORY": str(objects),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted,
    }
