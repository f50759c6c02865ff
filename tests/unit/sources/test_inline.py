import io
import socket
import struct
import zlib

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from samgis_process.errors import InvalidInput
from samgis_process.grid import Bounds, GeoBox
from samgis_process.rendering import parse
from samgis_process.sources.inline import ImageSource, digest_of, kind_of
from samgis_process.sources.picture import picture
from samgis_process.sources.stretched import StretchedSource
from samgis_process.turns import Room

MOST = 64 * 10**6
GRID = GeoBox(15, 34_400 * 128 + 37, 23_100 * 128 + 11, 96, 64)


def painted():
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (3, 64, 96), dtype=np.uint8)


def geotiff(pixels=None, tags=None, ns=None, grid=GRID, **profile):
    pixels = painted() if pixels is None else pixels
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=len(pixels),
            height=pixels.shape[1],
            width=pixels.shape[2],
            dtype=pixels.dtype,
            **({"crs": "EPSG:3857", "transform": grid.transform} | profile),
        ) as dataset:
            dataset.write(pixels)
            dataset.update_tags(ns=ns, **(tags or {}))
        return bytes(memory.getbuffer())


def encoded(pixels, image_format="PNG", mode="RGB", **how):
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)), mode).save(
        stream, image_format, **how
    )
    return stream.getvalue()


def tiff_source(data, most=MOST):
    return ImageSource(data, digest_of(data), most, Room(640 * 2**20, 10))


def stretched(data, bounds=GRID.bounds, most=MOST):
    return StretchedSource(data, digest_of(data), bounds, most, Room(640 * 2**20, 10))


@pytest.fixture
def listener(monkeypatch):
    """An address on which nobody may call."""
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "1")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        yield listening


def calls(listening):
    count = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_a_geotiff_is_read_as_it_is():
    source = tiff_source(geotiff())
    image = source.read(GRID)
    assert source.info.native_zoom == 15
    assert source.info.bounds == pytest.approx(GRID.bounds, abs=1e-9)
    assert image.valid.all()
    np.testing.assert_array_equal(image.bands, painted())


def test_a_png_lies_where_its_sender_says():
    source = stretched(encoded(painted()))
    assert source.info.native_zoom == 15
    image = source.read(GRID)
    assert image.valid.all()
    np.testing.assert_array_equal(image.bands, painted())


def test_a_jpeg_is_turned_as_viewers_turn_it():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    pixels = np.zeros((3, 64, 96), np.uint8)
    pixels[:, :, 48:] = 255
    source = stretched(encoded(pixels, "JPEG", exif=exif, quality=95))
    assert source._header[:2] == (64, 96)
    image = source.read(GRID)
    assert image.bands[:, 4:24].max() < 30
    assert image.bands[:, 40:60].min() > 220


@pytest.mark.parametrize(
    ("kind", "late", "size"),
    [("PNG", False, (64, 96)), ("PNG", True, (96, 64)), ("WEBP", False, (96, 64))],
)
def test_other_pictures_are_turned_as_a_browser_turns_them(kind, late, size):
    """Measured with Chromium: `naturalWidth` of such files."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((3, 64, 96), np.uint8)
    pixels[:, :, 48:] = 255
    data = encoded(pixels, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    if late:  # behind the pixels nobody looks for it
        at, end = data.find(b"eXIf") - 4, data.find(b"IEND") - 4
        length = int.from_bytes(data[at : at + 4], "big") + 12
        data = data[:at] + data[at + length : end] + data[at : at + length] + data[end:]
    source = stretched(data)
    assert source._header[:2] == size
    bands = source.read(GRID).bands
    dark = bands[:, 4:24, 4:24].max() < 30 and bands[:, 40:60, 70:90].min() > 220
    turned = bands[:, 4:24, 70:90].max() < 30
    assert dark
    assert turned == (size == (64, 96))


def test_a_webp_with_too_many_pixels_is_refused_by_its_header():
    data = encoded(painted(), "WEBP", lossless=True)
    with pytest.raises(InvalidInput, match="96 x 64 pixels"):
        stretched(data, most=1000)


def test_transparent_pixels_hold_nothing():
    pixels = np.concatenate([painted(), np.full((1, 64, 96), 255, np.uint8)])
    pixels[3, :20] = 0
    image = stretched(encoded(pixels, mode="RGBA")).read(GRID)
    assert not image.valid[:20].any()
    assert image.valid[20:].all()
    assert image.bands.shape[0] == 3


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "RGB", "I;16"])
def test_pictures_of_every_sort_are_read(mode):
    stream = io.BytesIO()
    base = Image.fromarray(painted()[0])
    if mode == "I;16":
        picture = Image.fromarray(painted()[0].astype(np.uint16) * 200)
    else:
        picture = base.convert(mode)
    picture.save(stream, "JPEG" if mode == "CMYK" else "PNG")
    source = stretched(stream.getvalue())
    image = source.read(GRID)
    assert image.valid.any()
    assert image.bands.shape[1:] == GRID.shape
    assert (None in source.info.bands.spans) == (mode == "I;16")


def test_a_picture_lies_across_the_antimeridian():
    grid = GeoBox(10, 1024 * 256 - 40, 400 * 256, 96, 64)
    source = stretched(encoded(painted()), grid.bounds)
    assert source.info.bounds.crosses_antimeridian
    np.testing.assert_array_equal(source.read(grid).bands, painted())
    beyond = GeoBox(10, 10, 400 * 256 + 5, 20, 30)
    np.testing.assert_array_equal(source.read(beyond).bands, painted()[:, 5:35, 50:70])


def test_the_world_as_one_picture():
    pixels = np.zeros((3, 256, 256), np.uint8)
    pixels[:, :, 128:] = 200
    source = stretched(encoded(pixels), Bounds(-180, -85.0511287, 180, 85.0511287))
    assert source.info.native_zoom == 0
    image = source.read(GeoBox(0, 0, 0, 256, 256))
    np.testing.assert_array_equal(image.bands[0, 1:-1], pixels[0, 1:-1])


# Written by strangers


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + b"\0" * 50,
        b"<VRTDataset rasterXSize='5' rasterYSize='5'></VRTDataset>",
        b"%PDF-1.7",
    ],
)
def test_what_is_no_picture_is_refused_by_its_first_bytes(data):
    with pytest.raises(InvalidInput, match="no picture"):
        kind_of(data)


def vrt(target):
    return (
        '<VRTDataset rasterXSize="5" rasterYSize="5"><SRS>EPSG:3857</SRS>'
        "<GeoTransform>5,1,0,5,0,-1</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{target}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    ).encode()


def test_a_vrt_reads_neither_disk_nor_network(listener, tmp_path):
    secret = tmp_path / "secret.tif"
    secret.write_bytes(geotiff())
    web = f"/vsicurl/http://127.0.0.1:{listener.getsockname()[1]}/x.tif"
    for target in (str(secret), web):
        for data in (vrt(target), b"II*\x00" + vrt(target), b"II*\x00\x08\0\0\0" + vrt(target)):
            with pytest.raises(InvalidInput):
                tiff_source(data)
    assert calls(listener) == 0


@pytest.mark.parametrize("where", ["web", "disk", "vsizip"])
def test_metadata_that_lead_elsewhere_are_refused(listener, tmp_path, where):
    """GDAL opens what the item OVERVIEW_FILE of a TIFF's own metadata names."""
    secret = tmp_path / "secret.tif"
    secret.write_bytes(geotiff())
    web = f"http://127.0.0.1:{listener.getsockname()[1]}/x.tif"
    target = {
        "web": f"/vsicurl/{web}",
        "disk": str(secret),
        "vsizip": f"/vsizip//vsicurl/{web}",
    }[where]
    for ns, tags in (
        ("OVERVIEWS", {"OVERVIEW_FILE": target}),
        ("overviews", {"OVERVIEW_FILE": target}),
        ("GEOLOCATION", {"X_DATASET": target, "Y_DATASET": target}),
    ):
        with pytest.raises(InvalidInput, match="lead to other files"):
            tiff_source(geotiff(tags=tags, ns=ns))
    assert calls(listener) == 0


def test_even_unrefused_no_network_is_asked(listener, monkeypatch):
    """The second wall: what the first one may overlook one day."""
    monkeypatch.setattr("samgis_process.sources.inline.LEADS_ELSEWHERE", set())
    monkeypatch.setattr("samgis_process.sources.survey.OVERVIEW_FILE", "")
    port = listener.getsockname()[1]
    tags = {"OVERVIEW_FILE": f"/vsicurl/http://127.0.0.1:{port}/x.tif"}
    tiff_source(geotiff(tags=tags, ns="OVERVIEWS")).read(GRID)
    assert calls(listener) == 0


def test_files_beside_are_not_looked_for(tmp_path, monkeypatch):
    """Nothing lies beside it in memory, and the working directory is another place."""
    monkeypatch.chdir(tmp_path)
    source = tiff_source(geotiff())
    source.read(GRID)
    assert list(tmp_path.iterdir()) == []


def png_of_header(width, height):
    def chunk(name, body):
        check = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (2**31 - 1, 1), (50_000, 50_000)])
def test_a_bomb_is_refused_by_its_header(width, height):
    with pytest.raises(InvalidInput, match=r"pixels|damaged") as caught:
        stretched(png_of_header(width, height))
    assert caught.value.faults[0].input == "image"


def test_a_tiff_of_too_many_pixels_is_refused_by_its_header():
    with pytest.raises(InvalidInput, match="96 x 64 pixels"):
        tiff_source(geotiff(), most=1000)


def test_a_tiff_of_one_huge_block_is_refused():
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=8, height=7000, width=7000, dtype="uint8", crs="EPSG:3857",
            transform=from_origin(5, 5, 1, 1), sparse_ok=True, tiled=True, interleave="pixel",
            blockxsize=8192, blockysize=8192, compress="deflate",
        ) as dataset:  # fmt: skip
            assert dataset.count == 8
        data = bytes(memory.getbuffer())
    with pytest.raises(InvalidInput, match="blocks of"):
        tiff_source(data)


def test_a_tiff_without_a_place_is_refused():
    with rasterio.Env(), pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        data = geotiff(crs=None, transform=None)
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):  # noqa: SIM117
        with pytest.raises(InvalidInput, match="it has no transform"):
            tiff_source(data)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("image_format", ["tiff", "PNG", "JPEG"])
def test_a_picture_cut_short_is_damaged(share, image_format):
    data = geotiff() if image_format == "tiff" else encoded(painted(), image_format)
    cut = data[: int(len(data) * share)]
    with pytest.raises(InvalidInput, match="damaged") as caught:
        (tiff_source(cut) if image_format == "tiff" else stretched(cut)).read(GRID)
    assert "vsimem" not in str(caught.value)


def test_uint16_is_stretched_and_damage_shows_there_too():
    pixels = painted().astype(np.uint16) * 40
    data = geotiff(pixels)
    source = tiff_source(data)
    rendering = parse(None, source.info.bands, "image")
    assert picture(source, GRID, rendering).image.std() > 20
    with pytest.raises(InvalidInput):
        tiff_source(data[: len(data) // 2]).read(GRID)
