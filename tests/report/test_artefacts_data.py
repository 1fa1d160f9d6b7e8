"""Files and images: what is listed, what is shown, and that no SVG ever is."""

from __future__ import annotations

import base64
import os
import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from hydra_callbacks.report import images as module
from hydra_callbacks.report.artefacts import MOST, artefacts
from hydra_callbacks.report.images import images, size_of

if TYPE_CHECKING:
    from pathlib import Path


def png(width: int = 3, height: int = 2, *, noise: int = 0) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + b"\x7f" * width for _ in range(height))))
    text = chunk(b"tEXt", b"note\0" + os.urandom(noise)) if noise else b""
    return b"\x89PNG\r\n\x1a\n" + head + text + body + chunk(b"IEND", b"")


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0005000102ffc0000b080005000701011100ffd9")
GIF = b"GIF89a" + struct.pack("<HH", 9, 4) + b"\0\0\0;"
WEBP = {
    b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (639).to_bytes(3, "little") + (479).to_bytes(3, "little"): (640, 480),
    b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + (99 | 49 << 14).to_bytes(4, "little"): (100, 50),
    b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 320, 200): (320, 200),
}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (png(30, 20), ("image/png", 30, 20)),
        (JPEG, ("image/jpeg", 7, 5)),
        (GIF, ("image/gif", 9, 4)),
        *((data, ("image/webp", *size)) for data, size in WEBP.items()),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"\x89PNG\r\n\x1a\n<svg onload=alert(1)>", None),
        (b"\xff\xd8\xff\xe0\xff\xff", None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 100_000, 100_000), None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_an_image_is_known_by_its_first_bytes(data: bytes, found: tuple[str, int, int] | None) -> None:
    assert size_of(data) == found


@pytest.mark.parametrize("data", [png(), JPEG, GIF, *WEBP])
def test_any_beginning_of_an_image_is_read_without_an_error(data: bytes) -> None:
    for end in range(len(data)):
        size_of(data[:end])


def test_small_raster_images_are_shown_and_nothing_else(odd_path: Path) -> None:
    (odd_path / "plots").mkdir()
    (odd_path / "plots" / "<b> & é.png").write_bytes(png())
    (odd_path / "a.gif").write_bytes(GIF)
    (odd_path / "evil.png").write_text("<svg onload='alert(1)'/>")
    (odd_path / "drawing.svg").write_text("<svg onload='alert(1)'/>")
    (odd_path / "page.html").write_text("<script>alert(1)</script>")
    names = [name for name, _ in artefacts(odd_path, []).listed]
    assert names == ["a.gif", "drawing.svg", "evil.png", "page.html", "plots/<b> & é.png"]
    notes: list[str] = []
    found = images(odd_path, names, notes)
    assert notes == [], "what is no image is not missed"
    assert [each["path"] for each in found] == ["a.gif", "plots/<b> & é.png"]
    assert (found[1]["width"], found[1]["height"]) == (3, 2)
    assert base64.b64decode(found[1]["uri"].removeprefix("data:image/png;base64,")) == png()
    assert "svg" not in "".join(each["uri"][:30] for each in found)


def test_without_pillow_a_large_image_is_listed_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _name: None)
    (tmp_path / "large.png").write_bytes(png(noise=200_000))
    notes: list[str] = []
    assert images(tmp_path, ["large.png", "gone.png"], notes) == []
    assert notes == ["too large for the page: 1 image (Pillow, if it were installed, would make them smaller)"]
    assert [name for name, _ in artefacts(tmp_path, []).listed] == ["large.png"]


def test_with_pillow_a_large_image_becomes_a_thumbnail(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    noise = image.frombytes("RGB", (900, 700), os.urandom(900 * 700 * 3))
    noise.save(tmp_path / "large.png")
    (tmp_path / "torn.png").write_bytes((tmp_path / "large.png").read_bytes()[:500_000])
    notes: list[str] = []
    (found,) = images(tmp_path, ["large.png", "torn.png"], notes)
    assert notes == ["too large for the page: 1 image"]
    assert (found["width"], found["height"]) == (900, 700)
    assert found["uri"].startswith("data:image/jpeg;base64,")
    assert len(found["uri"]) < 400_000


def test_as_many_images_as_a_page_can_hold_are_read_and_the_others_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number:02}.png" for number in range(40)]
    notes: list[str] = []
    for name in names:
        (tmp_path / name).write_bytes(png())
    assert len(images(tmp_path, names, notes)) == module.MOST
    for name in names:
        (tmp_path / name).write_bytes(png(noise=140_000))
    read: list[bytes] = []
    monkeypatch.setattr(module, "size_of", lambda data: read.append(data) or size_of(data))
    assert len(images(tmp_path, names, notes)) == 10, "1.5 MB"
    assert len(read) == 11, "those behind are not read in vain"
    assert notes == [f"listed among the files only: {n} more images" for n in (16, 30)]


def test_hydras_folder_hidden_files_links_and_the_page_itself_are_no_artefacts(tmp_path: Path) -> None:
    for name in (".hydra/run.json", ".secret", "report.html", "models/best.pt", "3/.hydra/run.json", "3/results.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "page.html").write_text('<meta name="generator" content="hydra-callbacks 1.0">')
    (tmp_path / "passwords.png").symlink_to("/etc/passwd")
    (tmp_path / "round").symlink_to(tmp_path, target_is_directory=True)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
    assert artefacts(tmp_path, []) == ([("models/best.pt", 1)], 1, 1)


def test_of_many_files_the_first_are_listed_and_the_page_says_so(tmp_path: Path) -> None:
    for number in range(MOST + 10):
        (tmp_path / f"{number}.npy").write_text("xyz")
    notes: list[str] = []
    found = artefacts(tmp_path, notes)
    assert (len(found.listed), found.n_files, found.total_bytes) == (MOST, MOST + 10, 3 * (MOST + 10))
    assert notes == ["of 510 files, the first 500 are listed"]
