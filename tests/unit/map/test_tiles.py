from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samgis_process.grid import Bounds, GeoBox
from samgis_process.map.layers import SCALES, coloured
from samgis_process.map.texts import plain
from samgis_process.map.tiles import SIDE, Place, grid_of, zooms
from samgis_process.sources import SourceInfo
from samgis_process.terrain import LAYERS


def info(bounds=None, tile_size=256, zooms=(0, 19)):
    place = {"bounds": bounds} if bounds else {}
    return SourceInfo("s", "S", "1", zooms, zooms[1] - 1, tile_size=tile_size, **place)


def covered(grid, bounds):
    """Return whether a box has pixels inside bounds, by the centres of all of them."""
    cols, rows = np.meshgrid(np.arange(0.5, grid.width), np.arange(0.5, grid.height))
    lng, lat = grid.lnglats(cols, rows)
    east = (lng - bounds.west) % 360 < bounds.lng_span
    return bool((east & (lat > bounds.south) & (lat < bounds.north)).any())


@given(
    st.integers(0, 4), st.integers(0, 15), st.integers(0, 15),
    st.floats(-180, 180), st.floats(5, 300), st.floats(-80, 70), st.floats(5, 14),
)  # fmt: skip
def test_a_source_has_the_tiles_that_its_bounds_reach_into(zoom, x, y, west, width, south, height):
    x, y = x % 2**zoom, y % 2**zoom
    east = (west + width + 180) % 360 - 180
    bounds = Bounds(west, south, east, south + height)
    found = grid_of(info(bounds), Place(zoom, x, y))
    grid = GeoBox(zoom, x * SIDE, y * SIDE, SIDE, SIDE)
    assert found in (None, grid)
    if covered(grid, bounds):
        assert found == grid
    elif found:  # an edge may lie inside the outermost pixels
        assert covered(grid.padded(2), bounds)


@pytest.mark.parametrize(("size", "shift"), [(256, 0), (512, 1), (1024, 2)])
def test_zooms_count_tiles_of_256_pixels(size, shift):
    one = info(tile_size=size, zooms=(3, 10))
    assert zooms(one) == (3 + shift, 9 + shift, 10 + shift)
    assert grid_of(one, Place(2 + shift, 0, 0)) is None
    assert grid_of(one, Place(11 + shift, 0, 0)) is None
    grid = grid_of(one, Place(5 + shift, 9, 6))
    assert grid.resolution == GeoBox(5 + shift, 0, 0, 1, 1).resolution
    assert grid.bounds == pytest.approx(GeoBox(5 + shift, 9 * 256, 6 * 256, 256, 256).bounds)


def test_every_layer_has_colours_and_its_stops_ascend():
    assert list(SCALES) == list(LAYERS)
    for name, scale in SCALES.items():
        assert len(scale.stops) == len(scale.colours), name
        assert (np.diff(scale.stops) > 0).all(), name
    assert SCALES["aspect"].colours[0] == SCALES["aspect"].colours[-1]  # north is north


def test_the_documents_name_the_stops():
    text = Path(__file__).parents[3].joinpath("docs", "explanation", "map.md").read_text("utf-8")
    for name, scale in SCALES.items():
        assert ", ".join(f"{stop:g}" for stop in scale.stops) in text, name


def test_values_at_the_stops_have_the_colours_of_the_stops():
    for name, scale in SCALES.items():
        image = coloured(np.array([scale.stops], np.float32), scale)
        apart = np.abs(image[0].astype(int) - np.array(scale.colours))
        assert apart.max() <= 2, name  # a bar has 256 colours
    beyond = np.array([[-1e9, 1e9, np.nan]], np.float32)
    image = coloured(beyond, SCALES["slope"])
    assert tuple(image[0, 0]) == SCALES["slope"].colours[0]
    assert tuple(image[0, 1]) == SCALES["slope"].colours[-1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Plain", "Plain"),
        ('&copy; <a href="https://example.org">Us</a>', "© Us"),
        ("a < b & c", "a < b & c"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("&lt;b&gt;", "<b>"),
        ("<unclosed", "<unclosed"),
        (" two\n  lines ", "two lines"),
    ],
)
def test_html_becomes_plain_text(text, words):
    assert plain(text) == words
