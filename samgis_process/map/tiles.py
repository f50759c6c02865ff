"""A source as tiles of 256 pixels, for looking at: as `segment` sees it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from samgis_process.errors import InvalidInput, NoData
from samgis_process.grid import Bounds, GeoBox
from samgis_process.map.layers import layer_picture, require_layer
from samgis_process.rendering import TERRAIN, AnyRendering, TerrainRendering, parse
from samgis_process.sources import Source, SourceInfo, picture
from samgis_process.sources.tile_images import media_type
from samgis_process.sources.tiles import TileSource

SIDE = 256  # pixels
PNG = "image/png"


class Place(NamedTuple):
    """Where a tile lies, y from the north, in the pyramid whose tiles have 256 pixels."""

    zoom: int
    x: int
    y: int


class Tile(NamedTuple):
    """A picture and its media type."""

    content: bytes
    media_type: str


def tile(
    source: Source, place: Place, rendering: str | None = None, layer: str | None = None
) -> Tile:
    """Return a tile; where the source holds nothing, it is transparent.

    Args:
        rendering: its name; by default as the source is drawn without one.
        layer: of elevation, instead of a rendering.

    Raises:
        InvalidInput: the source has no such rendering or layer, or not in tiles.
        SourceUnavailable: its pixels cannot be had.
    """
    info = source.info
    if layer is not None:
        require_layer(source, layer)
        return _drawn(info, place, lambda grid: layer_picture(source, grid, layer))
    drawn_as = _rendering(info, rendering)
    if isinstance(source, TileSource) and _is_plain(info, drawn_as):
        return _as_sent(source, place)
    return _drawn(info, place, lambda grid: picture(source, grid, drawn_as)[:2])


def zooms(info: SourceInfo) -> tuple[int, int, int]:
    """Return the lowest, the native and the highest zoom of a source in tiles of 256 pixels."""
    shift = _shift(info)
    return info.zooms[0] + shift, info.native_zoom + shift, info.zooms[1] + shift


def grid_of(info: SourceInfo, place: Place) -> GeoBox | None:
    """Return a tile's pixels on the source's own pyramid; None where the source has none."""
    zoom = place.zoom - _shift(info)
    if not info.zooms[0] <= zoom <= info.zooms[1]:
        return None
    grid = GeoBox(zoom, place.x * SIDE, place.y * SIDE, SIDE, SIDE, info.tile_size)
    return grid if _meets(grid, info.bounds) else None


def _shift(info: SourceInfo) -> int:
    """Return by how much larger the zoom of a tile of 256 pixels is than the source's."""
    return (info.tile_size // SIDE).bit_length() - 1


def _meets(grid: GeoBox, bounds: Bounds) -> bool:
    there = GeoBox.around(bounds, grid.zoom, grid.tile_size)
    east = (grid.col_off - there.col_off) % grid.world_size  # of the bounds' western edge
    across = east < there.width or grid.world_size - east < grid.width
    above = grid.row_off < there.row_off + there.height
    return across and above and there.row_off < grid.row_off + grid.height


def is_tiled(rendering: str) -> bool:
    """Return whether tiles of a rendering fit together: not if it is stretched over a window."""
    return rendering not in TERRAIN or TERRAIN[rendering].whole is None


def _rendering(info: SourceInfo, name: str | None) -> AnyRendering:
    """Return the rendering of a name; unasked the source's own, or what has tiles in its stead."""
    wanted = parse(info.rendering if name is None else name, info.bands, info.id)
    if not isinstance(wanted, TerrainRendering) or is_tiled(wanted.name):
        return wanted
    if name is None:
        return parse(None, info.bands, info.id)
    raise InvalidInput(
        "rendering",
        f"{name} is stretched over a window: it has no tiles",
        limit=", ".join(filter(is_tiled, TERRAIN)),
    )


def _is_plain(info: SourceInfo, rendering: AnyRendering) -> bool:
    """Return whether tiles of a server can be passed on as they are."""
    colours = info.bands.metres is None and info.tile_size == SIDE
    return colours and rendering == parse("rgb", info.bands, info.id)


def _as_sent(source: TileSource, place: Place) -> Tile:
    if grid_of(source.info, place) is None:
        return EMPTY
    content = source.tile(*place)
    return EMPTY if content is None else Tile(content, media_type(content))


def _drawn(
    info: SourceInfo,
    place: Place,
    draw: Callable[[GeoBox], tuple[NDArray[np.uint8], NDArray[np.bool_]]],
) -> Tile:
    grid = grid_of(info, place)
    if grid is None:
        return EMPTY
    try:
        image, valid = draw(grid)
    except NoData:
        return EMPTY
    return Tile(_png(image, valid), PNG)


def _png(image: NDArray[np.uint8], valid: NDArray[np.bool_]) -> bytes:
    pixels: Any = image
    if not valid.all():
        pixels = np.dstack([image, np.where(valid, 255, 0).astype(np.uint8)])
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _empty() -> Tile:
    stream = io.BytesIO()
    Image.new("P", (SIDE, SIDE)).save(stream, "PNG", transparency=0, bits=1)
    return Tile(stream.getvalue(), PNG)


EMPTY = _empty()
