"""What a user may ask of an outline: fewer vertices, no crumbs, no pinholes, one part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from samgis_process.grid import GeoBox, Pixel
from samgis_process.vector.contours import only_area

GEOD = Geod(ellps="WGS84")
TOLERANCE = 0.25  # source pixels by default: 28 vertices for 64 at the same IoU


@dataclass(frozen=True, slots=True)
class Shaping:
    """Wishes, in ground units.

    Attributes:
        simplify: tolerance in metres; None for a quarter of a source pixel.
        min_area: parts smaller than this are dropped, square metres.
        fill_holes: holes smaller than this are filled, square metres.
        largest_only: keep the largest part alone.
    """

    simplify: float | None = None
    min_area: float = 0.0
    fill_holes: float = 0.0
    largest_only: bool = False


def shape(geometry: BaseGeometry, wishes: Shaping, grid: GeoBox) -> BaseGeometry:
    """Return polygons in pixels of `grid`, shaped; empty when nothing is left.

    Small areas are measured with the ground resolution at their own place: for crumbs and
    pinholes that is exact to far below a pixel.
    """
    tolerance = TOLERANCE if wishes.simplify is None else wishes.simplify / grid.ground_resolution
    parts = [_without_pinholes(part, wishes.fill_holes, grid) for part in _polygons(geometry)]
    parts = [part for part in parts if _square_metres(part, grid) >= wishes.min_area]
    if wishes.largest_only and parts:
        parts = [max(parts, key=lambda part: part.area)]
    joined = shapely.simplify(shapely.MultiPolygon(parts), tolerance, preserve_topology=True)
    return only_area(shapely.make_valid(joined))


def geodesic_area(geometry: BaseGeometry) -> float:
    """Return the area in square metres on the WGS 84 ellipsoid of polygons in degrees."""
    area, _ = GEOD.geometry_area_perimeter(geometry)
    return abs(float(area))


def _polygons(geometry: BaseGeometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(geometry).tolist() if not part.is_empty]


def _without_pinholes(part: shapely.Polygon, limit: float, grid: GeoBox) -> shapely.Polygon:
    if limit <= 0:
        return part
    holes = [
        ring for ring in part.interiors if _square_metres(shapely.Polygon(ring), grid) >= limit
    ]
    return shapely.Polygon(part.exterior, holes)


def _square_metres(part: shapely.Polygon, grid: GeoBox) -> float:
    at = part.representative_point()
    _, lat = grid.lnglat(Pixel(at.x, at.y))
    return float(part.area) * (grid.resolution * math.cos(math.radians(lat))) ** 2
