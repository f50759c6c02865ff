"""Items that a validator of the standard accepts without a network."""

import json

import numpy as np
import pystac
import pytest

from samgis_process.formats import Asset, BandFacts, item, statistics_of
from samgis_process.grid import Bounds, GeoBox

NOW = {"datetime": "2026-05-04T03:02:01Z"}
GRIDS = {
    "plain": GeoBox.around(Bounds(8.5, 47.3, 8.6, 47.4), 12),
    "antimeridian": GeoBox.around(Bounds(179.5, -17.2, -179.25, -16.1), 10),
    "world": GeoBox.around(Bounds(-180, -85, 180, 85), 1),
    "turned world": GeoBox(1, 100, 0, 512, 512),
}


def assets():
    values = np.array([[1, 2], [3, np.nan]], np.float32)
    unknown = np.full((2, 2), np.nan, np.float32)
    bands = [
        BandFacts("slope", "Slope", "degree", statistics_of(array, np.isfinite(array)))
        for array in (values, unknown)
    ]
    yield Asset("slope", "slope.tif", "image/tiff", "Slope", ("data",), bands, "float32", "nan")
    yield Asset("preview", "preview.png", "image/png", "Preview", ("overview",))


@pytest.mark.parametrize("name", GRIDS)
def test_an_item_is_valid(name):
    found = item("an-id", GRIDS[name], NOW, assets())
    json.dumps(found, allow_nan=False)
    read = pystac.Item.from_dict(found)
    assert read.validate()
    assert read.stac_extensions == []
    assert read.assets["slope"].to_dict()["bands"][0]["statistics"]["maximum"] == 3.0


def test_a_footprint_is_the_outer_edge_anticlockwise():
    grid = GRIDS["plain"]
    found = item("an-id", grid, NOW, ())
    ((ring,), bbox) = found["geometry"]["coordinates"], found["bbox"]
    assert bbox == pytest.approx(list(grid.bounds), abs=1e-7)
    west, south, east, north = bbox
    assert ring == [[west, south], [east, south], [east, north], [west, north], [west, south]]


def test_across_the_antimeridian_it_has_two_parts():
    found = item("an-id", GRIDS["antimeridian"], NOW, ())
    west_part, east_part = found["geometry"]["coordinates"]
    assert {lng for lng, _ in west_part[0]} == {found["bbox"][0], 180.0}
    assert {lng for lng, _ in east_part[0]} == {-180.0, found["bbox"][2]}
    assert found["bbox"][0] > found["bbox"][2]


def test_all_around_the_world_it_has_no_edge_but_the_antimeridian():
    assert item("an-id", GRIDS["turned world"], NOW, ())["bbox"][::2] == [-180.0, 180.0]
