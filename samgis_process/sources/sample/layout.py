"""What lies where in the sample scene: the shapes that are both painted and the truth.

Positions are scene pixels, (0, 0) the upper-left corner of the upper-left pixel. Shapes are
painted in the order of the list, so a later one hides what it covers; the truth says the same:
from each shape, those above it are cut out. Crowns that hang over an edge, shadows and haze
change the picture, not the truth. The volcano is a landform, not a cover: nothing is cut from it.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np
from shapely import STRtree
from shapely.geometry import Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from samgis_process.sources.sample.curves import Points, blob, largest, meander, polygons, spline
from samgis_process.sources.sample.parcels import field_in, parcels, sides
from samgis_process.sources.sample.settlement import farms, village, yard
from samgis_process.sources.sample.shape import SEED, SIDE, Shape

SUMMIT = (1560.0, 520.0)
LAKE = (600.0, 1340.0)
ROADS: dict[str, tuple[float, Points]] = {
    "Mill Lane": (
        4.6,
        ((352, 985), (296, 1180), (262, 1400), (350, 1640), (404, 1830), (372, 2090)),
    ),
    "Ember Road": (
        5.0,
        ((1330, 1292), (1190, 1120), (1100, 900), (1062, 640), (1110, 300), (1080, -40)),
    ),
    "South Road": (5.4, ((1336, 1296), (1390, 1470), (1360, 1680), (1440, 1860), (1420, 2090))),
    "Harbour Lane": (4.2, ((1322, 1300), (1140, 1330), (960, 1310), (880, 1330))),
    "High Road": (
        7.2,
        (
            *((-40, 890), (200, 968), (420, 985), (640, 1010), (860, 1130)),
            *((1100, 1230), (1330, 1294), (1600, 1380), (1840, 1460), (2090, 1440)),
        ),
    ),
}  # width in pixels, then what it leads through
CROPS = ("wheat", "stubble", "maize", "meadow", "mown", "lucerne", "soil", "fallow", "barley")


@cache
def shapes() -> tuple[Shape, ...]:
    """Return all shapes, lowest first; the same ones at every call and in every process."""
    rng = np.random.default_rng(SEED)
    mountain = Shape("volcano", "Mount Ember", blob(SUMMIT, (410, 392), rng, 0.035))
    waters, woods, roads = _waters(rng), _woods(rng), _roads()
    roofs = farms() + village(rng, unary_union([road.outline for road in roads]))
    yards = [yard(roof) for roof in roofs if roof.style == "barn"]
    taken = unary_union(
        [mountain.outline.buffer(16)]
        + [wood.outline.buffer(5) for wood in woods]
        + [water.outline.buffer(12 if water.kind == "lake" else 6) for water in waters]
        + [road.outline.buffer(4) for road in roads]
        + [ground.outline.buffer(3) for ground in yards]
        + [roof.outline.buffer(26) for roof in roofs]
    )
    fields = _fields(rng, taken)
    return (mountain, *fields, *woods, *yards, *waters, *roads, *roofs)


@cache
def visible() -> tuple[tuple[Shape, Polygon], ...]:
    """Return each shape with the parts of it that can be seen, largest first.

    A shape that others cut in two comes twice; slivers below a pixel are left out.
    """
    scene, everything = box(0, 0, SIDE, SIDE), shapes()
    tree = STRtree([shape.outline for shape in everything])
    found: list[tuple[Shape, Polygon]] = []
    for index, shape in enumerate(everything):
        above = sorted(i for i in tree.query(shape.outline) if i > index)
        cover = unary_union([everything[i].outline for i in above])
        landform = shape.kind == "volcano"
        seen = shape.outline if landform else shape.outline.difference(cover)
        found.extend((shape, part) for part in polygons(seen.intersection(scene)))
    return tuple(found)


def _waters(rng: np.random.Generator) -> list[Shape]:
    upper = [(1010, -40), (905, 200), (800, 430), (735, 640), (640, 860), (610, 1040), (600, 1250)]
    lower = [(640, 1450), (740, 1640), (760, 1800), (860, 1940), (900, 2090)]
    lake = blob(LAKE, (262, 196), rng, 0.10, 24.0)
    pond = blob((1772, 1716), (76, 52), rng, 0.09, -20.0)
    island = blob((694, 1404), (26, 17), rng, 0.09, 40.0)
    reed = _reed(lake)
    return [
        Shape("river", "Alder River", _river(upper, 9.0)),
        Shape("river", "Weir River", _river(lower, 10.5)),
        Shape("lake", "Heron Lake", lake),
        Shape("lake", "Mirror Pond", pond),
        Shape("reed", "Heron Reeds", reed),
        Shape("island", "Gull Island", island),
    ]


def _river(points: Points, half_width: float) -> Polygon:
    line = meander(spline(points), 34.0, 210.0)
    spots = [line.interpolate(s) for s in np.arange(0, line.length, 5.0)]
    widths = [half_width * (1 + 0.22 * math.sin(i / 9)) for i in range(len(spots))]
    discs = [spot.buffer(width, 10) for spot, width in zip(spots, widths, strict=True)]
    reaches = [unary_union(pair).convex_hull for pair in pairwise(discs)]
    return largest(unary_union(reaches).simplify(0.15))


def _reed(lake: Polygon) -> Polygon:
    """Return the belt of reeds along the south-western shore, 6 to 14 px wide."""
    shore = lake.exterior
    corner = Point(lake.bounds[0] + 60, lake.bounds[3] - 60)
    middle = shore.project(corner)
    spots = [shore.interpolate(middle + s) for s in np.arange(-95, 96, 5.0)]
    reach = [2 + 8 * math.cos(math.pi * i / 90) for i in np.arange(-95, 96, 5.0) * 0.45]
    discs = [spot.buffer(max(2.0, width), 8) for spot, width in zip(spots, reach, strict=True)]
    return largest(unary_union(discs).simplify(0.2))


def _woods(rng: np.random.Generator) -> list[Shape]:
    places = {
        "Fox Wood": ((250, 560), (172, 128), 20.0),
        "Long Wood": ((1010, 1810), (168, 92), -35.0),
        "Raven Wood": ((1830, 1180), (128, 104), 60.0),
        "Abbot's Wood": ((170, 1850), (112, 128), 0.0),
        "Linden Grove": ((1010, 1010), (70, 52), 30.0),
        "Spring Copse": ((420, 210), (62, 78), 10.0),
    }
    return [
        Shape("wood", name, blob(centre, radii, rng, 0.10, angle))
        for name, (centre, radii, angle) in places.items()
    ]


def _roads() -> list[Shape]:
    """Return the roads; they meet under each other's ends, the main road on top."""
    roads = []
    for name, (width, points) in ROADS.items():
        verge = spline(points).buffer(width / 2, 8, join_style="round").simplify(0.1)
        roads.append(Shape("road", name, largest(verge)))
    return roads


def _fields(rng: np.random.Generator, taken: BaseGeometry) -> list[Shape]:
    scene = box(0, 0, SIDE, SIDE)
    fields: list[Shape] = []
    for parcel in parcels(SIDE, rng):
        outline, crop = field_in(parcel, taken), str(rng.choice(CROPS))
        if outline is None or not outline.intersects(scene):
            continue
        longest, _ = sides(parcel)
        heading = math.degrees(math.atan2(longest[1], longest[0]))
        fields.append(Shape("field", f"Field {len(fields) + 1:03d}", outline, crop, heading))
    return fields
