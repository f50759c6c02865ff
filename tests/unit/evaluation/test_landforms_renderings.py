import numpy as np
import pytest

from models.evaluation.landforms import drawn, proposed, renderings
from models.evaluation.landforms.scene import HALO, Scene
from samgis_process.sources.sample.noise import fractal
from samgis_process.terrain import Surface

PROPOSED = [proposed.relief, proposed.terrain]


def rough(side=64, cell_m=10.0):
    shape = (side + 2 * HALO, side + 2 * HALO)
    heights = 4 * cell_m * fractal(np.random.default_rng(1), shape, 1.8)
    return Surface.even(heights + np.float32(900), cell_m, cell_m)


def flat(level):
    shape = (48 + 2 * HALO, 48 + 2 * HALO)
    return np.full(shape, level, np.float32)


@pytest.mark.parametrize("paint", PROPOSED)
def test_a_colour_depends_on_what_lies_near_alone(paint):
    whole = rough(96)
    part = paint(whole.trimmed(16))
    assert np.array_equal(paint(whole)[16:-16, 16:-16], part)


@pytest.mark.parametrize("level", [-400.0, 0.0, 8000.0])
def test_flat_ground_is_grey_in_terrain_and_the_middle_tint_in_relief(level):
    surface = Surface.even(flat(level), 10.0, 10.0)
    assert (proposed.terrain(surface) == 128).all()
    assert (proposed.relief(surface) == dict(proposed.RAMP)[0.0]).all()


@pytest.mark.parametrize("paint", PROPOSED)
@pytest.mark.parametrize("cell_m", [1.0, 30.0, 250.0])
def test_there_is_contrast_at_every_scale(paint, cell_m):
    image = paint(rough(cell_m=cell_m))
    assert image.reshape(-1, 3).std(axis=0).min() > 10


def test_hill_and_pit_differ_in_every_channel_of_terrain():
    rows, cols = np.mgrid[-160:160, -160:160].astype(np.float32)
    hill = 60 * np.exp(-(rows**2 + cols**2) / 20**2)
    up, down = (
        proposed.terrain(Surface.even(sign * hill, 10.0, 10.0)).astype(int) for sign in (1, -1)
    )
    middle = up.shape[0] // 2
    assert (up[middle, middle] > 140).all()
    assert (down[middle, middle] < 116).all()
    assert np.allclose(up[..., 0] - 128, 128 - down[..., 0], atol=1)
    assert np.allclose(up[..., 2] - 128, 128 - down[..., 2], atol=1)


def test_both_flanks_of_a_hill_look_alike_in_relief():
    rows, cols = np.mgrid[-160:160, -160:160].astype(np.float32) + 0.5
    hill = 60 * np.exp(-(rows**2 + cols**2) / 20**2)
    image = proposed.relief(Surface.even(hill, 10.0, 10.0)).astype(int)
    assert np.abs(image - image[:, ::-1]).max() <= 3
    assert np.abs(image - image[::-1]).max() <= 3


@pytest.mark.parametrize("name", renderings.RENDERINGS)
def test_every_candidate_draws_a_window_and_leaves_out_what_is_unknown(name):
    scene = drawn.scene(drawn.Plan("mesa", 13, 36.9, 96, 1, 4.0, 14, 1600), 3)
    elevation = scene.elevation.copy()
    elevation[HALO + 5, HALO + 7] = np.nan
    holed = Scene(
        scene.name, scene.origin, elevation, scene.cell_m, scene.labels, scene.kinds, scene.asked
    )
    image = renderings.picture(holed, name)
    assert image.shape == (96, 96, 3)
    assert image.dtype == np.uint8
    assert image[5, 7].tolist() == renderings.NOTHING.tolist()
    assert image.std() > 3
