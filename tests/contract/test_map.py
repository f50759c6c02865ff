"""The map page over HTTP: the page, what it is told, and the tiles under it."""

import html
import io
import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
import requests
from drawn_ground import CENTRE
from PIL import Image
from rasterio.transform import from_origin

from samgis_process.grid import GeoBox
from samgis_process.rendering import parse
from samgis_process.server.app import create_app
from samgis_process.server.keys import hashed, new_key
from samgis_process.server.wiring import build_services, map_room
from samgis_process.settings import parse as parse_settings
from samgis_process.sources import picture, sample
from samgis_process.terrain import compute
from samgis_process.terrain.layers import Options

ANN = new_key()
KEYS = {"keys": [{"name": "ann", "sha256": hashed(ANN)}]}
ZOOM = 15
RASTER = GeoBox(12, 3000 * 256 + 128, 1500 * 256 + 128, 256, 256)  # reaches into four tiles
RED, BLUE = (220, 30, 20), (10, 40, 200)
NASTY = '<b onclick="x">Us</b> &amp; them <script>alert(1)</script>'


@pytest.fixture(scope="module")
def raster(tmp_path_factory):
    """A file whose left half is red and whose right half is blue."""
    path = tmp_path_factory.mktemp("raster") / "halves.tif"
    pixels = np.empty((3, *RASTER.shape), np.uint8)
    pixels[:, :, :128] = np.array(RED)[:, None, None]
    pixels[:, :, 128:] = np.array(BLUE)[:, None, None]
    x, y = RASTER.transform @ (0, 0)
    place = from_origin(x, y, RASTER.resolution, RASTER.resolution)
    profile = {"driver": "GTiff", "count": 3, "height": 256, "width": 256, "dtype": "uint8"}
    with rasterio.open(path, "w", crs="EPSG:3857", transform=place, **profile) as dataset:
        dataset.write(pixels)
    return path


def jpeg(colour, side):
    stream = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(stream, "JPEG")
    return stream.getvalue()


def quarters():
    """Return a tile of 512 pixels whose quarters have colours of their own."""
    pixels = np.zeros((512, 512, 3), np.uint8)
    pixels[:256, 256:] = RED
    pixels[256:, :256] = BLUE
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def tiles(script):
    """A server of tiles: of JPEGs and of large PNGs."""

    def respond(path):
        kind, *place = path.strip("/").split("/")
        if place == ["6", "1", "1"]:
            return None
        return quarters() if kind == "large" else jpeg((int(place[1]) * 8, 80, 40), 256)

    with script("tile_server").TileServer(respond=respond) as server:
        yield server


@pytest.fixture(scope="module")
def ground(script):
    """A server of elevation as tiles."""
    with script("drawn_ground").serve() as server:
        yield server


@pytest.fixture(scope="module")
def hanging(script):
    """Two servers that do not answer: one that fails too often is left alone for a while."""
    helper = script("tile_server")
    respond = lambda _: helper.hang(3)  # noqa: E731
    with helper.TileServer(respond=respond) as first, helper.TileServer(respond=respond) as second:
        yield first, second


@pytest.fixture(scope="module")
def patient(script):
    """A server that takes half a second for a tile."""

    def respond(_path):
        time.sleep(0.5)
        return jpeg(RED, 256)

    with script("tile_server").TileServer(respond=respond) as server:
        yield server


@pytest.fixture(scope="module")
def section(raster, tiles, ground, hanging, patient, tiny_model_dir, tmp_path_factory):
    directory = tmp_path_factory.mktemp("map")
    place = "{z}/{x}/{y}"
    return {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(directory)},
        "results": {"directory": str(directory / "data")},
        "default_source": "sample",
        "sources": {
            "sample": {"type": "sample"},
            "sample-dem": {"type": "sample-dem"},
            "old ground": {"type": "sample-dem", "rendering": "samgis"},
            "halves": {"type": "raster", "path": str(raster)},
            "photos": {
                "type": "xyz", "url": f"{tiles.url}/photos/{place}", "min_zoom": 2, "max_zoom": 9,
                "title": NASTY, "attribution": NASTY, "bounds": [170, -40, -170, 60],
            },
            "large": {"type": "xyz", "url": f"{tiles.url}/large/{place}", "tile_size": 512},
            "ground": {
                "type": "xyz", "url": f"{ground.url}/{place}.png", "encoding": "terrarium",
            },
            "slow": {
                "type": "xyz", "url": f"{hanging[0].url}/{place}", "retries": 0, "deadline_s": 1,
            },
            "crowded": {
                "type": "xyz", "url": f"{hanging[1].url}/{place}", "retries": 0, "deadline_s": 1,
            },
            "patient": {"type": "xyz", "url": f"{patient.url}/{place}"},
            "down": {"type": "xyz", "url": f"http://127.0.0.1:9/{place}", "retries": 0},
            "gone": {"type": "raster", "path": str(directory / "gone.tif"), "title": "Gone"},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def make(config_path, serve, section, tmp_path_factory):
    """Serve the map page with other settings."""

    def serving(**changes):
        services = build_services(parse_settings(section | changes, tmp_path_factory.mktemp("x")))
        services.sources.open_all()
        return serve(create_app(config_path, services, None, map_room(services)))

    return serving


@pytest.fixture(scope="module")
def services(section, tmp_path_factory):
    return build_services(parse_settings(section, tmp_path_factory.mktemp("y")))


@pytest.fixture(scope="module")
def server(make):
    with make() as address:
        yield address


def get(address, headers=None):
    return requests.get(address, headers=headers, timeout=30)


def told(server, headers=None):
    return get(f"{server}/map/sources", headers).json()


def source(server, source_id):
    return next(one for one in told(server)["sources"] if one["id"] == source_id)


def tile(server, source_id, zoom, x, y, query=""):
    return get(f"{server}/map/tiles/{source_id}/{zoom}/{x}/{y}{query}")


def rgba(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("image/")
    with Image.open(io.BytesIO(answer.content)) as image:
        pixels = np.asarray(image.convert("RGBA"))
    assert pixels.shape == (256, 256, 4)
    return pixels


def is_empty(answer):
    return not rgba(answer)[..., 3].any()


def of_the_sample(zoom):
    """Return the column and row of the tile in the middle of the sample scene."""
    middle = GeoBox.around(sample.BOUNDS, zoom)
    return (middle.col_off + middle.width // 2) // 256, (
        middle.row_off + middle.height // 2
    ) // 256


# The page


def test_browsers_get_the_page_and_programs_the_description(server):
    address = f"{server}/processes/segment"
    for shown in (get(f"{address}?f=html"), get(address, {"Accept": "text/html"})):
        assert shown.headers["content-type"].startswith("text/html")
        assert shown.headers["vary"] == "Accept"
        assert 'data-base=""' in shown.text
    assert get(address).json()["id"] == "segment"


def test_nothing_from_elsewhere_and_no_inline_code_may_run_on_the_page(server):
    shown = get(f"{server}/processes/segment?f=html")
    policy = shown.headers["content-security-policy"].split("; ")
    rules = dict(rule.split(" ", 1) for rule in policy)
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "<style" not in shown.text
    assert 'style="' not in shown.text


def test_the_page_holds_the_whole_description(server):
    shown = html.unescape(get(f"{server}/processes/segment?f=html").text)
    described = get(f"{server}/processes/segment").json()
    for name, value in described["inputs"].items():
        assert name in shown
        assert value["description"] in shown
    for link in described["links"]:
        assert link["href"] in shown


def test_the_files_of_the_page_are_there(server):
    for name in ("pages/base.css", "leaflet/leaflet.css", "leaflet/leaflet.js"):
        assert get(f"{server}/assets/{name}").status_code == 200, name


def test_behind_a_prefix_every_address_bears_it(make):
    with make(server={"public_url": "https://maps.example.org/samgis/"}) as server:
        page = get(f"{server}/processes/segment?f=html").text
        assert 'data-base="/samgis"' in page
        assert 'href="/samgis/assets/pages/base.css"' in page
        address = source(server, "sample")["tiles"]
        assert address.startswith("/samgis/map/tiles/sample/{z}/{x}/{y}")


# What the page is told


def test_the_page_is_told_of_sources_models_and_limits(server):
    known = told(server)
    assert known["default"] == "sample"
    assert [one["id"] for one in known["sources"]][:3] == ["sample", "sample-dem", "old ground"]
    assert [one["default"] for one in known["models"]] == [True]
    assert known["limits"]["max_prompts"] == 1000
    assert known["has_jobs"] is known["needs_key"] is False
    assert known["title"]
    scene, ground = source(server, "sample"), source(server, "sample-dem")
    assert (scene["kind"], ground["kind"]) == ("imagery", "elevation")
    assert scene["bounds"] == pytest.approx(list(sample.BOUNDS), abs=1e-4)
    assert (scene["rendering"], ground["rendering"]) == ("rgb", "tinted-slope")
    assert "relief" in ground["renderings"]
    assert "samgis" not in ground["renderings"]  # has no tiles
    assert source(server, "large")["bounds"] is None
    assert source(server, "large")["min_zoom"] == 1


def test_a_source_that_is_down_says_why_and_keeps_its_name(server):
    gone = source(server, "gone")
    assert gone["title"] == "Gone"
    assert "gone.tif cannot be read" in gone["reason"]
    assert "/" not in gone["reason"]
    assert source(server, "sample")["reason"] is None


def test_words_of_operators_come_as_plain_text(server):
    photos = source(server, "photos")
    assert photos["title"] == photos["attribution"] == "Us & them alert(1)"


def test_legends_say_what_colours_stand_for(server):
    terrain = told(server)["terrain"]
    renderings = {one["name"]: one for one in terrain["renderings"]}
    assert [bar["colour"] for bar in renderings["terrain"]["legend"]] == ["red", "green", "blue"]
    assert renderings["samgis"]["tiled"] is False
    slope = next(one for one in terrain["layers"] if one["name"] == "slope")
    assert slope["unit"] == "degree"
    assert slope["legend"]["stops"] == [0, 5, 15, 30, 45, 60]
    assert slope["legend"]["ramp"][0] == "#ffffff"


def test_the_address_of_tiles_changes_with_the_pixels(server, raster):
    before = source(server, "halves")["tiles"]
    assert source(server, "halves")["tiles"] == before
    later = raster.stat().st_mtime_ns + 10**9
    os.utime(raster, ns=(later, later))
    assert source(server, "halves")["tiles"] != before


# Tiles


def test_a_raster_lies_where_it_should_and_is_transparent_around(server):
    """Its four quarters lie in four tiles, each in the corner towards the others."""
    x, y = 3000, 1500
    for column, row, colour in ((0, 0, RED), (1, 0, BLUE), (0, 1, RED), (1, 1, BLUE)):
        pixels = rgba(tile(server, "halves", 12, x + column, y + row))
        there = np.zeros((256, 256), bool)
        there[slice(128, 256) if row == 0 else slice(128),
              slice(128, 256) if column == 0 else slice(128)] = True  # fmt: skip
        assert (pixels[..., 3] == np.where(there, 255, 0)).all()
        inside = pixels[there].reshape(128, 128, 4)[4:-4, 4:-4, :3]
        assert np.abs(inside.astype(int) - colour).max() <= 1


@pytest.mark.parametrize("source_id", ["sample", "sample-dem"])
def test_a_tile_is_what_segment_sees(server, services, source_id):
    x, y = of_the_sample(ZOOM)
    origin = services.sources.get(source_id)
    grid = GeoBox(ZOOM, x * 256, y * 256, 256, 256)
    seen = picture(origin, grid, parse(None, origin.info.bands, source_id))
    np.testing.assert_array_equal(rgba(tile(server, source_id, ZOOM, x, y))[..., :3], seen.image)


@pytest.mark.parametrize("rendering", ["terrain", "tinted-slope", "relief", "grey"])
def test_neighbouring_tiles_are_one_picture(server, services, rendering):
    x, y = of_the_sample(ZOOM)
    origin = services.sources.get("sample-dem")
    grid = GeoBox(ZOOM, x * 256, y * 256, 512, 256)
    whole = picture(origin, grid, parse(rendering, origin.info.bands, "sample-dem")).image
    query = f"?rendering={rendering}"
    parts = [rgba(tile(server, "sample-dem", ZOOM, x + k, y, query))[..., :3] for k in (0, 1)]
    apart = np.abs(np.hstack(parts).astype(int) - whole)
    assert apart.max() <= 1


def test_neighbouring_tiles_of_elevation_from_a_server_are_one_picture(server, services):
    x, y = (place // 256 for place in CENTRE)
    origin = services.sources.get("ground")
    grid = GeoBox(13, x * 256, (y - 1) * 256, 256, 512)
    whole = picture(origin, grid, parse(None, origin.info.bands, "ground")).image
    parts = [rgba(tile(server, "ground", 13, x, y + k))[..., :3] for k in (-1, 0)]
    np.testing.assert_array_equal(np.vstack(parts), whole)


def test_a_source_whose_own_rendering_has_no_tiles_is_drawn_in_another(server):
    ground = source(server, "old ground")
    assert ground["rendering"] == "samgis"
    x, y = of_the_sample(ZOOM)
    address = server + ground["tiles"].format(z=ZOOM, x=x, y=y)
    assert get(address).content == tile(server, "sample-dem", ZOOM, x, y).content


def test_a_layer_is_drawn_in_the_colours_of_its_legend(server, services):
    from samgis_process.sources.elevation import read_relief

    x, y = of_the_sample(ZOOM)
    grid = GeoBox(ZOOM, x * 256, y * 256, 256, 256)
    relief = read_relief(services.sources.get("sample-dem"), grid, 1)
    slope = compute(relief.surface, "slope", Options(), 1)
    shown = rgba(tile(server, "sample-dem", ZOOM, x, y, "?layer=slope"))
    legend = next(o for o in told(server)["terrain"]["layers"] if o["name"] == "slope")["legend"]
    ramp = np.array([list(bytes.fromhex(colour[1:])) for colour in legend["ramp"]])
    places = np.linspace(0, len(ramp) - 1, len(legend["stops"]))
    at = np.rint(np.interp(slope, legend["stops"], places)).astype(int)
    assert np.abs(shown[..., :3].astype(int) - ramp[at]).max() <= 8  # half a step of the ramp
    assert (shown[..., 3] == 255).all()


@pytest.mark.parametrize(
    "layer", ["elevation", "aspect", "curvature", "tpi", "sky_view", "hillshade"]
)
def test_layers_have_no_seams(server, services, layer):
    from samgis_process.map.layers import layer_picture

    x, y = of_the_sample(ZOOM)
    origin = services.sources.get("sample-dem")
    whole, _ = layer_picture(origin, GeoBox(ZOOM, x * 256, y * 256, 512, 256), layer)
    query = f"?layer={layer}"
    parts = [rgba(tile(server, "sample-dem", ZOOM, x + k, y, query)) for k in (0, 1)]
    known = np.hstack(parts)[..., 3] == 255
    apart = np.abs(np.hstack(parts)[..., :3].astype(int) - whole)[known]
    assert apart.max() <= 4


def test_tiles_of_a_server_come_as_it_sent_them_and_are_kept(server, tiles):
    before = len(tiles.log)
    first, second = (tile(server, "photos", 4, 15, 5) for _ in range(2))
    assert first.content == second.content == jpeg((120, 80, 40), 256)
    assert first.headers["content-type"] == "image/jpeg"
    assert tiles.log[before:] == ["/photos/4/15/5"]
    drawn = tile(server, "photos", 4, 15, 5, "?rendering=grey")
    assert drawn.headers["content-type"] == "image/png"
    colours = rgba(drawn)[..., :3]
    assert (colours[..., 0] == colours[..., 2]).all()


@pytest.mark.parametrize(
    ("zoom", "x", "y"),
    [(1, 1, 0), (10, 1023, 300), (4, 8, 5), (4, 15, 15), (4, 15, 0)],
    ids=["below", "above", "west", "south", "north"],
)
def test_where_a_source_has_nothing_a_tile_is_empty_and_nobody_is_asked(server, tiles, zoom, x, y):
    before = len(tiles.log)
    assert is_empty(tile(server, "photos", zoom, x, y))
    assert len(tiles.log) == before


def test_bounds_may_cross_the_antimeridian(server):
    for x in (15, 0):
        assert not is_empty(tile(server, "photos", 4, x, 6))


def test_a_tile_that_its_server_lacks_is_empty(server):
    assert is_empty(tile(server, "large", 7, 2, 2))


def test_large_tiles_are_cut(server):
    colours = [
        tuple(rgba(tile(server, "large", 4, 4 + column, 2 + row))[9, 9, :3])
        for row in (0, 1)
        for column in (0, 1)
    ]
    assert colours == [(0, 0, 0), RED, BLUE, (0, 0, 0)]
    assert is_empty(tile(server, "large", 0, 0, 0))


@pytest.mark.parametrize(
    "path",
    ["nope/3/1/1", "sample/3/8/1", "sample/3/1/8", "sample/31/1/1", "sample/x/1/1",
     "sample/-1/0/0", "sample/3/1.5/1", "sample/3/%D9%A1/1", "sample/3/1"],
)  # fmt: skip
def test_what_is_no_tile_is_not_found(server, path):
    answer = get(f"{server}/map/tiles/{path}")
    assert answer.status_code == 404
    assert answer.json()["status"] == 404


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("sample/15/1/1?rendering=relief", "rendering"),
        ("sample-dem/15/1/1?rendering=nope", "rendering"),
        ("sample-dem/15/1/1?rendering=samgis", "rendering"),
        ("sample-dem/15/1/1?layer=nope", "layer"),
        ("sample/15/1/1?layer=slope", "layer"),
    ],
)
def test_what_a_source_cannot_show_is_refused(server, path, field):
    answer = get(f"{server}/map/tiles/{path}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["input"] == field


@pytest.mark.parametrize(
    ("source_id", "status", "kind"),
    [("down", 502, "source-unavailable"), ("gone", 503, "source-damaged"),
     ("slow", 504, "source-timeout")],
)  # fmt: skip
def test_a_source_that_fails_is_a_problem_of_that_source(server, source_id, status, kind):
    answer = tile(server, source_id, 3, 1, 1)
    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:samgis:problem:{kind}"
    assert "127.0.0.1" not in answer.text


def test_a_slow_source_holds_up_no_other(server):
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(tile, server, "crowded", 5, 1, y) for y in range(12)]
        time.sleep(0.2)
        begun = time.monotonic()
        assert not is_empty(tile(server, "sample", ZOOM, *of_the_sample(ZOOM)))
        assert time.monotonic() - begun < 0.9
        assert {one.result().status_code for one in waiting} <= {502, 504}


def test_tiles_that_nobody_waits_for_any_more_are_left_out(server, patient):
    host, port = server.removeprefix("http://").split(":")
    gone = []
    for y in range(30):
        gone.append(socket.create_connection((host, int(port))))
        path = f"/map/tiles/patient/5/1/{y}"
        gone[-1].sendall(f"GET {path} HTTP/1.1\r\nHost: {server[7:]}\r\n\r\n".encode())
    until = time.monotonic() + 5
    while len(patient.log) < 6:  # as many as are fetched at a time
        assert time.monotonic() < until
        time.sleep(0.01)
    for one in gone:
        one.close()
    assert not is_empty(tile(server, "patient", 5, 2, 1))
    assert len(patient.log) < 20


def test_a_tile_is_not_sent_twice(server):
    first = tile(server, "sample", ZOOM, *of_the_sample(ZOOM))
    assert first.headers["cache-control"] == "public, max-age=3600"
    again = get(first.url, {"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert get(first.url, {"If-None-Match": '"other"'}).content == first.content


# Who may, and how often


def test_with_keys_the_page_is_open_and_its_tiles_are_not(make):
    key = {"X-API-Key": ANN}
    with make(access=KEYS) as server:
        assert get(f"{server}/processes/segment?f=html").status_code == 200
        assert told(server)["needs_key"] is True
        assert told(server, key)["needs_key"] is False
        assert get(f"{server}/map/sources", {"X-API-Key": "wrong"}).status_code == 401
        address = server + "/map/tiles/sample/{}/{}/{}".format(ZOOM, *of_the_sample(ZOOM))
        assert get(address).status_code == 401
        shown = get(address, key)
        assert shown.status_code == 200
        assert shown.headers["cache-control"] == "private, max-age=3600"
        assert "X-API-Key" in shown.headers["vary"]


def test_twenty_tiles_or_files_cost_as_much_as_one_request(make):
    with make(access={"requests_per_minute": 0.1, "burst": 4}) as server:
        paths = ["/map/tiles/sample/1/0/0", "/assets/pages/base.css"]
        found = [get(server + paths[n % 2]).status_code for n in range(60)]
        assert set(found) == {200}
        assert get(f"{server}/processes").status_code == 200
        assert get(f"{server}/processes").status_code == 429
        assert get(server + paths[0]).status_code == 429


def test_guessing_keys_on_tiles_is_not_cheap(make):
    with make(access=KEYS | {"requests_per_minute": 0.1, "burst": 3}) as server:
        headers = {"X-API-Key": "guess"}
        address = f"{server}/map/tiles/sample/1/0/0"
        assert [get(address, headers).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_requests_are_counted_by_the_pattern_of_their_path(server):
    tile(server, "sample", 1, 0, 0)
    told(server)
    lines = get(f"{server}/metrics").text
    assert 'route="/map/tiles/{source}/{z}/{x}/{y}"' in lines
    assert 'route="/map/sources"' in lines
    assert "sample/1/0/0" not in lines


def test_the_routes_of_the_page_are_not_in_the_document(server):
    assert "/map/" not in json.dumps(get(f"{server}/openapi?f=json").json())
