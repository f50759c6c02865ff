"""Layers of ground whose shape is known in closed form.

Heights are stored in float32, so a height of h metres is off by up to h 2^-24: some 1e-5 m here.
Over a cell of c metres that is 1e-5 / c of gradient and 4e-5 / c^2 of curvature; tolerances below
are that (`rounding`) plus, where the surface is not a polynomial, what a difference over two cells
leaves out, of the order (cell / radius of curvature)^2.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
import surfaces

from samgis_process.terrain import Options, compute
from samgis_process.terrain.position import position

QUADRANTS = [(0.31, 0.17), (0.42, -1.1), (-0.9, -0.23), (-0.06, 0.5), (0.0, 0.7), (-1.3, 0.0)]
PLACES = {
    "square metres": ("even", 10.0, 10.0, 47, 61, (13, 40)),
    "oblong metres": ("even", 7.5, 20.0, 47, 61, (13, 40)),
    "oblong the other way": ("even", 30.0, 11.0, 61, 47, (40, 13)),
    "mercator at the equator": ("on_mercator", 0.0, 12, 47, 61, (13, 40)),
    "mercator at 46 N": ("on_mercator", 46.0, 13, 47, 61, (13, 40)),
    "mercator at 60 S": ("on_mercator", -60.0, 13, 47, 61, (13, 40)),
    "mercator at 80 N": ("on_mercator", 80.0, 11, 47, 61, (13, 40)),
    "degrees at 36 N": ("on_degrees", 36.0, 1 / 3600, 1 / 3600, 47, 61, (13, 40)),
    "oblong degrees at 70 S": ("on_degrees", -70.0, 1 / 1200, 1 / 3600, 61, 47, (40, 13)),
}


@pytest.fixture(scope="module")
def shapes(script):
    return script("terrain_shapes")


@pytest.fixture(params=PLACES, ids=lambda name: name.replace(" ", "-"))
def place(request, shapes):
    kind, *arguments = PLACES[request.param]
    return getattr(shapes, kind)(*arguments)


def inner(derivatives, ring=1):
    return type(derivatives)(*(np.asarray(d)[ring:-ring, ring:-ring] for d in derivatives))


def layer(surface, name, halo=1, **options):
    result = compute(surface, name, Options(**options), halo)
    assert result.dtype == np.float32
    return result


def rounding(surface):
    """Bounds of what storing heights in float32 does to a gradient and to a curvature."""
    height = np.nanmax(np.abs(surface.elevation)) * 2**-24
    cell = surface.resolution
    return 4 * height / cell + 1e-6, 8 * height / cell**2


# Gradients


@pytest.mark.parametrize("gradient", QUADRANTS)
def test_planes_have_their_slope_and_aspect(place, shapes, gradient):
    """Weights of any kind are exact on a plane: only rounding is left."""
    surface, expected = place(shapes.plane(*gradient))
    expected, (tolerance, _) = inner(expected), rounding(surface)
    degrees = math.degrees(tolerance)
    assert np.abs(layer(surface, "slope") - shapes.slope(expected)).max() < degrees
    steepness = math.hypot(*gradient)
    away = shapes.turned(layer(surface, "aspect"), shapes.aspect(expected))
    assert away.max() < degrees / steepness + 1e-4


@pytest.mark.parametrize("gradient", QUADRANTS)
@pytest.mark.parametrize("sun", [(315.0, 45.0), (20.0, 70.0), (190.0, 10.0)])
def test_planes_are_lit_by_the_law_of_cosines(place, shapes, gradient, sun):
    surface, expected = place(shapes.plane(*gradient))
    expected, (tolerance, _) = inner(expected), rounding(surface)
    azimuth, altitude = sun
    lit = layer(surface, "hillshade", azimuth=azimuth, altitude=altitude)
    assert np.abs(lit - shapes.hillshade(expected, *sun)).max() < 255 * tolerance + 1e-3
    multi = layer(surface, "hillshade_multi", altitude=altitude)
    steepness = math.hypot(*gradient)
    allowed = 255 * tolerance * (1 + 2 / steepness) + 1e-3  # its weights turn with the aspect
    assert np.abs(multi - shapes.hillshade_multi(expected, altitude)).max() < allowed


@pytest.mark.parametrize("lat", [-72.0, 30.0, 75.0])
def test_a_tall_mercator_window_knows_the_latitude_of_each_row(shapes, lat):
    """Over 300 rows of zoom 5 cos(latitude) changes by a tenth to a third."""
    surface, expected = shapes.on_mercator(lat, 5, 300, 31, (211, 9))(shapes.plane(0.4, -0.3))
    assert np.ptp(expected.x) > 0.05
    expected, (tolerance, _) = inner(expected), rounding(surface)
    got = layer(surface, "slope")
    assert np.abs(got - shapes.slope(expected)).max() < math.degrees(tolerance + 1e-5)
    assert shapes.turned(layer(surface, "aspect"), shapes.aspect(expected)).max() < 0.01


def test_a_tall_window_in_degrees_knows_the_latitude_of_each_row(shapes):
    place = shapes.on_degrees(66.0, 0.05, 0.04, 300, 31, (211, 9))
    surface, expected = place(shapes.plane(0.4, -0.3))
    expected, (tolerance, _) = inner(expected), rounding(surface)
    assert np.ptp(expected.x) > 0.1
    got = layer(surface, "slope")
    assert np.abs(got - shapes.slope(expected)).max() < math.degrees(tolerance + 1e-5)


def test_level_ground_faces_nowhere():
    surface = surfaces.even(np.full((5, 6), 117.25, np.float32), 30, 20)
    assert np.isnan(layer(surface, "aspect")).all()
    assert (layer(surface, "slope") == 0).all()
    for name in ("hillshade", "hillshade_multi"):
        lit = layer(surface, name, altitude=30)
        np.testing.assert_allclose(lit, 127.5, atol=1e-4)


@pytest.mark.parametrize("rise", [1e-15, 1e-20, 1e-22, 3e-23])
def test_what_is_all_but_level_is_lit_and_bent_as_level_ground(shapes, rise):
    """As resampling leaves it of the sea: squares of such gradients are lost to float32."""
    place = shapes.even(1, 1, 5, 5, (2, 2))
    surface, _ = place(shapes.plane(rise, rise / 3))
    lit = layer(surface, "hillshade_multi")
    np.testing.assert_allclose(lit, 255 * math.sqrt(0.5), rtol=1e-5)
    surface, _ = place(shapes.quadric(-4 * rise, 0, -rise, east=9 * rise))
    profile, plan, total = (
        layer(surface, name) for name in ("profile_curvature", "plan_curvature", "curvature")
    )
    np.testing.assert_allclose(profile + plan, total, rtol=1e-5)


@pytest.mark.parametrize("bearing", [0, 45, 90, 135, 180, 225, 270, 315])
def test_aspects_are_at_least_0_and_below_360(shapes, bearing):
    turn = math.radians(bearing)
    for tilt in (1e-7, 0, -1e-7):
        plane = shapes.plane(-math.sin(turn + tilt), -math.cos(turn + tilt))
        surface, _ = shapes.even(10, 10, 5, 5, (2, 2))(plane)
        aspect = layer(surface, "aspect")
        assert ((aspect >= 0) & (aspect < 360)).all()
        assert shapes.turned(aspect, bearing).max() < 1e-4


# Curvature


@pytest.mark.parametrize(
    "second",
    [(-2e-3, 0, -5e-4), (1e-3, 7e-4, 2e-3), (1e-3, 0, -1e-3), (-3e-4, -1e-3, 9e-4)],
    ids=["dome", "bowl", "saddle", "turned saddle"],
)
def test_quadrics_have_their_curvatures(place, shapes, second):
    """Second differences are exact on them.

    On a sphere, a parallel is not a straight line and rows are of different heights: steepness
    times tan(latitude) / radius of the Earth comes in, at 80 N 1e-6 / m, and the rows' sizes.
    """
    surface, expected = place(shapes.quadric(*second, east=0.31, north=-0.23))
    expected, (gradient, tolerance) = inner(expected), rounding(surface)
    tolerance += 3e-6 if np.ptp(surface.dx) else 0
    steep = np.hypot(expected.x, expected.y)
    seen = steep > 0.05  # near the summit the direction of descent is anyone's guess
    assert seen.mean() > 0.5
    turn = (gradient + 3e-6) / np.maximum(steep, 0.05)
    turn = 4 * np.abs(second).max() * turn + 2e-5 * np.abs(second).max()
    total = layer(surface, "curvature")
    assert np.abs(total - shapes.curvature(expected)).max() < tolerance + turn.min() + 3e-7
    for name in ("profile_curvature", "plan_curvature"):
        away = np.abs(layer(surface, name) - shapes.CLOSED[name](expected))
        assert (away - turn)[seen].max() < tolerance + 3e-7


def test_a_cone_bends_across_only(shapes):
    """Steepness m at the distance r: profile 0, plan m / r."""
    place = shapes.even(10, 10, 90, 110, (20, 80))
    surface, _ = place(shapes.cone(0.6))
    r = np.maximum(np.hypot(place.x, place.y)[1:-1, 1:-1], 1)
    far = r > 200
    tolerance = 0.6 / r * (10 / r) ** 2 * 3 + rounding(surface)[1]
    profile, plan = (layer(surface, f"{kind}_curvature") for kind in ("profile", "plan"))
    assert (np.abs(profile) - tolerance)[far].max() < 0
    assert (np.abs(plan - 0.6 / r) - tolerance)[far].max() < 0
    assert (np.abs(layer(surface, "curvature") - 0.6 / r) - tolerance)[far].max() < 0


def test_a_sphere_bends_more_the_steeper_it_is(shapes):
    """With R its radius: profile R^2 / (R^2 - r^2)^(3/2), plan 1 / sqrt(R^2 - r^2)."""
    place = shapes.even(5, 8, 101, 121, (61, 30))
    squared = 3000.0**2 - place.x**2 - place.y**2
    surface = place.surface((np.sqrt(squared) - 2900).astype(np.float32))
    squared, rounded = squared[1:-1, 1:-1], rounding(surface)[1]
    expected = {"profile_curvature": 3000**2 / squared**1.5, "plan_curvature": squared**-0.5}
    steep = (place.x**2 + place.y**2)[1:-1, 1:-1] > 200**2
    for name, value in expected.items():
        away = np.abs(layer(surface, name) - value)
        assert (away[steep] < 1e-3 * value[steep] + 2 * rounded).all(), name


def test_the_signs_are_those_of_the_drawing():
    """A spur spreads water and a hollow gathers it; a ledge bulges downhill, a foot is hollow."""
    x, y = (axis.astype(float) for axis in np.meshgrid(range(-5, 6), range(5, -6, -1)))
    falls_south = 0.5 * y
    cases = {
        "spur": (falls_south - 0.01 * x**2, 0, 1),
        "hollow": (falls_south + 0.01 * x**2, 0, -1),
        "ledge": (falls_south - 0.01 * y**2, 1, 0),
        "foot": (falls_south + 0.01 * y**2, -1, 0),
    }
    for name, (z, profile, plan) in cases.items():
        surface = surfaces.even(z.astype(np.float32), 1, 1)
        middle = (4, 4)  # of the result, the cell at x = y = 0
        got = [layer(surface, f"{kind}_curvature")[middle] for kind in ("profile", "plan")]
        np.testing.assert_allclose(got, [0.02 * profile, 0.02 * plan], atol=1e-5, err_msg=name)


def test_on_a_level_summit_profile_and_plan_are_half_the_total(shapes):
    surface, _ = shapes.even(1, 1, 5, 5, (2, 2))(shapes.quadric(-0.25, 0, -0.5))
    got = [layer(surface, n)[1, 1] for n in ("profile_curvature", "plan_curvature", "curvature")]
    assert got == [0.375, 0.375, 0.75]


@pytest.mark.parametrize("name", ["slope", "aspect", "profile_curvature", "plan_curvature"])
def test_halving_the_cells_quarters_the_error(shapes, name):
    """On waves, which no polynomial of second degree follows."""
    wave, errors = shapes.waves(15, 45, 58), []
    for cell in (8, 4):
        place = shapes.even(cell, cell, 240 // cell + 1, 320 // cell + 1, (9 * 8 // cell, 3))
        surface, expected = place(wave)
        ring = 8 // cell  # the same ground
        expected = inner(expected, ring)
        got = layer(surface, name, halo=ring)
        away = shapes.turned(got, shapes.CLOSED[name](expected))
        step = slice(None, None, 8 // cell)
        away = away if name == "aspect" else np.abs(got - shapes.CLOSED[name](expected))
        errors.append(
            np.mean(away[step, step][np.hypot(expected.x, expected.y)[step, step] > 0.1])
        )
    assert 3.2 < errors[0] / errors[1] < 4.8


# Surroundings


@pytest.mark.parametrize("radius", [1, 2, 5, 11])
def test_a_plane_lies_at_the_mean_of_its_surroundings(place, shapes, radius):
    """Up to heights counted in 1/65536 m; rows of a sphere differ by 1e-5."""
    surface, expected = place(shapes.plane(0.4, -0.7))
    uneven = 2e-4 * radius**2 * surface.resolution if np.ptp(surface.dx) else 0
    tolerance = 1 / 65536 + np.abs(expected.z).max() * 2**-22 + uneven
    assert np.abs(layer(surface, "tpi", radius, radius=radius)).max() < tolerance


@pytest.mark.parametrize("radius", [1, 2, 5, 11])
@pytest.mark.parametrize("size", [(10.0, 10.0), (4.0, 9.0)])
def test_a_paraboloid_stands_above_its_surroundings_by_their_moments(shapes, radius, size):
    """The mean of (a x^2 + b y^2) / 2 over the disc of cells without its centre."""
    dx, dy = size
    a, b = 3e-3, 1e-3
    around = [
        (a * (i * dx) ** 2 + b * (j * dy) ** 2) / 2
        for i in range(-radius, radius + 1)
        for j in range(-radius, radius + 1)
        if 0 < i * i + j * j <= (radius + 0.5) ** 2
    ]
    surface, expected = shapes.even(dx, dy, 41, 53, (30, 12))(shapes.quadric(-a, 0, -b))
    tolerance = 1 / 65536 + np.abs(expected.z).max() * 2**-22
    got = layer(surface, "tpi", radius, radius=radius)
    assert np.abs(got - sum(around) / len(around)).max() < tolerance


@pytest.mark.parametrize(
    ("radius", "factor", "halves"),
    [(4, 1, (1, 1)), (7, 1, (2, 3)), (16, 2, (3, 3)), (32, 4, (3, 3)), (45, 4, (4, 5))],
)
@pytest.mark.parametrize("gradient", [(0.4, -0.7), (-0.2, 0.0)])
def test_wider_surroundings_of_a_plane_have_its_mean_and_a_pyramids_spread(
    shapes, radius, factor, halves, gradient
):
    """The variance of a row of n cells is (n^2 - 1) / 12, and variances of convolutions add up.

    A pyramid is one box through another, of coarser cells; within those lie `factor` cells.
    Heights are counted in 1/64 m.
    """
    surface, _ = shapes.even(10, 10, 130, 120, (90, 7))(shapes.plane(*gradient))
    surface = replace(surface, origin=(5, 1002))
    got = position(surface, radius)
    boxes = sum(((2 * half + 1) ** 2 - 1) / 12 for half in halves)
    variance = factor**2 * boxes + (factor**2 - 1) / 12
    assert np.abs(got.height).max() < 1 / 64
    np.testing.assert_allclose(got.spread, 10 * math.hypot(*gradient) * variance**0.5, rtol=1e-3)


@pytest.mark.parametrize("radius", [1, 2, 3, 8, 15])
@pytest.mark.parametrize("gradient", [(0.0, 0.5), (0.37, 0.61), (-1.2, 0.9)])
def test_a_plane_is_as_open_as_level_ground(shapes, radius, gradient):
    """What one direction sees above the horizon the opposite one sees below it: 90 degrees."""
    surface, _ = shapes.even(10, 10, 40, 44, (7, 30))(shapes.plane(*gradient))
    for name in ("openness", "openness_negative"):
        assert np.abs(layer(surface, name, 15, radius=radius) - 90).max() < 1e-3


@pytest.mark.parametrize("radius", [1, 4, 15])
@pytest.mark.parametrize("gradient", [(0.0, 0.5), (0.37, 0.61), (-1.2, 0.9)])
def test_a_plane_hides_its_upper_side_of_the_sky(shapes, radius, gradient):
    """In the direction t: sin(atan(steepness cos(t - uphill))), where that is positive."""
    surface, _ = shapes.even(10, 10, 40, 44, (7, 30))(shapes.plane(*gradient))
    uphill, steepness = math.atan2(*gradient), math.hypot(*gradient)
    turns = np.arange(16) * math.pi / 8
    hidden = np.sin(np.arctan(np.maximum(steepness * np.cos(turns - uphill), 0)))
    assert np.abs(layer(surface, "sky_view", 15, radius=radius) - 1 + hidden.mean()).max() < 1e-5


@pytest.mark.parametrize("steepness", [0.2, 1.0, 3.0])
def test_at_the_tip_of_a_cone_every_direction_is_alike(shapes, steepness):
    """From the bottom of a funnel the horizon stands at atan(m) all around.

    Between cells heights are taken from a straight line, which lies above a cone's ground: at the
    first step by at most 1 / (8 r) of the steepness, hence the tolerance.
    """
    place = shapes.even(10, 10, 33, 33, (16, 16))
    angle = math.degrees(math.atan(steepness))
    for sign, near, far in (
        (1, "openness", "openness_negative"),
        (-1, "openness_negative", "openness"),
    ):
        surface, _ = place(shapes.cone(-sign * steepness))
        assert layer(surface, near, 16)[0, 0] == pytest.approx(90 - angle, abs=1.5)
        assert layer(surface, far, 16)[0, 0] == pytest.approx(90 + angle, abs=1.5)
    surface, _ = place(shapes.cone(-steepness))
    assert layer(surface, "sky_view", 16)[0, 0] == pytest.approx(
        1 - math.sin(math.radians(angle)), abs=0.02
    )
    surface, _ = place(shapes.cone(steepness))
    assert layer(surface, "sky_view", 16)[0, 0] == 1


def test_a_round_pit_shows_its_disc_of_the_sky(shapes):
    """At the bottom, walls h high at the distance R: 1 - sin(atan(h / R)), R within a cell."""
    place = shapes.even(10, 10, 65, 65, (32, 32))
    r = np.hypot(place.x, place.y)
    surface = place.surface(np.where(r > 200, 150.0, 0.0).astype(np.float32))
    seen = layer(surface, "sky_view", 32, radius=32)[0, 0]
    bounds = [1 - math.sin(math.atan(150 / distance)) for distance in (200, 215)]
    assert bounds[0] < seen < bounds[1]
    open_ = layer(surface, "openness", 32, radius=32)[0, 0]
    assert 90 - math.degrees(math.atan(150 / 200)) < open_
    assert open_ < 90 - math.degrees(math.atan(150 / 215))


@pytest.mark.parametrize("place", ["mercator at 80 N", "oblong metres"], indirect=True)
def test_level_ground_sees_the_whole_sky(place):
    surface = place.surface(np.full((len(place.y), place.x.shape[1]), 812.5, np.float32))
    assert (layer(surface, "sky_view", 16) == 1).all()
    assert (layer(surface, "openness", 16) == 90).all()
    assert (layer(surface, "openness_negative", 16) == 90).all()


# Smoothing


def test_smoothing_takes_its_share_of_a_wave(shapes):
    """A Gaussian of s metres leaves exp(-(s / length)^2 / 2) of sin(x / length), in metres.

    Cut off after three standard deviations, of which 0.3 % of the weight is missing.
    """
    for place in (
        shapes.even(10, 4, 160, 120, (50, 80)),
        shapes.on_mercator(60.0, 13, 160, 120, (50, 80)),
    ):
        surface, _ = place(shapes.waves(90, 300, 240))
        sigma, halo = 45.0, 40
        left = math.exp(-((sigma / 300) ** 2) / 2) * math.exp(-((sigma / 240) ** 2) / 2)
        plain = layer(surface, "curvature", halo)
        smooth = layer(surface, "curvature", halo, smooth=sigma)
        far = np.abs(plain) > 4e-4
        assert far.mean() > 0.3
        np.testing.assert_allclose(smooth[far] / plain[far], left, rtol=0.004)


def test_a_plane_stays_where_it_is_when_smoothed(shapes):
    surface, expected = shapes.even(10, 25, 60, 50, (20, 11))(shapes.plane(0.4, -0.3))
    expected = inner(expected, 21)
    slope = layer(surface, "slope", 21, smooth=55.0)
    assert np.abs(slope - shapes.slope(expected)).max() < 1e-3


def test_heights_are_stretched_before_everything_else(shapes):
    place = shapes.even(10, 25, 30, 40, (20, 11))
    surface, _ = place(shapes.plane(0.2, -0.1))
    _, expected = place(shapes.plane(0.5, -0.25))
    expected = inner(expected)
    for name in ("slope", "aspect", "hillshade", "hillshade_multi"):
        got = layer(surface, name, z_factor=2.5)
        np.testing.assert_allclose(got, shapes.CLOSED[name](expected), atol=2e-3, err_msg=name)
