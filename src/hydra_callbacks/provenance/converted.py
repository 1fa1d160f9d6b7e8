"""Which files of a patch does git write in another form than they have: with other line endings, or by a filter?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.provenance.own_index import OwnIndex

_ATTRIBUTES = ("text", "eol", "crlf", "ident", "filter", "working-tree-encoding")
_SETTINGS = ("filter.lfs.clean=", "filter.lfs.smudge=", "filter.lfs.process=", "filter.lfs.required=false")
AS_IT_IS = tuple(word for setting in _SETTINGS for word in ("-c", setting))
"""Options with which git takes the file, where LFS would put a pointer to a store that nobody keeps for us."""
_LINE_ENDINGS = "git writes it with other line endings (core.autocrlf, .gitattributes)"
_OTHER_FORM = "git writes it in another form (a filter, ident or an encoding in .gitattributes)"


def converted(own: OwnIndex, paths: Sequence[str]) -> dict[str, str]:
    """Return the files that do not come back byte by byte, each with what changes.

    Git is let write what might be converted, and that is compared.

    Args:
        own: An index that has the files.
        paths: The files; those that are not there count as unchanged.

    Raises:
        GitError: Git cannot be run.
    """
    attributes = own.run(["check-attr", "-z", "--stdin", *_ATTRIBUTES], paths).stdout.split(b"\0")[:-1]
    pairs = zip(attributes[::3], attributes[2::3], strict=False)  # whatever git has told
    with_one = {os.fsdecode(path) for path, told in pairs if told != b"unspecified"}
    asked = own.run(["config", "core.autocrlf"]).stdout.strip().lower()
    is_for_all = asked not in {b"", b"false", b"no", b"off", b"0"}
    suspects = [path for path in paths if is_for_all or path in with_one]
    files = [path for path in suspects if (own.root / path).is_file() and not (own.root / path).is_symlink()]
    if not files:
        return {}
    folder = own.folder / "written"
    own.run([*AS_IT_IS, "checkout-index", "--quiet", f"--prefix={folder.as_posix()}/", "-z", "--stdin"], files)
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
