"""The raster of object numbers: what GIS programs read in it."""

import json

import numpy as np
import pytest
import shapely
from rasterio.io import MemoryFile
from rio_cogeo import cog_validate

from samgis_process.formats.labels import labels
from samgis_process.grid import GeoBox

GRID = GeoBox(15, 1000, 2000, 1200, 700)


def opened(content):
    return MemoryFile(content)


def test_pixels_have_the_number_of_the_object_they_lie_in():
    hole = shapely.box(20, 20, 30, 30)
    shapes = {1: shapely.box(10, 10, 50, 60) - hole, 3: shapely.box(600, 100, 700, 200)}
    with opened(labels(shapes, {1: "barn", 3: 7}, GRID)) as memory, memory.open() as file:
        pixels = file.read(1)
        assert pixels.dtype == np.uint16
        assert (pixels[10:60, 10:50] == 1).sum() == 40 * 50 - 100
        assert (pixels[100:200, 600:700] == 3).all()
        assert np.count_nonzero(pixels) == 40 * 50 - 100 + 100 * 100
        assert file.nodata == 0
        assert file.crs == "EPSG:3857"
        assert file.transform.almost_equals(GRID.transform)
        assert file.descriptions[0].startswith("object")
        assert json.loads(file.tags()["OBJECTS"]) == {"1": "barn", "3": 7}


def test_overviews_hold_numbers_and_no_means(tmp_path):
    shapes = {n + 1: shapely.box(n * 8, 0, n * 8 + 8, 700) for n in range(0, 140, 2)}
    path = tmp_path / "labels.tif"
    path.write_bytes(labels(shapes, {}, GRID))
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
    with opened(path.read_bytes()) as memory, memory.open() as file:
        assert file.overviews(1)
        assert set(np.unique(file.read(1, out_shape=(175, 300)))) <= {0, *shapes}


def test_without_objects_there_is_a_raster_of_none():
    with opened(labels({}, {}, GRID)) as memory, memory.open() as file:
        assert not file.read(1).any()
        assert file.shape == GRID.shape


def test_of_two_that_overlap_the_later_one_wins():
    shapes = {1: shapely.box(0, 0, 20, 20), 2: shapely.box(10, 10, 30, 30)}
    with opened(labels(shapes, {}, GRID)) as memory, memory.open() as file:
        assert file.read(1)[15, 15] == 2


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="65535"):
        labels({65_536: shapely.box(0, 0, 1, 1)}, {}, GRID)
