"""Tile pictures to pixels; the size is looked at before anything is decoded."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from samgis_process.errors import SourceUnavailable

Rgba = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
LARGEST = 1024  # pixels along a side; more is not looked into
BROKEN = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,  # Pillow's word for a damaged PNG
    EOFError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def decode(data: bytes, size: int, name: str) -> Rgba | None:
    """Return a tile, uint8 (size, size, 4); None where it shows nothing and has another size.

    Many servers send one small transparent picture for whatever they do not have.

    Args:
        data: PNG, JPEG, WebP or GIF.
        size: pixels along the side that it must have.
        name: what it is, for messages.

    Raises:
        SourceUnavailable: it is no picture, or one of another size.
    """
    found = webp_size(data) or png_size(data)
    if found and max(found) > LARGEST:
        raise _misfit(found, size, name)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.size != (size, size):
                if max(image.size) <= LARGEST and _shows_nothing(image):
                    return None
                raise _misfit(image.size, size, name)
            return np.asarray(image.convert("RGBA"))
    except BROKEN as error:
        raise SourceUnavailable(f"{name} is no picture") from error


def _shows_nothing(image: Image.Image) -> bool:
    return image.has_transparency_data and not image.convert("RGBA").getchannel("A").getbbox()


def _misfit(found: tuple[int, int], size: int, name: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{name} is {found[0]} x {found[1]} pixels, but {size} x {size} is configured"
    )


def png_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a PNG; opening a huge one warns, and only the log sees it."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def media_type(data: bytes) -> str:
    """Return the media type of a picture that `decode` has taken."""
    kinds = {b"\x89PNG": "image/png", b"RIFF": "image/webp", b"GIF8": "image/gif"}
    return kinds.get(data[:4], "image/jpeg")


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a WebP: Pillow takes memory for all its pixels on opening.

    Source: RFC 9649, 2.5 to 2.7.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        across, along = (int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return across + 1, along + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    across, along = (int.from_bytes(data[at : at + 2], "little") for at in (26, 28))
    return across & 0x3FFF, along & 0x3FFF


def paste(target: Rgba, tile: Rgba, col: int, row: int) -> None:
    """Put `tile` with its corner at (col, row), which may lie outside, into `target`."""
    rows = slice(max(0, row), min(target.shape[0], row + tile.shape[0]))
    cols = slice(max(0, col), min(target.shape[1], col + tile.shape[1]))
    target[rows, cols] = tile[
        rows.start - row : rows.stop - row, cols.start - col : cols.stop - col
    ]
