"""Elevation of a window and around it: tiles, rasters, units, voids, the world's ends."""

import io

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image

from samgis_process.errors import NoData
from samgis_process.grid import GeoBox
from samgis_process.rendering import Bands
from samgis_process.settings import ConfigurationError
from samgis_process.sources.base import SourceInfo
from samgis_process.sources.elevation import read_relief
from samgis_process.sources.raster import GdalOptions, RasterSource
from samgis_process.sources.tiles import TileSource, Transport
from samgis_process.terrain import Options, compute

ZOOM = 12
BOX = GeoBox(ZOOM, 2200 * 256 + 40, 1450 * 256 + 70, 90, 60)
PLAIN = Options()


@pytest.fixture
def server(script):
    return script("tile_server").TileServer


def terrarium(metres):
    steps = np.rint((np.asarray(metres, np.float64) + 32768) * 256).astype(np.int64)
    rgb = np.stack([steps >> 16, steps >> 8 & 255, steps & 255], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def ramp(col, row):
    """A plane over the whole world: 3 m a column, -2 m a row."""
    return 1000 + 3.0 * (np.asarray(col) - BOX.col_off) - 2.0 * (np.asarray(row) - BOX.row_off)


def of_tiles(url, encoding="terrarium", bounds=None):
    bands = Bands(spans=(None,), natural=(1,), metres=1.0)
    about = {} if bounds is None else {"bounds": bounds}
    info = SourceInfo("tiles", "Tiles", "1", (0, ZOOM), ZOOM, bands=bands, **about)
    return TileSource(info, url + "/{z}/{x}/{y}.png", Transport(retries=0), encoding=encoding)


def respond(elevation, absent=()):
    def answer(path):
        _, x, y = (int(part) for part in path.removesuffix(".png").strip("/").split("/"))
        if (x, y) in absent:
            return None
        cols, rows = np.meshgrid(np.arange(256) + x * 256, np.arange(256) + y * 256)
        return terrarium(elevation(cols, rows))

    return answer


def write(path, elevation, crs="EPSG:32633", step=30.0, **more):
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=elevation.shape[0], width=elevation.shape[1],
        dtype=elevation.dtype, crs=crs, transform=Affine(step, 0, 500_000, 0, -step, 5_100_000),
        **more,
    ) as dataset:  # fmt: skip
        dataset.write(elevation, 1)
    return path


def of_raster(path, **options):
    return RasterSource.open("dem", path, GdalOptions(elevation=True, **options))


def inside(source, side=40):
    whole = GeoBox.around(source.info.bounds, source.info.native_zoom)
    col, row = whole.col_off + whole.width // 2, whole.row_off + whole.height // 2
    return GeoBox(source.info.native_zoom, col - side // 2, row - side // 2, side, side)


def test_the_surroundings_are_fetched_and_no_edge_is_invented(server):
    with server(respond=respond(ramp)) as tiles:
        relief = read_relief(of_tiles(tiles.url), BOX, 20)
    assert relief.surface.elevation.shape == (100, 130)
    assert relief.valid.shape == (60, 90)
    slope = compute(relief.surface, "slope", PLAIN, 20)
    ground = BOX.ground_resolution
    assert slope == pytest.approx(np.degrees(np.arctan(np.hypot(3, 2) / ground)), abs=0.01)
    assert relief.warnings == ()


def test_tiles_missing_around_a_whole_window_are_no_news(server):
    """The window lies in one tile; that to the west of it does not exist."""
    with server(respond=respond(ramp, absent={(2199, 1450)})) as tiles:
        relief = read_relief(of_tiles(tiles.url), BOX, 50)
    assert relief.valid.all()
    assert relief.warnings == ()
    assert np.isnan(relief.surface.elevation[:, :10]).all()
    assert np.isfinite(relief.surface.elevation[:, 10:]).all()
    tpi = compute(relief.surface, "tpi", Options(radius=50), 50)
    assert np.isfinite(tpi).all()


def test_tiles_missing_in_the_window_are_told(server):
    wide = GeoBox(ZOOM, BOX.col_off - 60, BOX.row_off, 100, 40)
    with server(respond=respond(ramp, absent={(2199, 1450)})) as tiles:
        relief = read_relief(of_tiles(tiles.url), wide, 4)
    assert not relief.valid[:, :20].any()
    assert relief.valid[:, 20:].all()
    assert "1 of 2 tiles" in relief.warnings[0]


@pytest.mark.parametrize("nonsense", [-32768.0, 32767.0, 12_000.0])
def test_a_tile_that_decodes_to_nonsense_is_no_elevation(server, nonsense):
    with (
        server(respond=respond(lambda col, _: np.full(col.shape, nonsense))) as tiles,
        pytest.raises(NoData) as caught,
    ):
        read_relief(of_tiles(tiles.url), BOX, 10)
    (fault,) = caught.value.faults
    assert "no elevation" in fault.message
    assert fault.limit
    assert fault.remedy


def test_black_terrain_rgb_is_no_elevation(server):
    black = Image.new("RGB", (256, 256))
    buffer = io.BytesIO()
    black.save(buffer, "PNG")
    with (
        server(respond=lambda _: buffer.getvalue()) as tiles,
        pytest.raises(NoData, match="no elevation"),
    ):
        read_relief(of_tiles(tiles.url, "terrain-rgb"), BOX, 10)


def test_single_voids_of_a_tile_are_a_mask(server):
    def holed(col, row):
        return np.where(
            (col == BOX.col_off + 5) & (row == BOX.row_off + 7), -32768, ramp(col, row)
        )

    with server(respond=respond(holed)) as tiles:
        relief = read_relief(of_tiles(tiles.url), BOX, 3)
    assert not relief.valid[7, 5]
    assert relief.valid.sum() == 60 * 90 - 1
    slope = compute(relief.surface, "slope", PLAIN, 3)
    # Horn's differences leave out the middle: the void itself has a slope, its neighbours none.
    assert np.isnan(slope[6:9, 4:7]).sum() >= 8
    assert np.isfinite(slope).sum() >= 60 * 90 - 9


def test_the_sea_is_level_and_known(server):
    with server(respond=respond(lambda col, _: np.zeros(col.shape))) as tiles:
        relief = read_relief(of_tiles(tiles.url), BOX, 10)
    assert relief.valid.all()
    assert (compute(relief.surface, "slope", PLAIN, 10) == 0).all()
    assert np.isnan(compute(relief.surface, "aspect", PLAIN, 10)).all()


def test_across_the_antimeridian_the_ground_goes_on(server):
    world = 256 << 4

    def round_the_world(col, row):
        return 500 + 100 * np.sin(2 * np.pi * (np.asarray(col) % world) / world * 8) + 0 * row

    box = GeoBox(4, world - 10, 1700, 30, 20)
    with server(respond=respond(round_the_world)) as tiles:
        relief = read_relief(of_tiles(tiles.url), box, 6)
    cols = np.arange(world - 16, world + 26)
    assert relief.surface.elevation[0] == pytest.approx(round_the_world(cols, 0), abs=0.01)


def test_beyond_the_end_of_the_world_nothing_is_known(server):
    box = GeoBox(3, 100, 0, 40, 20)
    with server(respond=respond(lambda col, _: np.full(col.shape, 7.0))) as tiles:
        relief = read_relief(of_tiles(tiles.url), box, 5)
    assert relief.surface.elevation.shape == (30, 50)
    assert np.isnan(relief.surface.elevation[:5]).all()
    assert np.isfinite(relief.surface.elevation[5:]).all()
    assert relief.valid.all()


def test_a_window_around_the_whole_world_has_no_neighbours(server):
    box = GeoBox(0, 0, 40, 256, 100)
    with server(respond=respond(lambda col, _: np.full(col.shape, 7.0))) as tiles:
        relief = read_relief(of_tiles(tiles.url), box, 5)
    assert relief.valid.all()
    assert np.isnan(relief.surface.elevation[:, :5]).all()


def test_whole_metres_have_no_steps_between_them(tmp_path):
    """A gentle plane in whole metres, seen four times as finely as it is."""
    col = np.arange(200)[None, :] + np.zeros((150, 1))
    source = of_raster(write(tmp_path / "dem.tif", np.rint(0.5 * col).astype(np.int16)))
    fine = inside(source)
    relief = read_relief(
        source, GeoBox(fine.zoom + 2, fine.col_off * 4, fine.row_off * 4, 80, 80), 2
    )
    heights = relief.surface.elevation
    assert heights.dtype == np.float32
    assert (heights != np.rint(heights)).mean() > 0.5


@pytest.mark.parametrize(
    ("how", "metres"),
    [
        ({"unit": "ft"}, 0.3048),
        ({"unit": "US survey foot"}, 1200 / 3937),
        ({"crs": "EPSG:32633+6360"}, 1200 / 3937),
        ({"told": "foot"}, 0.3048),
        ({"unit": "m"}, 1.0),
        ({}, 1.0),
    ],
)
def test_feet_become_metres(tmp_path, how, metres):
    path = write(
        tmp_path / "dem.tif",
        np.full((60, 70), 1000, np.float32),
        crs=how.get("crs", "EPSG:32633"),
    )
    if "unit" in how:
        with rasterio.open(path, "r+") as dataset:
            dataset.units = (how["unit"],)
    source = of_raster(path, vertical_unit=how.get("told"))
    assert source.info.bands.metres == pytest.approx(metres)
    relief = read_relief(source, inside(source, 10), 1)
    assert relief.surface.elevation == pytest.approx(1000 * metres, rel=1e-6)


def test_an_unknown_unit_is_refused_with_the_remedy(tmp_path):
    path = write(tmp_path / "dem.tif", np.full((60, 70), 1000, np.float32))
    with rasterio.open(path, "r+") as dataset:
        dataset.units = ("fathom",)
    with pytest.raises(ConfigurationError, match=r"fathom.*vertical_unit"):
        of_raster(path)


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [("int16", -32767), ("float32", -3.4e38), ("float32", np.nan), ("uint16", 65535)],
)
def test_any_nodata_is_unknown_ground(tmp_path, dtype, nodata):
    ground = np.full((80, 80), 500, dtype)
    ground[:, :40] = nodata
    source = of_raster(write(tmp_path / "dem.tif", ground, nodata=nodata))
    relief = read_relief(source, inside(source, 30), 3)
    assert 0.2 < relief.valid.mean() < 0.8
    known = relief.surface.elevation[np.isfinite(relief.surface.elevation)]
    assert known == pytest.approx(500, abs=0.01)


def test_nodata_that_nobody_declared_is_no_ground_either(tmp_path):
    ground = np.full((80, 80), 500, np.int16)
    ground[:, :40] = -32768
    source = of_raster(write(tmp_path / "dem.tif", ground))
    box = inside(source, 40)
    relief = read_relief(source, box, 0)
    assert not relief.valid[:, :15].any()
    assert relief.valid[:, -15:].all()


def test_only_voids_are_no_data_with_the_bounds(tmp_path):
    ground = np.full((80, 80), 500, np.float32)
    ground[:, :40] = -9999
    source = of_raster(write(tmp_path / "dem.tif", ground, nodata=-9999))
    box = inside(source, 20)
    with pytest.raises(NoData) as caught:
        read_relief(source, GeoBox(box.zoom, box.col_off - 10, box.row_off, 12, 12), 30)
    assert "no elevation" in caught.value.faults[0].message
    assert "bounds" in caught.value.faults[0].limit


def test_degrees_come_out_in_ground_metres(test_data):
    """The same hill of the world, once in degrees: its slopes are those of any hill country."""
    source = of_raster(test_data / "dem" / "jacksboro_fault_4326_float32.tif")
    box = inside(source, 300)
    relief = read_relief(source, box, 1)
    slope = compute(relief.surface, "slope", PLAIN, 1)
    assert 5 < slope.mean() < 20  # taken for metres, degrees would make it 89
