import numpy as np
import pytest

from models.training import prompts, protocol


@pytest.fixture
def truth():
    labels = np.zeros((300, 400), np.int32)
    labels[60:120, 100:260] = 3
    return prompts.soft_truth(labels, 3, (1024, 768))


def cell(place):
    return int((place[1] + 0.5) // 4), int((place[0] + 0.5) // 4)


def test_soft_truth_covers_what_the_object_covers(truth):
    assert truth.sum() * 16 == pytest.approx(60 * 160 * 2.56**2, rel=0.01)
    assert truth[int(90 * 0.64), int(180 * 0.64)] == 1


def test_the_first_click_lies_inside(truth):
    rng = np.random.default_rng(0)
    for _ in range(30):
        asked = prompts.first(truth, rng, boxes=0)
        coords, labels = asked.arrays()
        assert truth[cell(coords[0])] > 0.5
        assert labels.tolist() == [1, -1]  # padding where a box is missing


def test_a_box_is_close_to_the_object_and_needs_no_padding(truth):
    coords, labels = prompts.box(truth, np.random.default_rng(0)).arrays()
    assert labels.tolist() == [2, 3]
    edges = np.array([[100, 60], [260, 120]]) * 2.56
    assert np.abs(coords - edges).max() < 0.06 * 160 * 2.56 + 4


def test_a_correction_asks_for_what_is_missed_and_against_what_is_wrong(truth):
    rng = np.random.default_rng(0)
    at, label = prompts.correction(truth, np.zeros_like(truth, bool), rng)
    assert label == prompts.INCLUDE
    assert truth[cell(at)] > 0.5
    everything = np.ones_like(truth, bool)
    at, label = prompts.correction(truth, everything, rng)
    assert label == prompts.EXCLUDE
    assert truth[cell(at)] < 0.5
    assert prompts.correction(truth, truth > 0.5, rng) is None


def test_the_protocol_clicks_as_the_reference_does(test_data, script_of_protocol):
    reference = script_of_protocol
    for pair in reference.load_pairs(test_data / "pairs", "val")[::12]:
        _, labels = reference.read_pair(pair)
        key = f"{pair['source']}/{pair['name']}"
        numbers = reference.choose_objects(labels, key)
        assert protocol.chosen_objects(labels, key) == numbers
        for number in numbers[:2]:
            whole = labels == number
            moved = np.roll(whole, (3, -5), (0, 1))
            assert protocol.next_click(whole, moved) == reference.next_click(whole, moved)
            assert protocol.jittered_box(whole, number) == reference.jittered_box(whole, number)


@pytest.fixture
def script_of_protocol(test_data, monkeypatch, unavailable):
    if not (test_data / "click_protocol.py").exists():
        unavailable("no click_protocol.py in the reference data")
    monkeypatch.syspath_prepend(str(test_data))
    import click_protocol

    return click_protocol
