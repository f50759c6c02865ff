"""Pictures that come in a request: a GeoTIFF, or a PNG or JPEG stretched on bounds.

They are written by strangers. So a TIFF is opened by GDAL's TIFF driver only, in memory, with no
files beside it and no network; what in it could lead to another file is refused; and sizes are
read from the header before anything is decoded.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import rasterio
from rasterio.io import MemoryFile

from samgis_process.errors import InvalidInput, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.grid.geobox import zoom_of_resolution
from samgis_process.rendering import Channel, Span
from samgis_process.settings import ConfigurationError
from samgis_process.sources.base import RawImage, SourceInfo
from samgis_process.sources.gdal_env import ALONE, LOCAL
from samgis_process.sources.raster import FILL_SIDE, GdalOptions, RasterSource
from samgis_process.sources.survey import Survey
from samgis_process.sources.units import metres_of
from samgis_process.turns import Room

Kind = Literal["tiff", "png", "jpeg", "webp"]

ID = "image"
KINDS = "a TIFF with a place (GeoTIFF), a PNG, a JPEG or a WebP"
MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),  # BigTIFF
    (b"MM\x00+", "tiff"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"RIFF", "webp"),  # so does sound begin, which no decoder of pictures takes
)
SEALED = (
    ALONE
    | LOCAL
    | {
        "GDAL_PAM_ENABLED": "NO",
        "GDAL_HTTP_MAX_RETRY": "0",
    }
)
# Metadata of these domains, which a TIFF carries in its tag GDAL_METADATA, names other datasets,
# and GDAL opens them: overviews, and arrays of coordinates.
LEADS_ELSEWHERE = {"OVERVIEWS", "GEOLOCATION"}
MOST_BANDS = 64
HEIGHTS = ("int16", "uint16", "float32")  # dtypes of elevation whose values float32 can hold
MAX_BLOCK_BYTES = 256 * 2**20  # decoded as a whole, however few of its pixels are wanted
FINEST_ZOOM = 26  # pixels of 2 mm; further down rounding would show


def kind_of(data: bytes) -> Kind:
    """Return what a picture is, by its first bytes; what it is called does not count.

    Raises:
        InvalidInput: it is something else.
    """
    for magic, kind in MAGIC:
        if data.startswith(magic):
            return kind
    raise InvalidInput(ID, "is no picture that is read here", limit=KINDS)


def digest_of(data: bytes) -> str:
    """Return the name of a picture's bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class ImageSource(RasterSource):
    """A GeoTIFF in memory; a source like any other, but for one request.

    Args:
        data: the file.
        version: its digest, and after an @ where its sender put it.
        max_pixels: the most that it may have.
        room: for the bytes of all pictures that are being read, decoded.

    Raises:
        InvalidInput: it cannot be read, is too large, or has no place.
    """

    def __init__(self, data: bytes, version: str, max_pixels: int, room: Room) -> None:
        self.data = data
        self.digest = version.partition("@")[0]
        self._version = version
        self._max_pixels = max_pixels
        self._room = room
        self._guess = ""  # what a reader of its heights should know
        try:
            with _unreadable_is_damaged():
                super().__init__(ID, ID, GdalOptions(), {"title": "Picture of the request"})
        except ConfigurationError as error:
            raise InvalidInput(
                ID,
                str(error).removeprefix(f"source {ID} ").removeprefix(f"source {ID}: "),
                limit=KINDS,
            ) from error

    @property
    def info(self) -> SourceInfo:
        """What users see of it."""
        return self._state.info

    def _current(self, *, force: bool = False) -> Any:  # noqa: ARG002  a request's bytes stay
        return self._state

    def _survey(self, dataset: Any) -> tuple[Survey, tuple[str, ...]]:
        """Look at it; one band that may be elevation is, for whoever asks for terrain."""
        seen, _ = super()._survey(dataset)
        if dataset.count > 1 or dataset.dtypes[0] not in HEIGHTS:
            return seen, ()
        try:
            metres, self._guess = metres_of(dataset, self._id, seen.place)
        except ConfigurationError:  # its unit is no length
            return seen, ()
        return seen.holding(metres), ()

    def _describe(self, seen: Survey) -> SourceInfo:
        exact = math.ceil(zoom_of_resolution(seen.place.resolution) - 0.01)
        native = max(0, min(exact, FINEST_ZOOM))
        spread = math.ceil(math.log2(max(1.0, max(seen.place.shape) / FILL_SIDE)))
        return replace(
            super()._describe(seen),
            version=self._version,
            native_zoom=native,
            zooms=(min(native, max(0, exact - spread)), native + 3),
            rendering=None if seen.bands.metres is None else "grey",
        )

    def read(
        self, grid: GeoBox, bands: tuple[int, ...] | None = None, *, heights: bool = False
    ) -> RawImage:
        """Warp the window.

        Raises:
            NoData: the picture does not reach there.
            InvalidInput: the picture is damaged.
        """
        with _unreadable_is_damaged():
            image = self._read(grid, bands, self._state, heights=heights)
        told = (*image.warnings, self._guess) if heights and self._guess else image.warnings
        return replace(image, warnings=told)

    def spans(self, channels: Sequence[Channel]) -> dict[Channel, Span]:
        """Return the percentiles of the whole picture.

        Raises:
            InvalidInput: the picture is damaged.
        """
        with _unreadable_is_damaged():
            return super().spans(channels)

    @contextmanager
    def _opened(self, **how: Any) -> Iterator[Any]:
        with (
            rasterio.Env(**SEALED),
            MemoryFile(self.data, ext=".tif") as memory,
            rasterio.open(memory.name, driver="GTiff", **how) as dataset,
        ):
            _require_harmless(dataset, self._max_pixels)
            size = dataset.width * dataset.height * _bytes_of_pixel(dataset)
            require_room(size, self._room)
            with self._room.held(size):
                yield dataset


@contextmanager
def _unreadable_is_damaged() -> Iterator[None]:
    """There is nobody but the sender who could be to blame."""
    try:
        yield
    except SourceUnavailable as error:
        raise damaged() from error


def damaged() -> InvalidInput:
    """Return what to say of a picture that cannot be decoded."""
    return InvalidInput(
        ID, "is damaged or cut short", limit=KINDS, remedy="send the whole file, as it is"
    )


def require_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture with too many pixels.

    Raises:
        InvalidInput: it has.
    """
    if width * height > max_pixels:
        raise InvalidInput(
            ID,
            f"is {width} x {height} pixels",
            limit=f"{max_pixels} pixels (limits.max_image_pixels)",
            remedy="send a part of it, or a smaller one",
        )


def _require_harmless(dataset: Any, max_pixels: int) -> None:
    require_size(dataset.width, dataset.height, max_pixels)
    elsewhere = LEADS_ELSEWHERE & {domain.upper() for domain in dataset.tag_namespaces()}
    if elsewhere:
        raise InvalidInput(
            ID,
            f"has metadata that lead to other files ({', '.join(sorted(elsewhere))})",
            limit="a file that stands alone",
            remedy="write it anew without them, for instance with gdal_translate -of COG",
        )
    if dataset.count > MOST_BANDS:
        raise InvalidInput(ID, f"has {dataset.count} bands", limit=f"at most {MOST_BANDS}")
    block = max(height * width for height, width in dataset.block_shapes)
    size = block * _bytes_of_pixel(dataset)
    if size > MAX_BLOCK_BYTES:
        raise InvalidInput(
            ID,
            f"has blocks of {size} bytes",
            limit=f"{MAX_BLOCK_BYTES} bytes",
            remedy="write it in tiles, for instance with gdal_translate -of COG",
        )
    # Overviews are smaller pictures; one that is not would be read at length for a small window.
    if any(factor < 2 for factor in dataset.overviews(1)):
        raise InvalidInput(ID, "has overviews as large as itself")


def require_room(size: int, room: Room) -> None:
    """Refuse a picture that takes more bytes, decoded, than there are for all together.

    Raises:
        InvalidInput: it does.
    """
    if size > room.most:
        raise InvalidInput(
            ID,
            f"takes {size} bytes when it is decoded, all its bands",
            limit=f"{room.most} bytes (limits.max_decoded_bytes)",
            remedy="send a part of it, or only the bands that are shown",
        )


def _bytes_of_pixel(dataset: Any) -> int:
    """Return what a pixel takes in all bands: they may lie together in the file."""
    return sum(_bytes_of(name) for name in dataset.dtypes)


def _bytes_of(dtype: str) -> int:
    bits = "".join(filter(str.isdigit, dtype))
    return int(bits or 128) // 8
