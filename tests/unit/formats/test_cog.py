"""Files that GDAL, and whoever checks COGs, is content with."""

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile
from rio_cogeo import cog_validate

from samgis_process.formats import BandFacts, cog, statistics_of
from samgis_process.grid import GeoBox

SHAPES = [(1, 1), (2, 3), (3, 700), (513, 40), (700, 1100)]


def grid_of(shape):
    return GeoBox(12, 1000, 1500, shape[1], shape[0])


def heights(shape):
    values = np.random.default_rng(7).normal(800, 90, shape).astype(np.float32)
    values[0, : shape[1] // 2] = np.nan
    return values


def float_file(values, **how):
    facts = statistics_of(values, np.isfinite(values))
    band = BandFacts("elevation", "Elevation", "m", facts)
    return cog(values[None], [band], grid_of(values.shape), **how)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_float_file_is_a_cog_without_a_warning(shape, tmp_path):
    path = tmp_path / "layer.tif"
    path.write_bytes(float_file(heights(shape)))
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_with_a_mask_is_a_cog_without_a_warning(shape, tmp_path):
    path = tmp_path / "picture.tif"
    path.write_bytes(
        cog(np.full((3, *shape), 7, np.uint8), [], grid_of(shape), np.eye(*shape) > 0)
    )
    assert cog_validate(path, strict=True, quiet=True) == (True, [], [])


def test_values_place_and_words_come_back_as_they_were():
    values = heights((700, 1100))
    with MemoryFile(float_file(values)) as memory, memory.open() as file:
        np.testing.assert_array_equal(file.read(1), values)
        assert np.isnan(file.nodata)
        assert file.crs == "EPSG:3857"
        assert file.transform.almost_equals(grid_of(values.shape).transform)
        assert file.units == ("m",)
        assert file.descriptions == ("elevation: Elevation",)
        assert file.overviews(1) == [2, 4]


def test_the_mask_and_the_colours_come_back_as_they_were():
    picture = np.random.default_rng(3).integers(0, 256, (3, 600, 90), np.uint8)
    valid = np.zeros((600, 90), bool)
    valid[13:400, 5:] = True
    with (
        MemoryFile(cog(picture, [], grid_of(valid.shape), valid)) as memory,
        memory.open() as file,
    ):
        np.testing.assert_array_equal(file.read(), picture)
        np.testing.assert_array_equal(file.dataset_mask() > 0, valid)
        assert [name.name for name in file.colorinterp] == ["red", "green", "blue"]
        assert file.nodata is None


def test_statistics_are_of_the_known_cells_alone():
    values = heights((60, 80))
    values[10:20] = np.nan
    known = values[np.isfinite(values)].astype(float)
    facts = statistics_of(values, np.isfinite(values))
    assert np.float32(facts.minimum) == known.min()
    assert np.float32(facts.maximum) == known.max()
    assert facts.mean == pytest.approx(known.mean(), rel=1e-8)
    assert facts.stddev == pytest.approx(known.std(), rel=1e-8)
    assert facts.valid_percent == pytest.approx(100 * known.size / values.size)
    with MemoryFile(float_file(values)) as memory, memory.open() as file:
        tags = file.tags(1)
    assert float(tags["STATISTICS_MEAN"]) == facts.mean
    assert float(tags["STATISTICS_VALID_PERCENT"]) == facts.valid_percent


def test_where_nothing_is_known_there_are_no_numbers():
    values = np.full((3, 4), np.nan, np.float32)
    assert statistics_of(values, np.isfinite(values)).as_object() == {"valid_percent": 0.0}
    with MemoryFile(float_file(values)) as memory, memory.open() as file:
        assert np.isnan(file.read(1)).all()


def test_overviews_of_directions_hold_directions_that_occur():
    values = np.where(np.indices((1200, 1200)).sum(axis=0) % 2, 359.0, 1.0).astype(np.float32)
    data = float_file(values, directions=True)
    with MemoryFile(data) as memory, rasterio.open(memory.name, overview_level=0) as file:
        assert set(np.unique(file.read(1))) <= {1.0, 359.0}
