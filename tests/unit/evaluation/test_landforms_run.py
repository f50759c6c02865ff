import numpy as np
import pytest

from models.evaluation.landforms import drawn, sheet
from models.evaluation.landforms.rows import MEASURES
from models.evaluation.landforms.run import run
from models.evaluation.predict import Answer
from samgis_process.vector import Patch, pixel_polygons

PLAN = drawn.Plan("cinder cone", 15, 38.6, 128, 3, 5.0, 26, 2300)


@pytest.fixture(scope="module")
def scene():
    return drawn.scene(PLAN, 5)


def all_of(scene):
    """Answer with everything in the window, right for no landform."""
    return lambda *_: (np.ones(scene.labels.shape, bool), 1.0)


def test_every_landform_is_asked_for_in_every_rendering(scene):
    (rows,) = run([scene], ["hillshade", "grey"], all_of(scene))
    assert [(row.rendering, row.object_id) for row in rows] == [
        (name, number) for name in ("hillshade", "grey") for number in scene.asked
    ]
    for row in rows:
        share = (scene.labels == row.object_id).mean()
        assert all(row[measure] == pytest.approx(share) for measure in MEASURES)


def test_a_perfect_answer_counts_as_one(scene):
    def oracle(_image, points, _labels, box, _previous):
        x, y = points[0] if len(points) else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        return scene.labels == scene.labels[int(y), int(x)], 1.0

    (rows,) = run([scene], ["grey"], oracle)
    assert all(row[measure] == 1 for row in rows for measure in MEASURES)


def test_a_sheet_has_a_panel_for_each_window_and_rendering(scene):
    def predict(*_):
        mask = scene.labels == scene.asked[0]
        outline = pixel_polygons(Patch(mask.astype(np.float32) - 0.5, 0, 0))
        return Answer(mask, 1.0, None, None, outline, 0.0, 0.0)

    page = sheet.sheet([scene, scene], ["grey", "hillshade"], predict)
    across = sheet.GAP + 2 * (sheet.PANEL + sheet.GAP)
    assert page.size == (across, sheet.HEADING + 2 * (sheet.PANEL + sheet.CAPTION + sheet.GAP))
    colours = np.asarray(page).reshape(-1, 3)
    green = (colours[:, 1] > 180) & (colours[:, 0] < 150) & (colours[:, 2] < 150)
    magenta = (colours[:, 0] > 180) & (colours[:, 1] < 120) & (colours[:, 2] > 150)
    assert green.any() or magenta.any()
