import math

import numpy as np
import pytest
from scipy import ndimage

from models.evaluation import intervals, metrics


def disc(radius, centre=(50, 60), shape=(100, 120)):
    rows, cols = np.indices(shape)
    return np.hypot(rows - centre[0], cols - centre[1]) <= radius


def test_boundary_iou_is_that_of_eroding_the_whole_picture():
    first, second = disc(30), disc(28, (48, 66))
    width = metrics.band_width(first.shape)

    def band(mask):
        eroded = ndimage.binary_erosion(mask, np.ones((3, 3)), width)
        return mask & ~eroded

    both = np.count_nonzero(band(first) & band(second))
    expected = both / np.count_nonzero(band(first) | band(second))
    assert metrics.boundary_iou(first, second) == pytest.approx(expected)


def test_boundary_iou_of_a_mask_at_the_picture_s_edge_counts_the_edge():
    whole = np.ones((40, 40), bool)
    ring = whole.copy()
    ring[1:-1, 1:-1] = False
    assert metrics.band_width(whole.shape) == 1
    assert metrics.boundary_iou(whole, ring) == 1.0
    assert metrics.boundary_iou(whole, ring, 2) < 1.0


def test_a_shifted_small_object_loses_more_at_its_border_than_in_its_area():
    first, second = disc(30), disc(30, (50, 64))
    inside = np.count_nonzero(first & second) / np.count_nonzero(first | second)
    assert metrics.boundary_iou(first, second) < inside - 0.2


def test_a_perfect_score_has_no_error_and_full_rank_correlation():
    ious = np.array([0.1, 0.5, 0.55, 0.9, 1.0])
    told = metrics.calibration(ious, ious)
    assert (told["error"], told["bias"]) == (0.0, 0.0)
    assert told["spearman"] == pytest.approx(1.0)
    assert [row[2] for row in told["bins"]] == [1, 2, 2]


def test_a_constant_score_has_no_rank_correlation():
    told = metrics.calibration(np.full(3, 0.8), np.array([0.2, 0.4, 0.6]))
    assert math.isnan(told["spearman"])
    assert told["bias"] == pytest.approx(0.4)


def test_intervals_hold_the_mean_and_narrow_with_more_objects():
    random = np.random.default_rng(1)
    few, many = random.normal(0.5, 0.1, 20), random.normal(0.5, 0.1, 2000)
    small = intervals.intervals(few, ["a"] * 20)["all"]
    large = intervals.intervals(many, ["a"] * 2000)["all"]
    assert small.low < few.mean() < small.high
    assert large.high - large.low < (small.high - small.low) / 5
    assert large.high - large.low == pytest.approx(2 * 1.96 * 0.1 / 2000**0.5, rel=0.1)


def test_the_mean_of_sources_weighs_each_source_the_same():
    found = intervals.intervals([1.0] * 9 + [0.0], ["many"] * 9 + ["one"])
    assert found["all"].mean == pytest.approx(0.9)
    assert found["mean_of_sources"] == (0.5, 0.5, 0.5)


def test_values_that_are_no_numbers_are_left_out():
    found = intervals.intervals([0.5, math.nan], ["a", "b"])
    assert set(found) == {"a", "all", "mean_of_sources"}
    assert intervals.intervals([math.nan], ["a"]) == {}
