"""Whatever GDAL opens is a source: real files of odd kinds, and real servers on 127.0.0.1."""

import json
import shutil
import threading

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.transform import from_origin
from rasterio.warp import transform

from samgis_process.errors import NoData, SourceTimeout, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.rendering import parse
from samgis_process.settings import ConfigurationError
from samgis_process.settings import parse as parse_settings
from samgis_process.sources import SourceCatalogue, picture
from samgis_process.sources.raster import GdalOptions, RasterSource

GRID = GeoBox(15, 34_400 * 128, 23_100 * 128, 320, 240)
PLACE = from_origin(*(GRID.transform @ (0, 0)), GRID.resolution, GRID.resolution)
PROJECTION = "projection/v1.0.0/schema.json"
SECRET = "hunter2"  # noqa: S105 - what must never be seen
DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32",
          "float64")  # fmt: skip


def write(path, bands, placed=PLACE, crs="EPSG:3857", colours=None, **profile):
    profile = {"driver": "GTiff", "dtype": bands.dtype, "crs": crs, **profile}
    count, rows, cols = bands.shape
    with rasterio.open(
        path, "w", count=count, height=rows, width=cols, transform=placed, **profile
    ) as dataset:
        dataset.write(bands)
        if colours:
            dataset.write_colormap(1, colours)
    return path


def blocks(count=3, side=512, seed=1):
    """Random squares of 16 pixels: they compress, and a shift shows."""
    small = np.random.default_rng(seed).integers(1, 255, (count, side // 16, side // 16))
    return small.repeat(16, 1).repeat(16, 2).astype(np.uint8)


def image(source, rendering=None, grid=GRID):
    wanted = parse(rendering, source.info.bands, source.info.id)
    return picture(source, grid, wanted).image


@pytest.fixture
def web(script, tmp_path):
    with script("range_server").RangeServer(tmp_path) as server:
        yield server


@pytest.fixture
def maps(script, tmp_path):
    write(tmp_path / "map.tif", blocks())
    with script("wms_server").WmsServer(tmp_path / "map.tif") as server:
        yield server


# Files of every kind


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_number_type_keeps_its_values(tmp_path, dtype):
    low, high = (0, 1) if dtype[0] == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    # GDAL's warper computes in float64: 64-bit integers keep 53 bits.
    span = [float(low), min(float(high), 2.0**53)]
    bands = np.linspace(*span, 320 * 240).reshape(1, 240, 320).astype(dtype)
    source = RasterSource.open("r", write(tmp_path / "a.tif", bands))
    raw = source.read(GRID, (1,))
    np.testing.assert_allclose(raw.bands.astype(float), bands.astype(float), rtol=1e-15)
    drawn = image(source, {"stretch": "minmax"})
    assert (drawn[0, 0, 0], drawn[-1, -1, 0]) == (0, 255)
    assert image(source).std() > 50


def test_a_palette_becomes_its_colours(tmp_path):
    colours = {0: (9, 9, 9, 255), 1: (200, 30, 10, 255), 2: (20, 130, 60, 255)}
    entries = np.ones((1, 240, 320), np.uint8)
    entries[:, :, 100:] = 2
    entries[:, 200:] = 0
    path = write(tmp_path / "p.tif", entries, colours=colours, nodata=0)
    source = RasterSource.open("p", path)
    assert source.info.bands.count == 3
    raw = source.read(GRID)
    assert raw.bands[:, 5, 99].tolist() == [200, 30, 10]
    assert raw.bands[:, 5, 100].tolist() == [20, 130, 60]
    assert raw.valid.sum() == 200 * 320
    assert image(source, {"bands": [2], "stretch": "minmax"})[5, 150].tolist() == [255] * 3
    # Between the colours there is no third one, at any zoom.
    finer = GeoBox(16, GRID.col_off * 2 + 150, GRID.row_off * 2, 100, 100)
    assert len(np.unique(source.read(finer).bands.reshape(3, -1), axis=1).T) == 2


def test_one_bit_is_black_and_white(tmp_path):
    bits = np.zeros((1, 240, 320), np.uint8)
    bits[:, 50:] = 1
    drawn = image(RasterSource.open("b", write(tmp_path / "b.tif", bits, nbits=1)))
    assert (drawn[10, 10].tolist(), drawn[100, 10].tolist()) == ([0] * 3, [255] * 3)


def test_complex_numbers_are_refused_with_the_way_out(tmp_path):
    bands = np.ones((1, 8, 8), np.complex64)
    with pytest.raises(ConfigurationError, match="make a raster of their amplitudes"):
        RasterSource.open("r", write(tmp_path / "a.tif", bands))


@pytest.mark.parametrize("nodata", [0, None])
def test_a_raster_without_any_data_says_so(tmp_path, nodata):
    dtype = np.uint16 if nodata == 0 else np.float32
    bands = np.full((1, 240, 320), 0 if nodata == 0 else np.nan, dtype)
    source = RasterSource.open("r", write(tmp_path / "a.tif", bands, nodata=nodata))
    for rendering in (None, {"stretch": "minmax"}):
        with pytest.raises(NoData):
            image(source, rendering)


def test_one_dark_band_is_data_but_one_missing_float_is_not(tmp_path):
    bands = blocks(side=320)[:, :240]
    bands[0, :100] = 0
    dark = RasterSource.open("d", write(tmp_path / "d.tif", bands, nodata=0))
    assert dark.read(GRID).valid.all()
    assert dark.read(GRID, (1,)).valid.sum() == 140 * 320
    floats = RasterSource.open("f", write(tmp_path / "f.tif", bands.astype("f4"), nodata=0))
    assert floats.read(GRID).valid.sum() == 140 * 320


def test_the_operator_knows_what_means_nothing(tmp_path):
    bands = blocks(1, 320)[:, :240].astype(np.uint16) * 30
    bands[:, :100] = 0
    path = write(tmp_path / "a.tif", bands)
    assert RasterSource.open("r", path).read(GRID).valid.all()
    source = RasterSource.open("r", path, GdalOptions(nodata=0))
    raw = source.read(GRID)
    assert raw.valid.sum() == 140 * 320
    (channel,) = parse(None, source.info.bands, "r").surveys
    assert source.spans([channel])[channel].low > 0


def test_an_alpha_band_may_be_drawn_and_still_hides(tmp_path):
    bands = blocks(4, 320)[:, :240]
    bands[3] = 255
    bands[3, :100] = 0
    path = write(tmp_path / "a.tif", bands, photometric="RGB", alpha="YES")
    source = RasterSource.open("a", path)
    assert source.read(GRID, (1, 4)).valid.sum() == 140 * 320
    with pytest.raises(Exception, match="near infrared"):
        parse("false-colour", source.info.bands, "a")


@pytest.mark.parametrize("turn", [Affine.rotation(30), Affine.scale(1, -1), Affine.shear(20, 0)])
def test_a_turned_raster_lands_in_the_right_place(tmp_path, turn):
    """Each pixel holds its own easting and northing."""
    xs, ys = transform("OGC:CRS84", "EPSG:32632", [9.0], [46.78])
    placed = Affine.translation(xs[0], ys[0]) @ turn @ Affine.scale(12, -9)
    cols, rows = np.meshgrid(np.arange(200) + 0.5, np.arange(150) + 0.5)
    east, north = placed @ (cols, rows)
    bands = np.stack([east, north, north])
    source = RasterSource.open("t", write(tmp_path / "t.tif", bands, placed, "EPSG:32632"))
    box = GeoBox.around(source.info.bounds, 14)
    raw = source.read(box, (1, 2))
    lng, lat = box.lnglats(*np.meshgrid(np.arange(box.width) + 0.5, np.arange(box.height) + 0.5))
    wanted = transform("OGC:CRS84", "EPSG:32632", lng.ravel(), lat.ravel())
    east, north = (np.array(values).reshape(box.shape) for values in wanted)
    col, row = ~placed @ (east, north)
    outside = np.maximum(np.abs(col - 100) - 100, np.abs(row - 75) - 75)  # source pixels
    assert raw.valid[outside < -1].all()
    assert not raw.valid[outside > 1].any()
    inner = outside < -3  # near its edge a raster is interpolated from fewer pixels
    assert np.abs(raw.bands[0] - east)[inner].max() < 0.5
    assert np.abs(raw.bands[1] - north)[inner].max() < 0.5


def test_small_and_long_windows(tmp_path):
    bands = blocks()
    source = RasterSource.open("r", write(tmp_path / "a.tif", bands))
    one = GeoBox(15, GRID.col_off + 77, GRID.row_off + 40, 1, 1)
    assert source.read(one).bands[:, 0, 0].tolist() == bands[:, 40, 77].tolist()
    long = GeoBox(15, GRID.col_off - 3000, GRID.row_off + 40, 9000, 1)
    raw = source.read(long)
    assert raw.valid.sum() == 512
    np.testing.assert_array_equal(raw.bands[:, :, 3000:3512], bands[:, 40:41])


@pytest.mark.parametrize(("crs", "lat"), [("EPSG:3413", 82.5), ("EPSG:3031", -83.2)])
def test_polar_rasters_are_read_near_the_edge_of_the_map(tmp_path, crs, lat):
    (x,), (y,) = transform("OGC:CRS84", crs, [40.0], [lat])
    bands = np.full((1, 100, 100), 7, np.uint8)
    path = write(tmp_path / "a.tif", bands, from_origin(x - 5000, y + 5000, 100, 100), crs)
    source = RasterSource.open("polar", path)
    bounds = source.info.bounds
    assert bounds.west < 40 < bounds.east
    assert bounds.south < lat < bounds.north
    raw = source.read(GeoBox.around(bounds, source.info.native_zoom - 2))
    assert raw.valid.mean() > 0.3


def test_a_raster_over_the_pole_reaches_all_around(tmp_path):
    bands = np.full((1, 100, 100), 7, np.uint8)
    placed = from_origin(-1_500_000, 1_500_000, 30_000, 30_000)
    source = RasterSource.open("pole", write(tmp_path / "a.tif", bands, placed, "EPSG:3413"))
    assert source.info.bounds.lng_span == pytest.approx(360, abs=0.5)
    assert source.info.bounds.north == pytest.approx(85.0511, abs=1e-4)


# Percentiles


def test_panning_changes_no_level(tmp_path):
    rng = np.random.default_rng(3)
    ramp = np.linspace(100, 9000, 512) * rng.uniform(0.8, 1.2, (4, 512, 1))
    source = RasterSource.open("deep", write(tmp_path / "a.tif", ramp.astype(np.uint16)))
    box = GeoBox(15, GRID.col_off, GRID.row_off, 400, 300)
    inner = GeoBox(15, GRID.col_off + 130, GRID.row_off + 70, 90, 60)
    for rendering in (
        None, "false-colour", {"bands": [{"nd": [4, 1]}], "stretch": [5, 95]},
        {"bands": [3, 2, 1], "stretch": "minmax"},
    ):  # fmt: skip
        whole = image(source, rendering, box)
        np.testing.assert_array_equal(image(source, rendering, inner), whole[70:130, 130:220])
        assert whole.std() > 20


def test_the_natural_bands_are_those_that_the_file_names(tmp_path):
    path = write(tmp_path / "a.tif", blocks(4))
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("NIR", "Blue", "Green", "Red")
    bands = RasterSource.open("r", path).info.bands
    assert (bands.natural, bands.nir) == ((4, 3, 2), 1)
    told = GdalOptions(roles={"red": 1, "green": 1, "blue": 2, "nir": 3})
    bands = RasterSource.open("r", path, told).info.bands
    assert (bands.natural, bands.nir) == ((1, 1, 2), 3)
    with pytest.raises(ConfigurationError, match=r"band_roles\.nir is 5, but the source has 4"):
        RasterSource.open("r", path, GdalOptions(roles={"nir": 5}))


# A file that changes


def test_a_file_replaced_between_two_reads_gives_the_new_picture(tmp_path):
    path = write(tmp_path / "a.tif", blocks(1).astype(np.uint16) * 40)
    source = RasterSource.open("r", path)
    before, version = image(source), source.info.version
    write(path, blocks(1, seed=2).astype(np.uint16) * 80)
    after = image(source)
    assert source.info.version != version
    assert (before != after).mean() > 0.5
    assert {after.min(), after.max()} == {0, 255}


def test_a_truncated_file_is_unavailable_and_no_half_picture(tmp_path):
    bands = np.random.default_rng(1).integers(0, 255, (3, 512, 512), np.uint8)
    path = write(tmp_path / "a.tif", bands, tiled=True, compress="deflate")
    source = RasterSource.open("secret-free", path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    with pytest.raises(SourceUnavailable, match="secret-free"):
        source.read(GRID)
    path.write_bytes(data)
    np.testing.assert_array_equal(source.read(GRID).bands, bands[:, :240, :320])


def test_a_file_replaced_all_the_time_never_mixes(tmp_path):
    """Readers see one version or the other, or are told to ask again."""
    versions = [np.full((3, 512, 512), level, np.uint8) for level in (50, 200)]
    files = [write(tmp_path / f"{i}.tif", v, tiled=True) for i, v in enumerate(versions)]
    path = tmp_path / "a.tif"
    shutil.copy(files[0], path)
    source = RasterSource.open("r", path)
    done = threading.Event()

    def swap():
        turn = 0
        while not done.is_set():
            turn += 1
            shutil.copy(files[turn % 2], tmp_path / "new.tif")
            (tmp_path / "new.tif").replace(path)
            done.wait(0.004)

    writer = threading.Thread(target=swap)
    writer.start()
    seen = set()
    try:
        for _ in range(60):
            try:
                levels = np.unique(image(source))
            except SourceUnavailable:
                continue
            assert len(levels) == 1
            seen.add(int(levels[0]))
    finally:
        done.set()
        writer.join()
    assert seen <= {50, 200}


# Servers


def test_a_cog_on_the_web_takes_few_requests(tmp_path, web):
    bands = blocks(side=2048)
    write(tmp_path / "a.tif", bands, driver="COG", compress="deflate", blocksize=512)
    source = RasterSource.open("cog", f"/vsicurl/{web.url}/a.tif")
    assert len(web.log) <= 5
    web.log.clear()
    np.testing.assert_array_equal(source.read(GRID).bands, bands[:, :240, :320])
    assert len(web.log) <= 5
    fetched = sum(1 for method, _, part in web.log if method == "GET" and part)
    assert fetched <= 3
    web.log.clear()
    coarse = GeoBox(13, GRID.col_off // 4, GRID.row_off // 4, 300, 300)
    assert source.read(coarse).valid.all()
    assert len(web.log) <= 5


def test_a_cog_that_was_replaced_is_never_mixed_with_the_old(tmp_path, web):
    def put(seed):
        bands = blocks(side=2048, seed=seed)
        write(tmp_path / "a.tif", bands, driver="COG", compress="deflate", blocksize=256)
        return bands[:, :240, :320]

    first = put(1)
    source = RasterSource.open("cog", f"{web.url}/a.tif")
    version = source.info.version
    np.testing.assert_array_equal(source.read(GRID).bands, first)
    second = put(2)
    np.testing.assert_array_equal(source.read(GRID).bands, second)
    assert source.info.version != version


def test_a_revision_asks_no_server(tmp_path, web):
    write(tmp_path / "a.tif", blocks(), driver="COG")
    name = f"{web.url}/a.tif"
    one, two = (RasterSource.open("c", name, GdalOptions(revision=text)) for text in "ab")
    assert one.info.version != two.info.version
    web.log.clear()
    assert one.info.version == one.info.version
    assert not web.log
    one.read(GRID)
    assert len(web.log) <= 1


def test_a_dead_or_slow_server_is_named_without_its_key(tmp_path, web, caplog):
    write(tmp_path / "a.tif", blocks(), driver="COG")
    name = f"/vsicurl/{web.url}/a.tif?key={SECRET}"
    hasty = GdalOptions(gdal={"GDAL_HTTP_TIMEOUT": "1", "GDAL_HTTP_MAX_RETRY": "0"})
    source = RasterSource.open("cog", name, hasty)
    web.fail = 503
    failures = [pytest.raises(SourceUnavailable) for _ in range(2)]
    with failures[0] as while_reading:
        source.read(GRID)
    with failures[1] as at_opening:
        RasterSource.open("cog", name, hasty)
    web.fail, web.delay_s = None, 1.5
    with pytest.raises(SourceTimeout) as slow:
        RasterSource.open("cog", name, hasty)
    web.delay_s = 0
    for caught in (while_reading, at_opening, slow):
        assert str(caught.value).startswith("cog ")
        assert SECRET not in str(caught.value)
        assert "127.0.0.1" not in str(caught.value)
    assert caplog.records
    assert SECRET not in caplog.text
    assert SECRET not in source.info.version


def test_a_server_that_is_dead_at_start_keeps_nobody_from_starting(tmp_path, web):
    write(tmp_path / "a.tif", blocks(), driver="COG")
    options = {"GDAL_HTTP_MAX_RETRY": "0"}
    cog = {"type": "gdal", "dataset": f"{web.url}/a.tif", "gdal_options": options}
    section = {"default_source": "cog", "sources": {"cog": cog}}
    catalogue = SourceCatalogue(parse_settings(section, tmp_path).sources, "cog", tmp_path)
    web.fail = 500
    (state,) = catalogue.open_all()
    assert (state.id, state.state) == ("cog", "unavailable")
    with pytest.raises(SourceUnavailable):
        catalogue.get(None)


def wms(server):
    edges = ",".join(server._edges)
    return (
        f"WMS:{server.url}/wms?SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS=picture"
        f"&SRS=EPSG:3857&BBOX={edges}&FORMAT=image/png&KEY={SECRET}"
    )


def wmts(server):
    return f"WMTS:{server.url}/wmts?KEY={SECRET},layer=picture"


@pytest.mark.parametrize("name", [wms, wmts])
def test_a_map_service_shows_the_raster_behind_it(maps, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = RasterSource.open("agency", name(maps), GdalOptions(max_zoom=15))
    assert source.info.native_zoom == 15
    maps.log.clear()
    drawn = image(source).astype(int)
    wanted = blocks()[:, :240, :320].transpose(1, 2, 0).astype(int)
    # A service draws its own pixels, which are not the grid's: edges blur, but nothing shifts.
    off = [np.abs(np.roll(drawn, step, (0, 1)) - wanted).mean() for step in (-1, 0, 1)]
    assert off[1] < 3 < min(off[0], off[2])
    assert len(maps.log) <= 8
    assert not (tmp_path / "gdalwmscache").exists()
    maps.fail = 503
    elsewhere = GeoBox(14, GRID.col_off // 2, GRID.row_off // 2, 100, 100)
    with pytest.raises(SourceUnavailable) as caught:
        source.read(elsewhere)
    assert str(caught.value) == "agency cannot be read there"


def test_a_wms_described_by_a_file(maps, tmp_path):
    west, south, east, north = maps._edges
    (tmp_path / "agency.xml").write_text(
        f"""<GDAL_WMS><Service name="WMS"><Version>1.1.1</Version>
        <ServerUrl>{maps.url}/wms?</ServerUrl><Layers>picture</Layers><SRS>EPSG:3857</SRS>
        <ImageFormat>image/png</ImageFormat></Service><DataWindow><UpperLeftX>{west}</UpperLeftX>
        <UpperLeftY>{north}</UpperLeftY><LowerRightX>{east}</LowerRightX>
        <LowerRightY>{south}</LowerRightY><SizeX>512</SizeX><SizeY>512</SizeY></DataWindow>
        <Projection>EPSG:3857</Projection><BandsCount>3</BandsCount></GDAL_WMS>""",
        encoding="utf-8",
    )
    section = {
        "default_source": "agency",
        "sources": {"agency": {"type": "gdal", "dataset": "agency.xml"}},
    }
    settings = parse_settings(section, tmp_path)
    source = SourceCatalogue(settings.sources, "agency", tmp_path).get(None)
    assert source.info.native_zoom == 15
    np.testing.assert_array_equal(source.read(GRID).bands, blocks()[:, :240, :320])


# Containers and lists


def test_mbtiles(tmp_path):
    # The driver stores whole tiles: the picture is put on the grid of tiles first.
    col, row = (-GRID.col_off) % 256, (-GRID.row_off) % 256
    x, y = GRID.transform @ (col, row)
    placed = from_origin(x, y, GRID.resolution, GRID.resolution)
    path = write(tmp_path / "a.mbtiles", blocks(), placed, driver="MBTiles", tile_format="PNG")
    source = RasterSource.open("m", path)
    assert source.info.native_zoom == 15
    box = GeoBox(15, GRID.col_off + col + 30, GRID.row_off + row + 20, 300, 200)
    np.testing.assert_array_equal(source.read(box).bands, blocks()[:, 20:220, 30:330])


def test_a_vrt_is_another_version_when_one_of_its_files_is(tmp_path):
    bands = blocks()
    write(tmp_path / "part.tif", bands)
    sources = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}"><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">part.tif</SourceFilename><SourceBand>{4 - band}'
        "</SourceBand></SimpleSource></VRTRasterBand>"
        for band in (1, 2, 3)
    )
    place = ", ".join(repr(number) for number in PLACE.to_gdal())
    (tmp_path / "a.vrt").write_text(
        f'<VRTDataset rasterXSize="512" rasterYSize="512"><SRS>EPSG:3857</SRS>'
        f"<GeoTransform>{place}</GeoTransform>{sources}</VRTDataset>",
        encoding="utf-8",
    )
    source = RasterSource.open("v", tmp_path / "a.vrt")
    version = source.info.version
    np.testing.assert_array_equal(source.read(GRID).bands, bands[::-1, :240, :320])
    write(tmp_path / "part.tif", blocks(seed=2))
    np.testing.assert_array_equal(source.read(GRID).bands, blocks(seed=2)[::-1, :240, :320])
    assert source.info.version != version


def test_bands_of_several_number_types(tmp_path):
    write(tmp_path / "bytes.tif", blocks(1))
    write(tmp_path / "deep.tif", blocks(2, seed=2).astype(np.float32) * 40)
    place = ", ".join(repr(number) for number in PLACE.to_gdal())
    parts = (("Byte", "bytes", 1), ("Float32", "deep", 1), ("Float32", "deep", 2))
    bands = "".join(
        f'<VRTRasterBand dataType="{kind}" band="{band}"><SimpleSource><SourceFilename '
        f'relativeToVRT="1">{name}.tif</SourceFilename><SourceBand>{number}</SourceBand>'
        "</SimpleSource></VRTRasterBand>"
        for band, (kind, name, number) in enumerate(parts, 1)
    )
    (tmp_path / "a.vrt").write_text(
        f'<VRTDataset rasterXSize="512" rasterYSize="512"><SRS>EPSG:3857</SRS>'
        f"<GeoTransform>{place}</GeoTransform>{bands}</VRTDataset>",
        encoding="utf-8",
    )
    source = RasterSource.open("mixed", tmp_path / "a.vrt")
    drawn = image(source)
    np.testing.assert_array_equal(drawn[..., 0], blocks(1)[0, :240, :320])
    assert drawn[..., 1].std() > 50
    assert image(source, {"bands": [{"nd": [2, 1]}], "stretch": [5, 95]}).std() > 50


def test_a_stac_collection_of_files(tmp_path):
    bands = blocks()
    features = []
    for i, cols in enumerate((slice(0, 256), slice(256, 512))):
        x, y = PLACE @ (cols.start, 0)
        placed = from_origin(x, y, GRID.resolution, GRID.resolution)
        path = write(tmp_path / f"{i}.tif", np.ascontiguousarray(bands[:, :, cols]), placed)
        extra = {"proj:epsg": 3857, "proj:shape": [512, 256], "proj:transform": list(placed)[:6]}
        features.append({
            "type": "Feature", "stac_version": "1.0.0", "id": str(i), "collection": "c",
            "stac_extensions": [f"https://stac-extensions.github.io/{PROJECTION}"],
            "geometry": None, "properties": extra | {"datetime": "2026-01-01T00:00:00Z"},
            "assets": {"visual": {"href": str(path), "type": "image/tiff"}},
        })  # fmt: skip
    items = {"type": "FeatureCollection", "stac_version": "1.0.0", "features": features}
    (tmp_path / "items.json").write_text(json.dumps(items), encoding="utf-8")
    source = RasterSource.open("stac", f'STACIT:"{tmp_path / "items.json"}":asset=visual')
    np.testing.assert_array_equal(source.read(GRID).bands, bands[:, :240, :320])


# Real rasters


@pytest.mark.parametrize(
    ("name", "renderings"),
    [
        ("sentinel2_8band_uint16_utm33", ["false-colour", {"bands": [{"nd": [4, 1]}]}, "grey"]),
        ("naip_rgbn_utm14_5m", ["false-colour", {"bands": [4, 2, 1], "stretch": [2, 98]}]),
        ("float32_utm10_nan_nodata", ["rgb", {"stretch": [10, 90]}]),
        ("zurich_ortho_2056_50cm", ["grey", {"stretch": [1, 99]}]),
    ],
)
def test_real_rasters_in_several_renderings(test_data, name, renderings):
    inside = (0.6, 0.5) if name.startswith("float32") else (0.25, 0.33)
    source = RasterSource.open(name, test_data / "georaster" / f"{name}.tif")
    box = GeoBox.around(source.info.bounds, source.info.native_zoom - 1)
    col, row = int(inside[0] * box.width), int(inside[1] * box.height)
    middle = GeoBox(box.zoom, box.col_off + col, box.row_off + row, 64, 48)
    for wanted in renderings:
        rendering = parse(wanted, source.info.bands, name)
        whole = picture(source, box, rendering)
        assert whole.image[whole.valid].std() > 8
        part = picture(source, middle, rendering).image.astype(int)
        levels = np.abs(part - whole.image[row : row + 48, col : col + 64])
        # GDAL warps in pieces whose approximate transforms differ by parts of a pixel.
        assert np.quantile(levels, 0.9) <= 8


def test_the_key_of_a_map_service_stays_out_of_the_log(maps, caplog):
    source = RasterSource.open("agency", wmts(maps))
    maps.fail = 503
    with pytest.raises(SourceUnavailable):
        source.read(GRID)
    assert SECRET not in caplog.text
