"""A PNG, JPEG or WebP as a source: its pixel grid stretched on bounds in EPSG:3857."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import rasterio
from affine import Affine
from PIL import Image, ImageOps
from rasterio.enums import ColorInterp
from rasterio.io import MemoryFile
from rasterio.windows import Window

from samgis_process.errors import InvalidInput
from samgis_process.grid import Bounds
from samgis_process.grid.mercator import WORLD_WIDTH, world_pixels
from samgis_process.sources.base import SourceInfo
from samgis_process.sources.inline import (
    ID,
    SEALED,
    ImageSource,
    damaged,
    require_room,
    require_size,
)
from samgis_process.sources.place import MERCATOR
from samgis_process.sources.survey import Survey
from samgis_process.sources.tile_images import webp_size
from samgis_process.turns import Room

FORMATS = ("PNG", "JPEG", "WEBP")
DEEP = ("I", "I;16", "I;16B", "I;16L")  # Pillow's names of pictures of 16 bits
QUARTER_TURNS = range(5, 9)  # values of the EXIF tag Orientation that swap width and height
ORIENTATION = 0x0112
TILE = 256  # rows of the tiles that GDAL writes
STRIP = 2**22  # pixels that go from the decoder into the raster at once


class _Header(NamedTuple):
    """What is known before a pixel is decoded."""

    width: int
    height: int
    bands: int
    dtype: str


class StretchedSource(ImageSource):
    """A picture without a place of its own, put where its sender says.

    Args:
        bounds: of the picture's outer edge; may cross the antimeridian.
    """

    def __init__(
        self, data: bytes, digest: str, bounds: Bounds, max_pixels: int, room: Room
    ) -> None:
        self._bounds = bounds
        self._header = _header(data, max_pixels)
        self._transform = _transform(bounds, self._header)
        self._decoded = False  # to look at the grid, no pixel is needed
        place = ",".join(f"{degrees!r}" for degrees in bounds)
        super().__init__(data, f"{digest}@{place}", max_pixels, room)
        self._decoded = True

    def _describe(self, seen: Survey) -> SourceInfo:
        return replace(super()._describe(seen), bounds=self._bounds)

    @contextmanager
    def _opened(self, **how: Any) -> Iterator[Any]:
        width, height, bands, dtype = self._header
        # Decoded, a pixel takes up to 4 bytes in Pillow, and then its own in the raster.
        size = width * height * (4 + bands * np.dtype(dtype).itemsize)
        require_room(size, self._room)
        with (
            self._room.held(size if self._decoded else 0),
            rasterio.Env(**SEALED),
            MemoryFile(ext=".tif") as memory,
        ):
            self._write(memory)
            with rasterio.open(memory.name, driver="GTiff", **how) as dataset:
                yield dataset

    def _write(self, memory: MemoryFile) -> None:
        """Write the picture as a GeoTIFF; without its pixels where only the grid is looked at."""
        width, height, bands, dtype = self._header
        with memory.open(
            driver="GTiff",
            width=width,
            height=height,
            count=bands,
            dtype=dtype,
            crs=MERCATOR,
            transform=self._transform,
            tiled=True,
            sparse_ok=True,
            interleave="pixel",
        ) as dataset:
            if bands == 4:
                red, green, blue = ColorInterp.red, ColorInterp.green, ColorInterp.blue
                dataset.colorinterp = [red, green, blue, ColorInterp.alpha]
            if self._decoded:
                _decode(self.data, self._header, dataset)


def _transform(bounds: Bounds, header: _Header) -> Affine:
    """Return from (col, row) to EPSG:3857, x unwrapped beyond the antimeridian."""
    east = bounds.west + bounds.lng_span
    cols, rows = world_pixels(
        np.array([bounds.west, east]), np.array([bounds.north, bounds.south]), 1
    )
    left, top = (cols[0] - 0.5) * WORLD_WIDTH, (0.5 - rows[0]) * WORLD_WIDTH
    across = (cols[1] - cols[0]) * WORLD_WIDTH / header.width
    along = (rows[1] - rows[0]) * WORLD_WIDTH / header.height
    return Affine(across, 0, left, 0, -along, top)


@contextmanager
def _broken_is_damaged() -> Iterator[None]:
    """Pillow raises many things at what is damaged on purpose."""
    try:
        yield
    except InvalidInput:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInput(
            ID, "has too many pixels", limit="limits.max_image_pixels", remedy="send a part of it"
        ) from error
    except (
        OSError, ValueError, SyntaxError, EOFError, OverflowError, struct.error, zlib.error,
    ) as error:  # fmt: skip
        raise damaged() from error


def _header(data: bytes, max_pixels: int) -> _Header:
    with _broken_is_damaged(), _opened(data, max_pixels) as image:
        require_size(image.width, image.height, max_pixels)
        width, height = image.size
        if _orientation(image) in QUARTER_TURNS:
            width, height = height, width
        if image.mode in DEEP:
            return _Header(width, height, 1, "uint16")
        return _Header(width, height, 4 if image.has_transparency_data else 3, "uint8")


@contextmanager
def _opened(data: bytes, max_pixels: int = 0) -> Iterator[Image.Image]:
    """Open a picture; only its header is read.

    Pillow takes memory for all pixels of a WebP on opening: its size is known before.
    """
    if (size := webp_size(data)) and max_pixels:
        require_size(*size, max_pixels)
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        yield image


def _orientation(image: Image.Image) -> int:
    """Return how it is to be turned, as browsers do: WebP never, PNG if told before its pixels.

    Of a PNG, `info` holds what stands there as long as no pixel is decoded.
    """
    if image.format == "WEBP" or (image.format == "PNG" and "exif" not in image.info):
        return 1
    return int(image.getexif().get(ORIENTATION, 1))


def _decode(data: bytes, header: _Header, dataset: Any) -> None:
    """Write the pixels, turned as cameras say and viewers show it, in strips of whole tiles."""
    with _broken_is_damaged(), _opened(data) as image:
        turn = _orientation(image) != 1
        image.load()
        turned = ImageOps.exif_transpose(image) if turn else image
        rows = max(1, STRIP // header.width // TILE) * TILE
        for top in range(0, header.height, rows):
            strip = turned.crop((0, top, header.width, min(top + rows, header.height)))
            window = Window(0, top, header.width, strip.height)
            if header.bands == 1:
                dataset.write(np.asarray(strip).astype(np.uint16), 1, window=window)
            else:
                pixels = np.asarray(strip.convert("RGB" if header.bands == 3 else "RGBA"))
                dataset.write(pixels.transpose(2, 0, 1), window=window)
