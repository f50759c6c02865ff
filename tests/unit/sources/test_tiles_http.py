import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import numpy as np
import pytest

from samgis_process.errors import SourceUnavailable
from samgis_process.grid import GeoBox
from samgis_process.sources.base import SourceInfo
from samgis_process.sources.hosts import Breaker, Budget, Gate, HostRules, OutOfTime, Pace, Refused
from samgis_process.sources.http import HttpClient
from samgis_process.sources.tiles import TileSource, Transport

ONE = GeoBox(5, 0, 0, 200, 200)
TEN = GeoBox(5, 0, 0, 256 * 5, 256 * 2)


@pytest.fixture
def server(script):
    return script("tile_server").TileServer


@pytest.fixture
def tile(script):
    return script("tile_server").png(np.full((256, 256, 3), 90))


def source(url, *, client=None, **transport):
    info = SourceInfo("tiles", "Tiles", "1", (0, 19), 19)
    return TileSource(
        info, f"{url}/{{z}}/{{x}}/{{y}}.png?key=s3cret", Transport(**transport), client
    )


def seconds(run):
    begun = time.monotonic()
    run()
    return time.monotonic() - begun


def refusal(mine, grid=ONE):
    """Return what a read says, after looking that it tells no secrets, also in its causes."""
    with pytest.raises(SourceUnavailable) as caught:
        mine.read(grid)
    error = caught.value
    while error is not None:
        assert "s3cret" not in str(error)
        assert "127.0.0.1" not in str(error)
        error = error.__cause__
    assert "tile 5/" in str(caught.value)
    assert "of tiles" in str(caught.value)
    return caught.value


def sequence(*answers):
    """Answer with each in turn, then with the last for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def test_we_say_who_we_are(server, tile):
    with server(respond=lambda _: tile) as tiles:
        source(tiles.url).read(ONE)
        assert tiles.asked[0]["User-Agent"].startswith("samgis-process/")


def test_connections_are_kept_also_after_absent_tiles(server, tile):
    with server(respond=lambda path: tile if "/0/0.png" in path else (404, b"none")) as tiles:
        mine = source(tiles.url, threads=2)
        mine.read(TEN)
        mine.read(TEN)
        assert len(tiles.log) == 20
        assert tiles.connections <= 2


def test_one_host_gets_so_many_requests_at_a_time_from_all_sources(server, tile):
    def slow(_):
        time.sleep(0.02)
        return tile

    client = HttpClient()
    with server(respond=slow) as tiles, ThreadPoolExecutor(2) as pool:
        sources = [source(tiles.url, client=client, host_connections=3) for _ in range(2)]
        list(pool.map(lambda mine: mine.read(TEN), sources))
        assert tiles.most == 3


def test_a_source_keeps_to_its_rate(server, tile):
    with server(respond=lambda _: tile) as tiles:
        mine = source(tiles.url, max_rate=50.0)
        assert 0.18 <= seconds(lambda: mine.read(TEN)) < 3


def test_a_rate_that_leaves_no_time_is_said_at_once(server, tile):
    with server(respond=lambda _: tile) as tiles:
        mine = source(tiles.url, max_rate=1.0, deadline_s=0.5)
        assert seconds(lambda: refusal(mine, TEN)) < 0.5


@pytest.mark.parametrize("wait", ["1", "a date", "9" * 30, "x"])
def test_a_server_is_waited_for_but_not_for_long(server, tile, wait):
    date = formatdate(time.time() + 3600, usegmt=True)
    busy = (503, b"", {"Retry-After": wait.replace("a date", date)})
    with server(respond=sequence(busy, tile)) as tiles:
        mine = source(tiles.url, retry_after_s=0.4)
        took = seconds(lambda: mine.read(ONE))
    assert (0.1 if wait == "x" else 0.4) <= took < 0.9


def test_no_wait_goes_past_the_deadline(server):
    with server(respond=lambda _: (503, b"")) as tiles:
        mine = source(tiles.url, deadline_s=1.0, retry_after_s=30)
        assert seconds(lambda: refusal(mine)) < 0.5  # waiting would be in vain, so: at once


def test_tries_become_rarer(server):
    with server(respond=lambda _: (500, b"")) as tiles:
        took = seconds(lambda: refusal(source(tiles.url, retries=2)))
        assert len(tiles.log) == 3
    assert 0.15 + 0.3 <= took < 0.3 + 0.6 + 0.4


def redirect(location, status=302):
    return (status, b"", {"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_host_is_followed(server, tile, status):
    with server(respond=sequence(redirect("/elsewhere.png", status), tile)) as tiles:
        assert source(tiles.url).read(ONE).valid.all()
        assert tiles.log[1] == "/elsewhere.png"


def test_a_redirect_to_another_host_needs_a_setting(server, tile):
    with (
        server(respond=lambda _: tile) as other,
        server(respond=lambda _: redirect(other.url + "/a.png")) as tiles,
    ):
        assert "redirects to another host" in str(refusal(source(tiles.url)))
        assert not other.log
        hosts = frozenset([other.url.removeprefix("http://")])
        assert source(tiles.url, redirect_hosts=hosts).read(ONE).valid.all()
        assert len(other.log) == 1


@pytest.mark.parametrize(
    "location",
    ["ftp://{host}/a", "https://{host}/a", "file:///etc/passwd", "//user@{host}/a", "//[/", ""],
)
def test_redirects_that_are_not_followed(server, location):
    with server(respond=lambda _: redirect(location.format(host=host))) as tiles:
        host = tiles.url.removeprefix("http://")
        assert "redirects" in str(refusal(source(tiles.url)))


def test_a_loop_of_redirects_ends(server):
    with server(respond=lambda _: redirect("/again")) as tiles:
        assert "circles" in str(refusal(source(tiles.url)))
        assert len(tiles.log) == 4


def huge_png(side):
    """Return the head of a PNG that claims so many pixels."""
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


def webp_canvas(side):
    size = (side - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + size + size
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def jpeg(size):
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.new("RGB", size).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda _: huge_png(10_000), "10000 x 10000 pixels, but 256 x 256"),
        (lambda _: webp_canvas(16_000), "16000 x 16000 pixels, but 256 x 256"),
        (lambda _: jpeg((512, 256)), "512 x 256 pixels"),
        (lambda tile: tile[:-40], "is no picture"),
        (lambda tile: tile[:20], "is no picture"),
        (lambda tile: tile[:60] + bytes(40) + tile[100:], "is no picture"),
        (lambda _: b"<html>", "is no picture"),
        (lambda _: bytes(16 * 2**20 + 1), "has more than 16777216 bytes"),
    ],
    ids=["bomb", "webp bomb", "oblong", "cut", "head only", "damaged", "html", "long"],
)
def test_bodies_that_are_no_tile(server, tile, make, says):
    body = make(tile)
    with server(respond=lambda _: body) as tiles:
        assert says in str(refusal(source(tiles.url, retries=0)))


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ("-1", "no valid length"),
        ("many", "no valid length"),
        ("5, 6", "answer is broken"),
        ("99999", "answer is broken"),
        ("3", "is no picture"),
        ("9" * 5000, "has more than"),
    ],
    ids=["negative", "word", "two", "too large", "too small", "endless"],
)
def test_a_false_length_is_found_out(server, tile, script, declared, says):
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {declared}\r\n\r\n".encode() + tile
    with server(respond=lambda _: script("tile_server").raw(answer)) as tiles:
        assert says in str(refusal(source(tiles.url, retries=0)))


def test_a_bomb_of_gzip_takes_no_more_than_a_tile(server):
    import gzip
    import tracemalloc

    bomb = gzip.compress(bytes(300 * 2**20), 1)
    with server(respond=lambda _: (200, bomb, {"Content-Encoding": "gzip"})) as tiles:
        mine = source(tiles.url, retries=0)
        tracemalloc.start()
        try:
            assert "has more than" in str(refusal(mine))
            assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)
def test_what_is_no_http_is_a_broken_answer(server, script, data):
    with server(respond=lambda _: script("tile_server").raw(data)) as tiles:
        refusal(source(tiles.url, retries=0))


@pytest.mark.parametrize("kind", ["drip", "drip_headers", "hang"])
def test_slow_servers_meet_the_deadline(server, script, kind):
    answer = getattr(script("tile_server"), kind)(2)
    with server(respond=lambda _: answer) as tiles:
        mine = source(tiles.url, deadline_s=0.3)
        took = seconds(lambda: refusal(mine, TEN))
    assert took < 0.5


@pytest.mark.parametrize("kind", ["drip", "drip_headers", "hang"])
def test_slow_servers_hold_no_thread_after_the_deadline(server, script, kind, tile):
    answer = getattr(script("tile_server"), kind)(2)
    with server(respond=sequence(answer, answer, tile)) as tiles:
        mine = source(tiles.url, deadline_s=0.3, threads=2, retries=0)
        refusal(mine, GeoBox(5, 0, 0, 512, 200))
        assert seconds(lambda: mine.read(ONE)) < 0.25


def test_a_host_that_fails_is_left_alone_and_then_tried_by_one(server, tile):
    answers = {"now": (500, b"")}
    client = HttpClient(HostRules(failures=3, rest_s=0.3))
    with server(respond=lambda _: answers["now"]) as tiles:
        mine = source(tiles.url, client=client, retries=0)
        for _ in range(3):
            refusal(mine)
        asked = len(tiles.log)
        assert "left alone" in str(refusal(mine))
        assert len(tiles.log) == asked
        time.sleep(0.3)
        assert "answered 500" in str(refusal(mine))  # the probe
        assert len(tiles.log) == asked + 1
        assert "left alone" in str(refusal(mine))
        answers["now"] = tile
        time.sleep(0.3)
        assert mine.read(TEN).valid.all()  # nobody is turned away while the probe is out
        assert len(tiles.log) == asked + 11


def test_the_breaker_is_shared_by_sources_of_a_host_only(server, tile):
    client = HttpClient(HostRules(failures=1, rest_s=60))
    with server(respond=lambda _: (500, b"")) as bad, server(respond=lambda _: tile) as good:
        refusal(source(bad.url, client=client, retries=0))
        assert "left alone" in str(refusal(source(bad.url, client=client)))
        assert source(good.url, client=client).read(ONE).valid.all()


@pytest.mark.parametrize("status", [403, 404])
def test_a_host_that_answers_no_is_well(server, status):
    client = HttpClient(HostRules(failures=2, rest_s=60))
    with server(respond=lambda _: (status, b"")) as tiles:
        for _ in range(4):
            with pytest.raises(Exception, match=r"answered 403|no tile there"):
                source(tiles.url, client=client).read(ONE)
        assert len(tiles.log) == 4


def budget(left=1.0):
    return Budget(time.monotonic() + left)


def test_the_breaker_lets_one_probe_through_and_the_others_wait():
    now = [0.0]
    breaker = Breaker(HostRules(failures=1, rest_s=5), lambda: now[0])
    with pytest.raises(SourceUnavailable, match="bad"), breaker.attempt("tile", budget()):
        raise SourceUnavailable("bad")
    now[0] = 5.0
    began, finish = threading.Event(), threading.Event()

    def probe():
        with breaker.attempt("tile", budget()):
            began.set()
            finish.wait(1)

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(probe)
        began.wait(1)
        with pytest.raises(OutOfTime), breaker.attempt("tile", budget(0.05)):
            pass
        finish.set()
        job.result()
    with breaker.attempt("tile", budget()):
        pass


@pytest.mark.parametrize("error", [Refused("no"), OutOfTime("late"), ValueError("ours")])
def test_what_is_not_the_hosts_fault_does_not_count(error):
    breaker = Breaker(HostRules(failures=1))
    for _ in range(2):
        with pytest.raises(type(error)), breaker.attempt("tile", budget()):
            raise error


def test_a_gate_that_stays_shut_ends_with_the_time():
    gate = Gate(1)
    with gate.enter("tile", budget()), pytest.raises(OutOfTime), gate.enter("x", budget(0.02)):
        pass
    with gate.enter("tile", budget()):
        pass


def test_a_pace_spreads_requests_evenly():
    pace = Pace(100.0)
    assert 0.04 <= seconds(lambda: [pace.wait("tile", budget()) for _ in range(5)]) < 0.5


def test_missing_tiles_are_counted_in_a_warning(server, tile):
    with server(respond=lambda path: None if "/5/1/" in path else tile) as tiles:
        raw = source(tiles.url).read(GeoBox(5, 0, 0, 768, 512))
    assert raw.warnings == ("2 of 6 tiles of tiles do not exist there",)
    assert not raw.valid[:, 256:512].any()


def test_a_paletted_tile_keeps_its_colours_and_holes(server):
    from io import BytesIO

    from PIL import Image

    image = Image.new("P", (256, 256))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (0, 0, 128, 256))
    buffer = BytesIO()
    image.save(buffer, "PNG", transparency=0)
    with server(respond=lambda _: buffer.getvalue()) as tiles:
        raw = source(tiles.url).read(GeoBox(5, 0, 0, 256, 256))
    assert raw.bands[:, 5, 5].tolist() == [200, 100, 50]
    assert raw.valid[:, :128].all()
    assert not raw.valid[:, 128:].any()
