"""Which files of a patch does git write in another form than they have: with other line endings, or by a filter?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.provenance.git_program import Call
    from hydra_callbacks.provenance.own_index import OwnIndex

_ATTRIBUTES = ("text", "eol", "crlf", "ident", "filter", "working-tree-encoding")
_SETTINGS = ("filter.lfs.clean=", "filter.lfs.smudge=", "filter.lfs.process=", "filter.lfs.required=false")
AS_IT_IS = tuple(word for setting in _SETTINGS for word in ("-c", setting))
"""Options with which git takes the file, where LFS would put a pointer to a store that nobody keeps for us."""
_LINE_ENDINGS = "git writes it with other line endings (core.autocrlf, .gitattributes)"
_OTHER_FORM = "git writes it in another form (a filter, ident or an encoding in .gitattributes)"


def ask(own: OwnIndex, paths: Sequence[str]) -> tuple[Call, Call]:
    """Begin to ask git what might be converted, which takes as long as other things that it does meanwhile.

    Args:
        own: An index of our own.
        paths: The files.

    Raises:
        GitError: Git cannot be run.
    """
    return own.call(["check-attr", "-z", "--stdin", *_ATTRIBUTES], paths), own.call(["config", "core.autocrlf"])


def converted(own: OwnIndex, paths: Sequence[str], attributes: bytes, autocrlf: bytes) -> dict[str, str]:
    """Return the files that do not come back byte by byte, each with what changes.

    Git is let write what might be converted, and that is compared.

    Args:
        own: An index that has the files.
        paths: The files; those that are not there count as unchanged.
        attributes: What the first call of `ask` has printed for them.
        autocrlf: What the second one has.

    Raises:
        GitError: Git cannot be run.
    """
    told = attributes.split(b"\0")[:-1]
    pairs = zip(told[::3], told[2::3], strict=False)  # whatever git has told
    with_one = {os.fsdecode(path) for path, value in pairs if value != b"unspecified"}
    is_for_all = autocrlf.strip().lower() not in {b"", b"false", b"no", b"off", b"0"}
    suspects = [path for path in paths if is_for_all or path in with_one]
    files = [path for path in suspects if (own.root / path).is_file() and not (own.root / path).is_symlink()]
    if not files:
        return {}
    folder = own.folder / "written"
    own.call([*AS_IT_IS, "checkout-index", "--quiet", f"--prefix={folder.as_posix()}/", "-z", "--stdin"], files).end()
    compared = ((path, _difference(own.root / path, folder / path)) for path in files)
    return {path: what for path, what in compared if what}


def _difference(file: Path, written: Path) -> str | None:
    """Return what git changes in a file; None where nothing."""
    try:
        one, other = file.read_bytes(), written.read_bytes()
    except OSError:  # a filter refused it, or it is gone
        return _OTHER_FORM
    if one == other:
        return None
    return _LINE_ENDINGS if one.replace(b"\r\n", b"\n") == other.replace(b"\r\n", b"\n") else _OTHER_FORM
