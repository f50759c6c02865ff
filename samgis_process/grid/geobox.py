"""The GeoBox: a whole-pixel window on a zoom level of the Web Mercator pyramid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from affine import Affine

from samgis_process.grid.mercator import (
    EARTH_RADIUS,
    WORLD_WIDTH,
    Bounds,
    Floats,
    LngLat,
    Pixel,
    world_lnglats,
    world_pixels,
)

# An edge this close to a pixel's edge lies on it: at zoom 22 and 85 degrees of latitude rounding
# costs some 1e-6 px, and a window that was asked for exactly on the grid must not grow by a pixel.
ON_EDGE = 1e-4


@dataclass(frozen=True, slots=True)
class GeoBox:
    """A `height` x `width` grid of pixels at (`col_off`, `row_off`) of a zoom level's world.

    The world of `zoom` is tile_size * 2 ** zoom pixels wide; columns beyond it lie across the
    antimeridian. Positions inside the box are continuous: (0, 0) is its outer corner.
    """

    zoom: int
    col_off: int
    row_off: int
    width: int
    height: int
    tile_size: int = 256

    @classmethod
    def around(cls, bounds: Bounds, zoom: int, tile_size: int = 256) -> GeoBox:
        """Return the smallest box of whole pixels that covers `bounds`."""
        size = tile_size * 2**zoom
        east = bounds.west + bounds.lng_span
        cols, rows = world_pixels(
            np.array([bounds.west, east]), np.array([bounds.north, bounds.south]), size
        )
        left, top = math.floor(cols[0] + ON_EDGE), max(0, math.floor(rows[0] + ON_EDGE))
        right, bottom = math.ceil(cols[1] - ON_EDGE), min(size, math.ceil(rows[1] - ON_EDGE))
        width = min(size, max(1, right - left))
        return cls(zoom, left % size, top, width, max(1, bottom - top), tile_size)

    @property
    def world_size(self) -> int:
        """Pixels around the world at this zoom."""
        return self.tile_size << self.zoom

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols), an array's order."""
        return self.height, self.width

    @property
    def resolution(self) -> float:
        """EPSG:3857 metres per pixel."""
        return WORLD_WIDTH / self.world_size

    @property
    def transform(self) -> Affine:
        """From (col, row) to EPSG:3857 (x, y) in metres, x unwrapped beyond the antimeridian."""
        res, half = self.resolution, WORLD_WIDTH / 2
        return Affine(res, 0, self.col_off * res - half, 0, -res, half - self.row_off * res)

    @property
    def bounds(self) -> Bounds:
        """The outer edge in degrees."""
        lng, lat = self.lnglats(np.array([0.0, self.width]), np.array([0.0, self.height]))
        east = float(lng[1])
        if east > 180.0 and self.width < self.world_size:
            east -= 360.0
        return Bounds(float(lng[0]), float(lat[1]), east, float(lat[0]))

    @property
    def ground_resolution(self) -> float:
        """Metres on the ground per pixel, at the middle row."""
        at = self.lnglat(Pixel(self.width / 2, self.height / 2))
        return self.resolution * math.cos(math.radians(at.lat))

    def pixels(self, lng: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Return where places fall, as continuous (col, row); they may be outside.

        Of the columns a place has, one per turn around the world, the one nearest to the
        middle of the box is meant.
        """
        cols, rows = world_pixels(lng, lat, self.world_size)
        middle, half = self.width / 2, self.world_size / 2
        cols = np.mod(cols - self.col_off - middle + half, self.world_size) - half + middle
        return cols, rows - self.row_off

    def pixel(self, at: LngLat) -> Pixel:
        """Return where `at` falls, as a continuous position; it may be outside."""
        cols, rows = self.pixels(np.array([at.lng]), np.array([at.lat]))
        return Pixel(float(cols[0]), float(rows[0]))

    def lnglats(self, cols: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Return the places of continuous positions, lng beyond 180 unwrapped."""
        return world_lnglats(cols + self.col_off, rows + self.row_off, self.world_size)

    def lnglat(self, pixel: Pixel) -> LngLat:
        """Return the place of a continuous position."""
        lng, lat = self.lnglats(np.array([pixel.col]), np.array([pixel.row]))
        return LngLat(float(lng[0]), float(lat[0]))

    def padded(self, cells: int) -> GeoBox:
        """Return the box with so many cells more on every side, as far as the world goes."""
        top = max(0, self.row_off - cells)
        bottom = min(self.world_size, self.row_off + self.height + cells)
        across = cells if self.width + 2 * cells <= self.world_size else 0
        return replace(
            self,
            col_off=(self.col_off - across) % self.world_size,
            row_off=top,
            width=self.width + 2 * across,
            height=bottom - top,
        )

    def parts(self) -> Iterator[GeoBox]:
        """Yield the box itself, or its two parts on either side of the antimeridian."""
        beyond = self.col_off + self.width - self.world_size
        if beyond <= 0:
            yield self
        else:
            yield replace(self, width=self.width - beyond)
            yield replace(self, col_off=0, width=beyond)

    def tiles(self) -> Iterator[tuple[int, int]]:
        """Yield (x, y) of the tiles that cover the box, x unwrapped, row by row."""
        size = self.tile_size
        for y in range(self.row_off // size, (self.row_off + self.height - 1) // size + 1):
            for x in range(self.col_off // size, (self.col_off + self.width - 1) // size + 1):
                yield x, y


def zoom_to_fill(bounds: Bounds, side: int, tile_size: int = 256) -> float:
    """Return the fractional zoom at which the longer side of `bounds` has `side` pixels."""
    width = bounds.lng_span / 360.0
    north, south = (math.asinh(math.tan(math.radians(lat))) for lat in (bounds[3], bounds[1]))
    return math.log2(side / (tile_size * max(width, (north - south) / (2 * math.pi))))


def zoom_of_resolution(resolution: float, tile_size: int = 256) -> float:
    """Return the fractional zoom whose pixels are `resolution` EPSG:3857 metres wide."""
    return math.log2(2 * math.pi * EARTH_RADIUS / (tile_size * resolution))
