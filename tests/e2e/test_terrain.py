"""Landforms through a real server process: the ancestor's request, the sample's volcano."""

import numpy as np
import pytest
import shapely

from samgis_process.grid import GeoBox
from samgis_process.sources import sample

# The ancestor's terrain request, as its page sends it.
POINTS = (
    (238, 46.158760519552146, 9.306795638666486, 1),
    (250, 46.152693546080975, 9.289288652508679, 0),
    (264, 46.16613515509541, 9.319840059725284, 0),
    (272, 46.161377438862836, 9.288087192674299, 0),
    (285, 46.174103408003454, 9.308340372739261, 0),
    (293, 46.17005996124035, 9.298042145587583, 0),
)
SEED = {
    "bbox": {
        "ne": {"lat": 46.203706648934954, "lng": 9.401906739170105},
        "sw": {"lat": 46.12464369105346, "lng": 9.231103669101747},
    },
    "prompt": [
        {"id": name, "type": "point", "data": {"lat": lat, "lng": lng}, "label": label}
        for name, lat, lng, label in POINTS
    ],
    "zoom": 13,
    "source_type": "nextzen.terrarium",
}


def iou(a, b):
    return a.intersection(b).area / a.union(b).area


@pytest.fixture(scope="module")
def hill(script):
    at = script("drawn_ground").hill()
    lng, lat = GeoBox(13, 0, 0, 1, 1).lnglats(at[:, 0], at[:, 1])
    return shapely.Polygon(np.stack([lng, lat], axis=-1))


def test_the_ancestors_terrain_request_runs_as_it_is(server):
    response = server.segment(SEED)
    assert response.status_code == 200, response.text
    answer = response.json()
    (feature,) = answer["features"]
    assert feature["properties"]["prompt_ids"] == [238, 250, 264, 272, 285, 293]
    assert answer["samgis"]["source"]["id"] == "terrarium"
    assert (answer["samgis"]["window"]["width"], answer["samgis"]["window"]["height"]) == (
        996,
        666,
    )
    assert answer["samgis"]["warnings"] == []
    outline = shapely.geometry.shape(feature["geometry"])
    for _, lat, lng, label in POINTS:
        assert outline.contains(shapely.Point(lng, lat)) == bool(label)


@pytest.mark.parametrize("rendering", ["terrain", "samgis"])
def test_the_ancestors_points_find_the_hill_between_them(server, hill, rendering):
    (feature,) = server.segment(SEED | {"rendering": rendering}).json()["features"]
    assert iou(shapely.geometry.shape(feature["geometry"]), hill) > 0.9


def test_renderings_of_elevation_are_cached_apart(server):
    states = {}
    west, south = 9.2312, 46.12468
    there = SEED | {"bbox": [west, south, 9.4, 46.2]}  # a window that no other test asks for
    for rendering in ("relief", "terrain", "samgis", "grey", "relief"):
        answer = server.segment(there | {"rendering": rendering}).json()
        assert answer["samgis"]["rendering"] == rendering
        states.setdefault(rendering, []).append(answer["samgis"]["cache"])
    assert states["relief"] == ["miss", "hit"]
    assert [states[name] for name in ("terrain", "samgis", "grey")] == [["miss"]] * 3


def test_the_samples_volcano(server):
    truths = {f["properties"]["name"]: f for f in sample.truth()["features"]}
    cone = next(
        shapely.geometry.shape(f["geometry"])
        for f in truths.values()
        if f["properties"]["kind"] == "volcano"
    )
    west, south, east, north = cone.bounds
    room = 0.004
    box = {"ne": {"lat": north, "lng": east}, "sw": {"lat": south, "lng": west}}
    response = server.segment(
        {
            "source": "sample-dem",
            "bbox": [west - room, south - room, east + room, north + room],
            "prompt": [{"type": "rectangle", "data": box}],
        }
    )
    assert response.status_code == 200, response.text
    (feature,) = response.json()["features"]
    assert iou(shapely.geometry.shape(feature["geometry"]), cone) > 0.8


def polygon(answer):
    (feature,) = answer["features"]
    return shapely.geometry.shape(feature["geometry"]), feature["properties"]["area_m2"] / 1e6


def test_the_crater_and_the_cone_of_mount_st_helens(server, test_data):
    """The crater is some 2 by 3 km wide; the cone's slope breaks some 2.3 km from the middle."""
    assert test_data
    floor = [(-122.1896, 46.2), (-122.1879, 46.2119), (-122.1896, 46.1941)]
    flanks = [
        (-122.1682, 46.1957),
        (-122.1949, 46.186),
        (-122.2089, 46.2044),
        (-122.1823, 46.2141),
    ]

    def point(lng, lat):
        return {"type": "point", "data": {"lng": lng, "lat": lat}}

    corners = {"ne": {"lat": 46.2226, "lng": -122.1587}, "sw": {"lat": 46.1798, "lng": -122.2171}}
    window = {"source": "helens", "bbox": [-122.253, 46.1237, -122.124, 46.2509]}
    clicks = [point(*at) for at in floor]
    crater, crater_km2 = polygon(server.segment(window | {"zoom": 12, "prompt": clicks}).json())
    box = {"type": "rectangle", "data": corners}
    prompt = [box, *(point(*at) for at in flanks)]
    cone, cone_km2 = polygon(server.segment(window | {"zoom": 11, "prompt": prompt}).json())
    assert 2 < crater_km2 < 8
    assert 10 < cone_km2 < 22
    assert crater.intersection(cone).area > 0.8 * crater.area


def test_a_rendering_of_elevation_on_a_picture_is_refused(server):
    asked = {"source": "sample", "rendering": "relief"}
    west, south, east, north = sample.BOUNDS
    asked |= {
        "bbox": [west, south, east, north],
        "zoom": 14,
        "prompt": [
            {"type": "point", "data": {"lng": (west + east) / 2, "lat": (south + north) / 2}}
        ],
    }
    response = server.segment(asked)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["input"] == "rendering"
    assert "sample does not hold" in error["message"]
