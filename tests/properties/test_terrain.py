"""The laws of terrain layers and renderings, on rough ground with voids, anywhere on the globe."""

from itertools import pairwise

import numpy as np
import pytest
import surfaces
from hypothesis import given, settings
from hypothesis import strategies as st

from samgis_process.grid import GeoBox
from samgis_process.rendering import TERRAIN, TerrainRendering, paint
from samgis_process.terrain import LAYERS, Options, Surface, compute, halo_of

EXAMPLES = settings(max_examples=min(settings.default.max_examples // 5, 40))  # of each layer
EVERY_LAYER = pytest.mark.parametrize("name", LAYERS)
RESHAPED = [name for name, layer in LAYERS.items() if layer.reshaped]


def ground(seed, rows, cols, voids):
    """Rough hills in steps of 1/256 m, as tiles have them; a share of the cells is unknown.

    Sums of a few such heights are exact in float32, so that their order does not matter.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :cols]
    z = 900 + 350 * np.sin(x / random.uniform(3, 30)) * np.cos(y / random.uniform(3, 30))
    z += random.normal(0, random.choice([0.1, 3, 40]), z.shape)
    z = (np.round(z * 256) / 256).astype(np.float32)
    z[random.random(z.shape) < voids] = np.nan
    if random.random() < 0.3:  # a level terrace
        z[rows // 2 :, : cols // 2] = 812.5
    return z


ZOOMS = st.integers(0, 22)


@st.composite
def grids(draw, most=40, zooms=ZOOMS):
    """Windows anywhere on Web Mercator, of any small shape."""
    zoom = draw(zooms)
    world = 256 << zoom
    width, height = draw(st.integers(1, most)), draw(st.integers(1, most))
    ends = st.sampled_from([0, world - height])
    row = draw(st.integers(0, world - height) | ends)
    return GeoBox(zoom, draw(st.integers(0, world - 1)), row, width, height)


SEEDS = st.integers(0, 2**32 - 1)
VOIDS = st.sampled_from([0.0, 0.0, 0.01, 0.3])


@st.composite
def options(draw, *, smooth=True):
    """Return options, where smoothing is counted in cells."""
    return Options(
        radius=draw(st.integers(1, 9)),
        azimuth=draw(st.floats(0, 360)),
        altitude=draw(st.floats(0, 90)),
        smooth=draw(st.sampled_from([0.0, 0.3, 1.0, 2.6])) if smooth else 0.0,
        z_factor=draw(st.sampled_from([1.0, 1.0, 0.25, 3.3])),
    )


class World:
    """Heights all over a region, from which windows are cut with any cells around them."""

    def __init__(self, grid, seed, voids, margin):
        self.grid, self.margin = grid, margin
        rows, cols = (side + 2 * margin for side in grid.shape)
        self.z = ground(seed, rows, cols, voids)

    def window(self, row, col, height, width, halo):
        """Return the surface of a part of the grid, as a source would."""
        grid = GeoBox(
            self.grid.zoom,
            self.grid.col_off + col - halo,
            self.grid.row_off + row - halo,
            width + 2 * halo,
            height + 2 * halo,
        )
        top, left = row + self.margin - halo, col + self.margin - halo
        z = self.z[top : top + grid.height, left : left + grid.width]
        assert z.shape == grid.shape
        return Surface.on_mercator(z, grid)


def smallest(grid):
    """Return the size of the smallest cell, metres."""
    return Surface.on_mercator(np.zeros(grid.shape, np.float32), grid).resolution


def same(first, second):
    """Equal to the last bit, and unknown in the same cells."""
    assert first.dtype == second.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(first), np.isnan(second))
    known = ~np.isnan(first)
    np.testing.assert_array_equal(first[known].view(np.uint32), second[known].view(np.uint32))


def cuts(data, side):
    """Cut a side in pieces."""
    at = data.draw(st.lists(st.integers(1, side - 1), max_size=4, unique=True)) if side > 1 else []
    ends = [0, *sorted(at), side]
    return list(pairwise(ends))


# Windows


@EVERY_LAYER
@EXAMPLES
@given(grids(), SEEDS, VOIDS, options(), st.data())
def test_in_blocks_it_is_the_same_to_the_last_bit(name, grid, seed, voids, chosen, data):
    """Blocks may be as narrow as one cell; each knows its own latitude."""
    resolution = smallest(grid)
    chosen = smoothed(chosen, resolution)
    halo = halo_of([name], chosen, resolution)
    world = World(grid, seed, voids, halo)
    whole = compute(world.window(0, 0, *grid.shape, halo), name, chosen, halo)
    assert whole.shape == grid.shape
    columns = cuts(data, grid.width)
    parts = [
        [
            compute(world.window(top, left, bottom - top, right - left, halo), name, chosen, halo)
            for left, right in columns
        ]
        for top, bottom in cuts(data, grid.height)
    ]
    same(whole, np.vstack([np.hstack(row) for row in parts]))


def smoothed(chosen, resolution):
    """Return the options with smoothing in metres instead of cells."""
    return Options(
        chosen.radius, chosen.azimuth, chosen.altitude, chosen.smooth * resolution, chosen.z_factor
    )


@EVERY_LAYER
@EXAMPLES
@given(
    grids(zooms=st.integers(5, 22)),
    SEEDS,
    VOIDS,
    options(),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_panning_changes_nothing_where_windows_overlap(
    name, grid, seed, voids, chosen, down, along
):
    """Each window asks for the halo that its own latitude wants."""
    chosen = smoothed(chosen, smallest(grid))
    halos = []
    for row, col in ((0, 0), (down, along)):
        box = GeoBox(grid.zoom, grid.col_off + col, grid.row_off + row, *grid.shape[::-1])
        halos.append(halo_of([name], chosen, smallest(box)))
    world = World(grid, seed, voids, max(halos) + 12)
    here = compute(world.window(0, 0, *grid.shape, halos[0]), name, chosen, halos[0])
    there = compute(world.window(down, along, *grid.shape, halos[1]), name, chosen, halos[1])
    rows, cols = grid.shape
    same(here[down:, along:], there[: max(rows - down, 0), : max(cols - along, 0)])


@EVERY_LAYER
@EXAMPLES
@given(grids(), SEEDS, VOIDS, options(smooth=False), st.integers(1, 20))
def test_more_cells_around_change_nothing(name, grid, seed, voids, chosen, more):
    halo = halo_of([name], chosen, 1.0)
    world = World(grid, seed, voids, halo + more)
    least = compute(world.window(0, 0, *grid.shape, halo), name, chosen, halo)
    same(least, compute(world.window(0, 0, *grid.shape, halo + more), name, chosen, halo + more))


@pytest.mark.parametrize("name", [name for name, style in TERRAIN.items() if not style.whole])
@EXAMPLES
@given(grids(most=70), SEEDS, VOIDS, st.integers(4, 40), st.integers(0, 30), st.integers(0, 30))
def test_pictures_do_not_change_by_panning(name, grid, seed, voids, radius, down, along):
    rendering = TerrainRendering(name, radius)
    halo = rendering.halo
    world = World(grid, seed, voids, halo + 32)
    here = paint(rendering, world.window(0, 0, *grid.shape, halo), halo)
    there = paint(rendering, world.window(down, along, *grid.shape, halo + 2), halo + 2)
    assert here.shape == (*grid.shape, 3)
    assert here.dtype == np.uint8
    rows, cols = grid.shape
    overlap = there[: max(rows - down, 0), : max(cols - along, 0)]
    np.testing.assert_array_equal(here[down:, along:], overlap)


# Symmetries


def even(z, dx=7.0, dy=11.0):
    return surfaces.even(np.ascontiguousarray(z), dx, dy)


SIZES = st.integers(1, 30)
CLOSE = {"rtol": 2e-5, "atol": 2e-4}
# What flips and turns leave alone but for its place.
SCALARS = [n for n in LAYERS if n not in {"aspect", "hillshade", "hillshade_multi"}]
SQUARE = {"tpi", "openness", "openness_negative", "sky_view"}


@pytest.mark.parametrize("name", SCALARS)
@EXAMPLES
@given(SEEDS, SIZES, SIZES, VOIDS, options(smooth=False))
def test_flipped_ground_has_flipped_layers(name, seed, rows, cols, voids, chosen):
    halo = halo_of([name], chosen, 7.0)
    z = ground(seed, rows + 2 * halo, cols + 2 * halo, voids)
    plain = compute(even(z), name, chosen, halo)
    for flip in (np.flipud, np.fliplr):
        mirrored = compute(even(flip(z)), name, chosen, halo)
        np.testing.assert_allclose(flip(mirrored), plain, **CLOSE)
    turned = compute(even(np.rot90(z), 11.0, 7.0), name, chosen, halo)
    np.testing.assert_allclose(np.rot90(turned, -1), plain, **CLOSE)


@EXAMPLES
@given(SEEDS, SIZES, SIZES, VOIDS)
def test_aspects_turn_with_the_ground(seed, rows, cols, voids):
    z = ground(seed, rows + 2, cols + 2, voids)
    plain = compute(even(z), "aspect", Options(), 1).astype(np.float64)
    east_west = np.fliplr(compute(even(np.fliplr(z)), "aspect", Options(), 1))
    north_south = np.flipud(compute(even(np.flipud(z)), "aspect", Options(), 1))
    turned = np.rot90(compute(even(np.rot90(z), 11.0, 7.0), "aspect", Options(), 1), -1)
    upside_down = compute(even(-z), "aspect", Options(), 1)
    pairs = (
        (east_west, 360 - plain),
        (north_south, 180 - plain),
        (turned, plain - 90),  # rot90 turns to the left: what fell east falls north
        (upside_down, plain + 180),
    )
    for got, expected in pairs:
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
        away = np.abs((got - expected + 180) % 360 - 180)
        assert away[~np.isnan(away)].max(initial=0) < 1e-3
        assert not (got[~np.isnan(got)] >= 360).any()
        assert not (got[~np.isnan(got)] < 0).any()


@EXAMPLES
@given(SEEDS, SIZES, SIZES, VOIDS, st.floats(0, 360), st.floats(0, 90))
def test_light_turns_with_the_ground(seed, rows, cols, voids, azimuth, altitude):
    z = ground(seed, rows + 2, cols + 2, voids)
    plain = compute(even(z), "hillshade", Options(azimuth=azimuth, altitude=altitude), 1)
    left = Options(azimuth=(azimuth - 90) % 360, altitude=altitude)
    turned = compute(even(np.rot90(z), 11.0, 7.0), "hillshade", left, 1)
    np.testing.assert_allclose(np.rot90(turned, -1), plain, atol=1e-3)
    assert not (plain[~np.isnan(plain)] < 0).any()
    assert not (plain[~np.isnan(plain)] > 255.001).any()


NEGATED = {
    "elevation": ("elevation", -1),
    "slope": ("slope", 1),
    "profile_curvature": ("profile_curvature", -1),
    "plan_curvature": ("plan_curvature", -1),
    "curvature": ("curvature", -1),
    "tpi": ("tpi", -1),
    "openness": ("openness_negative", 1),
}


@pytest.mark.parametrize("name", NEGATED)
@EXAMPLES
@given(SEEDS, SIZES, SIZES, VOIDS, options(smooth=False))
def test_ridges_are_valleys_upside_down(name, seed, rows, cols, voids, chosen):
    other, sign = NEGATED[name]
    halo = halo_of([name], chosen, 7.0)
    z = ground(seed, rows + 2 * halo, cols + 2 * halo, voids)
    plain = compute(even(z), name, chosen, halo)
    negated = compute(even(-z), other, chosen, halo)
    np.testing.assert_allclose(sign * negated, plain, **CLOSE)


@pytest.mark.parametrize("name", [n for n in LAYERS if n != "elevation"])
@EXAMPLES
@given(SEEDS, SIZES, SIZES, VOIDS, options(smooth=False), st.integers(-3000, 3000))
def test_the_sea_level_does_not_matter(name, seed, rows, cols, voids, chosen, rise):
    """To the last bit, where all heights can be written exactly."""
    chosen = Options(chosen.radius, chosen.azimuth, chosen.altitude)
    halo = halo_of([name], chosen, 7.0)
    z = ground(seed, rows + 2 * halo, cols + 2 * halo, voids)
    plain = compute(even(z), name, chosen, halo)
    same(plain, compute(even(z + np.float32(rise)), name, chosen, halo))


@EXAMPLES
@given(SEEDS, SIZES, SIZES, VOIDS)
def test_profile_and_plan_add_up(seed, rows, cols, voids):
    surface = even(ground(seed, rows + 2, cols + 2, voids))
    names = ("profile_curvature", "plan_curvature", "curvature")
    profile, plan, total = (compute(surface, name, Options(), 1) for name in names)
    known = ~np.isnan(profile)
    np.testing.assert_allclose((profile + plan)[known], total[known], rtol=1e-4, atol=1e-5)


# Voids, types


@EVERY_LAYER
@EXAMPLES
@given(SEEDS, SIZES, SIZES, options())
def test_voids_stay_voids_and_reach_no_further_than_the_ring(name, seed, rows, cols, chosen):
    """A void makes its neighbours unknown, of wide layers only itself; level ground aside."""
    chosen = smoothed(chosen, 7.0)
    halo = halo_of([name], chosen, 7.0)
    z = ground(seed, rows + 2 * halo, cols + 2 * halo, 0.04)
    void = np.isnan(z)
    result = compute(even(z), name, chosen, halo)
    inner = slice(halo, -halo or None)
    assert np.isnan(result[void[inner, inner]]).all()
    ring = LAYERS[name].ring if not LAYERS[name].wide else 0
    near = np.zeros(result.shape, bool)
    for down in range(-ring, ring + 1):
        for along in range(-ring, ring + 1):
            top, left = halo + down, halo + along
            near |= void[top : top + rows, left : left + cols]
    if name == "aspect":
        near |= compute(even(z), "slope", chosen, halo) == 0
    if name == "tpi":  # alone among voids there is nothing to compare with
        near |= np.isnan(compute(even(z), "tpi", chosen, halo)) & lonely(void, halo, chosen.radius)
    assert not np.isnan(result[~near]).any()
    assert not np.isinf(result).any()


def lonely(void, halo, radius):
    """Return where no other cell within a radius is known."""
    rows, cols = (side - 2 * halo for side in void.shape)
    known = np.zeros((rows, cols), int)
    for down in range(-radius, radius + 1):
        for along in range(-radius, radius + 1):
            if 0 < down * down + along * along <= (radius + 0.5) ** 2:
                top, left = halo + down, halo + along
                known += ~void[top : top + rows, left : left + cols]
    return known == 0


@EVERY_LAYER
@EXAMPLES
@given(SEEDS, SIZES, SIZES, VOIDS, options())
def test_heights_are_never_written_to(name, seed, rows, cols, voids, chosen):
    chosen = smoothed(chosen, 7.0)
    halo = halo_of([name], chosen, 7.0)
    z = ground(seed, rows + 2 * halo, cols + 2 * halo, voids)
    before = z.copy()
    surface = even(z)
    for array in (surface.elevation, surface.dx, surface.dy):
        array.flags.writeable = False
    result = compute(surface, name, chosen, halo)
    assert result.dtype == np.float32
    assert result.shape == (rows, cols)
    np.testing.assert_array_equal(z, before)


@EVERY_LAYER
def test_nothing_at_all_is_nothing_at_all(name):
    halo = halo_of([name], Options(radius=3), 7.0)
    z = np.full((2 + 2 * halo, 5 + 2 * halo), np.nan, np.float32)
    assert np.isnan(compute(even(z), name, Options(radius=3), halo)).all()
