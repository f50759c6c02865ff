import math

import numpy as np
import pytest
import shapely
from pyproj import Geod

from samgis_process.grid import GeoBox
from samgis_process.vector import (
    Patch,
    Shaping,
    geodesic_area,
    pixel_polygons,
    shape,
    smooth_polygons,
    to_lnglat,
    upsample,
)

GRID = GeoBox(16, 27_390, 23_600, 400, 300)


def disc(rows, cols, at, radius):
    row, col = np.mgrid[:rows, :cols] + 0.5
    return (radius - np.hypot(col - at[0], row - at[1])).astype(np.float32)


def whole(values):
    return Patch(np.asarray(values, np.float32), 0, 0)


def test_a_smooth_disc_has_its_place_and_area():
    outline = smooth_polygons(whole(disc(80, 100, (40.25, 33.5), 20)))
    assert outline.area == pytest.approx(math.pi * 400, rel=2e-3)
    assert (outline.centroid.x, outline.centroid.y) == pytest.approx((40.25, 33.5), abs=0.01)


def test_a_mask_that_fills_the_frame_ends_on_it():
    outline = smooth_polygons(whole(np.ones((50, 70))))
    assert outline.equals(shapely.box(0, 0, 70, 50))


def test_an_outline_meets_the_frame_where_the_field_says():
    field = np.broadcast_to(20 - (np.arange(60) + 0.5), (40, 60))
    outline = smooth_polygons(whole(field))
    assert outline.bounds == pytest.approx((0, 0, 20, 40))
    assert outline.area == pytest.approx(800)


def test_pixel_edges_are_exact():
    field = -np.ones((9, 11))
    field[2:5, 3:8] = 1
    assert pixel_polygons(whole(field)).equals(shapely.box(3, 2, 8, 5))
    moved = pixel_polygons(Patch(field.astype(np.float32), 100, 50))
    assert moved.equals(shapely.box(103, 52, 108, 55))


@pytest.mark.parametrize("draw", [smooth_polygons, pixel_polygons])
def test_holes_and_parts_are_kept(draw):
    ring = np.minimum(disc(80, 80, (40, 40), 30), -disc(80, 80, (40, 40), 12))
    field = np.maximum(ring, disc(80, 80, (76, 76), 3))
    outline = draw(whole(field))
    assert outline.geom_type == "MultiPolygon"
    assert sorted(len(part.interiors) for part in outline.geoms) == [0, 1]
    assert outline.is_valid


@pytest.mark.parametrize("draw", [smooth_polygons, pixel_polygons])
def test_nothing_gives_nothing(draw):
    assert draw(whole(-np.ones((5, 5)))).is_empty
    assert draw(upsample(-np.ones((64, 64), np.float32), (200, 100), (0.3, 0.3))).is_empty


def test_upsampling_keeps_places():
    scale = 256 / 1024
    logits = disc(256, 256, (61.0, 40.0), 9)
    patch = upsample(logits, (1024, 1024), (scale, scale))
    outline = smooth_polygons(patch)
    assert (outline.centroid.x, outline.centroid.y) == pytest.approx((244, 160), abs=0.02)
    assert patch.values.shape[0] < 150


def test_upsampling_is_linear_between_the_centres_of_cells():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(20, 30)).astype(np.float32)
    logits[0, 0] = logits[-1, -1] = 1
    patch = upsample(logits, (41, 77), (30 / 77, 20 / 41))
    at_cols = (np.arange(77) + 0.5) * 30 / 77
    at_rows = (np.arange(41) + 0.5) * 20 / 41
    lines = np.array([np.interp(at_cols, np.arange(30) + 0.5, line) for line in logits])
    expected = np.array([np.interp(at_rows, np.arange(20) + 0.5, col) for col in lines.T]).T
    np.testing.assert_allclose(patch.values, expected, atol=1e-5)


def test_crumbs_pinholes_and_parts_are_shaped_in_square_metres():
    pixel = GRID.ground_resolution**2
    big = shapely.box(10, 10, 60, 60) - shapely.box(20, 20, 22, 22) - shapely.box(30, 30, 40, 40)
    scene = shapely.union_all(
        [big, shapely.box(100, 100, 103, 103), shapely.box(200, 10, 220, 20)]
    )
    kept = shape(scene, Shaping(min_area=10 * pixel, fill_holes=5 * pixel), GRID)
    assert len(kept.geoms) == 2
    assert kept.area == pytest.approx(2500 - 100 + 200)
    largest = shape(scene, Shaping(largest_only=True), GRID)
    assert largest.area == pytest.approx(big.area)
    assert shape(scene, Shaping(min_area=1e12), GRID).is_empty


def test_simplifying_is_meant_in_metres():
    outline = smooth_polygons(whole(disc(200, 200, (100, 100), 80)))
    fine = shape(outline, Shaping(), GRID)
    coarse = shape(outline, Shaping(simplify=20.0), GRID)
    untouched = shape(outline, Shaping(simplify=0.0), GRID)
    counts = [len(shapely.get_coordinates(one)) for one in (untouched, fine, coarse)]
    assert counts[0] > 2 * counts[1] > 4 * counts[2]
    off = coarse.exterior.hausdorff_distance(outline.exterior) * GRID.ground_resolution
    assert 5 < off <= 20.5


def test_features_follow_rfc_7946():
    ring = smooth_polygons(
        whole(np.minimum(disc(80, 80, (40, 40), 30), -disc(80, 80, (40, 40), 12)))
    )
    placed = to_lnglat(ring, GRID)
    assert placed.is_valid
    assert placed.exterior.is_ccw
    assert not placed.interiors[0].is_ccw
    coordinates = shapely.get_coordinates(placed)
    np.testing.assert_allclose(coordinates, np.round(coordinates, 7), atol=1e-12)


def test_an_outline_across_the_antimeridian_is_cut_there():
    box = GeoBox(10, 256 * 2**10 - 100, 100_000, 200, 100)
    placed = to_lnglat(shapely.box(80, 10, 140, 50), box)
    assert placed.geom_type == "MultiPolygon"
    west, _, east, _ = placed.bounds
    assert (west, east) == (-180, 180)
    widths = sorted(part.bounds[2] - part.bounds[0] for part in placed.geoms)
    degrees = 360 / box.world_size
    assert widths == pytest.approx([20 * degrees, 40 * degrees], abs=1e-6)


def test_area_is_geodesic():
    square = shapely.box(10, 60, 10.01, 60.01)
    lngs, lats = shapely.get_coordinates(square).T
    expected = abs(Geod(ellps="WGS84").polygon_area_perimeter(lngs, lats)[0])
    assert geodesic_area(square) == pytest.approx(expected)
