import numpy as np
import pytest

from samgis_process.inference.frame import InputFrame
from samgis_process.processes import detail
from samgis_process.processes.outlines import Box

WINDOW = InputFrame(2048, 1500)


def test_a_second_look_is_for_small_objects_of_windows_wider_than_the_frame():
    small, large = Box(100, 100, 180, 140), Box(100, 100, 300, 140)
    assert detail.is_due(small, WINDOW, "auto", drawn=False)
    assert not detail.is_due(large, WINDOW, "auto", drawn=False)
    assert detail.is_due(large, WINDOW, "auto", drawn=True)
    assert not detail.is_due(small, InputFrame(1024, 700), "auto", drawn=True)
    assert detail.is_due(large, WINDOW, "always", drawn=False)
    assert not detail.is_due(small, WINDOW, "never", drawn=True)


@pytest.mark.parametrize("box", [(0, 0, 20, 10), (2030, 1490, 2048, 1500), (900, 700, 1000, 760)])
def test_the_crop_holds_the_object_and_lies_in_the_window(box):
    crop = detail.crop_around(Box(*box), WINDOW)
    assert 0 <= crop.col_off <= box[0] <= box[2] <= crop.col_off + crop.width <= WINDOW.width
    assert 0 <= crop.row_off <= box[1] <= box[3] <= crop.row_off + crop.height <= WINDOW.height
    assert max(crop.width, crop.height) <= 4 * max(box[2] - box[0], 64) + 2 * detail.STEP


def test_objects_a_little_apart_share_a_crop():
    crops = {detail.crop_around(Box(900 + i, 700, 940 + i, 740), WINDOW) for i in range(10)}
    assert len(crops) == 1


def test_the_crop_is_no_larger_than_the_window():
    assert detail.crop_around(Box(0, 0, 900, 100), WINDOW) == (0, 0, 2048, 1500)


def test_logits_lie_in_the_crop_where_they_lay_in_the_window():
    rows, cols = (np.indices((256, 256)) + 0.5) * 8  # positions in the window, pixels
    crop = detail.Crop(640, 320, 256, 256)
    crop_frame = InputFrame(256, 256)
    for axis, field in (("col", cols), ("row", rows)):
        moved = detail.cropped((field - 700).astype(np.float16), WINDOW, crop, crop_frame)
        expected = np.arange(256) + 0.5 + (640 if axis == "col" else 320) - 700
        line = moved[128] if axis == "col" else moved[:, 128]
        assert np.allclose(line, expected, atol=0.6)
