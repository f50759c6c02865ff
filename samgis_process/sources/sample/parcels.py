"""Parcels: how farmland is cut into fields."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from shapely.affinity import rotate
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

from samgis_process.sources.sample.curves import largest

Vector = NDArray[np.float64]  # (col, row)

# Pixels of 1.8 m: fields of 2 to 7 hectares before the roads cut into them, as on the plains
# of northern Italy and southern France.
PARCEL_AREA = (9_000.0, 40_000.0)
SMALLEST_FIELD = 3_500.0
MARGIN = 3.0  # px between a field and the seam of its parcel: a grass strip or a hedge
CORNER = 5.0  # px, the turning radius of a plough


def parcels(side: float, rng: np.random.Generator) -> list[Polygon]:
    """Return parcels that cover the square scene of `side` pixels, in a turned pattern."""
    whole = largest(rotate(box(-0.3 * side, -0.3 * side, 1.3 * side, 1.3 * side), 14.0))
    scene = box(0, 0, side, side)
    return [parcel for parcel in _halves(whole, rng) if parcel.intersects(scene)]


def _halves(parcel: Polygon, rng: np.random.Generator) -> Iterator[Polygon]:
    if parcel.area < rng.uniform(*PARCEL_AREA):
        yield parcel
        return
    for part in split(parcel, _cut(parcel, rng)).geoms:
        if isinstance(part, Polygon):
            yield from _halves(part, rng)


def sides(parcel: Polygon) -> tuple[Vector, Vector]:
    """Return the longer and the shorter side of the rectangle around `parcel`, as vectors."""
    around = largest(parcel.minimum_rotated_rectangle)
    one, other = np.diff(np.array(around.exterior.coords), axis=0)[:2]
    return (one, other) if np.hypot(*one) > np.hypot(*other) else (other, one)


def _cut(parcel: Polygon, rng: np.random.Generator) -> LineString:
    """Return a line across the longer side of `parcel`, a little off its middle and askew."""
    longer, _ = sides(parcel)
    centre = parcel.minimum_rotated_rectangle.centroid
    middle = np.array([centre.x, centre.y]) + longer * rng.uniform(-0.14, 0.14)
    heading = math.atan2(longer[1], longer[0]) + math.pi / 2 + rng.normal(0, 0.05)
    reach = 2 * np.hypot(*longer) * np.array([math.cos(heading), math.sin(heading)])
    return LineString([middle - reach, middle + reach])


def field_in(parcel: Polygon, taken: BaseGeometry) -> Polygon | None:
    """Return the field that fits `parcel` outside `taken`, corners rounded; None if small."""
    near = taken.intersection(parcel.buffer(2 * CORNER))  # buffers cost by the vertex
    free = parcel.buffer(-MARGIN - CORNER).difference(near.buffer(CORNER)).buffer(CORNER)
    field = largest(free)
    if field.area < SMALLEST_FIELD or field.interiors:
        return None
    return largest(field.simplify(0.2))
