import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.warp import transform, transform_bounds

from samgis_process.errors import NoData, SourceUnavailable
from samgis_process.grid import Bounds, GeoBox, LngLat
from samgis_process.rendering import parse
from samgis_process.settings import ConfigurationError
from samgis_process.sources.picture import picture
from samgis_process.sources.raster import RasterSource

GRID = GeoBox(15, 34_400 * 128, 23_100 * 128, 320, 240)


def write(path, bands, crs, transform_, *, overviews=(), **profile):
    bands = np.atleast_3d(bands)
    count, rows, cols = bands.shape
    profile = {"driver": "GTiff", "dtype": bands.dtype, "crs": crs, **profile}
    with rasterio.open(
        path, "w", count=count, height=rows, width=cols, transform=transform_, **profile
    ) as dataset:
        dataset.write(bands)
    if overviews:
        with rasterio.open(path, "r+") as dataset:
            dataset.build_overviews(overviews, Resampling.nearest)
    return path


def drawn(source, grid):
    """The picture of a window as it is drawn by default."""
    return picture(source, grid, parse(None, source.info.bands, source.info.id)).image


def on_grid(path, bands, **profile):
    x, y = GRID.transform @ (0, 0)
    return write(
        path, bands, "EPSG:3857", from_origin(x, y, GRID.resolution, GRID.resolution), **profile
    )


def test_a_raster_on_the_grid_is_read_unchanged(tmp_path):
    rng = np.random.default_rng(1)
    bands = rng.integers(0, 255, (3, 240, 320), np.uint8)
    source = RasterSource.open("r", on_grid(tmp_path / "a.tif", bands))
    raw = source.read(GRID)
    np.testing.assert_array_equal(raw.bands, bands)
    assert raw.valid.all()
    assert source.info.native_zoom == 15


@pytest.mark.parametrize("crs", ["EPSG:32632", "EPSG:2056", "EPSG:4326", "EPSG:3035"])
def test_any_crs_lands_in_the_right_place(tmp_path, crs):
    """Each pixel holds its own longitude and latitude: what is read must agree with the grid."""
    bounds = GRID.bounds
    west, south, east, north = transform_bounds("OGC:CRS84", crs, *bounds)
    cols = rows = 200
    step_x, step_y = (east - west) / cols, (north - south) / rows
    placed = from_origin(west, north, step_x, step_y)
    col, row = np.meshgrid(np.arange(cols) + 0.5, np.arange(rows) + 0.5)
    xs, ys = placed @ (col.ravel(), row.ravel())
    lngs, lats = (np.array(v).reshape(rows, cols) for v in transform(crs, "OGC:CRS84", xs, ys))
    path = write(tmp_path / "a.tif", np.stack([lngs, lats, lngs]), crs, placed)
    inner = GeoBox(GRID.zoom, GRID.col_off + 60, GRID.row_off + 50, 180, 120)
    raw = RasterSource.open("r", path).read(inner)
    assert raw.valid.all()
    grid_cols, grid_rows = np.meshgrid(np.arange(180) + 0.5, np.arange(120) + 0.5)
    lng, lat = inner.lnglats(grid_cols, grid_rows)
    degree = 360 / inner.world_size
    assert np.abs(raw.bands[0] - lng).max() < 0.02 * degree
    assert np.abs(raw.bands[1] - lat).max() < 0.02 * degree


def test_a_coarse_window_is_read_from_the_overviews(tmp_path):
    bands = np.zeros((3, 240, 320), np.uint8)
    path = on_grid(tmp_path / "a.tif", bands, overviews=[2, 4], tiled=False)
    with rasterio.open(path, "r+", OVERVIEW_LEVEL=1) as overview:
        overview.write(np.full((3, 60, 80), 200, np.uint8))
    source = RasterSource.open("r", path)
    coarse = GeoBox(13, GRID.col_off // 4, GRID.row_off // 4, 80, 60)
    assert (source.read(coarse).bands == 200).all()
    assert (source.read(GRID).bands == 0).all()


def test_nodata_an_alpha_band_and_the_edge_are_not_valid(tmp_path):
    bands = np.full((3, 240, 320), 90, np.uint8)
    bands[:, 100:, :] = 0
    nodata = RasterSource.open("n", on_grid(tmp_path / "n.tif", bands, nodata=0))
    assert nodata.read(GRID).valid.sum() == 100 * 320
    alpha = np.concatenate([bands, (bands[:1] > 0) * np.uint8(255)])
    path = on_grid(tmp_path / "a.tif", alpha, photometric="RGB", alpha="YES")
    assert RasterSource.open("a", path).read(GRID).valid.sum() == 100 * 320
    beside = GeoBox(15, GRID.col_off - 100, GRID.row_off, 200, 240)
    assert RasterSource.open("a", path).read(beside).valid.sum() == 100 * 100


def test_a_window_outside_is_refused_with_the_bounds(tmp_path):
    path = on_grid(tmp_path / "a.tif", np.ones((3, 240, 320), np.uint8))
    with pytest.raises(NoData) as caught:
        RasterSource.open("r", path).read(GeoBox(15, 100, 100, 50, 50))
    assert f"{GRID.bounds.west:.5f}" in caught.value.faults[0].limit


def test_deep_bands_are_stretched_the_same_in_every_window(tmp_path):
    ramp = np.broadcast_to(np.arange(320, dtype=np.uint16) * 30, (1, 240, 320))
    source = RasterSource.open("r", on_grid(tmp_path / "a.tif", ramp))
    image = drawn(source, GRID)
    part = GeoBox(15, GRID.col_off + 100, GRID.row_off, 100, 240)
    np.testing.assert_array_equal(drawn(source, part), image[:, 100:200])
    assert image[0, 0, 0] == 0
    assert image[0, -1, 0] == 255
    assert (image[..., 0] == image[..., 2]).all()


def test_a_file_that_is_not_there_or_lies_nowhere_is_named(tmp_path):
    with pytest.raises(SourceUnavailable, match=r"source r: gone\.tif cannot be read: no such"):
        RasterSource.open("r", tmp_path / "gone.tif")
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        path = write(tmp_path / "a.tif", np.ones((1, 5, 5), np.uint8), None, None)
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        pytest.raises(ConfigurationError, match="it has no transform"),
    ):
        RasterSource.open("r", path)


def test_real_rasters_of_many_kinds_are_read(test_data, subtests):
    refused = []
    for path in sorted((test_data / "georaster").glob("*.tif")):
        with subtests.test(path.name):
            try:
                source = RasterSource.open(path.stem, path)
            except ConfigurationError:
                refused.append(path.stem)
                continue
            bounds = source.info.bounds
            zoom = min(source.info.native_zoom, source.info.zooms[1])
            while GeoBox.around(bounds, zoom).width > 600:
                zoom -= 1
            box = GeoBox.around(bounds, zoom)
            raw = source.read(box)
            assert raw.valid.mean() > 0.05
            image = drawn(source, box)
            assert (image[raw.valid].std() > 1) == (raw.bands[:, raw.valid].std() > 0)
    assert refused == ["gcps_only_no_transform", "mars_hirise_rgb_nonearth"]


def test_a_raster_across_the_antimeridian_is_read_on_both_sides(test_data):
    source = RasterSource.open("d", test_data / "georaster" / "cog_dateline_utm60.tif")
    bounds = source.info.bounds
    assert bounds.crosses_antimeridian
    zoom = source.info.native_zoom
    raw = source.read(GeoBox.around(bounds, zoom))
    box = GeoBox.around(bounds, zoom)
    seam = round(box.pixel(LngLat(180, bounds.north)).col)
    assert raw.valid[:, :seam].any()
    assert raw.valid[:, seam:].any()
    with rasterio.open(test_data / "georaster" / "cog_dateline_utm60.tif") as dataset:
        for lng in (178.7, 179.7, -179.7, -179.2):
            (x,), (y,) = transform("OGC:CRS84", dataset.crs, [lng], [51.7])
            expected = next(dataset.sample([(x, y)]))[0]
            col, row = (int(v) for v in box.pixel(LngLat(lng, 51.7)))
            near = raw.bands[0, row - 2 : row + 3, col - 2 : col + 3]
            assert near.min() <= expected <= near.max()


def test_bounds_are_in_degrees(tmp_path):
    path = on_grid(tmp_path / "a.tif", np.ones((3, 240, 320), np.uint8))
    assert RasterSource.open("r", path).info.bounds == pytest.approx(
        Bounds(*GRID.bounds), abs=1e-9
    )


def test_a_file_that_is_replaced_is_another_version(tmp_path):
    path = on_grid(tmp_path / "a.tif", np.ones((3, 240, 320), np.uint8))
    source = RasterSource.open("r", path)
    before = source.info.version
    assert source.info.version == before
    on_grid(path, np.full((3, 240, 320), 2, np.uint8), compress="deflate")
    assert source.info.version != before
    assert (source.read(GRID).bands == 2).all()
    last = source.info.version
    path.unlink()
    assert source.info.version == last
