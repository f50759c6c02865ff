"""Other people's pygeoapi processors beside ours: described, validated, run, ended."""

import os
import time
from pathlib import Path

import pytest
import requests
import yaml

OPEN = ("accepted", "running")


@pytest.fixture(scope="module")
def foreign(config, tmp_path_factory, script):
    folder = tmp_path_factory.mktemp("foreign")
    document = yaml.safe_load(config.read_text())
    document["resources"] |= {
        "hello-world": {"type": "process", "processor": {"name": "HelloWorld"}},
        "odd": {"type": "process", "processor": {"name": "odd_processors.Odd"}},
        "broken": {"type": "process", "processor": {"name": "odd_processors.Unloadable"}},
        "vague": {"type": "process", "processor": {"name": "odd_processors.Undescribed"}},
        "gone": {"type": "process", "processor": {"name": "no.such.Module"}},
    }
    document["samgis"].setdefault("jobs", {})["time_limit_s"] = 4
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump(document))
    here = str(Path(script("odd_processors").__file__).parent)
    environ = {"SAMGIS_CACHE_DIR": str(folder / "cache"), "SAMGIS_DATA_DIR": str(folder / "data")}
    before = {key: os.environ.get(key) for key in (*environ, "PYTHONPATH")}
    os.environ |= environ | {"PYTHONPATH": here}
    try:
        server = script("server_process").ServerProcess(path, folder / "log").start()
    finally:
        for key, value in before.items():
            os.environ.pop(key, None)
            os.environ.update({} if value is None else {key: value})
    yield server.ready()
    server.stop()


def run(server, process, inputs, **headers):
    url = f"{server.url}/processes/{process}/execution"
    return requests.post(url, json={"inputs": inputs}, headers=headers, timeout=60)


def test_hello_world_is_listed_described_and_in_the_document(foreign):
    listed = requests.get(f"{foreign.url}/processes?limit=100", timeout=10).json()["processes"]
    names = {one["id"] for one in listed}
    assert {"hello-world", "odd", "segment", "dem-composite"} <= names
    assert names.isdisjoint({"broken", "gone", "vague"})
    described = requests.get(f"{foreign.url}/processes/hello-world", timeout=10).json()
    assert described["title"] == "Hello World"
    assert described["inputs"]["name"]["schema"] == {"type": "string"}
    paths = requests.get(f"{foreign.url}/openapi?f=json", timeout=10).json()["paths"]
    assert "/processes/hello-world/execution" in paths
    log = foreign.log.read_text()
    assert "process broken of the configuration cannot be loaded" in log
    assert "process gone of the configuration cannot be loaded" in log


def test_hello_world_runs_waited_for_and_as_a_job(foreign):
    answer = run(foreign, "hello-world", {"name": "World"})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"id": "echo", "value": "Hello World!"}
    job = run(foreign, "hello-world", {"name": "World"}, Prefer="respond-async")
    assert job.status_code == 201
    until = time.monotonic() + 30
    while requests.get(job.headers["location"], timeout=10).json()["status"] in OPEN:
        assert time.monotonic() < until
        time.sleep(0.05)
    results = requests.get(f"{job.headers['location']}/results", timeout=10)
    assert results.json() == answer.json()


def test_its_inputs_are_checked_like_ours(foreign):
    answer = run(foreign, "hello-world", {"name": 5, "nmae": "x"})
    assert answer.status_code == 400
    assert {one["input"] for one in answer.json()["errors"]} == {"name", "nmae"}


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [("refuse", 502, "no such name"), ("raise", 502, "The process odd failed"),
     ("set", 502, "returned what is no JSON: set"), ("hang", 504, ""),
     ("print", 200, "print"), ("bytes", 200, "")],
)  # fmt: skip
def test_whatever_it_does_its_client_is_answered(foreign, how, status, says):
    answer = run(foreign, "odd", {"how": how})
    assert answer.status_code == status, answer.text
    assert says in answer.text
    assert how != "bytes" or answer.content == b"\x89PNG"
    assert "s3cret" not in answer.text
    assert "Traceback" not in answer.text
    assert run(foreign, "odd", {"how": "well"}).json() == {"said": "well"}
