"""Files stay whole, whoever writes and whoever dies."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from hydra_callbacks.errors import FileLockTimeoutError
from hydra_callbacks.support import files, locks

if TYPE_CHECKING:
    from pathlib import Path


def test_a_document_is_replaced_whole_and_nothing_else_is_left(odd_path: Path) -> None:
    path = odd_path / "run.json"
    files.write_whole(path, b"one")
    files.write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(odd_path) == ["run.json"]  # noqa: PTH208  (hidden files count)


def test_a_failed_replacement_leaves_the_old_content(odd_path: Path) -> None:
    path = odd_path / "run.json"
    files.write_whole(path, b"one")

    def fail_half_way() -> None:
        with files.replacing(path) as temporary:
            temporary.write_bytes(b"tw")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_bytes() == b"one"
    assert [file.name for file in odd_path.iterdir()] == ["run.json"]


def test_the_lock_lets_one_in_at_a_time_and_leaves_no_file(odd_path: Path) -> None:
    path = odd_path / "shared"
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(30):
            with locks.locked(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 240
    assert max(most) == 1
    assert list(odd_path.iterdir()) == []


def test_a_lock_that_is_kept_is_told_of(odd_path: Path) -> None:
    path = odd_path / "shared"
    with (
        locks.locked(path),
        pytest.raises(FileLockTimeoutError, match=r"stays locked by another process .*remove"),
        locks.locked(path, timeout_s=0.02),
    ):
        pytest.fail("two hold the lock")


def test_a_killed_holder_frees_the_lock(odd_path: Path) -> None:
    path = odd_path / "shared"
    holder = (
        "import os, signal, sys; from pathlib import Path; from hydra_callbacks.support.locks import locked\n"
        "with locked(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", holder, str(path)], check=False)
    assert (odd_path / ".shared.lock").exists()
    with locks.locked(path, timeout_s=5):
        pass
    assert list(odd_path.iterdir()) == []


def test_a_link_is_replaced_and_stays_relative(odd_path: Path) -> None:
    for name in ("one", "two"):
        (odd_path / name).mkdir()
        assert files.relink(odd_path / "latest", odd_path / name) == odd_path / "latest"
        assert os.readlink(odd_path / "latest") == name  # noqa: PTH115  (the text itself)
    (odd_path / "two").rmdir()
    files.relink(odd_path / "latest", odd_path / "one")  # a dangling link is replaced like any other
    assert (odd_path / "latest").resolve() == odd_path / "one"


@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_a_real_file_or_folder_is_never_taken_for_a_link(odd_path: Path, make: str) -> None:
    (odd_path / "one").mkdir()
    getattr(odd_path / "latest", make)()
    with pytest.raises(FileExistsError, match="is a real file or folder"):
        files.relink(odd_path / "latest", odd_path / "one")
    assert not (odd_path / "latest").is_symlink()


def test_a_text_file_holds_the_path_where_links_are_not_allowed(
    odd_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    for name in ("one", "two"):
        (odd_path / name).mkdir()
        assert files.relink(odd_path / "latest", odd_path / name) == odd_path / "latest.txt"
        assert (odd_path / "latest.txt").read_text(encoding="utf-8") == f"{odd_path / name}\n"


def relink_often(folder: Path, number: int) -> None:
    for _ in range(100):
        files.relink(folder / "latest", folder / str(number))


def test_the_link_always_leads_somewhere_under_eight_writers(odd_path: Path) -> None:
    for number in range(8):
        (odd_path / str(number)).mkdir()
    files.relink(odd_path / "latest", odd_path / "0")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=relink_often, args=(odd_path, number)) for number in range(8)]
    for writer in writers:
        writer.start()
    looks = 0
    while any(writer.is_alive() for writer in writers):
        assert (odd_path / "latest").is_dir()
        looks += 1
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert looks > 0
    assert sorted(path.name for path in odd_path.iterdir()) == [*map(str, range(8)), "latest"]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_new_file_is_made_once(odd_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    assert files.write_new(odd_path / "new", b"one")
    assert not files.write_new(odd_path / "new", b"two")
    assert (odd_path / "new").read_bytes() == b"one"
    assert os.listdir(odd_path) == ["new"]  # noqa: PTH208  (hidden files count)
