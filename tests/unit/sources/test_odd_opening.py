"""Files that are opened with what lies beside them, or refused with the remedy of their fault."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import rasterio
from odd_rasters import COLS, RGB, SIDE, UTM, opened, whole, write
from rasterio.transform import from_origin

from samgis_process.errors import SamgisError, SourceDamaged, SourceUnavailable
from samgis_process.settings import ConfigurationError

VRT = (
    f'<VRTDataset rasterXSize="{SIDE}" rasterYSize="{SIDE}"><SRS>EPSG:32632</SRS>'
    f"<GeoTransform>{UTM.c},{UTM.a},0,{UTM.f},0,{UTM.e}</GeoTransform>"
    '<VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
    '<SourceFilename relativeToVRT="1">%s</SourceFilename><SourceBand>1</SourceBand>'
    "</SimpleSource></VRTRasterBand></VRTDataset>"
)


def test_a_mask_beside_the_file_hides(tmp_path):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False):
        path = write(tmp_path / "a.tif", RGB, lambda one: one.write_mask(COLS > 80))
    assert (tmp_path / "a.tif.msk").exists()
    assert opened(path).read(whole(opened(path))).valid.mean() == pytest.approx(0.48, abs=0.02)


def test_overviews_beside_the_file_are_used(tmp_path):
    path = write(tmp_path / "a.tif", RGB)
    with rasterio.Env(TIFF_USE_OVR="YES"), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4])
    assert (tmp_path / "a.tif.ovr").exists()
    assert opened(path)._state.survey.factors == (2, 4)


def test_a_header_and_a_world_file_are_read(tmp_path):
    write(tmp_path / "a.dat", RGB, driver="ENVI")
    assert opened(tmp_path / "a.dat").read(whole(opened(tmp_path / "a.dat"))).valid.any()
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        write(tmp_path / "w.png", RGB, driver="PNG", crs=None, transform=None)
    (tmp_path / "w.pgw").write_text("0.001\n0\n0\n-0.0005\n9.0005\n46.09975\n")
    with pytest.raises(ConfigurationError, match=r"no coordinate reference system.*--crs"):
        opened(tmp_path / "w.png")
    bounds = opened(tmp_path / "w.png", crs="EPSG:4326").info.bounds
    assert bounds == pytest.approx((9, 46.02, 9.16, 46.1), abs=1e-6)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_one_of_several_tables_is_to_be_named(tmp_path):
    for table in "ab":
        write(tmp_path / "t.gpkg", RGB, driver="GPKG", crs="EPSG:3857", RASTER_TABLE=table,
              transform=from_origin(1e6, 5e6, 10, 10),
              APPEND_SUBDATASET="YES" if table == "b" else "NO")  # fmt: skip
    with pytest.raises(ConfigurationError, match="name one of its subdatasets") as refused:
        opened(tmp_path / "t.gpkg")
    assert "GPKG:t.gpkg:a, GPKG:t.gpkg:b" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_a_raster_without_crs_gets_one_by_the_operator(tmp_path):
    path = write(tmp_path / "a.tif", RGB, crs=None)
    with pytest.raises(ConfigurationError, match=r"gdal_translate -a_srs"):
        opened(path)
    source = opened(path, crs="EPSG:32632")
    assert source.info.bounds == opened(write(tmp_path / "b.tif", RGB)).info.bounds
    with pytest.raises(ConfigurationError, match="is not understood"):
        opened(path, crs="EPSG:0")


def test_control_points_alone_are_to_be_warped(test_data):
    path = test_data / "georaster" / "gcps_only_no_transform.tif"
    with pytest.raises(ConfigurationError, match="gdalwarp -t_srs"):
        opened(path, crs="EPSG:32618")


def test_damage_is_told_from_absence(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (3, SIDE, SIDE)).astype("u1")
    data = write(tmp_path / "w.tif", noise, tiled=True, blockxsize=64, blockysize=64).read_bytes()
    (tmp_path / "c.tif").write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceDamaged, match=r"c\.tif.*damaged"):
        opened(tmp_path / "c.tif").read(whole(opened(tmp_path / "c.tif")))
    (tmp_path / "m.vrt").write_text(VRT % "not_there.tif")
    with pytest.raises(SourceDamaged, match=r"m\.vrt names not_there\.tif, which does not exist"):
        opened(tmp_path / "m.vrt").read(whole(opened(tmp_path / "m.vrt")))
    for begin in (b"", b"no raster at all"):
        (tmp_path / "n.tif").write_bytes(begin)
        with pytest.raises(SourceDamaged, match="empty" if not begin else "damaged"):
            opened(tmp_path / "n.tif")


@pytest.mark.parametrize("how", ["cut", "deleted", "replaced by text", "emptied"])
def test_a_raster_that_changes_while_it_is_open_is_named(tmp_path, how):
    noise = np.random.default_rng(0).integers(0, 255, (3, 512, 512)).astype("u1")
    path = write(tmp_path / "a.tif", noise, tiled=True, compress="deflate")
    source = opened(path)
    grid = whole(source)
    source.read(grid)
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes({"cut": path.read_bytes()[:90_000], "replaced by text": b"text" * 999}
                         .get(how, b""))  # fmt: skip
    with pytest.raises(SourceUnavailable, match=r"a\.tif"):
        source.read(grid)


def test_a_change_in_the_innermost_file_is_another_version(tmp_path):
    path = write(tmp_path / "inner.tif", RGB)
    (tmp_path / "middle.vrt").write_text(VRT % "inner.tif")
    (tmp_path / "outer.vrt").write_text(VRT % "middle.vrt")
    source = opened(tmp_path / "outer.vrt")
    before = source.info.version
    write(path, RGB + 9)
    assert source.info.version != before


# What lies beside a file leads nowhere


@pytest.fixture
def asked():
    """The paths that were asked of a server on this machine, and its address."""
    paths = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815  the server's name for it

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield paths, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def beside(path, kind, target):
    """Put something beside a raster that names `target`."""
    overviews = (
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{target}</MDI>'
        "</Metadata></PAMDataset>"
    )
    texts = {
        ".ovr": (VRT % target).replace('relativeToVRT="1"', ""),
        ".msk": (VRT % target).replace('relativeToVRT="1"', ""),
        ".aux.xml": overviews,
    }
    path.with_name(path.name + kind).write_text(texts[kind])


@pytest.mark.parametrize("kind", [".ovr", ".msk", ".aux.xml"])
@pytest.mark.parametrize("far", ["file", "address"])
def test_nothing_beside_a_file_leads_elsewhere(tmp_path, asked, kind, far):
    paths, address = asked
    (tmp_path / "secret").mkdir()
    hidden = write(tmp_path / "secret" / "s.tif", np.full((SIDE // 2, SIDE // 2), 201, "u1"))
    path = write(tmp_path / "a.tif", np.full((SIDE, SIDE), 50, "u1"))
    beside(path, kind, hidden if far == "file" else f"/vsicurl/{address}/x.tif")
    try:
        source = opened(path)
        levels = {
            int(level)
            for zoom in range(source.info.zooms[0], source.info.native_zoom + 1)
            for level in np.unique(source.read(whole(source, zoom)).bands)
        }
        assert levels <= {0, 50}
    except SamgisError as refused:
        assert "beside a.tif" in str(refused)  # noqa: PT017  either is right
    assert paths == []


def test_a_tag_of_the_file_itself_leads_nowhere(tmp_path):
    write(tmp_path / "b.tif", RGB)
    tag = {"OVERVIEW_FILE": str(tmp_path / "b.tif")}
    path = write(tmp_path / "a.tif", RGB, lambda one: one.update_tags(ns="OVERVIEWS", **tag))
    with pytest.raises(ConfigurationError, match=r"a\.tif names overviews elsewhere"):
        opened(path)


def test_statistics_beside_a_file_do_no_harm(tmp_path):
    path = write(tmp_path / "a.tif", RGB)
    (tmp_path / "a.tif.aux.xml").write_text(
        '<PAMDataset><PAMRasterBand band="1"><Metadata><MDI key="STATISTICS_MEAN">7</MDI>'
        "</Metadata></PAMRasterBand></PAMDataset>"
    )
    assert opened(path).read(whole(opened(path))).valid.any()


def test_reading_writes_nothing(tmp_path):
    path = write(tmp_path / "a.tif", RGB.astype("u2") * 90)
    source = opened(path)
    source.read(whole(source))
    assert json.dumps([one.name for one in tmp_path.iterdir()]) == '["a.tif"]'


def test_a_vrt_may_name_a_file_elsewhere(tmp_path):
    """Its author says so, not somebody who put a file beside it."""
    (tmp_path / "far").mkdir()
    hidden = write(tmp_path / "far" / "s.tif", RGB)
    text = (VRT % hidden).replace('relativeToVRT="1"', 'relativeToVRT="0"')
    (tmp_path / "a.vrt").write_text(text)
    source = opened(tmp_path / "a.vrt")
    assert source.read(whole(source)).valid.any()
    hidden.unlink()
    with pytest.raises(SourceDamaged, match=r"names s\.tif, which does not exist"):
        source.read(whole(source))
