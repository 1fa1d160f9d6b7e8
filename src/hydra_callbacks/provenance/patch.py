"""What must be applied to the commit for the very tree that ran: what is staged, changed, removed, or not tracked?

Git itself makes the patch, from an index of our own that starts as a copy of the user's: neither the user's index nor
the working tree nor the repository's objects are written.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import os
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hydra_callbacks.provenance import patch_files
from hydra_callbacks.provenance.converted import AS_IT_IS, ask, converted
from hydra_callbacks.provenance.git_program import version
from hydra_callbacks.provenance.own_index import own_index

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from hydra_callbacks.provenance.changes import Change
    from hydra_callbacks.provenance.git import GitState

_DIFF = (
    *("diff-index", "--cached", "--patch", "--binary", "--full-index", "--no-color", "--no-renames", "--no-ext-diff"),
    *("--no-textconv", "--no-relative", "--submodule=short", "--ignore-submodules=none", "--diff-algorithm=myers"),
    *("--unified=3", "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/"),
)
_ONE_PACK = ("-c", "core.bigFileThreshold=1", "-c", "core.fsync=none")
"""Options with which what is added goes into one pack; a file for each takes twice the time."""
_SINCE = (2, 37)  # before, each file would get a pack
_BEGIN = b"diff --git "
_COMPRESSED_FROM = 100_000  # bytes


@dataclass(frozen=True, slots=True)
class Patch:
    """What differs from the commit.

    Attributes:
        data: A patch for `git apply`, binary files included; empty when nothing differs.
        left_out: Path of each file that it lacks, relative to the tree's top, to the reason.
        converted: Likewise each that it has, and that git does not write back byte by byte.
    """

    data: bytes = b""
    left_out: dict[str, str] = field(default_factory=dict)
    converted: dict[str, str] = field(default_factory=dict)

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


def is_as_written(file: Path, data: bytes) -> bool:
    """Tell whether a patch is the one that `Patch.write` has written, as far as the file's name tells."""
    digest = re.match(r"git-([0-9a-f]{8})\.patch", file.name)
    return digest is None or hashlib.sha256(data).hexdigest().startswith(digest[1])


def names_in(patch: bytes) -> list[str]:
    """Return the files that a patch is about."""
    return [name for name, _ in _parts(patch)]


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
    kept, others, left_out = patch_files.chosen(state, outputs, max_file_bytes)
    if not kept:
        return Patch(left_out=left_out)
    data, changed_by_git = _diff(state, kept, others)
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
    kept_but_changed = {name: what for name, what in changed_by_git.items() if name in parts}
    return Patch(b"".join(parts.values()), left_out, kept_but_changed)


def _text_of_binary(file: Path, part: bytes) -> str:
    """Return what can be read in a file whose part of the patch cannot: also in two bytes a character."""
    if b"\nGIT binary patch\n" not in part:
        return ""
    try:
        return file.read_bytes().replace(b"\0", b"").decode("latin-1")
    except OSError:
        return ""


def differences(then: bytes, now: bytes, unknown: Collection[str] = ()) -> list[str]:
    """Return the files in which two patches to one commit differ; of new files, programs alone count, and no data.

    Args:
        then: A patch.
        now: A later one.
        unknown: Files of which nothing is told, unless the first one has them.
    """
    before, after = dict(_parts(then)), dict(_parts(now))
    names = [name for name in {**before, **after} if name in before or name not in unknown]
    return [name for name in names if before.get(name) != after.get(name) and _counts(name, before, after)]


def _counts(name: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bool:
    is_new = any(b"\nnew file mode " in each.get(name, b"")[:1000] for each in (before, after))
    return not is_new or os.path.splitext(name)[1] in patch_files.PROGRAMS  # noqa: PTH122  (a name, and no path of this system)


def _diff(state: GitState, kept: Sequence[Change], others: Sequence[Change]) -> tuple[bytes, dict[str, str]]:
    """Return git's patch from the commit to the files as they are, without the others, and which git converts."""
    with own_index(state.root, state.hidden) as own:
        reset = b"".join(_as_committed(change, state.sha) for change in others)
        if reset:
            own.output(["update-index", "-z", "--index-info"], stdin=reset)
        paths = [change.path for change in kept]
        asked = ask(own, paths)
        try:
            one_pack = _ONE_PACK if version() >= _SINCE else ()
            own.output([*AS_IT_IS, *one_pack, "update-index", "--add", "--remove", "--replace", "-z", "--stdin"], paths)
            base = state.sha or own.output(["mktree"]).decode().strip()  # of nothing: the empty tree
            data = own.output([*_DIFF, base, "--"])
        finally:
            told = [call.end().stdout for call in asked]
        return data, converted(own, paths, *told)


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
