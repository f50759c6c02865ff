import numpy as np
import pytest
from scipy import ndimage

from models.evaluation.landforms import drawn, shapes
from models.evaluation.landforms.scene import HALO


def place(radius=60.0, side=256, steep=0.3, cell_m=10.0):
    rows, cols = np.mgrid[0:side, 0:side].astype(np.float32) - side / 2
    return shapes.Place(cols, rows, radius, cell_m, steep)


@pytest.mark.parametrize("kind", ["stratovolcano", "cinder cone", "doline", "drumlin", "hill"])
def test_what_stands_alone_changes_the_ground_inside_its_outline_only(kind):
    form = shapes.KINDS[kind](place(), np.random.default_rng(1))
    assert not form.height[~form.inside].any()
    assert (np.abs(form.height[form.inside]) > 0).mean() > 0.99


@pytest.mark.parametrize("kind", ["cinder cone", "doline", "mesa", "barchan", "valley floor"])
def test_the_outline_lies_where_the_slope_breaks(kind):
    form = shapes.KINDS[kind](place(), np.random.default_rng(2))
    down, right = np.gradient(form.height, 10.0)
    slope = np.hypot(down, right)
    inner = ndimage.binary_erosion(form.inside, iterations=2)
    within = (inner & ~ndimage.binary_erosion(inner, iterations=4))[8:-8, 8:-8]
    outer = ~ndimage.binary_dilation(form.inside, iterations=2)
    beyond = (outer & ~ndimage.binary_erosion(outer, iterations=4))[8:-8, 8:-8]
    steep, level = np.median(slope[8:-8, 8:-8][within]), np.median(slope[8:-8, 8:-8][beyond])
    if kind == "valley floor":
        steep, level = level, steep
    assert steep > 0.1
    assert level < 0.01


@pytest.mark.parametrize("kind", ["caldera", "impact crater"])
def test_the_outline_of_a_crater_is_its_rim(kind):
    form = shapes.KINDS[kind](place(), np.random.default_rng(3))
    border = form.inside & ~ndimage.binary_erosion(form.inside)
    heights = form.height[border]
    assert heights.min() > 0.8 * form.height.max()
    assert form.height[128, 128] < heights.min() / 2


def test_a_barchan_is_gentle_to_windward_and_at_the_angle_of_repose_to_leeward():
    at = place(steep=0.18)
    form = shapes.barchan(at, np.random.default_rng(4))
    _, right = np.gradient(form.height, 10.0)
    lee = (right < 0) & form.inside
    assert np.percentile(-right[lee], 90) == pytest.approx(shapes.REPOSE, rel=0.05)
    assert np.percentile(right[right > 0], 80) == pytest.approx(0.18, rel=0.1)


def test_scenes_are_the_same_at_every_call_and_lie_in_whole_metres_where_cells_are_large():
    plan = drawn.Plan("impact crater", 12, 23.9, 128, 3, 5.0, 10, 500)
    first, again = drawn.scene(plan, 7), drawn.scene(plan, 7)
    assert np.array_equal(first.elevation, again.elevation)
    assert np.array_equal(first.elevation, np.rint(first.elevation))
    assert first.elevation.shape == (128 + 2 * HALO, 128 + 2 * HALO)
    assert first.window.shape == first.labels.shape == (128, 128)
    assert first.asked
    assert first.cell_m == pytest.approx(34.94, abs=0.01)


def test_plans_are_spread_over_kinds_and_scales():
    cells = [plan.cell_m for plan in drawn.PLANS]
    assert {plan.kind for plan in drawn.PLANS} == set(shapes.KINDS)
    assert np.histogram(cells, [0, 1, 3, 12, 40, 300])[0].min() >= 3
    assert sum(plan.landforms > 1 for plan in drawn.PLANS) >= 12
