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


@pytest.fixture
def said_at_start(script, tiny_model_dir, tmp_path, monkeypatch):
    """What a server says when it starts."""
    helper = script("server_process")
    tiles = {"tiles": {"type": "xyz", "url": "http://127.0.0.1:9/{z}/{x}/{y}.png"}}

    def start(host, **access):
        monkeypatch.setenv("HOST", host)
        config = helper.configure(
            tmp_path / "config.yml", tiny_model_dir, tmp_path / "cache", tiles, access=access
        )
        helper.ServerProcess(config, tmp_path / "log").start().ready().stop()
        return (tmp_path / "log").read_text()

    return start


def test_a_server_that_is_open_to_a_network_says_so_when_it_starts(said_at_start):
    words = "Everybody who reaches this address may use the server"
    everywhere = "0.0.0.0"  # noqa: S104 - that is the matter
    assert words in said_at_start(everywhere)
    assert words not in said_at_start("127.0.0.1")
    assert words not in said_at_start(everywhere, keys=[new_key("ann")[1]])
