"""Right angles: what becomes of particular outlines."""

import numpy as np
import pytest
import shapely
from shapely import affinity

from samgis_process.vector import orthogonalized


def wavy(shape, angle=17, noise=0.25, seed=5):
    """The outline as a mask gives it: many vertices, each a little off."""
    rng = np.random.default_rng(seed)

    def ring(line):
        places = shapely.get_coordinates(shapely.segmentize(line, 2.0))[:-1]
        return places + rng.normal(0, noise, places.shape)

    drawn = shapely.Polygon(ring(shape.exterior), [ring(hole) for hole in shape.interiors])
    return affinity.rotate(drawn, angle, origin=(0, 0))


def angles_of(ring):
    places = shapely.get_coordinates(ring)[:-1]
    steps = np.diff(places, axis=0, append=places[:1])
    around = np.degrees(np.diff(np.arctan2(steps[:, 1], steps[:, 0]), append=np.nan)[:-1])
    return np.abs((around + 180) % 360 - 180)


def one(shape, cell=2.0):
    (found,) = orthogonalized([shape], cell)
    return found


def test_a_courtyard_gets_right_angles_too():
    house = shapely.box(0, 0, 90, 70) - shapely.box(30, 20, 60, 50)
    found = one(wavy(house))
    assert found.is_valid
    (court,) = found.interiors
    assert len(found.exterior.coords) == len(court.coords) == 5
    assert angles_of(court) == pytest.approx(90)
    assert shapely.Polygon(court).area == pytest.approx(900, rel=0.05)


def test_a_wall_that_is_clearly_diagonal_stays_so():
    house = shapely.Polygon([(0, 0), (80, 0), (80, 30), (50, 60), (0, 60)])
    found = one(wavy(house))
    assert len(found.exterior.coords) == 6
    turns = sorted(angles_of(found.exterior).round())
    assert turns[-2:] == [90, 90]
    there = affinity.rotate(house, 17, origin=(0, 0))
    assert shapely.hausdorff_distance(found.exterior, there.exterior) < 1.5


def test_cut_corners_and_jogs_of_less_than_the_tolerance_go():
    house = shapely.Polygon([(2, 0), (80, 0), (80, 40), (40, 40), (40, 41), (0, 41), (0, 2)])
    found = one(house)
    assert len(found.exterior.coords) == 5


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(0, 0).buffer(40),
        shapely.Polygon([(0, 0), (60, 0), (30, 52)]),
        shapely.Polygon(),
        shapely.box(0, 0, 1e-3, 1e-3),
    ],
)
def test_what_has_no_right_angles_to_be_found_is_returned_as_it_is(shape):
    assert one(shape).equals(shape) or shape.area == pytest.approx(1e-6)


def test_parts_stay_parts():
    houses = shapely.MultiPolygon(
        [wavy(shapely.box(0, 0, 50, 30)), wavy(shapely.box(80, 0, 110, 30))]
    )
    found = one(houses)
    assert found.geom_type == "MultiPolygon"
    assert [len(part.exterior.coords) for part in found.geoms] == [5, 5]


def test_neighbours_with_a_narrow_gap_meet_on_one_line():
    left, right = wavy(shapely.box(0, 0, 50, 40)), wavy(shapely.box(50.8, 0, 90, 40), seed=6)
    west, east = orthogonalized([left, right], 2.0)
    assert shapely.intersection(west, east).area < 1e-6
    common = shapely.intersection(west.boundary, east.boundary, grid_size=1e-5)
    assert common.length == pytest.approx(40, abs=2)
    assert shapely.coverage_is_valid([west, east])


def test_a_house_at_a_round_pond_keeps_their_common_bank():
    """The pond cannot have right angles; so the wall on its bank stays."""
    pond = shapely.Point(0, 0).buffer(40, quad_segs=24)
    house = shapely.box(0, -10, 90, 10) - pond
    found = orthogonalized([pond, house], 2.0)
    assert found[0].equals(pond)
    before = shapely.intersection(pond.boundary, house.boundary).length
    after = shapely.intersection(found[0].boundary, found[1].boundary).length
    assert after == pytest.approx(before)


def test_neighbours_askew_get_directions_of_their_own():
    left = wavy(shapely.box(0, 0, 50, 40), angle=0)
    right = affinity.translate(wavy(shapely.box(0, 0, 50, 40), angle=30), 72, 2)
    west, east = orthogonalized([left, right], 2.0)
    assert len(west.exterior.coords) == len(east.exterior.coords) == 5

    def direction(shape):
        first, second = shapely.get_coordinates(shape)[:2]
        return np.degrees(np.arctan2(*(second - first)[::-1])) % 90

    assert direction(west) % 90 == pytest.approx(0, abs=2) or direction(west) > 88
    assert direction(east) == pytest.approx(30, abs=2)


def test_no_outlines_are_no_trouble():
    assert orthogonalized([]) == []
