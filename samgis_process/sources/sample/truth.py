"""The true outlines of the scene as GeoJSON, from the shapes it is painted with."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from samgis_process.sources.sample.files import GRID
from samgis_process.sources.sample.layout import visible

DECIMALS = 7  # degrees: 1 cm


def truth() -> dict[str, Any]:
    """Return a FeatureCollection of polygons, OGC:CRS84, outer rings anticlockwise (RFC 7946).

    Each feature is what can be seen of one shape (`layout` says how): `kind` and a unique
    `name`; the parts of a shape that another cuts in two are numbered, the largest first.
    """
    seen = visible()
    parts = Counter(shape.name for shape, _ in seen)
    count: Counter[str] = Counter()
    features = []
    for shape, outline in seen:
        count[shape.name] += 1
        number = f" {count[shape.name]}" if parts[shape.name] > 1 else ""
        features.append(_feature(shape.kind, shape.name + number, outline))
    return {"type": "FeatureCollection", "features": features}


def _feature(kind: str, name: str, outline: Polygon) -> dict[str, Any]:
    # South is down on the picture and up in degrees, so the turn is settled after the change.
    placed = orient(
        Polygon(_lnglats(outline.exterior), [_lnglats(hole) for hole in outline.interiors])
    )
    rings = [placed.exterior, *placed.interiors]
    coordinates = [[list(position) for position in ring.coords] for ring in rings]
    return {
        "type": "Feature",
        "properties": {"kind": kind, "name": name},
        "geometry": {"type": "Polygon", "coordinates": coordinates},
    }


def _lnglats(ring: BaseGeometry) -> list[tuple[float, float]]:
    at = np.array(ring.coords)
    lng, lat = GRID.lnglats(at[:, 0], at[:, 1])
    pairs = zip(lng.tolist(), lat.tolist(), strict=True)
    return [(round(east, DECIMALS), round(north, DECIMALS)) for east, north in pairs]
