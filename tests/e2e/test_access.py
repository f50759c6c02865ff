"""Keys through `samgis-process serve`: from the command that makes one to the log."""

import json
import subprocess
import sys

import pytest
import requests
import yaml
from owslib.ogcapi.processes import Processes

WINDOW = {
    "bbox": [-29.59652, 41.25536, -29.58304, 41.26479],
    "zoom": 14,
    "prompt": [{"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}],
}


def new_key(name):
    command = [sys.executable, "-m", "samgis_process", "keys", "new", name]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    key, line = shown.stdout.splitlines()
    return key, yaml.safe_load(line)[0]


@pytest.fixture
def closed(another_server, tiny_model_dir, tmp_path):
    """A server with a key; its log is JSON."""
    key, entry = new_key("ann")
    environ = {
        "SAMGIS_ACCESS__KEYS": json.dumps([entry]),
        "SAMGIS_SERVER__LOG": "json",
        "SAMGIS_MODELS__DIRECTORY": str(tiny_model_dir.parent),
        "SAMGIS_MODELS__DEFAULT": tiny_model_dir.name,
    }
    return another_server(tmp_path / "cache", **environ), key


def test_a_key_opens_a_closed_server_and_stays_out_of_its_log(closed):
    server, key = closed
    assert server.segment(WINDOW).status_code == 401
    headers = {"X-API-Key": key, "Prefer": "wait=60"}
    answer = server.segment(WINDOW, headers=headers)
    assert answer.status_code == 200, answer.text
    service = Processes(server.url, headers={"X-API-Key": key})
    assert service.execute("segment", WINDOW)["features"]["value"]["features"]
    spoofed = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    assert "https://127" not in requests.get(server.url, headers=spoofed, timeout=10).text
    assert requests.get(f"{server.url}/metrics", timeout=10).status_code == 200
    server.stop()
    text = server.log.read_text()
    assert key not in text
    assert "Everybody who reaches" not in text
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    runs = [one for one in lines if one.get("path") == "/processes/segment/execution"]
    assert [(one["status"], one["owner"]) for one in runs] == [
        ("401", "-"), ("200", "key:ann"), ("200", "key:ann"),
    ]  # fmt: skip
    assert runs[1]["request_id"] == answer.headers["x-request-id"]
