"""Spherical Web Mercator (EPSG:3857) and its pixel pyramid, in closed form.

Source: EPSG Guidance Note 7-2, method 1024 (Popular Visualisation Pseudo Mercator).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS = 6_378_137.0  # m, the sphere of EPSG:3857
WORLD_WIDTH = 2 * math.pi * EARTH_RADIUS  # m
MAX_LAT = math.degrees(math.atan(math.sinh(math.pi)))  # 85.051..., where the square world ends

Floats = NDArray[np.float64]


class Pixel(NamedTuple):
    """A continuous position; (0, 0) is the outer corner of the upper-left pixel."""

    col: float
    row: float


class LngLat(NamedTuple):
    """Degrees, OGC:CRS84."""

    lng: float
    lat: float


class Bounds(NamedTuple):
    """Degrees, OGC:CRS84; `west` > `east` when it crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    @property
    def crosses_antimeridian(self) -> bool:
        """Whether the way from west to east leads over 180 degrees."""
        return self.west > self.east

    @property
    def lng_span(self) -> float:
        """Degrees from west to east, going east."""
        return self.east - self.west + (360.0 if self.crosses_antimeridian else 0.0)

    def contains(self, at: LngLat, tolerance: float = 1e-9) -> bool:
        """Return whether `at` lies inside or, within `tolerance` degrees, on the edge."""
        if not self.south - tolerance <= at.lat <= self.north + tolerance:
            return False
        east_of_west = (at.lng - self.west) % 360.0
        return east_of_west <= self.lng_span + tolerance or east_of_west >= 360.0 - tolerance


def world_pixels(lng: Floats, lat: Floats, world_size: int) -> tuple[Floats, Floats]:
    """Return continuous (col, row) on a world of `world_size` x `world_size` pixels.

    Args:
        lng: degrees, any shape.
        lat: degrees, within +-MAX_LAT for a result inside the world.
        world_size: pixels around the equator, tile size times 2 ** zoom.
    """
    cols = (lng + 180.0) / 360.0 * world_size
    rows = (0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * math.pi)) * world_size
    return cols, rows


def world_lnglats(cols: Floats, rows: Floats, world_size: int) -> tuple[Floats, Floats]:
    """Return (lng, lat) in degrees; the inverse of `world_pixels`, lng beyond 180 unwrapped."""
    lng = cols / world_size * 360.0 - 180.0
    lat = np.degrees(np.arctan(np.sinh((0.5 - rows / world_size) * 2 * math.pi)))
    return lng, lat


def from_metres(x: float, y: float) -> LngLat:
    """Return the place of an EPSG:3857 position in metres."""
    lat = math.degrees(math.atan(math.sinh(y / EARTH_RADIUS)))
    return LngLat(math.degrees(x / EARTH_RADIUS), lat)
