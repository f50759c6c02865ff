"""Two server processes on one cache directory: nothing is mixed, nothing is done twice."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from samgis_process.grid import GeoBox, Pixel
from samgis_process.ogc.process import Context
from samgis_process.server.wiring import build_services
from samgis_process.settings import load

ZOOM, SIDE = 15, 256
COL, ROW = 17_200, 11_550  # a tile to begin with


class Country:
    """Tiles, each of its own colour with a house of its own colour at a place of its own."""

    def __init__(self, png):
        self._png = png
        self.pause_s = 0.0

    def __call__(self, path):
        time.sleep(self.pause_s)
        x, y = (int(part) for part in path.removesuffix(".png").split("/")[-2:])
        rng = np.random.default_rng((x, y))
        image = np.empty((SIDE, SIDE, 3), np.uint8)
        image[:] = rng.integers(20, 90, 3)
        left, top, width, height = house(x, y)
        image[top : top + height, left : left + width] = rng.integers(150, 250, 3)
        return self._png(image)


def house(x, y):
    rng = np.random.default_rng((x, y, 1))
    return (*rng.integers(20, 120, 2), *rng.integers(40, 110, 2))


@pytest.fixture(scope="module")
def country(script):
    helper = script("tile_server")
    tiles = Country(helper.png)
    with helper.TileServer(respond=tiles) as server:
        server.tiles = tiles
        yield server


@pytest.fixture(scope="module")
def configured(script, country, tiny_model_dir, tmp_path_factory):
    """Write a configuration for a cache directory."""

    def write(cache):
        url = f"{country.url}/{{z}}/{{x}}/{{y}}.png"
        source = {"type": "xyz", "url": url, "cache_tiles": False}
        return script("server_process").configure(
            cache / "config.yml", tiny_model_dir, cache / "cache", {"country": source}
        )

    return lambda name: write(tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def servers(script, configured, tmp_path_factory):
    config, logs = configured("shared"), tmp_path_factory.mktemp("logs")
    process = script("server_process").ServerProcess
    started = [process(config, logs / f"{number}.log").start() for number in range(2)]
    try:
        yield [one.ready() for one in started]
    finally:
        for one in started:
            one.stop()


def inputs(window, kind):
    """A window of its own that shows four tiles in part, and a prompt in the first one."""
    x, y = COL + 3 * window, ROW + window
    grid = GeoBox(ZOOM, x * SIDE + 10 + window, y * SIDE + 7, 300, 290 - window)
    left, top, width, height = house(x, y)
    corners = [(left + 3, top + 3), (left + width - 3, top + height - 3), (left - 9, top - 9)]

    def place(at):
        lng, lat = grid.lnglat(Pixel(at[0] - 10 - window, at[1] - 7))
        return {"lng": lng, "lat": lat}

    first, last, outside = map(place, corners)
    prompts = {
        "corner": [{"type": "point", "data": first}],
        "both": [{"type": "point", "data": first}, {"type": "point", "data": outside, "label": 0}],
        "box": [
            {
                "type": "rectangle",
                "data": {
                    "ne": {"lng": last["lng"], "lat": first["lat"]},
                    "sw": {"lng": first["lng"], "lat": last["lat"]},
                },
            }
        ],
    }
    return {"bbox": list(grid.bounds), "zoom": ZOOM, "prompt": prompts[kind]}


def fetched(country, begin=0):
    return Counter(country.log[begin:])


def test_eight_clients_of_two_servers_get_what_each_would_get_alone(servers, configured):
    questions = [(window, kind) for window in range(4) for kind in ("corner", "both", "box")]
    alone = build_services(load(configured("alone"))).processes["segment"]
    expected = {
        question: alone.run(inputs(*question), Context("alone"))["features"].value["features"]
        for question in questions
    }
    assert len({str(features) for features in expected.values()}) >= 8

    def client(number):
        order = questions * 2
        random.Random(number).shuffle(order)
        return [
            (question, servers[(number + turn) % 2].segment(inputs(*question)).json())
            for turn, question in enumerate(order)
        ]

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for found in pool.map(client, range(8)) for answer in found]
    wrong = [question for question, answer in answers if answer["features"] != expected[question]]
    assert not wrong
    states = Counter((question[0], answer["samgis"]["cache"]) for question, answer in answers)
    assert [states[window, "miss"] for window in range(4)] == [1] * 4


def test_sixteen_clients_of_two_servers_wait_for_one_encoder_run(servers, country):
    begin, together = len(country.log), threading.Barrier(16)
    country.tiles.pause_s = 0.4

    def client(number):
        together.wait()
        return servers[number % 2].segment(inputs(20, "corner"))

    try:
        with ThreadPoolExecutor(16) as pool:
            answers = [one.json() for one in pool.map(client, range(16))]
    finally:
        country.tiles.pause_s = 0.0
    states = Counter(answer["samgis"]["cache"] for answer in answers)
    assert states["miss"] == 1, states
    assert set(fetched(country, begin).values()) == {1}
    assert len({str(answer["features"]) for answer in answers}) == 1
