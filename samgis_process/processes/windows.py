"""The map window of a request: its bounds in any spelling, its zoom, the grid it becomes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pyproj import Transformer
from pyproj.exceptions import ProjError

from samgis_process.errors import InvalidInput
from samgis_process.grid import MAX_LAT, Bounds, GeoBox, LngLat
from samgis_process.grid.geobox import zoom_to_fill
from samgis_process.grid.mercator import from_metres
from samgis_process.prompts import place, samgis_bounds
from samgis_process.settings import LimitSettings
from samgis_process.sources import SourceInfo

CRS84 = "OGC:CRS84"
LAT_LNG = "EPSG:4326"
MERCATOR = "EPSG:3857"
# `EPSG:3857`, `http://www.opengis.net/def/crs/EPSG/0/3857`, `urn:ogc:def:crs:OGC:1.3:CRS84`
CRS_NAME = re.compile(
    r"^(?:(?:https?://www\.opengis\.net/def/crs/|urn:ogc:def:crs:)?(OGC|EPSG)[:/].*?)?(\w+)$",
    re.IGNORECASE,
)
MAX_SIDE = 16384  # pixels; a strip this long is a few pixels high in the model's input
FILL_SIDE = 1024  # the model's input


def parse_bounds(value: Any, source: SourceInfo) -> Bounds:
    """Return the window of `bbox` in any of its three spellings.

    Raises:
        InvalidInput: it cannot be read, has no area, or leaves the Mercator world.
    """
    if isinstance(value, Mapping) and "ne" in value:
        bounds = samgis_bounds(value, "bbox")
    elif isinstance(value, Mapping):
        bounds = _in_crs(_numbers(value.get("bbox"), "bbox.bbox"), value.get("crs"), source)
    else:
        bounds = _in_crs(_numbers(value, "bbox"), None, source)
    _check(bounds)
    return bounds


def _numbers(value: Any, path: str) -> tuple[float, ...]:
    numbers = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(numbers) != 4 or not all(_is_number(number) for number in numbers):
        raise InvalidInput(
            path, "is no bounding box", limit="four finite numbers: west, south, east, north"
        )
    return tuple(float(number) for number in numbers)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _in_crs(numbers: tuple[float, ...], crs: Any, source: SourceInfo) -> Bounds:
    name = crs_name(crs)
    a, b, c, d = numbers
    if name == CRS84:
        return _from_degrees(a, b, c, d)
    if name == LAT_LNG:
        return _from_degrees(b, a, d, c)
    if name == MERCATOR:
        return Bounds(*from_metres(a, b), *from_metres(c, d))
    if name == source.crs:
        return _from_own(numbers, name)
    accepted = dict.fromkeys([CRS84, LAT_LNG, MERCATOR, *([source.crs] if source.crs else [])])
    raise InvalidInput("bbox.crs", f"is {str(crs)[:80]!r}", limit=", ".join(accepted))


def crs_name(value: Any) -> str:
    """Return `OGC:CRS84` or `EPSG:n` for any usual spelling; what it is not is returned as is."""
    if value is None:
        return CRS84
    match = CRS_NAME.match(str(value))
    if match is None:
        return str(value)
    code = match[2].upper()
    return CRS84 if code == "CRS84" else f"{(match[1] or '').upper()}:{code}"


def _from_degrees(west: float, south: float, east: float, north: float) -> Bounds:
    low = place(west, south, ("bbox west", "bbox south"))
    high = place(east, north, ("bbox east", "bbox north"))
    return Bounds(low.lng, low.lat, high.lng, high.lat)


def _from_own(numbers: tuple[float, ...], crs: str) -> Bounds:
    """Return bounds in degrees; the numbers come in the order of axes that the authority says."""
    try:
        transformer = Transformer.from_crs(crs, CRS84)
        a, b, c, d = numbers
        west, south, east, north = transformer.transform_bounds(a, b, c, d, errcheck=True)
    except ProjError as error:
        raise InvalidInput("bbox", f"has no place in {crs}") from error
    return _from_degrees(west, south, east, north)


def _check(bounds: Bounds) -> None:
    for name, lat in (("south", bounds.south), ("north", bounds.north)):
        if abs(lat) > MAX_LAT:
            raise InvalidInput(
                "bbox",
                f"{name} is {lat:g}",
                limit=f"latitudes from -{MAX_LAT:.4f} to {MAX_LAT:.4f}, where Web Mercator ends",
                remedy="cut the window there",
            )
    if bounds.south >= bounds.north:
        raise InvalidInput(
            "bbox",
            f"south ({bounds.south:g}) is not below north ({bounds.north:g})",
            remedy="give west, south, east, north",
        )
    if bounds.lng_span == 0:
        raise InvalidInput(
            "bbox",
            f"west and east are both {bounds.west:g}",
            remedy="give a window with some width",
        )


def place_window(
    place: Any, zoom: int | None, source: SourceInfo, limits: LimitSettings, *, whole: bool
) -> tuple[Bounds, GeoBox]:
    """Return the bounds that the input `bbox` asks for, and the grid that covers them.

    Args:
        whole: the source is one picture: by default all of it is seen, as finely as it is.

    Raises:
        InvalidInput: they make no window of this source.
    """
    bounds = source.bounds if place is None else parse_bounds(place, source)
    if whole and zoom is None:
        zoom = finest_zoom(bounds, source, limits)
    return bounds, make_grid(bounds, zoom, source, limits)


def make_grid(
    bounds: Bounds, zoom: int | None, source: SourceInfo, limits: LimitSettings
) -> GeoBox:
    """Return the grid of a window, of the zoom asked for or the one that fills the model best.

    Raises:
        InvalidInput: the source has no such zoom, or the window has too many pixels.
    """
    low, high = source.zooms
    if zoom is not None and not low <= zoom <= high:
        raise InvalidInput(
            "zoom",
            f"{zoom} is outside the zooms of {source.id}",
            limit=f"{low} to {high}",
            remedy="choose one of these, or leave zoom out",
        )
    chosen = default_zoom(bounds, source) if zoom is None else zoom
    grid = GeoBox.around(bounds, chosen, source.tile_size)
    if grid.width * grid.height > limits.max_pixels or max(grid.shape) > MAX_SIDE:
        raise InvalidInput(
            "bbox",
            f"is {grid.width} x {grid.height} pixels at zoom {chosen}",
            limit=f"{limits.max_pixels} pixels (limits.max_pixels), {MAX_SIDE} along one side",
            remedy=_smaller(bounds, source, limits),
        )
    return grid


def default_zoom(bounds: Bounds, source: SourceInfo) -> int:
    """Return the zoom at which the window's longer side comes closest to the model's input."""
    best = round(zoom_to_fill(bounds, FILL_SIDE, source.tile_size))
    return int(np.clip(best, source.zooms[0], max(source.zooms[0], source.native_zoom)))


def finest_zoom(bounds: Bounds, source: SourceInfo, limits: LimitSettings) -> int:
    """Return the zoom of the source's own pixels, or the highest at which the window fits."""
    fitting = _fitting_zoom(bounds, source, limits, source.native_zoom)
    return source.zooms[0] if fitting is None else fitting


def _fitting_zoom(
    bounds: Bounds, source: SourceInfo, limits: LimitSettings, highest: int
) -> int | None:
    for zoom in range(highest, source.zooms[0] - 1, -1):
        grid = GeoBox.around(bounds, zoom, source.tile_size)
        if grid.width * grid.height <= limits.max_pixels and max(grid.shape) <= MAX_SIDE:
            return zoom
    return None


def _smaller(bounds: Bounds, source: SourceInfo, limits: LimitSettings) -> str:
    zoom = _fitting_zoom(bounds, source, limits, source.zooms[1])
    if zoom is None:
        return "ask for a smaller window"
    return f"ask for a smaller window, or for zoom {zoom} or lower"


def require_inside(at: LngLat, bounds: Bounds, path: str) -> None:
    """Refuse a position outside the window.

    Raises:
        InvalidInput: naming it.
    """
    if not bounds.contains(at):
        raise InvalidInput(
            path,
            f"({at.lng:g}, {at.lat:g}) is outside the window",
            limit="bbox: {:g}, {:g}, {:g}, {:g}".format(*bounds),
            remedy="move the prompt inside, or enlarge bbox",
        )
