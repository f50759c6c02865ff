"""The processor is an ordinary pygeoapi processor: stock `pygeoapi serve` runs it too."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
import shapely
import yaml

BIN = Path(sys.executable).parent
OPEN = ("accepted", "running")


@pytest.fixture
def stock(config, tmp_path):
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    document = yaml.safe_load(config.read_text())
    document["server"]["bind"]["port"] = port
    document["server"]["url"] = f"http://127.0.0.1:{port}"
    document["resources"]["hello-world"] = {
        "type": "process", "processor": {"name": "HelloWorld"},
    }  # fmt: skip
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
            [BIN / "pygeoapi", "serve"],
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,  # it serves from a child, which shall end with it
        )
    try:
        yield ready(f"http://127.0.0.1:{port}", process, tmp_path / "log")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def ready(url, process, log):
    """Return the address once it answers."""
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{url}/conformance", timeout=5)
        except requests.RequestException:
            time.sleep(0.2)
        else:
            return url
    pytest.fail(log.read_text())


INPUTS = {
    "zoom": 16,
    "bbox": [-29.59652, 41.25536, -29.58304, 41.26479],
    "prompt": [{"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}],
}


def made(url, **inputs):
    """Make a job of `segment`; return its address."""
    answer = requests.post(
        f"{url}/processes/segment/execution",
        json={"inputs": INPUTS | inputs},
        headers={"Prefer": "respond-async"},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "accepted"
    return answer.headers["location"]


def ended(job):
    until = time.monotonic() + 60
    while (info := requests.get(f"{job}?f=json", timeout=20).json())["status"] in OPEN:
        assert time.monotonic() < until, info
        time.sleep(0.05)
    return info


def test_stock_pygeoapi_runs_the_processor(stock):
    inputs = INPUTS
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
    assert item["assets"] == {}  # nobody there serves files of ours
    assert item["bbox"][0] == pytest.approx(-29.59, abs=0.001)
    outputs = {"features": {"format": {"mediaType": "image/png"}}}
    answer = requests.post(url, json={"inputs": inputs, "outputs": outputs}, timeout=60)
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def test_stock_pygeoapi_runs_jobs_in_our_workers(stock, another_server, tmp_path):
    job = made(stock)
    info = ended(job)
    assert (info["status"], info["progress"]) == ("successful", 100), info
    assert info["created"] <= info["started"] < info["finished"]
    result = requests.get(f"{job}/results", timeout=20)
    assert result.headers["content-type"] == "application/geo+json"
    (feature,) = result.json()["features"]
    assert shapely.geometry.shape(feature["geometry"]).contains(shapely.Point(-29.58979, 41.26234))

    ours = another_server(tmp_path / "cache", SAMGIS_DATA_DIR=str(tmp_path / "data"))
    (seen,) = requests.get(f"{ours.url}/jobs", timeout=20).json()["jobs"]
    job_id = job.rpartition("/")[2]
    assert (seen["jobID"], seen["status"]) == (job_id, "successful")
    same = requests.get(f"{ours.url}/jobs/{job_id}/results", timeout=20)
    assert same.json() == result.json()


def test_stock_pygeoapi_runs_its_own_process_with_our_jobs(stock):
    url = f"{stock}/processes/hello-world/execution"
    body = {"inputs": {"name": "World"}}
    answer = requests.post(url, json=body, timeout=60)
    assert answer.json() == {"id": "echo", "value": "Hello World!"}
    job = requests.post(url, json=body, headers={"Prefer": "respond-async"}, timeout=60)
    assert job.status_code == 201, job.text
    assert ended(job.headers["location"])["status"] == "successful"
    results = requests.get(f"{job.headers['location']}/results?f=json", timeout=20)
    assert results.json() == {"id": "echo", "value": "Hello World!"}


def test_stock_pygeoapi_lists_refuses_and_dismisses_jobs(stock):
    sync = requests.post(
        f"{stock}/processes/segment/execution", json={"inputs": INPUTS}, timeout=60
    )
    assert sync.status_code == 200, sync.text
    assert requests.get(f"{sync.headers['location']}/results", timeout=20).json() == sync.json()
    jobs = [made(stock) for _ in range(4)]
    assert requests.delete(jobs[-1], timeout=20).json()["status"] == "dismissed"
    assert ended(jobs[-1])["status"] == "dismissed"
    assert requests.delete(jobs[-1], timeout=20).status_code == 404
    assert [ended(job)["status"] for job in jobs[:3]] == ["successful"] * 3
    listed = requests.get(f"{stock}/jobs?f=json&limit=2&offset=1", timeout=20).json()
    assert [one["jobID"] for one in listed["jobs"]] == [
        job.rpartition("/")[2] for job in (jobs[2], jobs[1])
    ]
    assert "next" in {link["rel"] for link in listed["links"]}
    for page in (f"{stock}/jobs", jobs[0], jobs[-1]):
        shown = requests.get(f"{page}?f=html", timeout=20)
        assert (shown.status_code, "segment" in shown.text or "Job status" in shown.text) == (
            200,
            True,
        )
    assert requests.get(f"{stock}/jobs/nope?f=json", timeout=20).status_code == 404
