"""What must be applied to the commit for the very tree that ran: what is staged, changed, removed, or not tracked?

Git itself makes the patch, from an index of our own that starts as a copy of the user's: neither the user's index nor
the working tree nor the repository's objects are written.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import os
import re
import shutil
import stat
import tempfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hydra_callbacks.provenance.git_program import output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hydra_callbacks.provenance.git import Change, GitState

_PLAIN = (
    *(
        "-c",
        "core.looseCompression=0",
        "-c",
        "core.safecrlf=false",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.untrackedCache=false",
    ),
    *(
        "-c",
        "core.splitIndex=false",
        "-c",
        "core.quotePath=true",
        "-c",
        "diff.external=",
        "-c",
        "advice.addEmbeddedRepo=false",
    ),
)
_DIFF = (
    *("diff-index", "--cached", "--patch", "--binary", "--full-index", "--no-color", "--no-renames", "--no-ext-diff"),
    *("--no-textconv", "--no-relative", "--submodule=short", "--ignore-submodules=none", "--diff-algorithm=myers"),
    *("--unified=3", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/"),
)
_BEGIN = b"diff --git "
PROGRAMS = {
    *(
        ".py",
        ".pyi",
        ".pyx",
        ".ipynb",
        ".sh",
        ".c",
        ".cc",
        ".cpp",
        ".cu",
        ".h",
        ".hpp",
        ".js",
        ".ts",
        ".rs",
        ".go",
        ".jl",
    ),
}
"""Endings of files that hold programs."""
_COMPRESSED_FROM = 100_000  # bytes
_MOST_FILES = 5000  # that are not tracked
_SECRET_FILE = re.compile(
    r"\.env(\..*)?|.*\.(env|envrc|pem|key|p12|pfx|jks|keystore|kdbx|ppk)|(.*_)?(rsa|dsa|ecdsa|ed25519)|[._]netrc"
    r"|\.envrc|\.pgpass|\.pypirc|\.npmrc|\.dockercfg|kubeconfig"
    r"|.*(secret|credential|passw).*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Patch:
    """What differs from the commit.

    Attributes:
        data: A patch for `git apply`, binary files included; empty when nothing differs.
        left_out: Path of each file that it lacks, relative to the tree's top, to the reason.
    """

    data: bytes = b""
    left_out: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path | None:
        """Write it to `git-DIGEST.patch` in a folder, or compressed to `git-DIGEST.patch.gz` when it is large.

        The eight hexadecimal digits tell it from those of other launches in the same directory.

        Returns:
            The file; None when nothing differs.

        Raises:
            OSError: It cannot be written.
        """
        from hydra_callbacks.support.files import write_whole  # noqa: PLC0415  (most trees are clean)

        if not self.data:
            return None
        is_large = len(self.data) > _COMPRESSED_FROM
        digest = hashlib.sha256(self.data).hexdigest()[:8]
        file = folder / f"git-{digest}.patch{'.gz' if is_large else ''}"
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(file, gzip.compress(self.data, mtime=0) if is_large else self.data)
        return file


def read_patch(file: Path) -> bytes:
    """Return a patch that `Patch.write` has written.

    Raises:
        OSError: It cannot be read, or is damaged.
    """
    data = file.read_bytes()
    if file.suffix != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, zlib.error) as error:
        msg = f"{file} is cut short or damaged"
        raise OSError(msg) from error


def make_patch(
    state: GitState,
    *,
    max_bytes: int,
    max_file_bytes: int,
    is_secret: Callable[[str, str], bool],
    outputs: Sequence[Path] = (),
) -> Patch:
    """Return what differs from the commit.

    What runs have made is no part of it, if it is not tracked: the directories of Hydra's runs, and Python's bytecode.

    Args:
        state: The state of the tree, with its changes.
        max_bytes: The patch's largest size; the largest files are left out of a larger one.
        max_file_bytes: The largest size of a file in it, and of its part of the patch.
        is_secret: Tells of a file's path and its part of the patch whether it holds a secret.
        outputs: Directories in which all that is not tracked was made by runs.

    Raises:
        GitError: Git cannot be run, or fails.
        OSError: There is no room for temporary files.
    """
    changes, left_out = _not_too_many(_without_outputs(state, outputs))
    for change in changes:
        why = _why_not(state.root, change, max_file_bytes)
        if why:
            left_out[change.path] = why
    kept = [change for change in changes if change.path not in left_out or change.submodule]
    if not kept:
        return Patch(left_out=left_out)
    data = _diff(state, kept, [change for change in changes if change.path in left_out and not change.submodule])
    parts: dict[str, bytes] = {}
    for name, part in _parts(data):
        if len(part) > max_file_bytes:
            left_out[name] = f"{len(part) / 1e6:.1f} MB in the patch"
        elif is_secret(name, part.decode(errors="replace") + _text_of_binary(state.root / name, part)):
            left_out[name] = "holds a secret"
        else:
            parts[name] = parts.get(name, b"") + part
    total = sum(map(len, parts.values()))
    for name in sorted(parts, key=lambda name: len(parts[name]), reverse=True):
        if total <= max_bytes:
            break
        total -= len(parts[name])
        left_out[name] = f"the patch has no room for it ({len(parts.pop(name)) / 1e6:.1f} MB)"
    return Patch(b"".join(parts.values()), left_out)


def _text_of_binary(file: Path, part: bytes) -> str:
    """Return what can be read in a file whose part of the patch cannot: also in two bytes a character."""
    if b"\nGIT binary patch\n" not in part:
        return ""
    try:
        return file.read_bytes().replace(b"\0", b"").decode("latin-1")
    except OSError:
        return ""


def _not_too_many(changes: list[Change]) -> tuple[list[Change], dict[str, str]]:
    """Return the changes without folders of too many untracked files, as of data that nobody ignores, and those."""
    folders = Counter(change.path.partition("/")[0] for change in changes if not change.is_tracked)
    dropped: dict[str, str] = {}
    n_left = folders.total()
    for folder, n_files in folders.most_common():
        if n_left > _MOST_FILES:
            dropped[f"{folder}/"] = f"{n_files:,} files that are not tracked; should git ignore them?"
            n_left -= n_files
    heads = {folder[:-1] for folder in dropped}
    return [each for each in changes if each.is_tracked or each.path.partition("/")[0] not in heads], dropped


def _without_outputs(state: GitState, outputs: Sequence[Path]) -> list[Change]:
    """Return the changes, without what runs have made."""
    names = [path.relative_to(state.root).as_posix() for path in outputs if path.is_relative_to(state.root)]
    made = tuple(f"{name}/" for name in names if name not in {"", "."})
    mark = "/.hydra/overrides.yaml"
    untracked = (f"/{change.path}" for change in state.changes if not change.is_tracked)
    runs = tuple(f"{path.removesuffix(mark)[1:]}/" for path in untracked if path.endswith(mark) and path != mark)

    def is_made(change: Change) -> bool:
        is_bytecode = "/__pycache__/" in f"/{change.path}" or change.path.endswith(".pyc")
        is_of_run = change.path.startswith(runs) and os.path.splitext(change.path)[1] not in PROGRAMS  # noqa: PTH122
        return not change.is_tracked and (is_bytecode or is_of_run or change.path.startswith(made))

    return [change for change in state.changes if not is_made(change)]


def differences(then: bytes, now: bytes) -> list[str]:
    """Return the files in which two patches to one commit differ; of new files, programs alone count, and no data."""
    before, after = dict(_parts(then)), dict(_parts(now))
    return [
        name for name in {**before, **after} if before.get(name) != after.get(name) and _counts(name, before, after)
    ]


def _counts(name: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bool:
    is_new = any(b"\nnew file mode " in each.get(name, b"")[:1000] for each in (before, after))
    return not is_new or os.path.splitext(name)[1] in PROGRAMS  # noqa: PTH122  (a name, and no path of this system)


def _why_not(root: Path, change: Change, max_file_bytes: int) -> str | None:
    """Return why a file cannot be part of a patch, as far as that is seen without reading it."""
    file = root / change.path
    name = change.path.rpartition("/")[2]
    try:
        told = file.lstat()
    except OSError:  # it was removed
        told = None
    is_file = told is not None and stat.S_ISREG(told.st_mode)
    reasons = (
        ("M" in change.submodule or "U" in change.submodule, "a submodule with changes of its own"),
        (not name, "a repository of its own, which is not tracked"),
        (_SECRET_FILE.fullmatch(name), "its name says that it is secret"),
        (is_file and told and told.st_size > max_file_bytes, f"{told.st_size / 1e6:.1f} MB" if told else ""),
        (is_file and not os.access(file, os.R_OK), "it cannot be read"),
    )
    return next((why for is_so, why in reasons if is_so), None)


def _diff(state: GitState, kept: Sequence[Change], others: Sequence[Change]) -> bytes:
    """Return git's patch from the commit to the files as they are, without the others."""
    root = state.root
    index, objects = _places(root)
    with tempfile.TemporaryDirectory(prefix="hydra-callbacks-") as folder:
        own, own_objects = Path(folder, "index"), Path(folder, "objects")
        own_objects.mkdir()
        with contextlib.suppress(FileNotFoundError):  # nothing has ever been added
            shutil.copyfile(index, own)
        env = _environment(own, own_objects, objects)
        quiet = (*_PLAIN, "-c", f"core.hooksPath={folder}")
        reset = b"".join(_as_committed(change, state.sha) for change in others)
        if reset:
            output(root, [*quiet, "update-index", "-z", "--index-info"], env=env, stdin=reset)
        paths = b"".join(os.fsencode(change.path) + b"\0" for change in kept)
        output(root, [*quiet, "update-index", "--add", "--remove", "--replace", "-z", "--stdin"], env=env, stdin=paths)
        base = state.sha or output(root, ["mktree"], env=env).decode().strip()  # of nothing: the empty tree
        return output(root, [*quiet, *_DIFF, base, "--"], env=env)


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


def _as_committed(change: Change, sha: str | None) -> bytes:
    """Return the line that gives a file in the index its version in the commit, or removes it."""
    mode, blob = change.head or ("0", "0" * len(sha or "0" * 40))
    return f"{mode} {blob}\t".encode() + os.fsencode(change.path) + b"\0" if change.is_tracked else b""


def _parts(patch: bytes) -> list[tuple[str, bytes]]:
    """Return the parts of a patch, each with the file that it is about."""
    if not patch:
        return []
    pieces = (b"\n" + patch).split(b"\n" + _BEGIN)[1:]
    parts = [_BEGIN + piece + b"\n" for piece in pieces]
    parts[-1:] = [part[:-1] for part in parts[-1:]]  # only between two was a line break taken away
    return [(_name(piece.partition(b"\n")[0]), part) for piece, part in zip(pieces, parts, strict=True)]


def _name(header: bytes) -> str:
    """Return the file of `a/NAME b/NAME`; git quotes odd names as C does."""
    old = header[: (len(header) - 1) // 2]
    if old.startswith(b'"'):
        old = codecs.escape_decode(old[1:-1])[0]
    return os.fsdecode(old[len(b"a/") :])
