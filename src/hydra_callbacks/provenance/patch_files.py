"""Which of the files that differ from the commit are to be part of its patch, as far as a look at them tells?"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hydra_callbacks.provenance.changes import Change
    from hydra_callbacks.provenance.git import GitState

PROGRAMS = {
    *(".py", ".pyi", ".pyx", ".ipynb", ".sh", ".c", ".cc", ".cpp"),
    *(".cu", ".h", ".hpp", ".js", ".ts", ".rs", ".go", ".jl"),
}
"""Endings of files that hold programs."""
PROSE = {".md", ".rst", ".txt", ".tex", ".html", ".css", ".csv", ".tsv", ".svg"}
"""Endings of files that are read by people, or hold nothing but numbers."""
_MOST_FILES = 5000  # that are not tracked
_SECRET_FILE = re.compile(
    r"(?:\.env(\.(?!example|sample|template|dist|default).*)?|.*\.(env|envrc|pem|key|p12|pfx|jks|keystore|kdbx|ppk)"
    r"|(.*_)?(rsa|dsa|ecdsa|ed25519)|[._]netrc|\.envrc|\.pgpass|\.pypirc|\.npmrc|\.dockercfg|\.htpasswd|\.s3cfg|\.boto"
    r"|kubeconfig|.*\.tfstate|.*\.tfvars|service[_-]?account.*\.json|kaggle\.json|tokens?(\.(json|pickle|pkl))?"
    r"|.*(secret|credential|passw).*)(\.(bak|backup|old|orig|save|swp|tmp|\d{1,4})|~)*",
    re.IGNORECASE,
)
_SPOKEN_OF = PROGRAMS | (PROSE - {".txt", ".csv", ".tsv"})
"""Endings of files that may be called after secrets and hold none: what is in them tells."""


def chosen(
    state: GitState, outputs: Sequence[Path], max_file_bytes: int
) -> tuple[list[Change], list[Change], dict[str, str]]:
    """Return the changes that are to be part of a patch, those that are not, and of these the reasons, by path.

    Args:
        state: The state of the tree, with its changes.
        outputs: Directories in which all that is not tracked was made by runs; it is passed over, and not named.
        max_file_bytes: The largest size of a file.
    """
    changes, left_out = _not_too_many(_without_outputs(state, outputs))
    left_out |= {change.path: why for change in changes if (why := _why_not(state.root, change, max_file_bytes))}
    kept = [change for change in changes if change.path not in left_out or change.submodule]
    others = [change for change in changes if change.path in left_out and not change.submodule]
    return kept, others, left_out


def is_secret_name(name: str) -> bool:
    """Tell whether the name of a file says that it is secret; `secrets.py` and `password.md` may speak of such."""
    return bool(_SECRET_FILE.fullmatch(name)) and os.path.splitext(name)[1].lower() not in _SPOKEN_OF  # noqa: PTH122  (a name)


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
        is_of_run = change.path.startswith(runs) and os.path.splitext(change.path)[1] not in PROGRAMS  # noqa: PTH122  (a name)
        return not change.is_tracked and (is_bytecode or is_of_run or change.path.startswith(made))

    return [change for change in state.changes if not is_made(change)]


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
        ("M" in change.submodule, "a submodule with changes of its own"),
        ("U" in change.submodule, "a submodule with files that are not tracked"),
        (not name, "a repository of its own, which is not tracked"),
        (is_secret_name(name), "its name says that it is secret"),
        (is_file and told and told.st_size > max_file_bytes, f"{told.st_size / 1e6:.1f} MB" if told else ""),
        (is_file and not os.access(file, os.R_OK), "it cannot be read"),
    )
    return next((why for is_so, why in reasons if is_so), None)
