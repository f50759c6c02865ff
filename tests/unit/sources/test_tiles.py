import re
import time

import numpy as np
import pytest

from samgis_process.errors import NoData, SourceTimeout, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.sources.base import SourceInfo
from samgis_process.sources.progress import told
from samgis_process.sources.tiles import TileSource, Transport

ZOOM = 5
PLACE = re.compile(r"/(\d+)/(\d+)/(-?\d+)\.png")


@pytest.fixture
def server(script):
    return script("tile_server").TileServer


@pytest.fixture
def png(script):
    return script("tile_server").png


def numbered(png, size=256):
    """Answer with tiles that say in their colours where they lie: red col, green row."""

    def respond(path):
        _, x, y = map(int, PLACE.match(path).groups())
        tile = np.zeros((size, size, 3), np.uint8)
        tile[..., 0], tile[..., 1] = x, y
        tile[..., 2] = np.arange(size) % 256
        return png(tile)

    return respond


def source(url, size=256, **transport):
    info = SourceInfo("tiles", "Tiles", "1", (0, 19), 19, tile_size=size)
    return TileSource(info, f"{url}/{{z}}/{{x}}/{{y}}.png?key=s3cret", Transport(**transport))


@pytest.mark.parametrize("size", [256, 512])
def test_a_window_is_cut_out_of_its_tiles_to_the_pixel(server, png, size):
    with server(respond=numbered(png, size)) as tiles:
        box = GeoBox(ZOOM, 3 * size + 200, 7 * size + 250, 300, 20, size)
        raw = source(tiles.url, size).read(box)
    cols, rows = np.arange(300) + 200, np.arange(20) + 250
    np.testing.assert_array_equal(raw.bands[0][0], 3 + cols // size)
    np.testing.assert_array_equal(raw.bands[1][:, 0], 7 + rows // size)
    np.testing.assert_array_equal(raw.bands[2][0], cols % size % 256)
    assert raw.valid.all()


def test_columns_go_on_beyond_the_antimeridian(server, png):
    with server(respond=numbered(png)) as tiles:
        raw = source(tiles.url).read(GeoBox(ZOOM, 31 * 256 + 200, 2560, 100, 10))
        assert sorted(tiles.log) == ["/5/0/10.png?key=s3cret", "/5/31/10.png?key=s3cret"]
    assert raw.bands[0][0, 55] == 31
    assert raw.bands[0][0, 56] == 0


def test_rows_may_count_from_the_south(server, png):
    with server(respond=numbered(png)) as tiles:
        info = SourceInfo("tms", "TMS", "1", (0, 19), 19)
        TileSource(info, tiles.url + "/{z}/{x}/{-y}.png", Transport()).read(
            GeoBox(ZOOM, 0, 256, 10, 10)
        )
        assert tiles.log == ["/5/0/30.png"]


def test_a_missing_tile_is_no_data(server, png):
    respond = numbered(png)
    with server(respond=lambda path: None if "/4/8" in path else respond(path)) as tiles:
        raw = source(tiles.url).read(GeoBox(ZOOM, 3 * 256, 8 * 256, 512, 256))
    assert raw.valid[:, :256].all()
    assert not raw.valid[:, 256:].any()


def test_no_tile_at_all_is_said_with_the_bounds(server):
    with server(respond=lambda _: None) as tiles, pytest.raises(NoData, match="no tile there"):
        source(tiles.url).read(GeoBox(ZOOM, 0, 0, 100, 100))


def test_transparent_pixels_are_no_data(server, png):
    tile = np.full((256, 256, 4), 255, np.uint8)
    tile[:, :100, 3] = 0
    with server(respond=lambda _: png(tile)) as tiles:
        raw = source(tiles.url).read(GeoBox(ZOOM, 0, 0, 256, 256))
    assert raw.valid.sum() == 156 * 256


def test_a_server_that_is_busy_for_a_moment_is_asked_again(server, png):
    respond, seen = numbered(png), set()

    def sometimes(path):
        first = path not in seen
        seen.add(path)
        return (503, b"busy") if first else respond(path)

    with server(respond=sometimes) as tiles:
        raw = source(tiles.url, retry_after_s=0.1).read(GeoBox(ZOOM, 0, 0, 300, 100))
    assert raw.valid.all()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((500, b"oops"), "answered 500"),
        ((403, b"key"), "answered 403"),
        (b"<html>login</html>", "is no picture"),
    ],
)
def test_nonsense_is_a_source_that_is_unavailable(server, answer, says):
    with (
        server(respond=lambda _: answer) as tiles,
        pytest.raises(SourceUnavailable, match=says) as caught,
    ):
        source(tiles.url, retries=0).read(GeoBox(ZOOM, 0, 0, 300, 100))
    assert "tile 5/" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert tiles.url not in str(caught.value)


def test_a_tile_of_another_size_is_named(server, png):
    with (
        server(respond=numbered(png, 512)) as tiles,
        pytest.raises(SourceUnavailable, match="512 x 512 pixels, but 256 x 256"),
    ):
        source(tiles.url).read(GeoBox(ZOOM, 0, 0, 100, 100))


def test_a_dead_server_is_unavailable(server):
    with server(respond=lambda _: None) as tiles:
        url = tiles.url
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        source(url, retries=0).read(GeoBox(ZOOM, 0, 0, 100, 100))


def test_a_dripping_server_meets_the_deadline(server, script):
    drip = script("tile_server").drip(5)
    with server(respond=lambda _: drip) as tiles, pytest.raises(SourceTimeout):
        source(tiles.url, deadline_s=0.4).read(GeoBox(ZOOM, 0, 0, 100, 100))


def test_a_silent_server_meets_the_read_time_out(server):
    def silent(_):
        def answer(handler):
            handler.rfile.read(1)

        return answer

    with server(respond=silent) as tiles, pytest.raises(SourceTimeout, match="in time"):
        source(tiles.url, read_timeout_s=0.2, retries=0).read(GeoBox(ZOOM, 0, 0, 10, 10))


def test_elevation_tiles_are_one_band_of_metres(server, test_data):
    from samgis_process.rendering import Bands, Span

    bands = Bands(spans=(Span(0.0, 4000.0),), natural=(1,))
    info = SourceInfo("etna", "Etna", "1", (0, 11), 11, bands=bands)
    with server(test_data / "tiles" / "terrarium_etna") as tiles:
        etna = TileSource(info, tiles.url + "/{z}/{x}/{y}.png", Transport(), encoding="terrarium")
        raw = etna.read(GeoBox(11, 1106 * 256, 788 * 256, 1536, 1536))
    assert raw.bands.shape == (1, 1536, 1536)
    assert raw.bands.max() == pytest.approx(3297, abs=30)


WIDE = GeoBox(ZOOM, 0, 0, 4 * 256, 2 * 256)  # of 8 tiles


def slowly(png, seconds=0.4):
    def respond(path):
        time.sleep(seconds)
        return numbered(png)(path)

    return respond


def test_a_slow_read_tells_how_many_tiles_are_there(server, png):
    said = []
    with server(respond=slowly(png)) as tiles, told(lambda *words: said.append(words)):
        source(tiles.url, threads=2).read(WIDE)
    assert 4 <= len(said) <= 8
    assert said == sorted(said)
    assert {total for _, total in said} == {8}
    assert {there for there, _ in said} >= {2, 4, 6}


class Dismissed(BaseException):
    """As a worker ends work that nobody wants."""


def test_a_read_that_nobody_wants_leaves_nothing_behind(server, png):
    def dismiss(*_):
        raise Dismissed

    with server(respond=slowly(png)) as tiles:
        reader = source(tiles.url, threads=2)
        with pytest.raises(Dismissed), told(dismiss):
            reader.read(WIDE)
        asked = len(tiles.log)
        time.sleep(0.5)
        assert len(tiles.log) == asked < 8
        assert reader.read(WIDE).valid.all()  # untold, and whole


def clear(png, size):
    """A picture of another size than the tiles', that shows nothing."""
    return png(np.zeros((size, size, 4), np.uint8))


@pytest.mark.parametrize("missing", [256, 1, "empty body", 403])
def test_whatever_a_server_sends_for_what_it_lacks_is_absent(server, png, missing):
    whole = numbered(png, 512)

    def respond(path):
        if not path.startswith("/5/3/"):
            return whole(path)
        if missing == 403:
            return 403, b""
        return b"" if missing == "empty body" else clear(png, missing)

    box = GeoBox(ZOOM, 3 * 512, 7 * 512, 1024, 512, 512)
    with server(respond=respond) as tiles:
        raw = source(tiles.url, 512).read(box)
        (warning,) = raw.warnings
        assert warning.startswith("1 of 2 tiles of tiles")
        assert raw.valid.sum() == 512 * 512
        assert not raw.valid[:, :512].any()
        nothing = GeoBox(ZOOM, 3 * 512, 7 * 512, 512, 512, 512)
        with pytest.raises((NoData, SourceUnavailable), match="403" if missing == 403 else "no"):
            source(tiles.url, 512).read(nothing)


def test_a_visible_picture_of_another_size_stays_a_fault(server, png):
    grey = png(np.full((256, 256, 4), 9, np.uint8))
    with (
        server(respond=lambda _: grey) as tiles,
        pytest.raises(SourceUnavailable, match="256 x 256"),
    ):
        source(tiles.url, 512).read(GeoBox(ZOOM, 3 * 512, 7 * 512, 64, 64, 512))
