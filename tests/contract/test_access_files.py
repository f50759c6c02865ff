"""The files of `dem-composite` belong to whoever asked for them, waiting or by a job."""

import os
import subprocess
import sys
import time
from functools import partial

import lab
import pytest
import requests

from samgis_process.server.app import create_app
from samgis_process.server.keys import hashed, new_key
from samgis_process.server.wiring import build_services
from samgis_process.settings import parse
from samgis_process.sources import sample

ANN, BOB = new_key(), new_key()
WEST, SOUTH, EAST, NORTH = sample.BOUNDS
BBOX = [WEST + 0.01, SOUTH + 0.01, WEST + 0.014, SOUTH + 0.014]
NO_SUCH_RESULT = "urn:samgis:problem:no-such-result"


@pytest.fixture(scope="module")
def server(tiny_model_dir, tmp_path_factory, serve, config_path):
    directory = tmp_path_factory.mktemp("files")
    keys = [{"name": name, "sha256": hashed(key)} for name, key in (("ann", ANN), ("bob", BOB))]
    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(directory)},
        "results": {"directory": str(directory / "data")},
        "access": {"keys": keys},
        "sources": {"sample": {"type": "sample"}, "sample-dem": {"type": "sample-dem"}},
    }
    services = build_services(parse(section, directory))
    room = lab.job_room(directory, factory=partial(lab.real_work, section, directory))
    with serve(create_app(config_path, services, room)) as address:
        yield address


def ask(address, key=None, method="get", **options):
    headers = options.pop("headers", {}) | ({"X-API-Key": key} if key else {})
    return requests.request(method, address, headers=headers, timeout=60, **options)


def compose(server, key, **headers):
    body = {"inputs": {"bbox": BBOX, "source": "sample-dem", "layers": ["slope"]}}
    address = f"{server}/processes/dem-composite/execution"
    return ask(address, key, "post", headers=headers, json=body)


def by_waiting(server, key):
    answer = compose(server, key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def by_a_job(server, key):
    location = compose(server, key, Prefer="respond-async").headers["location"]
    until = time.monotonic() + 90
    while (info := ask(location, key).json())["status"] in ("accepted", "running"):
        assert time.monotonic() < until, info
        time.sleep(0.1)
    assert info["status"] == "successful", info
    return ask(f"{location}/results", key).json()


@pytest.mark.parametrize("way", [by_waiting, by_a_job])
def test_the_files_of_a_key_are_its_own(server, way):
    (item,) = way(server, ANN)["features"]
    links = [one["href"] for one in (*item["assets"].values(), *item["links"])]
    assert len(links) >= 4
    for link in links:
        assert ask(link, ANN).status_code == 200
        assert ask(link, ANN, "head").status_code == 200
        for method in ("get", "head"):
            assert ask(link, BOB, method).status_code == 404
            assert ask(link, None, method).status_code == 401
        assert ask(link, BOB, headers={"Range": "bytes=0-9"}).status_code == 404
        assert ask(link, BOB).json()["type"] == NO_SUCH_RESULT
    # An id that is somebody else's reads like one that was never given, whatever the name.
    unknown = ask(links[0].replace(item["id"], "9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad"), BOB)
    for name in (links[0], links[0].rpartition("/")[0] + "/nope"):
        theirs = ask(name, BOB).json()["detail"]
        assert theirs.replace(item["id"], "ID") == unknown.json()["detail"].replace(
            "9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad", "ID"
        )


def test_gdal_opens_a_result_with_its_key(server):
    (item,) = by_waiting(server, ANN)["features"]
    # In a process of its own: while GDAL looks for neighbours of a file, Python stands still.
    code = "import rasterio, sys; print(rasterio.open(f'/vsicurl/{sys.argv[1]}').count)"
    command = [sys.executable, "-c", code, item["assets"]["composite"]["href"]]
    environ = os.environ | {"GDAL_HTTP_HEADERS": f"X-API-Key: {ANN}"}
    shown = subprocess.run(command, capture_output=True, timeout=60, check=True, env=environ)
    assert shown.stdout.strip() == b"3"
