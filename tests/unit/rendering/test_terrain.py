"""Renderings of elevation as pictures: what is flat, what is told apart, what panning changes."""

from dataclasses import replace

import numpy as np
import pytest
import surfaces

from samgis_process.errors import InvalidInput
from samgis_process.grid import GeoBox
from samgis_process.rendering import TERRAIN, Bands, TerrainRendering, echo, paint, parse
from samgis_process.rendering.samgis import samgis
from samgis_process.rendering.spec import Rendering
from samgis_process.terrain import Surface

ELEVATION = Bands(natural=(1,), spans=(None,), surveyed=True, metres=1.0)
PICTURE = Bands()
HALO = 100  # cells, more than any rendering wants
PANPROOF = [name for name, style in TERRAIN.items() if not style.whole]


def grid(rows=70, cols=90, zoom=13, row_off=2900):
    return GeoBox(zoom, 4000, row_off, cols, rows)


def hills(box, seed=0, height=300.0):
    """Waves of several lengths in places of the world, so that windows show the same ground."""
    rng = np.random.default_rng(seed)
    rows = np.arange(box.row_off, box.row_off + box.height)[:, None]
    cols = np.arange(box.col_off, box.col_off + box.width)[None, :]
    total = np.zeros((box.height, box.width))
    for length in (200, 71, 23, 9):
        turn, phase = rng.uniform(0, 2 * np.pi, 2)
        along = np.cos(turn) * rows + np.sin(turn) * cols
        total += length / 200 * np.sin(2 * np.pi * along / length + phase)
    return (1000 + height * total).astype(np.float32)


def drawn(name, elevation, box, halo, radius=None):
    rendering = TerrainRendering(name, radius or TERRAIN[name].radius)
    wide = replace(
        box,
        col_off=box.col_off - halo,
        row_off=box.row_off - halo,
        width=box.width + 2 * halo,
        height=box.height + 2 * halo,
    )
    return paint(rendering, Surface.on_mercator(elevation(wide), wide), halo)


@pytest.mark.parametrize("name", PANPROOF)
@pytest.mark.parametrize("zoom_row", [(13, 2900), (9, 40), (15, 32000)])
def test_panning_changes_no_colour(name, zoom_row):
    zoom, row_off = zoom_row
    here = grid(zoom=zoom, row_off=row_off)
    moved = replace(here, col_off=here.col_off + 1, row_off=here.row_off + 3)
    first, second = (drawn(name, hills, box, 130, 128) for box in (here, moved))
    assert np.array_equal(first[3:, 1:], second[:-3, :-1])


@pytest.mark.parametrize("name", PANPROOF)
def test_a_larger_halo_changes_no_colour(name):
    first, second = (drawn(name, hills, grid(), halo, 32) for halo in (32, 51))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("level", [0.0, -3.5, 4807.25])
def test_flat_ground_is_mid_grey(level):
    image = drawn("terrain", lambda box: np.full(box.shape, level, np.float32), grid(), HALO)
    assert np.abs(image.astype(int) - 128).max() <= 1


@pytest.mark.parametrize("name", list(TERRAIN))
def test_flat_ground_is_one_colour(name):
    image = drawn(name, lambda box: np.full(box.shape, 812.0, np.float32), grid(), HALO)
    assert np.ptp(image.reshape(-1, 3), axis=0).max() <= 1


@pytest.mark.parametrize("name", PANPROOF)
def test_hills_and_pits_are_told_apart(name):
    """The ancestor's third channel was the same for both."""
    top, pit = (
        drawn(name, lambda box, sign=sign: sign * (hills(box) - 1000), grid(), HALO)
        for sign in (1, -1)
    )
    assert np.abs(top.astype(int) - pit).mean() > 10


def test_terrain_turns_around_mid_grey_with_the_ground():
    """Height and curvature change their signs; green is darker by the slope, which does not."""
    top, pit = (
        drawn("terrain", lambda box, sign=sign: sign * (hills(box) - 1000), grid(), HALO)
        for sign in (1, -1)
    )
    for channel in (0, 2):
        assert np.abs(top[..., channel].astype(int) + pit[..., channel] - 256).max() <= 1
    assert (top[..., 1].astype(int) + pit[..., 1]).max() <= 257


@pytest.mark.parametrize("name", PANPROOF)
@pytest.mark.parametrize("zoom", [4, 9, 13, 17])
def test_there_is_contrast_at_every_scale(name, zoom):
    """The same shapes of 2 m and of 4 km height, each on cells of its own size."""
    box = grid(zoom=zoom, row_off=(1 << zoom) * 256 // 3)
    steep = 0.2 * box.ground_resolution * 20
    image = drawn(name, lambda wide: hills(wide, height=steep), box, HALO)
    assert image.std(axis=(0, 1)).max() > 15


@pytest.mark.parametrize("name", list(TERRAIN))
def test_the_unknown_is_neutral_and_nothing_else_is(name):
    def with_void(box):
        ground = hills(box)
        ground[125:135, 115:130] = np.nan
        return ground

    image = drawn(name, with_void, grid(), HALO)
    neutral = (image == (124, 116, 104)).all(axis=-1)
    halo = HALO
    assert neutral[125 - halo : 135 - halo, 115 - halo : 130 - halo].all()
    assert neutral.sum() == 10 * 15


@pytest.mark.parametrize("name", list(TERRAIN))
@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (9, 2)])
def test_the_smallest_windows_are_drawn(name, shape):
    image = drawn(name, hills, grid(*shape), HALO)
    assert image.shape == (*shape, 3)


# SamGIS's formulas, worked out by hand for a window small enough to follow.


def test_the_ancestor_is_dark_where_it_is_high():
    z = np.array([[0, 0, 0], [0, 10, 0], [0, 0, 20]], np.float32)
    image = samgis(surfaces.even(z, 30, 30))
    assert image[0, 0, 0] == 255
    assert image[2, 2, 0] == 191
    assert image[1, 1, 0] == 255 - 32
    assert (image[..., 1] >= 127).all()
    assert (image[..., 2] >= 63).all()
    assert image[..., 2].max() == 255
    assert image[..., 2].min() == 63


def central(values, cell):
    """The slope in degrees at inner cells, by its definition."""
    rise = (values[1:-1, 2:] - values[1:-1, :-2]) / (2 * cell)
    fall = (values[2:, 1:-1] - values[:-2, 1:-1]) / (2 * cell)
    return np.degrees(np.arctan(np.hypot(rise, fall)))


def test_the_ancestors_cell_comes_from_the_width_of_the_window():
    """61 metres for 1024 columns, 5 for 96; its curvature is the slope of the slope."""
    z = hills(grid(40, 96))
    blue = samgis(surfaces.even(z, 30, 30))[2:-2, 2:-2, 2]
    bent = central(central(z.astype(np.float64), 5), 5)
    order = np.argsort(bent, axis=None)
    assert (np.diff(blue.flat[order]) <= 0).all()
    other = central(central(z.astype(np.float64), 9), 9)
    assert not (np.diff(blue.flat[np.argsort(other, axis=None)]) <= 0).all()


@pytest.mark.parametrize(
    "ground",
    [
        np.full((20, 30), 7.0),
        np.arange(600.0).reshape(20, 30) // 30 * 10,  # a plane of whole steps
        np.arange(5.0)[None, :],
        np.arange(12.0).reshape(2, 6),
        np.array([[3.0]]),
        np.where(np.eye(20, 30) > 0, np.nan, 5.0),
        np.full((4, 4), np.nan),
    ],
)
def test_the_ancestor_without_its_crashes(ground):
    levels = samgis(surfaces.even(ground.astype(np.float32), 30, 30))
    assert np.array_equal(np.isnan(levels[..., 0]), np.isnan(ground))
    known = levels[~np.isnan(ground)]
    assert ((known >= 63) & (known <= 255)).all()


# How a rendering is asked for.


def test_elevation_has_a_rendering_of_its_own_by_default():
    assert parse(None, ELEVATION, "dem").name in PANPROOF
    assert isinstance(parse(None, PICTURE, "photo"), Rendering)


@pytest.mark.parametrize("name", list(TERRAIN))
def test_a_picture_cannot_be_drawn_as_terrain(name):
    with pytest.raises(InvalidInput) as caught:
        parse(name, PICTURE, "photo")
    (fault,) = caught.value.faults
    assert "photo" in fault.message
    assert "rgb" in fault.limit
    assert fault.remedy


def test_an_unknown_name_on_elevation_says_what_there_is():
    with pytest.raises(InvalidInput) as caught:
        parse("terain", ELEVATION, "dem")
    assert all(name in caught.value.faults[0].limit for name in TERRAIN)


def test_elevation_can_still_be_drawn_as_grey():
    grey = parse({"bands": [1], "stretch": [[0, 3000]]}, ELEVATION, "dem")
    assert isinstance(grey, Rendering)
    assert isinstance(parse("grey", ELEVATION, "dem"), Rendering)


def test_every_rendering_has_a_key_of_its_own_and_says_its_name_again():
    keys = {parse(name, ELEVATION, "dem").key for name in (*TERRAIN, "grey")}
    assert len(keys) == len(TERRAIN) + 1
    for name in TERRAIN:
        assert echo(parse(name, ELEVATION, "dem"), ELEVATION, "dem") == name
    assert TerrainRendering("terrain", 16).key != TerrainRendering("terrain", 32).key


def test_real_ground_has_contrast_at_1_30_and_250_metres(test_data):
    from samgis_process.processes.windows import make_grid
    from samgis_process.settings import LimitSettings
    from samgis_process.sources import picture
    from samgis_process.sources.raster import GdalOptions, RasterSource

    for name in (
        "nz_dtm_2193_float32_1m",
        "sainte_helens_int16",
        "elev_vinschgau_utm32_float32_nodata",
    ):
        dem = RasterSource.open(name, test_data / f"dem/{name}.tif", GdalOptions(elevation=True))
        box = make_grid(dem.info.bounds, None, dem.info, LimitSettings())
        for rendering in PANPROOF:
            seen = picture(dem, box, parse(rendering, dem.info.bands, name))
            assert seen.image[seen.valid].std(axis=0).max() > 20, (name, rendering)
