import numpy as np
import pytest
import surfaces

from samgis_process.terrain.smoothing import reach_of, smoothed


@pytest.mark.parametrize(("sigma", "cells"), [(0, 0), (-1, 0), (1, 1), (10, 4), (20, 7)])
def test_it_reaches_three_standard_deviations(sigma, cells):
    assert reach_of(sigma, 10.0) == cells


def test_without_a_reach_nothing_is_smoothed():
    surface = surfaces.even(np.ones((3, 4), np.float32), 1, 1)
    assert smoothed(surface, 5.0, 0) is surface


def test_a_spike_becomes_a_bell_as_wide_in_metres_both_ways():
    z = np.zeros((41, 81), np.float32)
    z[20, 40] = 1000
    bell = smoothed(surfaces.even(z, 5, 10), 20.0, 12).elevation.astype(np.float64)
    assert bell.shape == (17, 57)
    assert bell.sum() == pytest.approx(1000, rel=1e-5)
    y, x = np.mgrid[-8:9, -28:29]
    for axis, size in ((x, 5), (y, 10)):
        spread = np.sqrt((bell * (axis * size) ** 2).sum() / bell.sum())
        assert spread == pytest.approx(20, rel=0.04)  # tails beyond 3 sigma and the frame are cut


def test_voids_do_not_count_and_are_not_filled():
    z = np.full((9, 9), 40, np.float32)
    z[4, 4:6] = np.nan
    result = smoothed(surfaces.even(z, 10, 10), 12.0, 3).elevation
    np.testing.assert_array_equal(np.isnan(result), np.isnan(z[3:-3, 3:-3]))
    np.testing.assert_allclose(result[~np.isnan(result)], 40, rtol=1e-6)
