"""The laws of right angles, on drawn buildings whose corners are known."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import affinity

from samgis_process.vector import orthogonalized

RECTANGLE = [(0, 0), (60, 0), (60, 34), (0, 34)]
ELL = [(0, 0), (70, 0), (70, 26), (30, 26), (30, 60), (0, 60)]
TEE = [(0, 0), (80, 0), (80, 24), (54, 24), (54, 66), (26, 66), (26, 24), (0, 24)]
YOU = [(0, 0), (80, 0), (80, 60), (54, 60), (54, 26), (26, 26), (26, 60), (0, 60)]
BUILDINGS = [RECTANGLE, ELL, TEE, YOU]

angles = st.floats(-180, 180)
seeds = st.integers(0, 2**32 - 1)
# An example takes some milliseconds, and hypothesis counts them.
few = settings(max_examples=60, deadline=None)


def building(corners, angle, at=(300, 200)):
    turned = affinity.rotate(shapely.Polygon(corners), angle, origin=(0, 0))
    return affinity.translate(turned, *at)


def drawn(shape, seed, noise):
    """The outline as a mask gives it: many vertices, each a little off, corners cut."""
    rounded = shape.buffer(-2, join_style="mitre").buffer(2, quad_segs=2)
    dense = shapely.segmentize(rounded, 2.0)
    rng = np.random.default_rng(seed)
    ring = shapely.get_coordinates(dense.exterior)[:-1]
    return shapely.Polygon(ring + rng.normal(0, noise, ring.shape))


def squared(shape, cell=2.0):
    (found,) = orthogonalized([shape], cell)
    return found


def turns(shape):
    """How far each corner is from a right angle, degrees."""
    ring = shapely.get_coordinates(shape.exterior)[:-1]
    steps = np.diff(ring, axis=0, append=ring[:1])
    directions = np.arctan2(steps[:, 1], steps[:, 0])
    around = np.degrees(np.diff(directions, append=directions[:1]))
    return np.abs(np.abs((around + 180) % 360 - 180) - 90)


@few
@given(st.sampled_from(BUILDINGS), angles, seeds, st.floats(0, 0.4))
def test_corners_of_buildings_are_found_again(corners, angle, seed, noise):
    true = building(corners, angle)
    mask = drawn(true, seed, noise)
    assume(mask.is_valid)
    found = squared(mask)
    assert found.is_valid
    assert len(found.exterior.coords) - 1 == len(corners)
    assert turns(found).max() < 1e-6
    assert shapely.hausdorff_distance(found.exterior, true.exterior) < 1.5


@few
@given(st.sampled_from(BUILDINGS), angles, seeds)
def test_a_second_time_changes_nothing(corners, angle, seed):
    mask = drawn(building(corners, angle), seed, 0.3)
    assume(mask.is_valid)
    once = squared(mask)
    assert shapely.equals_exact(squared(once), once, 1e-6)


@few
@given(st.sampled_from(BUILDINGS), angles, angles, seeds)
def test_a_turned_outline_becomes_the_turned_building(corners, angle, turn, seed):
    mask = drawn(building(corners, angle), seed, 0.3)
    assume(mask.is_valid)
    there = affinity.rotate(squared(mask), turn, origin=(0, 0))
    back = squared(affinity.rotate(mask, turn, origin=(0, 0)))
    assert shapely.symmetric_difference(there, back).area < 1e-3 * mask.area


@few
@given(st.floats(5, 200), st.floats(1, 1.3), angles)
def test_what_is_round_stays_as_it_is(radius, stretch, angle):
    disc = shapely.Point(300, 200).buffer(radius, quad_segs=32)
    pond = affinity.rotate(affinity.scale(disc, stretch, 1.0), angle)
    assert squared(pond).equals(pond)


@few
@given(seeds, st.integers(5, 60), st.floats(0.05, 0.6))
def test_whatever_comes_in_valid_goes_out_valid_and_much_the_same(seed, count, wild):
    rng = np.random.default_rng(seed)
    at = np.linspace(0, 2 * math.pi, count, endpoint=False)
    reach = 50 * (1 + wild * rng.uniform(-1, 1, count))
    blob = shapely.Polygon(np.column_stack([300 + reach * np.cos(at), 200 + reach * np.sin(at)]))
    assume(blob.is_valid)
    found = squared(blob)
    assert found.is_valid
    both = shapely.intersection(found, blob).area
    assert both / shapely.union(found, blob).area > 0.849
    assert found.area == pytest.approx(blob.area, rel=0.1001)


def terrace(seed, angle, widths, noise):
    """Houses wall to wall, whose common walls are wavy in both alike."""
    rng = np.random.default_rng(seed)
    lefts = np.concatenate([[0.0], np.cumsum(widths)])
    heights = rng.uniform(24, 40, len(widths))
    walls = [_wall(rng, left, noise) for left in lefts]
    houses = []
    for i, height in enumerate(heights):
        left, right = walls[i], walls[i + 1]
        top = min(height, 40.0)
        left, right = (wall[wall[:, 1] <= top] for wall in (left, right))
        houses.append(shapely.Polygon(np.concatenate([right, left[::-1]])))
    return [affinity.translate(affinity.rotate(h, angle, origin=(0, 0)), 300, 200) for h in houses]


def _wall(rng, left, noise):
    rows = np.arange(0, 41, 1.0)
    return np.column_stack([left + rng.normal(0, noise, rows.size), rows])


@few
@given(seeds, angles, st.lists(st.floats(20, 50), min_size=2, max_size=5))
def test_a_wall_between_two_stays_one_line(seed, angle, widths):
    houses = terrace(seed, angle, widths, 0.3)
    assume(all(house.is_valid for house in houses))
    found = orthogonalized(houses, 2.0)
    for left, right, old_left, old_right in zip(
        found, found[1:], houses, houses[1:], strict=False
    ):
        assert left.is_valid
        assert shapely.intersection(left, right).area < 1e-4
        before = shapely.intersection(old_left.boundary, old_right.boundary).length
        common = shapely.intersection(left.boundary, right.boundary, grid_size=1e-5).length
        assert common > 0.6 * before
    assert any(not new.equals(old) for new, old in zip(found, houses, strict=True))
