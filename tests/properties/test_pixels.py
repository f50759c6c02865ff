"""Prompt to pixel to place and back, at any latitude, zoom and window."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from samgis_process.grid import MAX_LAT, Bounds, GeoBox, LngLat, Pixel

PIXEL = 0.01

lngs = st.floats(-180, 180)
lats = st.floats(-85, 85)
zooms = st.integers(0, 22)
tile_sizes = st.sampled_from([256, 512])


@st.composite
def windows(draw):
    """Windows of 2 to 3000 pixels anywhere, some across the antimeridian."""
    zoom, tile_size = draw(zooms), draw(tile_sizes)
    world = tile_size * 2**zoom
    width = draw(st.integers(2, min(3000, world)))
    height = draw(st.integers(2, min(3000, world)))
    col = draw(st.integers(0, world - 1))
    row = draw(st.integers(0, world - height))
    return GeoBox(zoom, col, row, width, height, tile_size)


@given(windows(), st.floats(0, 1), st.floats(0, 1))
def test_a_pixel_comes_back_from_its_place(box, across, along):
    pixel = Pixel(across * box.width * 0.999, along * box.height)
    back = box.pixel(box.lnglat(pixel))
    assert back == pytest.approx(pixel, abs=PIXEL / 10)


@given(windows(), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_a_place_wrapped_into_180_degrees_is_the_same_pixel(box, across, along):
    pixel = Pixel(across * box.width, along * box.height)
    at = box.lnglat(pixel)
    wrapped = LngLat((at.lng + 180) % 360 - 180, at.lat)
    assert box.pixel(wrapped) == pytest.approx(pixel, abs=PIXEL / 10)


@given(lngs, lats, lngs, lats, st.integers(0, 16))
def test_the_window_of_bounds_covers_them_with_less_than_a_pixel_to_spare(w, s, e, n, zoom):
    assume(s < n and w != e)
    bounds = Bounds(w, s, e, n)
    box = GeoBox.around(bounds, zoom)
    left, top = box.pixel(LngLat(w, n))
    right, bottom = box.pixel(LngLat(e, s))
    assume(1 < bounds.lng_span / 360 * box.world_size < box.world_size - 2)
    assert -1e-4 <= left < 1
    assert -1e-4 <= top < 1
    assert box.width - 1 < right <= box.width + 1e-4 or box.width == 1
    assert box.height - 1 < bottom <= box.height + 1e-4 or box.height == 1


@given(windows())
@example(GeoBox(22, 0, 93, 2, 2, 512))
def test_a_window_asked_for_by_its_own_bounds_is_the_same_window(box):
    assume(box.width < box.world_size)
    again = GeoBox.around(box.bounds, box.zoom, box.tile_size)
    assert again == box


@given(windows())
def test_parts_on_both_sides_of_the_antimeridian_make_up_the_window(box):
    parts = list(box.parts())
    assert sum(part.width for part in parts) == box.width
    assert all(part.col_off + part.width <= part.world_size for part in parts)


@given(windows())
def test_tiles_cover_the_window_and_no_more(box):
    size = box.tile_size
    xs = {x for x, _ in box.tiles()}
    ys = {y for _, y in box.tiles()}
    assert min(xs) * size <= box.col_off < (min(xs) + 1) * size
    assert max(xs) * size < box.col_off + box.width <= (max(xs) + 1) * size
    assert min(ys) * size <= box.row_off < (min(ys) + 1) * size
    assert max(ys) * size < box.row_off + box.height <= (max(ys) + 1) * size


@given(windows(), st.floats(0, 1), st.floats(0, 1))
def test_the_transform_agrees_with_the_closed_form(box, across, along):
    pixel = (across * box.width, along * box.height)
    x, y = box.transform @ pixel
    lng, lat = box.lnglat(Pixel(*pixel))
    assert x == pytest.approx(math.radians(lng) * 6378137, abs=box.resolution * PIXEL)
    assert y == pytest.approx(
        6378137 * math.asinh(math.tan(math.radians(lat))), abs=box.resolution * PIXEL
    )


@given(st.floats(-180, 180), st.floats(0.001, 359), lats, st.floats(0, 1))
def test_bounds_contain_what_lies_between_west_and_east(west, span, lat, share):
    east = (west + span + 180) % 360 - 180
    assume(abs(east - west) > 1e-6)
    bounds = Bounds(west, lat - 1, east, lat + 1)
    inside = (west + span * share + 180) % 360 - 180
    assert bounds.contains(LngLat(inside, lat))
    outside = (west + span + (360 - span) / 2 + 180) % 360 - 180
    assert not bounds.contains(LngLat(outside, lat))


def test_the_seed_window_is_exactly_on_the_grid():
    bounds = Bounds(9.29821014404297, 46.13405108959001, 9.519996643066408, 46.236615111857255)
    box = GeoBox.around(bounds, 13)
    assert (box.col_off, box.row_off, box.width, box.height) == (1102742, 744098, 1292, 863)
    at = box.pixel(LngLat(9.418864745562386, 46.18483299780137))
    assert at == pytest.approx((702.864, 435.909), abs=5e-4)
    assert len(list(box.tiles())) == 30


def test_the_grid_agrees_with_proj(subtests):
    from pyproj import Transformer

    transformer = Transformer.from_crs("OGC:CRS84", "EPSG:3857", always_xy=True)
    rng = np.random.default_rng(7)
    for _ in range(50):
        lng, lat = rng.uniform(-180, 180), rng.uniform(-MAX_LAT, MAX_LAT)
        box = GeoBox(18, int((lng + 180) / 360 * 256 * 2**18) - 40, 5, 100, 90)
        with subtests.test(lng=lng, lat=lat):
            expected = ~box.transform @ transformer.transform(lng, lat)
            assert box.pixel(LngLat(lng, lat)) == pytest.approx(expected, abs=PIXEL / 10)
