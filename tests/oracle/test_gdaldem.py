"""Our layers are gdaldem's on real elevation, where it knows the size of the cells.

gdaldem sums heights in float32 before it takes differences, of which a rounding of
4 z 2^-23 / (8 cell) in the gradient is left, z the greatest height; ours are nearly exact.
Hillshade comes in whole numbers. `make terrain-table` prints the differences.
"""

import shutil
from math import degrees

import numpy as np
import pytest

ONE_SIZE = ("EPSG:26710, 30 m", "EPSG:2056, 2.5 m", "EPSG:2193, 1 m", "EPSG:32632, 250 m")
STRIPS = ("EPSG:3857, zoom 12", "EPSG:4326, 3 seconds")


@pytest.fixture(scope="module")
def table(script):
    return script("terrain_table")


@pytest.fixture(scope="module")
def dems(test_data, unavailable):
    if not shutil.which("gdaldem"):
        unavailable("no gdaldem; `make system-packages` tells how to get it")
    return test_data / "dem"


@pytest.fixture(scope="module", params=ONE_SIZE + STRIPS)
def parts(request, table, dems, tmp_path_factory):
    """A real raster, in strips where its cells change with the latitude."""
    parts = table.parts_of(request.param, dems, tmp_path_factory.mktemp("strips"))
    return parts if request.param in ONE_SIZE else parts[1::4]


def rounding(part):
    """The error that gdaldem's sums leave in a gradient; and what a strip's one size leaves."""
    highest = np.nanmax(np.abs(part.surface.elevation))
    uneven = np.ptp(part.surface.dx) / part.surface.dx.min()
    return 8 * highest * 2**-23 / (8 * min(part.cell)) + uneven + 2e-7


def test_slope_is_gdaldems(parts, table):
    for part in parts:
        away = table.difference("slope", table.ours(part, "slope"), table.gdaldem(part, "slope"))
        assert away.size > 500
        assert away.max() < degrees(rounding(part))


def test_aspect_is_gdaldems(parts, table):
    """Where the slope tells it, and where cells are square: it takes them for square."""
    for part in parts:
        if part.cell[0] != part.cell[1]:
            continue
        ours, steepness = table.ours(part, "aspect"), np.tan(np.radians(table.ours(part, "slope")))
        ours[~(steepness > 0.02)] = np.nan
        away = table.difference("aspect", ours, table.gdaldem(part, "aspect"))
        assert away.size > 200
        assert away.max() < degrees(rounding(part) / 0.02)


def test_oblong_cells_turn_gdaldems_aspect_and_not_ours(table, script, tmp_path, unavailable):
    if not shutil.which("gdaldem"):
        unavailable("no gdaldem; `make system-packages` tells how to get it")
    shapes = script("terrain_shapes")
    surface, expected = shapes.even(20.0, 30.0, 9, 9, (4, 4))(shapes.plane(-0.3, 0.3))
    path = tmp_path / "oblong.tif"
    table.write(path, surface.elevation, 20.0, 30.0)
    part = table.Part(path, 1.0, surface, (20.0, 30.0))
    truth = shapes.aspect(expected)
    assert truth[4, 4] == 135
    assert table.difference("aspect", table.ours(part, "aspect"), truth).max() < 1e-3
    assert table.difference("aspect", table.gdaldem(part, "aspect"), truth).min() > 10
    assert (
        table.difference("slope", *(t(part, "slope") for t in (table.ours, table.gdaldem))).max()
        < 1e-3
    )


def test_hillshade_is_gdaldems(parts, table):
    """To half a step, 255 / 254 / 2, of its whole numbers."""
    for part in parts:
        both = (tool(part, "hillshade") for tool in (table.ours, table.gdaldem))
        away = table.difference("hillshade", *both)
        assert away.max() < 255 / 254 / 2 + 255 * rounding(part)


def test_multi_directional_hillshade_is_what_gdaldems_leaves(parts, table):
    """Half the sum of four hillshades less gdaldem's, which weighs by the other square.

    Four roundings halved and one: three half steps.
    """
    for part in parts[:1]:
        ours = table.ours(part, "hillshade_multi")
        ours[~(table.ours(part, "slope") > degrees(0.02))] = np.nan  # weights turn with the aspect
        away = table.difference("hillshade", ours, table.gdaldem(part, "hillshade_multi"))
        assert away.max() < 3 * 255 / 254 / 2 + 255 * rounding(part) * 4 / 0.02


def test_topographic_position_is_gdaldems(parts, table):
    """gdaldem sums eight heights in float32; ours are counted in 1/65536 m."""
    for part in parts:
        highest = np.nanmax(np.abs(part.surface.elevation))
        away = table.difference("tpi", table.ours(part, "tpi"), table.gdaldem(part, "tpi"))
        assert away.max() < 1 / 65536 + 8 * highest * 2**-23


@pytest.mark.parametrize("name", ["EPSG:26710, 30 m", "EPSG:32632, 250 m", "EPSG:3857, zoom 12"])
def test_nothing_is_known_exactly_where_gdaldem_knows_nothing(table, dems, tmp_path, name):
    """Voids, the ring around them and the ring along the edge; level ground faces nowhere."""
    voids = 0
    for part in table.parts_of(name, dems, tmp_path)[::5]:
        voids += np.isnan(part.surface.elevation).sum()
        for layer in ("slope", "aspect", "hillshade"):
            ours, theirs = (tool(part, layer) for tool in (table.ours, table.gdaldem))
            np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    assert voids > 100


def test_position_needs_the_cell_and_one_other_where_gdaldem_needs_all(table, dems, tmp_path):
    (part,) = table.parts_of("EPSG:26710, 30 m", dems, tmp_path)
    ours, theirs = (
        np.isnan(tool(part, "tpi")[1:-1, 1:-1]) for tool in (table.ours, table.gdaldem)
    )
    void = np.isnan(part.surface.elevation)[1:-1, 1:-1]
    assert (theirs >= ours).all()
    assert theirs.sum() > ours.sum()
    assert (ours >= void).all()
    assert (ours == void).mean() > 0.9999
