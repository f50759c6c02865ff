"""Jobs through `samgis-process serve`: workers build everything from the configuration."""

import time
from datetime import datetime

import numpy as np
import pytest
import requests

ASYNC = {"Prefer": "respond-async"}
SAMPLE = [-29.59652, 41.25536, -29.58304, 41.26479]
POINT = [{"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}]
WINDOW = {"bbox": SAMPLE, "zoom": 14, "prompt": POINT}


class Tiles:
    """Grey land, on a server that can be told to let its clients wait."""

    def __init__(self, png):
        self.pause_s = 0.0
        self._tile = png(np.full((256, 256, 3), 90, np.uint8))

    def __call__(self, _path):
        time.sleep(self.pause_s)
        return self._tile


@pytest.fixture(scope="module")
def slow_tiles(script):
    helper = script("tile_server")
    tiles = Tiles(helper.png)
    with helper.TileServer(respond=tiles) as server:
        server.tiles = tiles
        yield server


@pytest.fixture
def slow(script, slow_tiles, tiny_model_dir, tmp_path):
    """A server whose tiles can be slow."""
    url = f"{slow_tiles.url}/{{z}}/{{x}}/{{y}}.png"
    source = {"type": "xyz", "url": url, "cache_tiles": False, "read_timeout_s": 60}
    helper = script("server_process")
    config = helper.configure(
        tmp_path / "config.yml", tiny_model_dir, tmp_path / "cache", {"slow": source}
    )
    server = helper.ServerProcess(config, tmp_path / "log").start().ready()
    yield server
    server.stop()


def post(server, process, inputs, headers=ASYNC):
    address = f"{server.url}/processes/{process}/execution"
    return requests.post(address, json={"inputs": inputs}, headers=headers, timeout=120)


def status(location):
    return requests.get(location, timeout=20).json()


def until(location, *states, seconds=60):
    end = time.monotonic() + seconds
    while (info := status(location))["status"] not in states:
        assert time.monotonic() < end, info
        time.sleep(0.02)
    return info


def test_a_job_answers_as_a_sync_call_does(server):
    inputs = {"source": "sample", "bbox": SAMPLE, "zoom": 16, "prompt": POINT}
    sync = server.segment(inputs)
    assert sync.status_code == 200, sync.text
    location = post(server, "segment", inputs).headers["location"]
    assert until(location, "successful", "failed")["status"] == "successful"
    job = requests.get(f"{location}/results", timeout=20)
    assert job.headers["content-type"] == "application/geo+json"
    assert job.json()["features"] == sync.json()["features"]
    data = server.cache / "data"
    assert (data / "jobs.sqlite").exists()
    assert (data / "jobs" / f"{location.rpartition('/')[2]}.1").is_dir()


def test_what_a_job_links_to_can_be_fetched(server):
    inputs = {"source": "sample-dem", "bbox": SAMPLE, "zoom": 14, "layers": ["slope"]}
    answer = post(server, "dem-composite", inputs, {"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    assets = (
        answer.json()["features"][0]["assets"]
        if "features" in answer.json()
        else (answer.json()["assets"])
    )
    for asset in assets.values():
        assert asset["href"].startswith(server.url)
        assert requests.head(asset["href"], timeout=20).status_code == 200


def test_a_job_that_waits_for_tiles_is_dismissed_within_a_second(slow, slow_tiles):
    assert post(slow, "segment", {"source": "slow", **WINDOW}, {}).status_code == 200
    slow_tiles.tiles.pause_s = 30
    moved = {**WINDOW, "bbox": [x + 0.001 for x in SAMPLE]}
    location = post(slow, "segment", {"source": "slow", **moved}).headers["location"]
    until(location, "running")
    time.sleep(0.5)
    following = post(slow, "segment", {"source": "slow", **WINDOW}).headers["location"]
    gone = requests.delete(location, timeout=20).json()
    slow_tiles.tiles.pause_s = 0
    begun = until(following, "running", "successful")["started"]
    apart = datetime.fromisoformat(begun) - datetime.fromisoformat(gone["finished"])
    assert apart.total_seconds() < 1
    assert until(following, "successful", "failed")["status"] == "successful"
