import numpy as np
import pytest
import surfaces

from samgis_process.grid import EARTH_RADIUS, GeoBox
from samgis_process.terrain import LAYERS, Options, Surface, compute, halo_of
from samgis_process.terrain.layers import STRIP_CELLS, strips

ONE_CELL = ("slope", "aspect", "hillshade", "hillshade_multi", "curvature", "plan_curvature")
WIDE = ("tpi", "openness", "openness_negative", "sky_view")


def noise(rows, cols):
    return np.random.default_rng(1).normal(500, 40, (rows, cols)).astype(np.float32)


# Halos


@pytest.mark.parametrize("name", ONE_CELL)
def test_derivatives_need_one_cell_around(name):
    assert halo_of([name], Options(radius=30), 10.0) == 1


@pytest.mark.parametrize("name", WIDE)
def test_wide_layers_need_their_radius_around(name):
    assert halo_of([name], Options(radius=30), 10.0) == 30


def test_the_widest_layer_decides():
    assert halo_of(["slope", "tpi", "elevation"], Options(radius=7), 10.0) == 7
    assert halo_of(["elevation"], Options(radius=7), 10.0) == 0
    assert halo_of([], Options(), 10.0) == 0


@pytest.mark.parametrize(("sigma", "cells"), [(0.0, 1), (1.0, 2), (10.0, 5), (100.0, 33)])
def test_smoothing_needs_three_standard_deviations_and_a_little_more(sigma, cells):
    assert halo_of(["slope"], Options(smooth=sigma), 10.0) == cells


def test_plain_elevation_is_neither_smoothed_nor_stretched():
    chosen = Options(smooth=100.0, z_factor=3.0)
    assert halo_of(["elevation"], chosen, 10.0) == 0
    z = noise(4, 5)
    np.testing.assert_array_equal(compute(surfaces.even(z, 10, 10), "elevation", chosen, 0), z)


@pytest.mark.parametrize("name", LAYERS)
def test_too_small_a_halo_is_refused(name):
    needed = halo_of([name], Options(radius=5), 10.0)
    surface = surfaces.even(noise(20, 20), 10, 10)
    if needed:
        with pytest.raises(ValueError, match=f"{name} needs a halo of {needed} cells"):
            compute(surface, name, Options(radius=5), needed - 1)
    assert compute(surface, name, Options(radius=5), needed).shape == (20 - 2 * needed,) * 2


def test_an_unknown_layer_is_refused():
    with pytest.raises(KeyError, match="wetness"):
        compute(surfaces.even(noise(3, 3), 1, 1), "wetness", Options(), 1)


@pytest.mark.parametrize("layer", LAYERS.values(), ids=lambda layer: layer.name)
def test_every_layer_says_what_it_is(layer):
    assert layer.title
    assert layer.formula
    assert layer.unit in {"m", "degree", "1/m", ""}
    assert layer.source or layer.name == "elevation"


# Strips


@pytest.mark.parametrize("rows", [1, 2, 7, 50, 51])
@pytest.mark.parametrize("margin", [0, 1, 4])
@pytest.mark.parametrize("cells", [1, 60, 10_000])
def test_strips_hold_every_row_once(rows, margin, cells):
    surface = Surface.on_mercator(
        noise(rows + 2 * margin, 6 + 2 * margin),
        GeoBox(9, 300, 40_000, 6 + 2 * margin, rows + 2 * margin),
    )
    parts = list(strips(surface, margin, cells))
    inner = slice(margin, -margin or None)
    np.testing.assert_array_equal(
        np.concatenate([part.elevation[inner] for part in parts]), surface.elevation[inner]
    )
    np.testing.assert_array_equal(
        np.concatenate([part.dx[inner] for part in parts]), surface.dx[inner]
    )
    firsts = [part.origin[0] - surface.origin[0] for part in parts]
    lengths = [len(part.elevation) - 2 * margin for part in parts]
    assert firsts == [sum(lengths[:index]) for index in range(len(parts))]


def test_strips_are_short_where_little_is_needed_around():
    surface = surfaces.even(noise(1024, 512), 10, 10)
    longest = max(part.elevation.size for part in strips(surface, 1))
    assert longest <= STRIP_CELLS + 2 * 512


# Cells


@pytest.mark.parametrize(("lat", "row_off"), [(0.0, 2**17), (60.0, None), (-75.0, None)])
def test_mercator_cells_shrink_with_the_cosine_of_the_latitude(lat, row_off):
    world = 2**18
    if row_off is None:
        northing = np.arcsinh(np.tan(np.radians(lat)))
        row_off = round(world / 2 * (1 - northing / np.pi))
    grid = GeoBox(10, 5, row_off, 2, 3)
    surface = Surface.on_mercator(noise(3, 2), grid)
    expected = 2 * np.pi * EARTH_RADIUS / world * np.cos(np.radians(lat))
    assert surface.dx[0] == pytest.approx(expected, rel=2e-4)
    np.testing.assert_array_equal(surface.dx, surface.dy)
    assert surface.origin == (row_off, 5)


def test_a_degree_of_latitude_is_as_long_everywhere():
    surface = surfaces.on_degrees(noise(3, 2), 61.0, 0.5, 1.0)
    degree = 2 * np.pi * EARTH_RADIUS / 360
    np.testing.assert_allclose(surface.dy, degree, rtol=1e-6)
    np.testing.assert_allclose(
        surface.dx, degree / 2 * np.cos(np.radians([60.5, 59.5, 58.5])), rtol=1e-6
    )
    assert surface.resolution == pytest.approx(surface.dx[0])


def test_trimming_and_rows_keep_sizes_and_place():
    surface = Surface.on_mercator(noise(9, 7), GeoBox(6, 100, 4000, 7, 9))
    part = surface.trimmed(2)
    assert part.elevation.shape == (5, 3)
    assert part.origin == (4002, 102)
    np.testing.assert_array_equal(part.dx, surface.dx[2:-2])
    assert surface.trimmed(0) is surface
    some = surface.rows(3, 5)
    assert some.origin == (4003, 100)
    np.testing.assert_array_equal(some.dy, surface.dy[3:5])
