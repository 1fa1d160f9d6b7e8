"""Has the code changed since a run recorded its git state?"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra_callbacks.provenance.git import GitState, commits_between, read_state
from hydra_callbacks.provenance.git_program import run
from hydra_callbacks.provenance.patch import differences, make_patch, read_patch
from hydra_callbacks.provenance.patch_secrets import holds_secret
from hydra_callbacks.support.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_BYTES = 100_000_000
_MOST_FILE_BYTES = 10_000_000


def changes_since(then: Mapping[str, Any], output_dir: Path, cwd: Path, since: float) -> list[str]:
    """Return how a working tree differs from what it was, in words; nothing when it does not, as far as can be told.

    What was changed and not committed is told by the two patches; by the times of the files, where no patch was kept.

    Args:
        then: The section `git` of a run record.
        output_dir: The run's directory.
        cwd: Where the tree is, if it is not where it was.
        since: When the run started, in seconds since the epoch.

    Raises:
        GitError: As `read_state`.
        OSError: The patch that was kept cannot be read.
    """
    sha, root = str(then["sha"]), Path(str(then.get("root") or cwd))
    has_patch = "patch" in then
    now = read_state(root if root.is_dir() else cwd, changes=has_patch)
    if now.sha != sha:
        commits = commits_between(now.root, sha, now.sha or "")
        counted = f" ({len(commits)} commit{'' if len(commits) == 1 else 's'} between)" if commits else ""
        return [f"the commit: {sha[:8]} -> {(now.sha or 'none')[:8]}{counted}"]
    if has_patch:
        names = _differing(then, output_dir, now)
    elif now.is_dirty != bool(then.get("is_dirty")):
        return [f"the code on commit {sha[:8]}: {'with' if now.is_dirty else 'without'} uncommitted changes now"]
    else:
        names = _newer(now, since) if now.is_dirty else []
    return [f"uncommitted code: {', '.join(names)}"] if names else []


def _differing(then: Mapping[str, Any], output_dir: Path, now: GitState) -> list[str]:
    kept = read_patch(output_dir / str(then["patch"])) if then["patch"] else b""
    is_secret = partial(holds_secret, redactor=Redactor())
    patch = make_patch(now, max_bytes=_MOST_BYTES, max_file_bytes=_MOST_FILE_BYTES, is_secret=is_secret)
    unknown = {str(each.get("file")) for each in then.get("left_out") or []}
    return differences(kept, patch.data, unknown)


def _newer(now: GitState, since: float) -> list[str]:
    changed = run(now.root, ["diff", "--name-only", "-z", "--no-ext-diff", "HEAD", "--"]).stdout.split(b"\0")
    return [name for name in map(os.fsdecode, changed) if name and _is_newer(now.root / name, since)]


def _is_newer(path: Path, since: float) -> bool:
    try:
        return path.stat().st_mtime > since
    except OSError:  # it was removed
        return True
