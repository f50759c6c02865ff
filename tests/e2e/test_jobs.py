"""Jobs through `samgis-process serve`: workers build everything from the configuration."""

import itertools
import re
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
        tmp_path / "config.yml",
        tiny_model_dir,
        tmp_path / "cache",
        {"slow": source, "slow-dem": source | {"encoding": "terrarium"}},
    )
    server = helper.ServerProcess(config, tmp_path / "log").start().ready()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def real(script, slow_tiles, model_dir, tmp_path_factory):
    """A server with the real encoder, whose tiles can be slow; one worker, warm."""
    folder = tmp_path_factory.mktemp("real")
    url = f"{slow_tiles.url}/{{z}}/{{x}}/{{y}}.png"
    source = {"type": "xyz", "url": url, "cache_tiles": False, "read_timeout_s": 60}
    helper = script("server_process")
    # One thread: the encoder then takes long enough to be met at work.
    models = {"default": model_dir.name, "directory": str(model_dir.parent), "threads": 1}
    config = helper.configure(
        folder / "config.yml", model_dir, folder / "cache", {"slow": source}, models=models
    )
    server = helper.ServerProcess(config, folder / "log").start().ready()
    until(made(server, WINDOW), "successful")
    yield server
    server.stop()


def post(server, process, inputs, headers=ASYNC):
    address = f"{server.url}/processes/{process}/execution"
    return requests.post(address, json={"inputs": inputs}, headers=headers, timeout=120)


def made(server, inputs):
    """Make a job of `segment`; return its address."""
    answer = post(server, "segment", inputs)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


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


def files_of(answer):
    """Return the addresses that a composite links to."""
    assert answer.status_code == 200, answer.text
    return [asset["href"] for asset in answer.json()["features"][0]["assets"].values()]


def test_what_a_job_links_to_can_be_fetched_until_it_is_dismissed(server):
    inputs = {"source": "sample-dem", "bbox": SAMPLE, "zoom": 14, "layers": ["slope"]}
    waited_for = files_of(post(server, "dem-composite", inputs, {}))
    location = post(server, "dem-composite", inputs).headers["location"]
    assert until(location, "successful", "failed")["status"] == "successful"
    files = files_of(requests.get(f"{location}/results", timeout=20))
    for href in files:
        assert href.startswith(server.url)
        assert requests.head(href, timeout=20).status_code == 200
    requests.delete(location, timeout=20)
    assert {requests.head(href, timeout=20).status_code for href in files} == {404}
    assert {requests.head(href, timeout=20).status_code for href in waited_for} == {200}


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


@pytest.mark.parametrize(
    ("process", "words"),
    [("segment", "reading the picture"), ("dem-composite", "reading the elevation")],
)
def test_a_job_tells_how_many_tiles_are_there(slow, slow_tiles, process, words):
    slow_tiles.tiles.pause_s = 1
    inputs = {"source": "slow", **WINDOW, "zoom": 16}
    if process == "dem-composite":
        inputs = {"source": "slow-dem", "bbox": SAMPLE, "zoom": 16}
    location, said = post(slow, process, inputs).headers["location"], set()
    while (info := status(location))["status"] in ("accepted", "running"):
        said.add(info["message"])
    slow_tiles.tiles.pause_s = 0
    assert info["status"] == "successful", info
    assert any(re.fullmatch(rf"{words}: tile \d+ of \d+", message) for message in said), said


def metrics(server):
    """Return the numbers of `/metrics` by name and labels."""
    lines = requests.get(f"{server.url}/metrics", timeout=20).text.splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(number) for name, number in pairs}


@pytest.mark.parametrize("headers", [{}, {"Prefer": "wait=60"}], ids=["sync", "in a worker"])
def test_metrics_tell_of_the_cache_and_of_the_time_in_each_step(real, headers):
    assert post(real, "segment", WINDOW, headers).status_code == 200  # what was before, has ended
    before, inputs = metrics(real), elsewhere()
    for _ in range(2):
        assert post(real, "segment", inputs, headers).status_code == 200
    after = metrics(real)
    grown = {name: number - before.get(name, 0) for name, number in after.items()}
    assert grown['samgis_embeddings_total{cache="miss"}'] == 1
    assert grown['samgis_embeddings_total{cache="hit"}'] == 1
    for step in ("tiles", "encode", "decode", "vectorize"):
        assert grown[f'samgis_step_duration_seconds_count{{step="{step}"}}'] > 0
        assert grown[f'samgis_step_duration_seconds_sum{{step="{step}"}}'] > 0
    assert grown['samgis_step_duration_seconds_count{step="encode"}'] == 1


# Dismissal, as far as the real encoder and real downloads bear on it

_places = itertools.count(1)


def elsewhere():
    """Return a window that was never asked for before."""
    east = 0.01 * next(_places)
    west, south, *_ = SAMPLE
    return {**WINDOW, "bbox": [west, south, -29.58304 + east, 41.26479]}


def seconds_until_free(server, words):
    """Dismiss a job in the middle of a step; return after how long its worker was free."""
    while True:
        location, following = made(server, elsewhere()), made(server, WINDOW)
        while (info := status(location))["status"] in ("accepted", "running"):
            if words in info["message"]:
                break
        gone = requests.delete(location, timeout=20).json()
        begun = until(following, "running", "successful")["started"]
        apart = datetime.fromisoformat(begun) - datetime.fromisoformat(gone["finished"])
        requests.delete(following, timeout=20)
        if info["status"] == "running" and apart.total_seconds() > 0:  # else it was too quick
            return apart.total_seconds()


def dismissed_while_encoding(server, _tiles, count):
    return [seconds_until_free(server, "encoding") for _ in range(count)]


def dismissed_while_downloading(server, tiles, count):
    tiles.pause_s = 30
    try:
        return [seconds_until_free(server, "reading") for _ in range(count)]
    finally:
        tiles.pause_s = 0.0


def dismissed_while_queued(server, tiles, count):
    """Return after how long each of some waiting jobs was dismissed."""
    tiles.pause_s = 30
    running, taken = made(server, elsewhere()), []
    until(running, "running")
    for location in [made(server, WINDOW) for _ in range(count)]:
        begun = time.monotonic()
        info = requests.delete(location, timeout=20).json()
        taken.append(time.monotonic() - begun)
        assert (info["status"], "started" in info) == ("dismissed", False)
    requests.delete(running, timeout=20)
    tiles.pause_s = 0.0
    return taken


SITUATIONS = {
    "encoding": dismissed_while_encoding,
    "downloading": dismissed_while_downloading,
    "queued": dismissed_while_queued,
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_job_is_dismissed_within_a_second(real, slow_tiles, situation):
    dismiss = SITUATIONS[situation]
    # Others use this machine too: it may take another try.
    assert any(dismiss(real, slow_tiles.tiles, 1)[0] < 1 for _ in range(3))


@pytest.mark.soak
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_latency_of_dismissal(real, slow_tiles, situation, capsys):
    taken = sorted(SITUATIONS[situation](real, slow_tiles.tiles, 21))
    with capsys.disabled():
        print(f"\ndismissed while {situation}: p50 {taken[10]:.3f} s, p95 {taken[19]:.3f} s")
    assert taken[19] < 1
