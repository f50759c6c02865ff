import numpy as np
import pytest

from models.training import pictures, scenes

KINDS = (scenes.town, scenes.lakes, scenes.river, scenes.fields, scenes.terrain)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_scene_shows_objects_that_differ_from_their_surroundings(kind):
    image, labels = kind(np.random.default_rng(5))
    assert image.shape == (*labels.shape, 3)
    assert np.isfinite(image).all()
    assert labels.max() >= 1
    assert 0.005 < (labels > 0).mean() <= 1


def test_the_same_seed_draws_the_same_scene():
    one, two = (scenes.draw(np.random.default_rng(8)) for _ in range(2))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])


def test_a_view_keeps_picture_and_truth_together():
    # Red objects on green: whatever is turned, cut or shrunk, redness marks the objects.
    labels = np.zeros((200, 300), np.int32)
    labels[20:90, 30:120], labels[110:180, 150:290] = 1, 2
    image = np.where(labels[..., None] > 0, [200, 30, 30], [30, 160, 30]).astype(np.uint8)
    rng = np.random.default_rng(3)
    for _ in range(20):
        seen, marks = pictures.turned((image, labels), rng)
        seen, marks = pictures.window(seen, marks, rng.uniform(100, 200), rng)
        assert np.array_equal(seen[..., 0] > 100, marks > 0)


def test_an_object_cut_in_two_counts_as_two_and_crumbs_do_not_count():
    labels = np.zeros((100, 100), np.int32)
    labels[10:30, 10:30] = labels[50:80, 50:90] = 4
    labels[95, 95] = 4
    found = pictures.objects(labels)
    assert found.max() == 2
    assert found[95, 95] == 0
    assert found[20, 20] != found[60, 60]


def test_only_licensed_sources_are_read_for_training(test_data):
    found = pictures.pairs(test_data / "pairs", "train")
    assert set(found) == {"oam_banepa", "naip_potholes", "landsat_ucayali"}
    assert sum(len(samples) for samples in found.values()) == 52
