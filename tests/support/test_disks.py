"""Which files lie on a network, as the system's list of what is mounted tells."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hydra_callbacks.runs import register
from hydra_callbacks.support import disks
from hydra_callbacks.support.disks import file_system

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the list is Linux's")

MOUNTS = r"""
sysfs /sys sysfs rw 0 0
/dev/sda1 / ext4 rw,relatime 0 0
server:/home /home nfs4 rw,relatime,vers=4.2 0 0
/dev/sdb1 /home/me/local xfs rw 0 0
me@server:/data /home/me/local/far fuse.sshfs rw 0 0
server:/share /mnt/with\040space\011and\134back nfs rw 0 0
server:/share /mnt/données\0431 cifs rw 0 0
none /scratch lustre rw 0 0
remote /cloud fuse.rclone rw 0 0
cluster /ceph fuse.ceph-fuse rw 0 0
lxcfs /local fuse.lxcfs rw 0 0
/etc/auto /auto autofs rw 0 0
server:/auto /auto nfs rw 0 0
short

"""


@pytest.fixture
def mounts(odd_path: Path) -> Path:
    path = odd_path / "mounts"
    path.write_text(MOUNTS, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/register.db", None),
        ("/var/lib/register.db", None),
        ("/home/me/register.db", "nfs4"),
        ("/home", "nfs4"),
        ("/homes/register.db", None),
        ("/home/me/local/register.db", None),
        ("/home/me/local/far/away/register.db", "fuse.sshfs"),
        ("/mnt/with space\tand\\back/register.db", "nfs"),
        ("/mnt/with", None),
        ("/mnt/données#1/é/register.db", "cifs"),
        ("/scratch/register.db", "lustre"),
        ("/cloud/register.db", "fuse.rclone"),
        ("/ceph/register.db", "fuse.ceph-fuse"),
        ("/local/register.db", None),
        ("/auto/register.db", "nfs"),
    ],
)
def test_the_innermost_mount_decides(mounts: Path, path: str, kind: str | None) -> None:
    assert file_system(Path(path), mounts) == kind


def test_a_link_is_followed(mounts: Path, odd_path: Path) -> None:
    (odd_path / "link").symlink_to("/home/me")
    assert file_system(odd_path / "link" / "register.db", mounts) == "nfs4"


def test_a_relative_path_is_of_the_working_directory(
    mounts: Path, odd_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts.write_text(f"x {str(odd_path).replace(' ', chr(92) + '040')} 9p rw 0 0\n", encoding="utf-8")
    monkeypatch.chdir(odd_path)
    assert file_system(Path("register.db"), mounts) == "9p"


def test_where_no_list_is_nothing_is_said(odd_path: Path) -> None:
    assert file_system(Path("/home/register.db"), odd_path / "none") is None


def test_the_list_of_this_system_can_be_read(odd_path: Path) -> None:
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    assert file_system(odd_path) in {None, *(line.split()[2] for line in lines)}


@pytest.mark.parametrize("name", ["register.db", "register.SQLITE"])
def test_sqlite_on_a_network_is_warned_of(mounts: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(disks.file_system, "__defaults__", (mounts,))
    said = register.caveat(Path("/home/me") / name)
    assert said
    assert said.startswith(f"/home/me/{name} is on a network file system (nfs4), where SQLite's locks are not safe")
    assert "a .jsonl or .csv register, or postgresql://user@host/database, is" in said
    assert register.caveat(Path("/var") / name) is None


def test_other_forms_need_no_warning(mounts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks.file_system, "__defaults__", (mounts,))
    assert register.caveat(Path("/home/me/register.csv")) is None
    assert register.caveat(Path("/home/me/register.jsonl")) is None
