import subprocess
import sys
import textwrap
import time
from email.utils import formatdate

import numpy as np
import pytest

from samgis_process.blobs import BlobStore
from samgis_process.errors import NoData, SourceTimeout, SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.sources.base import SourceInfo
from samgis_process.sources.freshness import Freshness, freshness
from samgis_process.sources.hosts import HostRules
from samgis_process.sources.http import HttpClient
from samgis_process.sources.tile_cache import WEEK_S, TileCache, tile_key
from samgis_process.sources.tiles import TileSource, Transport

ONE = GeoBox(5, 0, 0, 200, 200)
FOUR = GeoBox(5, 0, 0, 512, 512)
STALE = ("1 of 1 tiles of tiles are old ones from the cache: the server does not answer",)


class Clock:
    """A time that tests set."""

    def __init__(self):
        self.now = float(int(time.time()))

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(script):
    return script("tile_server").TileServer


@pytest.fixture
def tile(script):
    return script("tile_server").png(np.full((256, 256, 3), 90))


@pytest.fixture
def source(tmp_path, clock):
    """Make a source with a cache; each has connections and breakers of its own."""

    def make(url, *, max_bytes=10**9, rules=None, version="1", **transport):
        info = SourceInfo("tiles", "Tiles", version, (0, 19), 19)
        cache = TileCache(BlobStore(tmp_path / "tiles", max_bytes), clock=clock)
        transport = Transport(**{"retries": 0, **transport})
        return TileSource(
            info,
            f"{url}/{{z}}/{{x}}/{{y}}.png?key=s3cret",
            transport,
            HttpClient(rules or HostRules()),
            cache,
        )

    return make


class Switch:
    """Answers with whatever was set last."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, _):
        return self.answer


def ages(source, clock, seconds):
    """Return the warnings of a read so many seconds later."""
    clock.now += seconds
    return source.read(ONE).warnings


@pytest.mark.parametrize(
    ("headers", "life_s"),
    [
        ({}, WEEK_S),
        ({"Cache-Control": "max-age=60"}, 60),
        ({"Cache-Control": 'public, MAX-AGE="60"'}, 60),
        ({"Cache-Control": "max-age=60", "Age": "50"}, 10),
        ({"Cache-Control": "max-age=60", "Expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, 60),
        ({"Expires": "soon"}, 30),
    ],
)
def test_a_tile_is_asked_for_again_when_its_time_is_over(
    server, tile, source, clock, headers, life_s
):
    soon = formatdate(clock.now + life_s, usegmt=True)
    headers = {name: value.replace("soon", soon) for name, value in headers.items()}
    with server(respond=lambda _: (200, tile, headers)) as tiles:
        mine = source(tiles.url)
        mine.read(ONE)
        clock.now += life_s - 3
        mine.read(ONE)
        assert len(tiles.log) == 1
        clock.now += 6
        mine.read(ONE)
        assert len(tiles.log) == 2


@pytest.mark.parametrize("directive", ["no-store", "no-cache", "max-age=0", "max-age=nonsense"])
def test_some_tiles_are_asked_for_each_time(server, tile, source, directive):
    with server(respond=lambda _: (200, tile, {"Cache-Control": directive})) as tiles:
        mine = source(tiles.url)
        mine.read(ONE)
        mine.read(ONE)
        assert len(tiles.log) == 2


def test_what_must_not_be_stored_is_not_and_replaces_what_was(server, tile, source, tmp_path):
    switch = Switch((200, tile, {"Cache-Control": "max-age=0"}))
    with server(respond=switch) as tiles:
        source(tiles.url).read(ONE)
        assert len(list((tmp_path / "tiles").iterdir())) == 1
        switch.answer = (200, tile, {"Cache-Control": "no-store"})
        source(tiles.url).read(ONE)
    assert not list((tmp_path / "tiles").iterdir())


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"ETag": '"v1"'}, {"If-None-Match": '"v1"'}),
        (
            {"Last-Modified": "Mon, 01 Jun 2026 00:00:00 GMT"},
            {"If-Modified-Since": "Mon, 01 Jun 2026 00:00:00 GMT"},
        ),
    ],
)
def test_an_old_tile_is_revalidated_and_fresh_again(server, tile, source, clock, given, asked):
    switch = Switch((200, tile, given | {"Cache-Control": "max-age=60"}))
    with server(respond=switch) as tiles:
        mine = source(tiles.url)
        first = mine.read(ONE)
        switch.answer = (304, b"")
        assert ages(mine, clock, 61) == ()
        assert asked.items() <= tiles.asked[-1].items()
        again = mine.read(ONE)
        assert len(tiles.log) == 2
    np.testing.assert_array_equal(first.bands, again.bands)


def test_a_tile_that_changed_replaces_the_old_one(server, script, tile, source, clock):
    switch = Switch((200, tile, {"ETag": "1", "Cache-Control": "max-age=60"}))
    with server(respond=switch) as tiles:
        mine = source(tiles.url)
        mine.read(ONE)
        new = script("tile_server").png(np.full((256, 256, 3), 200))
        switch.answer = (200, new, {"ETag": "2", "Cache-Control": "max-age=60"})
        clock.now += 61
        assert mine.read(ONE).bands[0, 0, 0] == 200
        assert mine.read(ONE).bands[0, 0, 0] == 200
        assert len(tiles.log) == 2


def test_a_dead_server_is_answered_for_by_the_cache_with_a_warning(server, tile, source, clock):
    with server(respond=lambda _: (200, tile, {"Cache-Control": "max-age=60"})) as tiles:
        mine = source(tiles.url)
        mine.read(ONE)
    assert ages(mine, clock, 3600) == STALE


@pytest.mark.parametrize("answer", [(500, b""), (503, b""), (429, b""), b"<html>", b"\x89PNG\r\n"])
def test_a_server_that_fails_is_answered_for_by_the_cache(server, tile, source, clock, answer):
    switch = Switch((200, tile, {"Cache-Control": "max-age=60"}))
    with server(respond=switch) as tiles:
        mine = source(tiles.url, retries=2)
        mine.read(ONE)
        switch.answer = answer
        assert ages(mine, clock, 61) == STALE
        assert len(tiles.log) == 2  # no retries while there is an old tile at hand


@pytest.mark.parametrize("patience", [{"read_timeout_s": 0.1}, {"deadline_s": 0.3}])
def test_a_silent_server_is_answered_for_by_the_cache_in_time(
    server, script, tile, source, clock, patience
):
    switch = Switch((200, tile, {"Cache-Control": "max-age=60"}))
    with server(respond=switch) as tiles:
        mine = source(tiles.url, **patience)
        mine.read(ONE)
        switch.answer = script("tile_server").hang(1)
        begun = time.monotonic()
        assert ages(mine, clock, 61) == STALE
        assert time.monotonic() - begun < 0.5


@pytest.mark.parametrize("directive", ["no-cache", "max-age=1, must-revalidate"])
def test_some_servers_forbid_old_tiles(server, tile, source, clock, directive):
    with server(respond=lambda _: (200, tile, {"Cache-Control": directive})) as tiles:
        mine = source(tiles.url)
        mine.read(ONE)
    with pytest.raises(SourceUnavailable):
        ages(mine, clock, 60)


def test_a_refusal_is_no_failure(server, tile, source, clock):
    switch = Switch((200, tile, {"Cache-Control": "max-age=60"}))
    with server(respond=switch) as tiles:
        mine = source(tiles.url)
        mine.read(ONE)
        switch.answer = (403, b"")
        with pytest.raises(SourceUnavailable, match="answered 403"):
            ages(mine, clock, 61)


@pytest.mark.parametrize("status", [204, 404, 410])
def test_absent_tiles_are_remembered_for_some_minutes(server, source, clock, status):
    with server(respond=lambda _: (status, b"")) as tiles:
        mine = source(tiles.url)
        for _ in range(2):
            with pytest.raises(NoData):
                mine.read(ONE)
        assert len(tiles.log) == 1
        clock.now += 601
        with pytest.raises(NoData):
            mine.read(ONE)
        assert len(tiles.log) == 2


def test_nonsense_is_not_kept(server, tile, source):
    switch = Switch((200, b"<html>", {"Cache-Control": "max-age=60"}))
    with server(respond=switch) as tiles:
        mine = source(tiles.url)
        with pytest.raises(SourceUnavailable):
            mine.read(ONE)
        switch.answer = tile
        assert mine.read(ONE).valid.all()


def test_the_cache_holds_neither_address_nor_key(server, tile, source, tmp_path):
    with server(respond=lambda _: (200, tile, {"ETag": '"1"'})) as tiles:
        source(tiles.url).read(ONE)
    (file,) = (tmp_path / "tiles").iterdir()
    assert b"s3cret" not in file.read_bytes()
    assert b"127.0.0.1" not in file.read_bytes()
    assert "s3cret" not in file.name


def test_a_key_tells_version_size_and_address_apart():
    keys = {
        tile_key(*parts)
        for parts in [("1", 256, "a"), ("2", 256, "a"), ("1", 512, "a"), ("1", 256, "b")]
    }
    assert len(keys) == 4


def test_the_cache_is_bounded_in_bytes(server, script, source, tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (256, 256, 3))
    body = script("tile_server").png(noise)
    with server(respond=lambda _: body) as tiles:
        mine = source(tiles.url, max_bytes=3 * len(body))
        mine.read(GeoBox(5, 0, 0, 256 * 4, 256 * 2))
    held = sum(file.stat().st_size for file in (tmp_path / "tiles").iterdir())
    assert held <= 3 * len(body)


def test_a_damaged_file_is_asked_for_again(server, tile, source, tmp_path):
    with server(respond=lambda _: tile) as tiles:
        mine = source(tiles.url)
        mine.read(ONE)
        (file,) = (tmp_path / "tiles").iterdir()
        file.write_bytes(file.read_bytes()[:-5])
        assert mine.read(ONE).valid.all()
        assert len(tiles.log) == 2


def test_a_clock_that_was_set_back_keeps_no_tile_fresh(server, tile, source, clock):
    with server(respond=lambda _: tile) as tiles:
        mine = source(tiles.url)
        mine.read(ONE)
        clock.now -= 3600
        mine.read(ONE)
        assert len(tiles.log) == 2


OTHER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from samgis_process.blobs import BlobStore
    from samgis_process.grid import GeoBox
    from samgis_process.sources.base import SourceInfo
    from samgis_process.sources.tile_cache import TileCache
    from samgis_process.sources.tiles import TileSource, Transport

    info = SourceInfo("tiles", "Tiles", "1", (0, 19), 19)
    cache = TileCache(BlobStore(Path(sys.argv[2]), 10**9))
    mine = TileSource(info, sys.argv[1] + "/{z}/{x}/{y}.png", Transport(), cache=cache)
    print(mine.read(GeoBox(5, 0, 0, 512, 512)).bands.sum())
""")


def test_two_processes_share_the_cache(server, tile, tmp_path):
    with server(respond=lambda _: tile) as tiles:
        command = [sys.executable, "-c", OTHER, tiles.url, str(tmp_path / "shared")]
        sums = [subprocess.check_output(command, text=True) for _ in range(2)]
        assert sums[0] == sums[1]
        assert len(tiles.log) == 4


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"cache-control": "no-store, max-age=5"}, Freshness(0, store=False)),
        ({"cache-control": "no-cache"}, Freshness(0, stale_ok=False)),
        ({"cache-control": "max-age=5, must-revalidate"}, Freshness(5, stale_ok=False)),
        ({"cache-control": "private, max-age=5"}, Freshness(5)),
        ({"cache-control": "public"}, Freshness(7)),
        ({"cache-control": "max-age=-1"}, Freshness(0)),
        ({"cache-control": "max-age=99999999999999999999"}, Freshness(0)),
        ({"cache-control": ",=,;"}, Freshness(7)),
        ({"expires": "0"}, Freshness(0)),
        ({"expires": "Thu, 01 Jan 1970 00:00:20 GMT"}, Freshness(10)),
        ({"expires": "Thu, 01 Jan 1970 00:00:20 GMT", "date": "bad"}, Freshness(10)),
    ],
)
def test_headers_are_read_as_the_standard_says(headers, expected):
    assert freshness(headers, now=10.0, default_s=7) == expected


def test_a_dead_server_does_not_hold_up_a_window_of_old_tiles(server, script, tile, source, clock):
    switch = Switch((200, tile, {"Cache-Control": "max-age=60"}))
    with server(respond=switch) as tiles:
        mine = source(
            tiles.url, read_timeout_s=0.1, threads=2, rules=HostRules(failures=2, rest_s=60)
        )
        mine.read(GeoBox(5, 0, 0, 256 * 6, 256 * 5))
        switch.answer = script("tile_server").hang(0.5)
        clock.now += 61
        raw = mine.read(GeoBox(5, 0, 0, 256 * 6, 256 * 5))
        assert len(tiles.log) <= 30 + 4  # the breaker answered for the others
    assert raw.warnings[0].startswith("30 of 30 tiles of tiles are old ones")
    assert raw.valid.all()


def test_without_an_old_tile_a_time_out_is_one(server, script, source):
    hang = script("tile_server").hang(0.5)
    with server(respond=lambda _: hang) as tiles, pytest.raises(SourceTimeout):
        source(tiles.url, deadline_s=0.2).read(FOUR)
