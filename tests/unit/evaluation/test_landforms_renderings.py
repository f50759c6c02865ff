import numpy as np
import pytest

from models.evaluation.landforms import drawn, renderings
from models.evaluation.landforms.scene import HALO, Scene


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
