import numpy as np
import pytest
import rasterio
from affine import Affine

from models.evaluation.landforms import real
from models.evaluation.landforms.scene import HALO

SIDE = 120
ROWS, COLS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
ANY = real.Source("none.tif", ())


def cone(row, col, radius, height):
    away = np.hypot(ROWS - row, COLS - col)
    return np.asarray(height * np.clip(1 - away / radius, 0, None), np.float32)


def test_a_hill_ends_at_nine_tenths_of_the_height_over_its_lowest_closed_contour():
    elevation = 500 + cone(60, 60, 30, 100)
    (found,) = real.hills(elevation, 10.0, ANY)
    assert found.height_m == pytest.approx(100, abs=2)
    assert np.sqrt(found.mask.sum() / np.pi) == pytest.approx(27, abs=1)


def test_a_lower_summit_ends_at_its_saddle():
    elevation = np.maximum(cone(60, 40, 30, 100), cone(60, 75, 25, 60))
    high, low = sorted(real.hills(elevation, 10.0, ANY), key=lambda one: -one.height_m)
    assert high.mask[60, 40]
    assert low.mask[60, 75]
    assert not (high.mask & low.mask).all()
    saddle = elevation[60, 40:76].min()
    assert low.height_m == pytest.approx(60 - saddle, abs=2.5)


def test_a_contour_that_reaches_the_edge_or_unknown_ground_is_not_closed():
    elevation = cone(60, 0, 30, 100)
    assert not real.hills(elevation, 10.0, ANY)
    holed = cone(60, 60, 30, 100)
    holed[60, 70] = np.nan
    (found,) = real.hills(holed, 10.0, ANY)
    assert found.height_m == pytest.approx(100 / 3, abs=5)


def test_a_hollow_is_a_hill_upside_down():
    elevation = 500 - cone(60, 60, 30, 100)
    (found,) = real.RULES["hollow"](elevation, 10.0, ANY)
    assert found.kind == "hollow"
    assert found.mask[60, 60]


def test_roofs_stand_over_the_opening_and_a_breached_crater_lies_under_the_closing():
    source = real.Source("none.tif", (), disc_m=30.0, stands_m=3.0)
    roof = np.where((abs(ROWS - 50) < 8) & (abs(COLS - 60) < 12), 10, 0) + 0.1 * COLS
    (found,) = real.blocks(roof.astype(np.float32), 2.0, source)
    assert found.mask.sum() == 15 * 23 - 4  # thin corners are worn off
    (bowl,) = real.RULES["bowl"](-roof.astype(np.float32), 2.0, source)
    assert np.array_equal(bowl.mask, found.mask)


def test_a_flat_needs_banks():
    banks = np.clip(abs(ROWS - 60) - 12, 0, None)
    (found,) = real.flats(banks.astype(np.float32), 1.0, ANY)
    assert found.mask[60, 60]
    assert not found.mask[90].any()
    assert not real.flats(np.zeros_like(banks, np.float32) + 0.01 * COLS, 1.0, ANY)


def test_a_cone_ends_where_the_flank_does():
    elevation = cone(60, 60, 40, 400) + 0.5 * cone(60, 60, 58, 100)
    (found,) = real.cones(elevation, 10.0, ANY)
    assert np.sqrt(found.mask.sum() / np.pi) == pytest.approx(40, abs=2)


def test_what_is_small_threadlike_cut_or_faint_is_left_out():
    elevation = 500 + cone(60, 60, 30, 100)
    (found,) = real.hills(elevation, 10.0, ANY)
    assert real.is_sound(found, elevation, 10.0)
    assert not real.is_sound(found._replace(height_m=10.0), elevation, 10.0)
    assert not real.is_sound(found._replace(mask=ROWS + COLS < 40), elevation, 10.0)
    assert not real.is_sound(found._replace(mask=(abs(ROWS - 60) < 2) & found.mask), elevation, 10)


def test_a_window_holds_the_landform_at_the_size_of_a_picture():
    elevation = 500 + cone(60, 50, 15, 100)
    (found,) = real.hills(elevation, 10.0, ANY)
    scene = real.window(elevation, 10.0, found, "one")
    rows, cols = scene.labels.shape
    assert rows == cols == 512
    assert scene.elevation.shape == (512 + 2 * HALO, 512 + 2 * HALO)
    area = scene.labels.sum() * scene.cell_m**2
    assert area == pytest.approx(found.mask.sum() * 100, rel=0.05)
    assert scene.window.max() == pytest.approx(600, abs=6)
    top = np.unravel_index(scene.window.argmax(), scene.window.shape)
    assert scene.labels[top] == 1


def test_degrees_become_square_cells_on_the_ground(tmp_path):
    path = tmp_path / "degrees.tif"
    profile = {
        "driver": "GTiff", "height": 60, "width": 40, "count": 1, "dtype": "float32",
        "crs": "EPSG:4326", "transform": Affine(0.001, 0, 10, 0, -0.001, 60.03), "nodata": -9999,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(ROWS[:60, :40], 1)
    elevation, cell_m = real.read(path)
    assert cell_m == pytest.approx(55.66, abs=0.1)
    assert elevation.shape == (120, 40)


def test_rules_find_landforms_of_the_reference_data(test_data):
    source = real.Source("dsm_utm18_float32_nodata.tif", ("block",), 40.0, 3.0)
    found = list(real.scenes(test_data / "dem", [source]))
    assert len(found) == real.PER_RULE
    assert all(one.origin == "real" and one.asked == (1,) for one in found)
