"""Which masks are answered, in which order."""

import numpy as np
import pytest

from samgis_process.inference.masks import Rule, choose, rank
from samgis_process.inference.model import Decoded

WHOLE_GRID = (256, 256)
CLEAR_FIRST, ALL_ALIKE = Rule(), Rule(single=False)


def decoded(shares, predicted):
    """Masks that cover shares of the grid from the top, with their predicted IoU."""
    logits = np.full((len(shares), 256, 256), -5, np.float32)
    for mask, share in zip(logits, shares, strict=True):
        mask[: int(256 * share)] = 5
    return Decoded(logits, np.array(predicted, np.float32))


def shares_of(masks):
    return [round(float((mask.logits > 0).mean()), 2) for mask in masks]


def test_the_alternatives_of_a_click_follow_by_rank_and_the_single_reading_last():
    answer = decoded((0.1, 0.2, 0.4, 0.6), (0.99, 0.7, 0.9, 0.8))
    masks = rank(answer, WHOLE_GRID, "click", CLEAR_FIRST)
    assert shares_of(masks) == pytest.approx([0.4, 0.6, 0.2, 0.1], abs=0.01)
    chosen = choose(answer, WHOLE_GRID, "click", CLEAR_FIRST)
    np.testing.assert_array_equal(masks[0].logits, chosen.logits)


def test_with_a_box_the_single_reading_leads():
    answer = decoded((0.1, 0.2, 0.4, 0.6), (0.5, 0.7, 0.9, 0.8))
    masks = rank(answer, WHOLE_GRID, "box", CLEAR_FIRST)
    assert shares_of(masks) == pytest.approx([0.1, 0.4, 0.6, 0.2], abs=0.01)


def test_readings_that_are_alike_or_empty_are_told_once():
    answer = decoded((0.0, 0.2, 0.201, 0.6), (0.5, 0.9, 0.8, 0.7))
    masks = rank(answer, WHOLE_GRID, "click", CLEAR_FIRST)
    assert shares_of(masks) == pytest.approx([0.2, 0.6], abs=0.01)


def test_an_empty_answer_stays_one():
    answer = decoded((0.0, 0.0), (0.5, 0.4))
    assert shares_of(rank(answer, WHOLE_GRID, "clicks", CLEAR_FIRST)) == [0.0]


@pytest.mark.parametrize("kind", ["click", "clicks", "box"])
def test_without_a_single_reading_the_best_rated_leads(kind):
    answer = decoded((0.1, 0.2, 0.4), (0.5, 0.9, 0.7))
    chosen = choose(answer, WHOLE_GRID, kind, ALL_ALIKE)
    assert shares_of([chosen]) == pytest.approx([0.2], abs=0.01)


def test_a_model_of_one_mask_answers_with_it():
    answer = decoded((0.3,), (0.9,))
    masks = rank(answer, WHOLE_GRID, "click", CLEAR_FIRST)
    assert shares_of(masks) == pytest.approx([0.3], abs=0.01)


def test_a_rule_may_let_the_single_reading_answer_a_click():
    answer = decoded((0.1, 0.2, 0.4, 0.6), (0.5, 0.7, 0.9, 0.8))
    masks = rank(answer, WHOLE_GRID, "click", Rule(click="single"))
    assert shares_of(masks) == pytest.approx([0.1, 0.4, 0.6, 0.2], abs=0.01)
