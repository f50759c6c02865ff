"""Our layers are those of xarray-spatial, where it is right.

It knows one cell size in a raster; its curvature knows one for both axes.
"""

import numpy as np
import pytest

CASES = ("EPSG:26710, 30 m", "EPSG:2056, 2.5 m")
# It sums heights in float32, as gdaldem does, but for slope and aspect, whose sums are wider.
TOLERANCES = {"slope": 1e-3, "aspect": 0.01, "hillshade": 0.01}


@pytest.fixture(scope="module")
def table(script):
    return script("terrain_table")


@pytest.fixture(scope="module", params=CASES)
def part(request, table, test_data, tmp_path_factory):
    return table.parts_of(request.param, test_data / "dem", tmp_path_factory.mktemp("dem"))[0]


@pytest.mark.parametrize("layer", TOLERANCES)
def test_it_agrees(part, table, layer):
    ours, theirs = (tool(part, layer) for tool in (table.ours, table.xrspatial))
    assert table.difference(layer, ours, theirs).max() < TOLERANCES[layer]
    if layer != "aspect":
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))


def test_total_curvature_is_minus_its_laplacian(part, table):
    """Theirs takes the difference after summing heights; in float64 there is nothing to lose."""
    ours, theirs = (tool(part, "curvature") for tool in (table.ours, table.xrspatial))
    z = part.surface.elevation.astype(np.float64)
    inner = slice(1, -1)
    neighbours = z[:-2, inner] + z[2:, inner] + z[inner, :-2] + z[inner, 2:]
    exact = -(neighbours - 4 * z[inner, inner]) / part.cell[0] ** 2
    rounding = 4 * np.nanmax(z) * 2**-23 / part.cell[0] ** 2
    assert table.difference("curvature", ours, theirs).max() < rounding
    np.testing.assert_allclose(ours[inner, inner], exact, atol=1e-7, rtol=1e-5)


def test_its_sun_stands_mirrored_on_a_raster_whose_first_row_is_the_northern_one(table, script):
    """A plane that faces north-west is lit fully from the north-west."""
    shapes = script("terrain_shapes")
    surface, expected = shapes.even(10.0, 10.0, 7, 9, (2, 3))(shapes.plane(0.5, -0.5))
    part = table.Part(None, 1.0, surface, (10.0, 10.0))
    assert shapes.aspect(expected)[2, 2] == 315
    lit = shapes.hillshade(expected)[1:-1, 1:-1]
    np.testing.assert_allclose(table.ours(part, "hillshade")[1:-1, 1:-1], lit, atol=1e-3)
    import xarray
    import xrspatial

    array = xarray.DataArray(surface.elevation, dims=("y", "x"), attrs={"res": (10.0, 10.0)})
    theirs = 255 * xrspatial.hillshade(array, 315, angle_altitude=45).data[1:-1, 1:-1]
    assert np.abs(theirs - lit).min() > 50
