"""What reaches the model is what the file means, or the answer says what was assumed."""

import numpy as np
import pytest
import rasterio
from odd_rasters import (
    COLS,
    DISC,
    HILL,
    RGB,
    ROWS,
    SIDE,
    UTM,
    heights,
    opened,
    plane,
    whole,
    write,
)
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import from_origin

from samgis_process.errors import InvalidInput, NoData
from samgis_process.grid import GeoBox
from samgis_process.rendering import parse
from samgis_process.sources import picture
from samgis_process.sources import raster as raster_module

HOLE = (abs(COLS - 60) < 20) & (abs(ROWS - 70) < 15)


def drawn(source, rendering=None, grid=None):
    info = source.info
    return picture(source, grid or whole(source), parse(rendering, info.bands, info.id))


def scaled(scale, offset):
    def after(dataset):
        dataset.scales, dataset.offsets = (scale,) * dataset.count, (offset,) * dataset.count

    return after


@pytest.mark.parametrize(
    ("dtype", "scale", "offset"),
    [("int16", 0.1, 0), ("uint16", 0.25, -1000), ("int32", 0.01, 0), ("float32", 0.3048, 50)],
)
def test_elevation_is_scaled_and_shifted(tmp_path, dtype, scale, offset):
    metres = plane(5)
    numbers = (metres - offset) / scale
    numbers = numbers if dtype[0] == "f" else np.rint(numbers)
    path = write(tmp_path / "a.tif", numbers.astype(dtype), scaled(scale, offset))
    ground, slopes, warnings = heights(opened(path, elevation=True))
    assert np.median(slopes) == pytest.approx(5.0, abs=0.04)
    assert (ground.min(), ground.max()) == pytest.approx((metres.min(), metres.max()), abs=1.5)
    assert not warnings


def test_bands_indices_and_percentiles_are_scaled_too(tmp_path):
    reflectance = np.stack([np.where(DISC, 0.4, 0.1), np.where(DISC, 0.1, 0.3)])
    numbers = np.rint(reflectance * 10_000 + 1000).astype("uint16")
    path = write(tmp_path / "a.tif", numbers, scaled(1e-4, -0.1))
    plain = write(tmp_path / "b.tif", reflectance.astype("float32"))
    index = {"bands": [{"nd": [1, 2]}]}
    for rendering in (index, {"bands": [1], "stretch": [[0, 0.5]]}, {"bands": [1, 2, 1]}):
        ours, theirs = (drawn(opened(one), rendering).image for one in (path, plain))
        assert np.abs(ours.astype(int) - theirs).max() <= 1
    raw = opened(path).read(whole(opened(path)), (1,))
    assert raw.bands[:, raw.valid].max() == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(
    ("flag", "dtype"),
    [(-32768, "int16"), (-9999, "int16"), (-9999, "float32"), (-3.4028235e38, "float32"),
     (-32767, "int32"), (-99999, "int32"), (9.96921e36, "float32"), (65535, "uint16"),
     (-999, "int16"), (np.iinfo("int32").min, "int32")],
)  # fmt: skip
def test_a_hole_that_nobody_declared_is_no_ground(tmp_path, flag, dtype):
    path = write(tmp_path / "a.tif", np.where(HOLE, flag, 500).astype(dtype))
    ground, slopes, warnings = heights(opened(path, elevation=True))
    assert set(ground.tolist()) == {500.0}
    assert slopes.max() == 0
    assert "were taken for holes" in warnings[0]
    assert "`nodata`" in warnings[0]
    assert 0.85 < ground.size / whole(opened(path)).width ** 2 < 0.93


def test_the_floor_of_a_trench_is_ground(tmp_path):
    """-9999 m exists, and then its neighbours lie as deep."""
    trench = np.rint(np.maximum(-9999, -9999 + 3 * (np.hypot(COLS - 80, ROWS - 80) - 20)))
    ground, _, warnings = heights(
        opened(write(tmp_path / "a.tif", trench.astype("int16")), elevation=True)
    )
    assert ground.min() == -9999
    assert not warnings


def test_a_flag_in_imagery_is_no_colour(tmp_path):
    bands = np.where(HOLE, -9999, np.stack([HILL, HILL + 40, HILL + 9])).astype("int16")
    source = opened(write(tmp_path / "a.tif", bands))
    seen = drawn(source)
    assert "taken for holes" in seen.warnings[0]
    assert seen.valid.mean() < 0.93
    assert seen.image[seen.valid].std() > 40


def test_a_band_is_masked_by_its_own_nodata(tmp_path):
    bands = np.stack([np.where(COLS < 60, -9999, HILL), HILL * 0 + 7]).astype("int16")
    source = opened(write(tmp_path / "a.tif", bands, nodata=-9999))
    raw = source.read(whole(source, 16), (1,))
    assert raw.bands[:, raw.valid].min() >= 490
    ground, _, _ = heights(opened(write(tmp_path / "b.tif", bands, nodata=-9999), elevation=True))
    assert ground.min() == 500


def test_the_operators_nodata_wins(tmp_path):
    collar = np.where(COLS < 40, 255, np.where(ROWS < 40, 0, RGB)).astype("uint8")
    path = write(tmp_path / "a.tif", collar, nodata=0)
    grid = whole(opened(path))
    ours, theirs = (one.read(grid) for one in (opened(path, nodata=255), opened(path)))
    assert ours.valid.sum() == pytest.approx(grid.width * grid.height * 0.96 * 0.75, rel=0.02)
    assert ours.bands[:, ours.valid].min() == 0
    assert (theirs.valid & ~ours.valid).any()
    wrong = np.where(COLS < 40, -2147483648, HILL).astype("int32")
    path = write(tmp_path / "b.tif", wrong, nodata=2147483647)
    ground, _, warnings = heights(opened(path, nodata=-2147483648, elevation=True))
    assert (ground.min(), list(warnings)) == (500, [])


def test_alpha_decides_and_outside_nothing_is_valid(tmp_path):
    alpha = np.concatenate([RGB, np.where(COLS > 80, 255, 0)[None].astype("u1")])
    alpha[:3, 100:] = 255

    def colours(dataset):
        names = ("red", "green", "blue", "alpha")
        dataset.colorinterp = [ColorInterp[name] for name in names]

    source = opened(write(tmp_path / "a.tif", alpha, colours, nodata=255))
    grid = whole(source)
    around = GeoBox(grid.zoom, grid.col_off - 50, grid.row_off - 50, grid.width + 100,
                    grid.height + 100)  # fmt: skip
    inner, outer = source.read(grid).valid, source.read(around).valid
    assert inner.sum() == outer.sum()
    assert inner.mean() == pytest.approx(79 / 160 * 0.96, abs=0.02)


@pytest.mark.parametrize("zoom_up", [0, 1, 2, 3])
def test_interpolated_heights_stay_between_those_around(tmp_path, zoom_up):
    source = opened(
        write(tmp_path / "a.tif", np.where(DISC, 53.5, 0).astype("f4")), elevation=True
    )
    ground, _, _ = heights(source, GeoBox.around(source.info.bounds, whole(source).zoom + zoom_up))
    assert (ground.min(), ground.max()) == (0, 53.5)


def test_a_palette_of_signed_numbers_is_drawn_and_masked(tmp_path):
    signed = write(tmp_path / "v.tif", np.where(COLS < 80, -999, 1).astype("int16"), nodata=-999)
    text = (
        f'<VRTDataset rasterXSize="{SIDE}" rasterYSize="{SIDE}"><SRS>EPSG:32632</SRS>'
        f"<GeoTransform>{UTM.c},{UTM.a},0,{UTM.f},0,{UTM.e}</GeoTransform>"
        '<VRTRasterBand dataType="Int16" band="1"><NoDataValue>-999</NoDataValue>'
        "<ColorInterp>Palette</ColorInterp><ColorTable>"
        '<Entry c1="0" c2="0" c3="0" c4="255"/><Entry c1="255" c2="0" c3="9" c4="255"/>'
        f'</ColorTable><SimpleSource><SourceFilename relativeToVRT="1">{signed.name}'
        "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    (tmp_path / "p.vrt").write_text(text)
    raw = opened(tmp_path / "p.vrt").read(whole(opened(tmp_path / "p.vrt")))
    assert set(map(tuple, raw.bands[:, raw.valid].T.tolist())) == {(255, 0, 9)}
    assert raw.valid.mean() == pytest.approx(0.48, abs=0.02)


def test_feet_that_cannot_be_told_are_told(tmp_path):
    feet = {"crs": "EPSG:6529", "transform": from_origin(500_000, 600_000, 32.8084, 32.8084)}
    path = write(tmp_path / "a.tif", (plane(5) * 3.28084).astype("f4"), **feet)
    _, _, (warning,) = heights(opened(path, elevation=True))
    assert "`vertical_unit`" in warning
    _, slopes, warnings = heights(opened(path, elevation=True, vertical_unit="foot"))
    assert not warnings
    path = write(tmp_path / "b.tif", (plane(5) * 3.28084).astype("f4"),
                 **feet | {"crs": "EPSG:6529+6360"})  # fmt: skip
    source = opened(path, elevation=True)
    _, compound, warnings = heights(source)
    assert (source.info.crs, list(warnings)) == ("EPSG:6529", [])
    assert np.median(compound) == pytest.approx(np.median(slopes), abs=1e-3)
    assert np.median(compound) == pytest.approx(5, abs=0.03)


def test_a_picture_that_is_nearly_black_says_how_to_see_it(tmp_path):
    source = opened(write(tmp_path / "a.tif", np.where(DISC, 2, 1).astype("u1")))
    (hint,) = drawn(source).warnings
    assert '{"bands": [1], "stretch": [[1, 2]]}' in hint
    assert drawn(source, {"bands": [1], "stretch": [[1, 2]]}).warnings == ()
    assert drawn(opened(write(tmp_path / "b.tif", RGB))).warnings == ()


# Planes and holes


@pytest.mark.parametrize("cell", [2.0, 9.5])
@pytest.mark.parametrize("holes", [False, True])
def test_a_plane_stays_a_plane_at_every_zoom(tmp_path, cell, holes):
    side = 700
    metres = plane(12.63, cell, side).astype("f4")
    if holes:
        metres[300:330, 200:340] = np.nan
        metres[np.random.default_rng(2).random(metres.shape) < 0.003] = np.nan
    path = write(tmp_path / "a.tif", metres, transform=from_origin(4e5, 52e5, cell, cell))
    source = opened(path, elevation=True)
    seen = 0
    for zoom in range(source.info.zooms[0] + 1, source.info.zooms[1] + 1):
        grid = GeoBox.around(source.info.bounds, zoom)
        if grid.width > 900:
            grid = GeoBox(zoom, grid.col_off + grid.width // 4, grid.row_off + grid.height // 3,
                          500, 400)  # fmt: skip
        _, slopes, _ = heights(source, grid)
        assert np.abs(slopes - 12.63).max() < 0.1, zoom
        seen += slopes.size
    assert seen > 500_000


def test_a_step_beside_a_hole_is_not_carried_on(tmp_path):
    wall = np.where(COLS < 80, 0, 53.5).astype("f4")
    wall[:, 81:90] = np.nan
    source = opened(write(tmp_path / "a.tif", wall), elevation=True)
    for zoom in (14, 15, 17):
        ground, _, _ = heights(source, whole(source, zoom) if zoom < 17 else
                               GeoBox.around(source.info.bounds, 17))  # fmt: skip
        assert ground.min() >= 0
        assert ground.max() <= 53.5


# Cells without overviews


def test_a_wide_look_without_overviews_is_the_mean_and_says_so(tmp_path):
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 200, (3, 1600, 1600)).astype("u1")
    source = opened(write(tmp_path / "a.tif", noise))
    grid = GeoBox.around(source.info.bounds, source.info.zooms[0])
    raw = source.read(grid)
    assert "gdaladdo -r average a.tif" in raw.warnings[0]
    inner = raw.bands[:, 20:-20, 20:-20]
    assert inner.mean() == pytest.approx(99.5, abs=1)
    assert inner.std() < 15


def test_too_wide_a_look_is_refused_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(raster_module, "MOST_CELLS", 10**6)
    source = opened(write(tmp_path / "a.tif", np.ones((1600, 1600), "u1")))
    grid = GeoBox.around(source.info.bounds, source.info.zooms[0])
    with pytest.raises(InvalidInput, match="no overviews") as refused:
        source.read(grid)
    assert "gdaladdo" in refused.value.faults[0].remedy
    near = GeoBox(source.info.native_zoom, grid.col_off << 4, grid.row_off << 4, 64, 64)
    near = GeoBox.around(source.info.bounds, source.info.native_zoom)
    source.read(GeoBox(near.zoom, near.col_off + 300, near.row_off + 300, 64, 64))


def test_nothing_but_nodata_is_said_in_those_words(tmp_path):
    source = opened(write(tmp_path / "a.tif", RGB * 0, nodata=0))
    with pytest.raises(NoData, match="holds no data at all"):
        source.read(whole(source))


@pytest.mark.parametrize("told", [None, -9999])
def test_overviews_made_without_knowing_of_holes_are_not_used(tmp_path, told):
    ground = np.full((640, 640), 500, "int16")
    ground[200:420, 100:333] = ground[50, 60] = ground[600:602, 30:33] = -9999
    path = write(tmp_path / "a.tif", ground)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4], Resampling.average)
    source = opened(path, elevation=True, nodata=told)
    for zoom in range(source.info.zooms[0], source.info.native_zoom + 1):
        heights_, slopes, _ = heights(source, whole(source, zoom))
        assert set(heights_.tolist()) == {500.0}
        assert slopes.max() == 0


def test_one_cell_of_a_flag_is_no_pit(tmp_path):
    ground = np.full((160, 160), 500, "float32")
    ground[80, 70] = -9999
    found, slopes, (warning,) = heights(opened(write(tmp_path / "a.tif", ground), elevation=True))
    assert set(found.tolist()) == {500.0}
    assert slopes.max() == 0
    assert "-9999" in warning


def test_the_operators_nodata_counts_beside_alpha(tmp_path):
    alpha = np.concatenate([np.where(COLS < 50, 7, RGB), np.full((1, SIDE, SIDE), 255)])

    def colours(dataset):
        names = ("red", "green", "blue", "alpha")
        dataset.colorinterp = [ColorInterp[name] for name in names]

    source = opened(write(tmp_path / "a.tif", alpha.astype("u1"), colours), nodata=7)
    assert source.read(whole(source)).valid.mean() == pytest.approx(110 / 160 * 0.96, abs=0.02)


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_nothing_leaks_in_across_a_corner(tmp_path, dtype):
    """Beside the corner of an island of data lie cells that no side of it touches."""
    island = np.zeros((160, 160), dtype)
    island[40:90, 50:120] = 4000
    path = write(tmp_path / "a.tif", island, nodata=0)
    source = opened(path, elevation=dtype == "float32")
    for zoom in range(source.info.native_zoom, source.info.zooms[1] + 1):
        raw = source.read(whole(source, zoom))
        assert set(raw.bands[:, raw.valid].ravel().tolist()) == {4000}, zoom


def test_what_the_file_says_too_leaves_its_overviews_in_use(tmp_path):
    path = write(tmp_path / "a.tif", np.full((640, 640), 500, "int16"), nodata=-9999)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling.average)
    source = opened(path, elevation=True, nodata=-9999)
    lowest = source.info.zooms[0]
    assert heights(source, whole(source, lowest))[2] == ()  # no word of missing overviews
    assert heights(opened(path, elevation=True, nodata=-1), whole(source, lowest))[0].min() == 500
