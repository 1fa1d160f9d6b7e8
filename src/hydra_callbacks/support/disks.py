"""Is a file on a disk of this machine, or on one that others share over a network?"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path, PurePosixPath

# As `statfs(2)`, `mount(8)` and the file systems' own documentation name them.
_SHARED = {
    *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "webdav", "9p", "virtiofs", "ceph"),
    *("sshfs", "s3fs", "rclone", "gcsfuse", "ceph-fuse"),
    *("lustre", "gpfs", "beegfs", "beegfs_nodev", "glusterfs", "orangefs", "pvfs2", "ocfs2", "gfs2", "panfs", "wekafs"),
}
_ESCAPE = re.compile(r"\\([0-7]{3})")  # what stands there for a space, tab, line break, backslash or #
_MOUNTS = Path("/proc/self/mounts")


def file_system(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return the name of the network file system that holds a file; None when it is local, or cannot be told.

    Args:
        path: The file, or where it will be.
        mounts: The list of what is mounted, as proc_pid_mounts(5) describes it.
    """
    place = path.absolute()
    if sys.platform == "win32":
        return "a network share" if str(place).startswith("\\\\") else None
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError:  # another system, without such a list
        return None
    real = PurePosixPath(os.path.realpath(place))
    found, kind = PurePosixPath(), ""
    for line in lines:
        _, folder, name, *_ = [*line.split(" "), "", ""]
        mounted = PurePosixPath(_ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), folder))
        if real.is_relative_to(mounted) and len(mounted.parts) >= len(found.parts):
            found, kind = mounted, name
    return kind if kind.removeprefix("fuse.") in _SHARED else None
