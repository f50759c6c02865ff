"""The processor is an ordinary pygeoapi processor: stock `pygeoapi serve` runs it too."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
import shapely
import yaml

BIN = Path(sys.executable).parent


@pytest.fixture
def stock(config, tmp_path):
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    document = yaml.safe_load(config.read_text())
    document["server"]["bind"]["port"] = port
    document["server"]["url"] = f"http://127.0.0.1:{port}"
    path = tmp_path / "config.yml"
    path.write_text(yaml.safe_dump(document))
    environ = {
        **os.environ,
        "PYGEOAPI_CONFIG": str(path),
        "PYGEOAPI_OPENAPI": str(tmp_path / "openapi.yml"),
        "SAMGIS_CACHE_DIR": str(tmp_path / "cache"),
        "SAMGIS_DATA_DIR": str(tmp_path / "data"),
        "PORT": str(port),
    }
    generate = [BIN / "pygeoapi", "openapi", "generate", path, "--output-file"]
    subprocess.run(
        [*generate, environ["PYGEOAPI_OPENAPI"]], env=environ, check=True, capture_output=True
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "pygeoapi", "serve"], env=environ, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{url}/conformance", timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.2)
    else:
        pytest.fail((tmp_path / "log").read_text())
    yield url
    process.terminate()
    process.wait(20)


def test_stock_pygeoapi_runs_the_processor(stock):
    inputs = {
        "zoom": 16,
        "bbox": [-29.59652, 41.25536, -29.58304, 41.26479],
        "prompt": [{"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}],
    }
    url = f"{stock}/processes/segment/execution"
    answer = requests.post(url, json={"inputs": inputs}, timeout=60)
    assert answer.status_code == 200, answer.text
    (feature,) = answer.json()["features"]
    assert shapely.geometry.shape(feature["geometry"]).contains(shapely.Point(-29.58979, 41.26234))
    refused = requests.post(url, json={"inputs": inputs | {"zoom": 99}}, timeout=60)
    assert refused.status_code == 400
    assert "zoom" in refused.text
    assert "Traceback" not in refused.text


def test_stock_pygeoapi_runs_dem_composite(stock):
    url = f"{stock}/processes/dem-composite/execution"
    inputs = {"source": "sample-dem", "bbox": [-29.59, 41.26, -29.58, 41.265]}
    answer = requests.post(url, json={"inputs": inputs}, timeout=60)
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["features"]
    assert item["assets"]["preview"]["href"].startswith(f"{stock}/results/")
    outputs = {"features": {"format": {"mediaType": "image/png"}}}
    answer = requests.post(url, json={"inputs": inputs, "outputs": outputs}, timeout=60)
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
