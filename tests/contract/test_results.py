"""The files of results over HTTP."""

import uuid

import numpy as np
import pytest
import rasterio
import requests
import yaml

from samgis_process.formats import COG, cog
from samgis_process.grid import GeoBox
from samgis_process.results import File, ResultStore

GRID = GeoBox(10, 500, 300, 1500, 1200)
PICTURE = np.random.default_rng(5).integers(0, 256, (3, 1200, 1500), np.uint8)
FILES = {
    "composite.tif": File(COG, cog(PICTURE, [], GRID)),
    "item.json": File("application/geo+json", b'{"type": "Feature"}' * 100),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return ResultStore(tmp_path_factory.mktemp("results"), 3600, 10**9)


@pytest.fixture(scope="module")
def root(make_server, store, config_path, tmp_path_factory):
    """A server that compresses and lets other sites read."""
    document = yaml.safe_load(config_path.read_text())
    document["server"] |= {"cors": True, "gzip": True}
    path = tmp_path_factory.mktemp("config") / "config.yml"
    path.write_text(yaml.safe_dump(document))
    with make_server(path, results=store) as address:
        yield f"{address}/results"


@pytest.fixture
def result(root, store):
    ticket = store.ticket()
    store.keep(ticket, FILES)
    return f"{root}/{ticket.id}"


def get(address, method="get", **headers):
    return requests.request(method, address, headers=headers, timeout=20)


def test_a_file_comes_whole_with_its_type_and_age(result):
    answer = get(f"{result}/composite.tif")
    assert answer.content == FILES["composite.tif"].content
    assert answer.headers["content-type"] == COG
    assert answer.headers["accept-ranges"] == "bytes"
    assert "immutable" in answer.headers["cache-control"]
    age = int(answer.headers["cache-control"].split("max-age=")[1].split(",")[0])
    assert 3500 < age <= 3600
    assert answer.headers["x-request-id"]
    assert get(f"{result}/item.json").headers["content-type"] == "application/geo+json"


def test_a_range_is_answered_as_such(result):
    whole = FILES["composite.tif"].content
    for asked, part in (
        ("bytes=0-15", whole[:16]),
        ("bytes=100-299", whole[100:300]),
        ("bytes=-7", whole[-7:]),
        (f"bytes={len(whole) - 3}-", whole[-3:]),
    ):
        answer = get(f"{result}/composite.tif", Range=asked, **{"Accept-Encoding": "gzip"})
        assert answer.status_code == 206
        assert answer.content == part
        assert answer.headers["content-range"].endswith(f"/{len(whole)}")
        assert "content-encoding" not in answer.headers
    assert get(f"{result}/composite.tif", Range=f"bytes={len(whole)}-").status_code == 416


@pytest.mark.parametrize(
    "asked",
    [
        "bytes",
        "lines=1-2",
        "bytes=",
        "bytes=x-y",
        "bytes=9-3",
        "bytes=-",
        ",".join(["bytes=0-1"] + ["3-4"] * 30),
    ],
)
def test_a_range_that_is_none_means_all_of_it(result, asked):
    answer = get(f"{result}/item.json", Range=asked)
    assert (answer.status_code, answer.content) == (200, FILES["item.json"].content)


def test_head_says_the_length(result):
    answer = get(f"{result}/composite.tif", "head")
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) == len(FILES["composite.tif"].content)


def test_what_a_client_has_is_not_sent_again(result):
    tag = get(f"{result}/composite.tif", "head").headers["etag"]
    again = get(f"{result}/composite.tif", **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert get(f"{result}/composite.tif", **{"If-None-Match": '"other"'}).status_code == 200


def test_gdal_reads_it_through_vsicurl(result):
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_HTTP_TIMEOUT="20"),
        rasterio.open(f"/vsicurl/{result}/composite.tif") as file,
    ):
        window = rasterio.windows.Window(700, 600, 90, 80)
        np.testing.assert_array_equal(file.read(window=window), PICTURE[:, 600:680, 700:790])
        assert file.overviews(1) == [2, 4]


def test_other_sites_may_read_what_they_need(result):
    answer = get(f"{result}/composite.tif", Origin="https://map.example.org")
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"]
    for name in ("Accept-Ranges", "Content-Range", "ETag"):
        assert name in exposed


@pytest.mark.parametrize("name", ["composite.png", "result.json", "..%2f..%2fsecret", "%2e%2e"])
def test_a_file_that_is_none_is_a_404(result, name):
    answer = get(f"{result}/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.json()["title"]


@pytest.mark.parametrize(
    "result_id", ["9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad", "nope", "..%2f..", "%2e%2e"]
)
def test_a_result_that_is_none_is_a_404(root, result_id):
    assert get(f"{root}/{result_id}/composite.tif").status_code == 404


def test_an_unknown_result_says_what_to_do(root):
    answer = get(f"{root}/{uuid.uuid4()}/composite.tif")
    assert answer.json()["type"] == "urn:samgis:problem:no-such-result"
    assert "run the process again" in answer.json()["detail"]
    assert "1 hours" not in answer.json()["detail"]


def test_what_has_expired_is_a_404(make_server, tmp_path):
    with make_server(results=ResultStore(tmp_path, 0.01, 10**9)) as address:
        short = ResultStore(tmp_path, 0.01, 10**9)
        ticket = short.ticket()
        short.keep(ticket, FILES)
        answer = get(f"{address}/results/{ticket.id}/item.json")
    assert answer.status_code == 404
    assert "was kept until" in answer.json()["detail"]


def test_other_methods_are_not_offered(result):
    assert get(f"{result}/item.json", "delete").status_code == 405
    assert get(f"{result}/item.json", "options").headers["allow"] == "GET, HEAD, OPTIONS"
