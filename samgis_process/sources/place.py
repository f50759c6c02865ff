"""Where the cells of a dataset lie, and which of them a window on the map needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from samgis_process.grid import Bounds, GeoBox
from samgis_process.grid.mercator import MAX_LAT, WORLD_WIDTH, world_pixels
from samgis_process.settings import ConfigurationError

MERCATOR = "EPSG:3857"
CRS84 = "OGC:CRS84"
EDGE = 21  # points along each edge of a raster whose degrees are looked up
LATTICE = 21  # points along a window's side whose cells are looked up
_DIRECTORIES = re.compile(r"(?:(?<![A-Za-z])[A-Za-z]:)?[\\/](?:[^\\/\"':]+[\\/])*")


class Piece(NamedTuple):
    """A part of a window and the cells that it is made of.

    Attributes:
        grid: the part, and `col`, `row` of its corner in the window.
        turn: what is added to the dataset's own x to come to the part.
        cells: (first row, row after the last, first column, column after the last), which may
            reach beyond the dataset.
        steps: (rows, columns) of cells along one pixel of the window.
    """

    grid: GeoBox
    col: int
    row: int
    turn: float
    cells: tuple[int, int, int, int]
    steps: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a dataset lies.

    Attributes:
        crs: its coordinate reference system, as well-known text.
        name: the same as `EPSG:...`, if it has such a name.
        transform: from (col, row) to (x, y) in `crs`.
        shape: (rows, cols).
        bounds: degrees, longitudes from -180 to 180.
        west: where its longitudes begin, as it counts them: -180 to 360 and beyond.
        span: how many degrees of longitude there are.
        period: of x, once around the world; 0 where x does not say how often that was.
        resolution: EPSG:3857 metres per cell, the finer of both directions.
        metric: whether its x and y are metres or degrees.
    """

    crs: str
    name: str | None
    transform: Affine
    shape: tuple[int, int]
    bounds: Bounds
    west: float
    span: float
    period: float
    resolution: float
    metric: bool
    from_mercator: Transformer

    def pieces(self, grid: GeoBox) -> Iterator[Piece]:
        """Yield the parts of a window in which there may be data; they do not overlap."""
        for part in grid.parts():
            across = 0 if part.col_off == grid.col_off else grid.width - part.width
            for turn, begin, end in self._columns(part):
                top, bottom = self._rows(part)
                if end > begin and bottom > top:
                    one = GeoBox(
                        part.zoom, part.col_off + begin, part.row_off + top, end - begin,
                        bottom - top, part.tile_size,
                    )  # fmt: skip
                    yield from self._piece(one, across + begin, top, turn)

    def _columns(self, part: GeoBox) -> Iterator[tuple[float, int, int]]:
        """Yield (turn of x, first column, column after the last) for each turn of the world."""
        world = part.world_size
        begin = (self.west + 180.0) / 360.0 * world - part.col_off
        width = self.span / 360.0 * world
        # What counts its turns by itself ends where it says; elsewhere an edge may bulge.
        spare = 0.01 * width + 2.0 if not self.period else 0.0
        for turns in range(-2, 3):
            left = begin - turns * world
            first = max(0, math.floor(left - spare))
            last = min(part.width, math.ceil(left + width + spare))
            yield -turns * self.period, first, last

    def _rows(self, part: GeoBox) -> tuple[int, int]:
        lats = np.array([self.bounds.north, self.bounds.south])
        _, rows = world_pixels(np.zeros(2), lats, part.world_size)
        spare = 0.01 * (rows[1] - rows[0]) + 2.0
        top = max(0, math.floor(rows[0] - spare) - part.row_off)
        return top, min(part.height, math.ceil(rows[1] + spare) - part.row_off)

    def _piece(self, grid: GeoBox, col: int, row: int, turn: float) -> Iterator[Piece]:
        cols, rows = self._lattice(grid, turn)
        there = np.isfinite(cols) & np.isfinite(rows)
        if not there.any():
            return
        steps = tuple(_steps(one, grid) for one in (rows, cols))
        # Three cells for the kernel, and what a curved edge may stand out between two points.
        ends: list[int] = []
        for one, step in zip((rows, cols), steps, strict=True):
            known = one[there]
            spare = 3 + 2 * step + 0.02 * float(np.ptp(known))
            ends += [math.floor(known.min() - spare), math.ceil(known.max() + spare)]
        first, after, left, right = ends
        height, width = self.shape
        if first >= height or after <= 0 or left >= width or right <= 0:
            return
        yield Piece(grid, col, row, turn, (first, after, left, right), (steps[0], steps[1]))

    def _lattice(self, grid: GeoBox, turn: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (cols, rows) of cells at points all over a window."""
        across, along = np.linspace(0, grid.width, LATTICE), np.linspace(0, grid.height, LATTICE)
        onto = grid.transform
        x, y = np.meshgrid(onto.c + onto.a * across, onto.f + onto.e * along)
        xs, ys = self.from_mercator.transform(x, y)
        cols, rows = ~self.transform @ (xs - turn, ys)
        return np.where(np.isfinite(xs), cols, np.nan), np.where(np.isfinite(xs), rows, np.nan)


def _steps(cells: NDArray[Any], grid: GeoBox) -> float:
    """Return how many cells, in one direction, lie along a pixel."""
    sizes = []
    for axis, side in ((1, grid.width), (0, grid.height)):
        step = np.diff(cells, axis=axis)
        known = step[np.isfinite(step)]
        sizes.append(float(np.median(np.abs(known))) / side * (LATTICE - 1) if known.size else 0.0)
    return math.hypot(*sizes)


def place_of(dataset: Any, source_id: str, told: str | None = None) -> Place:
    """Return where an open dataset lies.

    Args:
        told: the coordinate reference system, whatever the dataset says.

    Raises:
        ConfigurationError: it lies nowhere on the map.
    """
    crs = _crs(dataset, source_id, told)
    if dataset.transform.is_identity:
        raise ConfigurationError(_placeless(dataset, source_id))
    try:
        to_degrees = Transformer.from_crs(crs, CRS84, always_xy=True)
        from_mercator = Transformer.from_crs(MERCATOR, crs, always_xy=True)
    except ProjError as error:
        raise ConfigurationError(
            f"source {source_id} has no place in Web Mercator; is it on Earth?"
        ) from error
    flat = crs.sub_crs_list[0] if crs.is_compound else crs
    epsg = flat.to_epsg()
    period = _period(flat)
    west, south, east, north = _extent(dataset, to_degrees, period)
    return Place(
        crs=crs.to_wkt(),
        name=None if epsg is None else f"EPSG:{epsg}",
        transform=dataset.transform,
        shape=dataset.shape,
        bounds=Bounds(*_wrapped(west, east, south, north)),
        west=west,
        span=east - west,
        period=period,
        resolution=_resolution(dataset, to_degrees, source_id),
        metric=all(axis.unit_name in {"metre", "degree"} for axis in flat.axis_info),
        from_mercator=from_mercator,
    )


def _crs(dataset: Any, source_id: str, told: str | None) -> CRS:
    try:
        if told:
            return CRS.from_user_input(told)
        if dataset.crs is not None:
            return CRS.from_wkt(dataset.crs.to_wkt())
    except CRSError as error:
        said = f"crs {told!r}" if told else "the coordinate reference system of the file"
        raise ConfigurationError(
            f"source {source_id}: {said} is not understood; say one as `crs: EPSG:...`"
        ) from error
    raise ConfigurationError(_placeless(dataset, source_id))


def _placeless(dataset: Any, source_id: str) -> str:
    """Say what a dataset without a place lacks, with the remedy for just that."""
    if dataset.gcps[0] or dataset.rpcs:
        return (
            f"source {source_id} is tied to the map by control points alone; warp it first: "
            "gdalwarp -t_srs EPSG:3857 IN OUT"
        )
    if dataset.transform.is_identity:
        return (
            f"source {source_id} does not say where its pixels lie: it has no transform; bring "
            "its world file, or write one: gdal_translate -a_srs EPSG:... -a_ullr W N E S IN OUT"
        )
    return (
        f"source {source_id} has no coordinate reference system; if you know it, say it as "
        "`crs: EPSG:...` (--crs), or write it into the file: gdal_translate -a_srs EPSG:... IN OUT"
    )


def _period(crs: CRS) -> float:
    """Return the x of one turn around the world, where a dataset may count on beyond it."""
    if crs.is_geographic:
        return math.radians(360.0) / float(crs.axis_info[0].unit_conversion_factor)
    return WORLD_WIDTH if crs.to_epsg() == 3857 else 0.0


def _extent(
    dataset: Any, to_degrees: Transformer, period: float
) -> tuple[float, float, float, float]:
    """Return west, south, east, north in degrees; east is beyond 180 across the antimeridian.

    Of all four corners: the transform may be rotated, or count from below.
    """
    height, width = dataset.shape
    xs, ys = dataset.transform @ (np.array([0, width, 0, width]), np.array([0, 0, height, height]))
    left, right = float(min(xs)), float(max(xs))
    ends = to_degrees.transform_bounds(left, float(min(ys)), right, float(max(ys)), EDGE)
    if not all(map(math.isfinite, ends)):
        return -180.0, -MAX_LAT, 180.0, MAX_LAT
    west, south, east, north = ends
    if period:
        # Longitudes as the dataset counts them, but from Greenwich, not from its own meridian.
        middle = (left + right) / 2
        lng, _ = to_degrees.transform(middle, float(min(ys) + max(ys)) / 2)
        away = (lng - middle / period * 360.0 + 180.0) % 360.0 - 180.0
        west, east = (one / period * 360.0 + away for one in (left, right))
        east = min(east, west + 360.0)
    elif east < west:
        east += 360.0
    return west, max(south, -MAX_LAT), east, min(north, MAX_LAT)


def _wrapped(
    west: float, east: float, south: float, north: float
) -> tuple[float, float, float, float]:
    """Return bounds with longitudes from -180 to 180."""
    if east - west >= 360.0 - 1e-9:
        return -180.0, south, 180.0, north
    if west >= -180.0 and east <= 180.0:
        return west, south, east, north
    begin = (west + 180.0) % 360.0 - 180.0
    end = begin + east - west
    return begin, south, end - 360.0 if end > 180.0 else end, north


def _resolution(dataset: Any, to_degrees: Transformer, source_id: str) -> float:
    """Return EPSG:3857 metres per cell in the middle, the finer of both directions.

    Of a small step, not of the whole extent: that would be the world where the source crosses
    the antimeridian. Where the middle is a pole, of the places nearest to the equator.
    """
    height, width = dataset.shape
    for at in (np.array([0.5]), np.linspace(0.02, 0.98, 9)):
        cols, rows = (one.ravel() for one in np.meshgrid(at * width, at * height))
        lngs, lats = to_degrees.transform(
            *(dataset.transform @ (cols[:, None] + [0, 1, 0], rows[:, None] + [0, 0, 1]))
        )
        on_map = np.isfinite(lngs).all(axis=1) & (np.abs(lats) < MAX_LAT).all(axis=1)
        if on_map.any():
            x, y = world_pixels(lngs[on_map], lats[on_map], 1)
            across = (x[:, 1:] - x[:, :1] + 0.5) % 1 - 0.5
            steps = np.hypot(across, y[:, 1:] - y[:, :1]).min(axis=1)
            if np.max(steps) > 0:
                return float(steps[steps > 0].min() * WORLD_WIDTH)
    raise ConfigurationError(f"source {source_id} has no place in Web Mercator; is it on Earth?")


def spelled(name: str) -> str:
    """Return a dataset's name without the directories in it."""
    return _DIRECTORIES.sub("", name)
