"""`samgis-process serve` as a process: its signals, exit codes, port and log."""

import signal
import subprocess
import sys
import threading
import time

import pytest
import requests

LONG_S = 1.5  # for which a tile keeps a request waiting


@pytest.fixture(scope="module")
def tile_log(script):
    helper = script("tile_server")

    def slow(_path):
        time.sleep(LONG_S)
        return helper.png([[[90, 90, 90]] * 256] * 256)

    with helper.TileServer(respond=slow) as server:
        yield server


@pytest.fixture
def config(script, tile_log, tiny_model_dir, tmp_path):
    sources = {
        "slow": {"type": "xyz", "url": f"{tile_log.url}/{{z}}/{{x}}/{{y}}.png?key=s3cret"},
        "gone": {"type": "raster", "path": str(tmp_path / "gone.tif")},
    }
    return script("server_process").configure(
        tmp_path / "config.yml", tiny_model_dir, tmp_path / "cache", sources
    )


@pytest.fixture
def serve(script, config, tmp_path):
    """Start one more server."""
    started = []

    def start(port=None):
        log = tmp_path / f"serve-{len(started)}.log"
        started.append(script("server_process").ServerProcess(config, log, port).start())
        return started[-1]

    yield start
    for one in started:
        one.stop()


INPUTS = {
    "zoom": 16,
    "bbox": [8.5401, 47.3701, 8.5409, 47.3705],
    "prompt": [{"type": "point", "data": {"lng": 8.5405, "lat": 47.3703}}],
}


def test_it_serves_without_a_source_that_is_gone_and_says_so(serve):
    server = serve().ready()
    health = requests.get(f"{server.url}/health", timeout=5).json()
    assert health["status"] == "ok"
    states = {one["id"]: one["state"] for one in health["sources"]}
    assert states == {"slow": "available", "gone": "unavailable"}
    answer = server.segment({**INPUTS, "source": "gone"})
    assert answer.status_code == 503
    assert "gone.tif cannot be read: no such file" in answer.json()["detail"]
    requests.get(f"{server.url}/processes?token=s3cret", timeout=5)
    assert server.stop(signal.SIGINT) == 130
    log = server.log.read_text()
    assert "Source gone is unavailable: source gone: gone.tif cannot be read" in log
    assert "POST /processes/segment/execution 503" in log
    assert answer.headers["X-Request-Id"] in log
    assert "s3cret" not in log
    assert "Traceback" not in log


def test_sigterm_ends_it_after_the_requests_under_way(serve, tile_log):
    server, answers = serve().ready(), []
    begin = len(tile_log.log)
    client = threading.Thread(target=lambda: answers.append(server.segment(INPUTS)))
    client.start()
    while len(tile_log.log) == begin:
        time.sleep(0.01)
    assert server.stop(signal.SIGTERM) == 0
    client.join()
    assert answers[0].status_code == 200


def test_a_second_server_on_the_port_says_so_in_one_line(serve):
    first = serve().ready()
    second = serve(first.port)
    assert second.process.wait(30) == 2
    (line,) = second.log.read_text().splitlines()
    assert f"cannot listen on 127.0.0.1, port {first.port}" in line
    assert "in use" in line


@pytest.mark.parametrize("text", ["samgis: {limits: {max_promts: 3}}", "samgis: ["])
def test_a_configuration_without_sense_is_wrong_use(tmp_path, text):
    path = tmp_path / "config.yml"
    path.write_text(text)
    command = [sys.executable, "-m", "samgis_process", "--config", str(path), "cache", "stats"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("samgis-process: ")
    assert "Traceback" not in result.stderr
