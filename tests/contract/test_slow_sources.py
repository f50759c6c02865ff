"""A tile server that is slow or drips: nobody else waits for it, nor the end of the server."""

import contextlib
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lab
import pytest
import requests
from server_process import ServerProcess, configure

pytestmark = pytest.mark.alone
SCRIPT = Path(lab.__file__).with_name("watched_server.py")
WINDOW = [-29.59652, 41.25536, -29.58304, 41.26479]
POINT = {"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}


def drip(handler):
    """One byte of a tile a second."""
    handler.send_response(200)
    handler.send_header("Content-Type", "image/png")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(1)


@pytest.fixture
def slow(script):
    with script("tile_server").TileServer(respond=lambda _path: drip) as server:
        yield server


@pytest.fixture
def server(slow, tiny_model_dir, tmp_path):
    sources = {
        "sample": {"type": "sample"},
        "sample-dem": {"type": "sample-dem"},
        "slow": {
            "type": "xyz",
            "url": f"{slow.url}/{{z}}/{{x}}/{{y}}.png",
            "attribution": "nobody",
            "min_zoom": 0,
            "max_zoom": 20,
        },
    }
    href = {"private_hosts": [slow.url.removeprefix("http://")], "workers": 20, "timeout_s": 60}
    config = configure(
        tmp_path / "config.yml", tiny_model_dir, tmp_path / "cache", sources, href=href
    )
    running = ServerProcess(config, tmp_path / "log", script=SCRIPT).start().ready()
    yield running
    running.stop(signal.SIGKILL)


def asked(server, answers, source, shift=0.0):
    west, south, east, north = WINDOW
    inputs = {
        "bbox": [west + shift, south, east + shift, north],
        "source": source,
        "prompt": [{"type": "point", "data": {"lng": west + shift + 0.006, "lat": 41.26}}],
    }
    answers.append(server.segment(inputs))


def test_a_click_elsewhere_does_not_wait_for_a_slow_source(server):
    first = server.segment({"bbox": WINDOW, "source": "sample", "prompt": [POINT]})
    assert first.status_code == 200
    answers = []
    waiting = [
        threading.Thread(target=asked, args=(server, answers, "slow", n / 50), daemon=True)
        for n in range(40)
    ]
    for thread in waiting:
        thread.start()
    time.sleep(2)
    for _ in range(5):
        begun = time.perf_counter()
        cached = server.segment({"bbox": WINDOW, "source": "sample", "prompt": [POINT]})
        assert cached.json()["samgis"]["cache"] == "hit"
        print(f"a cached click elsewhere: {time.perf_counter() - begun:.2f} s")
        assert time.perf_counter() - begun < 1.5
        begun = time.perf_counter()
        assert requests.get(f"{server.url}/health", timeout=5).status_code == 200
        assert time.perf_counter() - begun < 0.2
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused  # beyond the share of one source
    assert "slow" in refused[0].json()["detail"]
    begun = time.monotonic()
    with ThreadPoolExecutor(1):
        assert server.stop(signal.SIGTERM) == 0
    print(f"SIGTERM: {time.monotonic() - begun:.1f} s")
    assert time.monotonic() - begun < 20
    for thread in waiting:
        thread.join(5)
    assert {answer.status_code for answer in answers} == {503}


def test_a_click_does_not_wait_for_inputs_that_are_fetched(server, slow):
    click = {"bbox": WINDOW, "source": "sample", "prompt": [POINT]}
    assert server.segment(click).status_code == 200
    asking = {"bbox": WINDOW, "image": {"href": f"{slow.url}/a.png"}, "prompt": [POINT]}

    def fetched():
        with contextlib.suppress(requests.ConnectionError):
            server.segment(asking)

    for _ in range(12):
        threading.Thread(target=fetched, daemon=True).start()
    time.sleep(1.5)
    begun = time.perf_counter()
    assert server.segment(click).json()["samgis"]["cache"] == "hit"
    assert time.perf_counter() - begun < 1.5
    metrics = requests.get(f"{server.url}/metrics", timeout=10).text
    assert "samgis_http_requests_under_way 13" in metrics


def test_layers_of_terrain_keep_no_click_waiting(server):
    click = {"bbox": WINDOW, "source": "sample", "prompt": [POINT]}
    assert server.segment(click).status_code == 200
    layers = ["openness", "openness_negative", "sky_view", "tpi"]
    inputs = {"bbox": WINDOW, "source": "sample-dem", "zoom": 16, "radius": 100, "layers": layers}
    address = f"{server.url}/processes/dem-composite/execution"

    def drawn():
        with contextlib.suppress(requests.ConnectionError):
            requests.post(address, json={"inputs": inputs}, timeout=200)

    for _ in range(12):
        threading.Thread(target=drawn, daemon=True).start()
    time.sleep(2)
    for _ in range(5):
        begun = time.perf_counter()
        assert server.segment(click).json()["samgis"]["cache"] == "hit"
        print(f"a cached click meanwhile: {time.perf_counter() - begun:.2f} s")
        assert time.perf_counter() - begun < 2
    metrics = requests.get(f"{server.url}/metrics", timeout=10).text
    assert "samgis_http_requests_under_way 1" in metrics  # they were not done before
