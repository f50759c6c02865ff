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


def test_the_ancestors_terrain_request_runs_as_it_is(server, hill):
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
    assert iou(shapely.geometry.shape(feature["geometry"]), hill) > 0.7


def test_renderings_of_elevation_are_cached_apart(server):
    states = {}
    for rendering in ("relief", "terrain", "samgis", "grey", "relief"):
        answer = server.segment(SEED | {"rendering": rendering}).json()
        assert answer["samgis"]["rendering"] == rendering
        states.setdefault(rendering, []).append(answer["samgis"]["cache"])
    assert states["relief"][-1] == "hit"
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
