import importlib.util

import numpy as np
import pytest
from scipy import ndimage

from models.evaluation import drawn, pairs, protocol

SHAPE = (60, 90)


def square(top, left, height, width):
    mask = np.zeros(SHAPE, bool)
    mask[top : top + height, left : left + width] = True
    return mask


@pytest.fixture(scope="session")
def reference(test_data, unavailable):
    path = test_data / "click_protocol.py"
    if not path.is_file():
        unavailable(f"no {path}")
    spec = importlib.util.spec_from_file_location("click_protocol", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_colour(image, points, labels, box, previous):
    """Return a cheap answer that depends on everything it is told, and is often wrong."""
    grey = image.astype(np.float32).mean(axis=2)
    grey = ndimage.uniform_filter(grey, 3)
    rows, cols = np.indices(grey.shape)
    if box is not None:
        left, top, right, bottom = box
        inside = (cols >= left) & (cols <= right) & (rows >= top) & (rows <= bottom)
        return inside & (grey > grey[inside].mean() - 20), 0.5
    field = np.zeros(grey.shape) if previous is None else previous * 0.5
    for (x, y), label in zip(points, labels, strict=True):
        alike = 25 - np.abs(grey - grey[int(y), int(x)])
        near = 1 - np.hypot(cols - x, rows - y) / 60
        field = field + (1 if label else -1) * np.minimum(alike / 25, near)
    several = np.stack([field > 0.3, field > 0])
    return several, np.array([0.2, 0.3 if len(points) % 2 else 0.1]), field


def test_the_first_click_is_farthest_from_the_border_and_from_the_picture_s_edge():
    assert protocol.next_click(square(10, 20, 9, 21), square(0, 0, 0, 0)) == (24, 14, 1)
    assert protocol.centre_click(square(0, 0, 5, 90))[1] == 2


def test_the_next_click_goes_into_the_largest_error_with_its_label():
    truth, mask = square(10, 10, 10, 10), square(10, 10, 10, 30)
    assert protocol.next_click(truth, mask)[2] == 0
    assert protocol.next_click(mask, truth)[2] == 1
    assert protocol.next_click(truth, truth) is None


def test_a_perfect_mask_ends_the_clicks_and_keeps_its_iou():
    image, truth = np.zeros((*SHAPE, 3), np.uint8), square(10, 10, 10, 10)
    asked = []

    def perfect(*prompts):
        asked.append(prompts)
        return truth, 1.0

    found = protocol.run_object(perfect, image, truth, 1)
    assert found == {"c1": 1.0, "c3": 1.0, "c5": 1.0, "box": 1.0}
    assert len(asked) == 2


def test_a_box_stays_in_the_picture_and_near_the_object():
    truth = square(0, 40, 20, 50)
    for number in range(50):
        left, top, right, bottom = protocol.jittered_box(truth, number)
        assert 0 <= top <= 1
        assert right <= SHAPE[1] - 1
        assert abs(left - 40) <= 2.5
        assert abs(bottom - 19) <= 1


def test_objects_too_small_or_too_large_are_left_out():
    labels = np.zeros((100, 100), np.int32)
    labels[0, :5], labels[10:20, :50], labels[30:, :] = 1, 2, 3
    assert protocol.choose_objects(labels, "any") == [2]


def test_a_mask_of_another_shape_is_refused():
    image = np.zeros((*SHAPE, 3), np.uint8)
    with pytest.raises(ValueError, match="mask"):
        protocol.run_object(lambda *_: (np.zeros((3, 3), bool), 1.0), image, square(9, 9, 9, 9), 1)


def test_every_number_is_that_of_the_reference_object_by_object(reference, test_data):
    ours = pairs.load(test_data / "pairs", "val")
    theirs = reference.load_pairs(str(test_data / "pairs"), split="val")
    assert [str(pair.image_path) for pair in ours] == [row["image_path"] for row in theirs]
    for pair, row in zip(ours[::9], theirs[::9], strict=True):
        image, labels = pair.read()
        key = f"{pair.source}/{pair.name}"
        objects = protocol.choose_objects(labels, key)
        assert objects == reference.choose_objects(reference.read_pair(row)[1], key)
        for object_id in objects[:3]:
            truth = labels == object_id
            arguments = (by_colour, image, truth, object_id)
            assert protocol.run_object(*arguments) == reference.run_object(*arguments)


def test_the_same_objects_and_the_same_table_as_the_reference(reference, tmp_path):
    root = drawn.write(tmp_path)
    tasks = pairs.tasks(pairs.load(root), 20)
    rows = {}
    for task in tasks:
        image, labels = task.pair.read()
        for number in task.objects:
            found = protocol.run_object(by_colour, image, labels == number, number)
            rows.setdefault(task.pair.source, []).append(found)
    theirs = reference.evaluate(by_colour, reference.load_pairs(str(root)), limit_objects=20)
    ours = protocol.table(rows, theirs["seconds"])
    assert ours == theirs
    assert list(ours) == list(theirs)
    assert reference.as_markdown(ours) == reference.as_markdown(theirs)


def test_val_has_the_583_objects_of_the_published_tables(test_data):
    tasks = pairs.tasks(pairs.load(test_data / "pairs", "val"))
    assert sum(len(task.objects) for task in tasks) == 583
