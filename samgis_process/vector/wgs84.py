"""Polygons in pixels to GeoJSON's coordinates (RFC 7946)."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from samgis_process.grid import GeoBox
from samgis_process.vector.contours import only_area

DECIMALS = 7  # of a degree: about 1 cm


def to_lnglat(geometry: BaseGeometry, grid: GeoBox) -> BaseGeometry:
    """Return polygons of `grid`'s pixels in longitude and latitude.

    Valid, on a grid of 7 decimals, outer rings counterclockwise (RFC 7946, 3.1.6), cut in two at
    the antimeridian (3.1.9); empty if nothing is left after rounding.
    """
    placed = shapely.transform(geometry, lambda xy: _degrees(xy, grid))
    placed = _split(placed) if shapely.bounds(placed)[2] > 180.0 else placed
    rounded = shapely.set_precision(placed, 10.0**-DECIMALS)
    return shapely.orient_polygons(only_area(rounded))


def _degrees(xy: NDArray[np.float64], grid: GeoBox) -> NDArray[np.float64]:
    return np.column_stack(grid.lnglats(xy[:, 0], xy[:, 1]))


def _split(geometry: BaseGeometry) -> BaseGeometry:
    """Bring what lies beyond 180 degrees back to the other side of the map."""
    here = shapely.clip_by_rect(geometry, -180.0, -90.0, 180.0, 90.0)
    beyond = shapely.clip_by_rect(geometry, 180.0, -90.0, 540.0, 90.0)
    moved = shapely.transform(beyond, lambda xy: xy - (360.0, 0.0))
    return shapely.union_all([here, moved])
