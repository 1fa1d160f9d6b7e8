"""Which images has a run made, small enough to stand in a page?

Only raster images, known by their first bytes, whatever they are called: an SVG file is a program. Where Pillow is
installed, a larger one becomes a thumbnail; where it is not, it is listed among the files.

The forms: PNG (ISO/IEC 15948), JPEG (ITU-T T.81, B.2.2), GIF89a, and WebP (RFC 9649).
"""

from __future__ import annotations

import base64
import importlib.util
import io
import warnings
from typing import TYPE_CHECKING, Any

from hydra_callbacks.support.texts import counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Image = tuple[str, bytes, tuple[int, int]]

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
MOST = 24
MOST_BYTES = 1_500_000
"""Of all images in a page, before they are encoded."""
_LARGEST_AS_IT_IS = 150_000  # bytes
_LARGEST_READ = 20_000_000  # bytes
_MOST_PIXELS = 50_000_000
_THUMBNAIL = (480, 360)
_HEAD_BYTES = 1 << 16  # in which the size of a JPEG stands, behind what its camera tells
_NO_SIZE = {0xD8, 0x01, *range(0xD0, 0xD8)}  # JPEG markers without a length
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG markers with the image's size


def images(directory: Path, names: Iterable[str], notes: list[str]) -> list[dict[str, Any]]:
    """Return the images that a page can hold: `path`, `uri`, `width` and `height` in pixels.

    Args:
        directory: The run's directory.
        names: Its files, relative to it, with slashes.
        notes: Gets what is left out, in words.
    """
    named = [name for name in names if "." + name.rpartition(".")[2].lower() in SUFFIXES]
    found: list[dict[str, Any]] = []
    n_bytes = n_large = 0
    for index, name in enumerate(named):
        image = _image(directory / name) if len(found) < MOST else _NO_ROOM
        if image is None:
            continue
        kind, data, (width, height) = image
        if image is _NO_ROOM or n_bytes + len(data) > MOST_BYTES:
            notes.append(f"listed among the files only: {counted(len(named) - index, 'more image')}")
            break
        if not data:
            n_large += 1
            continue
        n_bytes += len(data)
        uri = f"data:{kind};base64,{base64.b64encode(data).decode()}"
        found.append({"path": name, "uri": uri, "width": width, "height": height})
    if n_large:
        remedy = "" if _has_pillow() else " (Pillow, if it were installed, would make them smaller)"
        notes.append(f"too large for the page: {counted(n_large, 'image')}{remedy}")
    return found


_NO_ROOM: Image = ("", b"", (0, 0))


def size_of(data: bytes) -> tuple[str, int, int] | None:
    """Return what an image is, from its first bytes: its media type, and width and height in pixels.

    Returns:
        None when it is no PNG, JPEG, GIF or WebP, or is cut before its size.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        found = "image/png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    elif data[:6] in {b"GIF87a", b"GIF89a"}:
        found = "image/gif", int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    elif data.startswith(b"\xff\xd8\xff"):
        found = "image/jpeg", *_size_of_jpeg(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = "image/webp", *_size_of_webp(data)
    else:
        return None
    return found if 0 < found[1] * found[2] <= _MOST_PIXELS else None


def _image(file: Path) -> Image | None:
    """Return what an image is, and its bytes, none when it is too large; None when it is no image."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_HEAD_BYTES)
            told = size_of(data)
            data += opened.read(_LARGEST_READ) if told else b""
    except OSError:
        return None
    if told is None:
        return None
    if len(data) > _LARGEST_AS_IT_IS:
        small = _thumbnail(data) if len(data) <= _LARGEST_READ and _has_pillow() else None
        return small or (told[0], b"", told[1:])
    return told[0], data, told[1:]


def _has_pillow() -> bool:
    return importlib.util.find_spec("PIL") is not None


def _thumbnail(data: bytes) -> Image | None:
    """Return an image made smaller; None when Pillow cannot read it."""
    from PIL import Image  # noqa: PLC0415  (not a dependency; it is there where figures are drawn)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
                width, height = image.size
                image.draft("RGB", _THUMBNAIL)
                small = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        small.thumbnail(_THUMBNAIL)
        out = io.BytesIO()
        small.save(out, "PNG" if small.mode == "RGBA" else "JPEG", optimize=True)
    except Exception:  # noqa: BLE001  (a stranger's file, and a decoder's many errors; the file is listed)
        return None
    kind = "image/png" if small.mode == "RGBA" else "image/jpeg"
    return (kind, out.getvalue(), (width, height)) if len(out.getvalue()) <= 2 * _LARGEST_AS_IT_IS else None


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """Return width and height from the first frame header; 0 when there is none."""
    place = 0
    while place + 9 < len(data) and data[place] == 0xFF:  # noqa: PLR2004  (each marker begins so)
        marker = data[place + 1]
        if marker in _FRAMES:
            return int.from_bytes(data[place + 7 : place + 9], "big"), int.from_bytes(
                data[place + 5 : place + 7], "big"
            )
        place += 2 if marker in _NO_SIZE else 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return 0, 0


def _size_of_webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return 0, 0
