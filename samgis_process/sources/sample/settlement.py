"""What stands in the sample scene: farms by plan, a village along its roads."""

from __future__ import annotations

import math

import numpy as np
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from samgis_process.sources.sample.curves import largest, polygons, rectangle
from samgis_process.sources.sample.shape import Shape

VILLAGE = (1336.0, 1330.0)
GABLE_FIRST = 0.25  # part of the houses that turn their narrow side to the road


def farms() -> list[Shape]:
    """Return the large roofs: barns, sheds and the mill, placed by hand."""
    plans = {
        "Weir Farm Barn": ((880, 1372), (58, 25), 12.0, "barn"),
        "Weir Farm House": ((934, 1350), (22, 14), 12.0, "house"),
        "Mill Barn": ((224, 1300), (46, 22), 78.0, "barn"),
        "Mill House": ((238, 1248), (24, 15), 78.0, "house"),
        "Sawmill": ((1500, 1560), (82, 38), -22.0, "barn"),
        "Sawmill Store": ((1574, 1588), (44, 26), -22.0, "barn"),
        "Ember Farm Barn": ((1126, 1050), (52, 24), 60.0, "barn"),
        "North Barn": ((640, 300), (50, 24), -28.0, "barn"),
        "Dairy": ((1652, 1850), (64, 30), 8.0, "barn"),
        "Dairy House": ((1640, 1896), (24, 16), 8.0, "house"),
    }
    return [
        Shape("roof", name, rectangle(centre, size, angle), style, angle)
        for name, (centre, size, angle, style) in plans.items()
    ]


def village(rng: np.random.Generator, roads: BaseGeometry) -> list[Shape]:
    """Return the houses of the village, in rows along `roads`, none touching another."""
    lines = [part.exterior for part in polygons(roads)]
    houses: list[Shape] = []
    standing: BaseGeometry = Polygon()
    for line in lines:
        for along in np.arange(0, line.length, 31.0):
            house = _house(line, along + rng.uniform(-4, 4), rng)
            far = Point(VILLAGE).distance(house.outline) > rng.uniform(170, 260)
            if far or house.outline.buffer(7).intersects(roads.union(standing)):
                continue
            standing = standing.union(house.outline)
            name = f"House {len(houses) + 1:02d}"
            houses.append(Shape("roof", name, house.outline, house.style, house.angle_deg))
    return houses


def _house(line: LineString, along: float, rng: np.random.Generator) -> Shape:
    here, ahead = (
        line.interpolate(along % line.length),
        line.interpolate((along + 2) % line.length),
    )
    heading = math.atan2(ahead.y - here.y, ahead.x - here.x)
    # A ring walks clockwise or not; the side away from the road is found by trying.
    aside = rng.uniform(20, 27)
    spots = [
        (here.x + side * aside * math.sin(heading), here.y - side * aside * math.cos(heading))
        for side in (1, -1)
    ]
    far = max(spots, key=lambda spot: line.distance(Point(spot)))
    gable_first = 90 if rng.random() < GABLE_FIRST else 0
    angle = math.degrees(heading) + rng.normal(0, 5) + gable_first
    size = (rng.uniform(14, 21), rng.uniform(10, 13))
    style = str(rng.choice(["house", "house", "slate"]))
    return Shape("roof", "", rectangle(far, size, angle), style, angle)


def yard(roof: Shape) -> Shape:
    """Return the trodden ground around `roof`."""
    ground = roof.outline.buffer(11, join_style="mitre").buffer(4).simplify(0.2)
    return Shape("yard", f"{roof.name} Yard", largest(ground))
