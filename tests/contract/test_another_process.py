"""docs/how-to/another-process.md: a process of another kind, served by `ogc` alone."""

import json
import re
import subprocess
import sys

import pytest
import requests
from ogc_schemas import CONF_CLASSES, LANDING_PAGE, PROCESS, check
from pygeoapi.openapi import validate_openapi_document


@pytest.fixture(scope="module")
def text(config_path):
    return config_path.with_name("docs").joinpath("how-to", "another-process.md").read_text()


@pytest.fixture(scope="module")
def blocks(text):
    return re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def server(blocks, serve):
    names = {"__name__": "elevations"}
    exec(compile(blocks[0][1], "elevations.py", "exec"), names)  # noqa: S102  our own page
    with serve(names["app"]) as address:
        yield address


def test_the_curl_of_the_page_prints_what_it_shows(blocks, server):
    code = blocks[2][1].replace("http://127.0.0.1:8000", server)
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == blocks[3][1].strip()


def test_the_standards_routes_are_there(text, server):
    for path in re.findall(r"`(/[a-z/]*)`", text):
        assert requests.get(server + path, timeout=10).ok, path
        shown = requests.get(server + path, headers={"Accept": "text/html"}, timeout=10)
        assert shown.headers["content-type"].startswith("text/html"), path
    assert validate_openapi_document(requests.get(f"{server}/openapi", timeout=10).json())
    check(requests.get(server, timeout=10).json(), LANDING_PAGE)
    check(requests.get(f"{server}/conformance", timeout=10).json(), CONF_CLASSES)
    check(requests.get(f"{server}/processes/mean", timeout=10).json(), PROCESS)


@pytest.mark.parametrize("heights", [[], "no", None, ["1"]])
def test_inputs_are_checked_before_the_process_sees_them(server, heights):
    address = f"{server}/processes/mean/execution"
    answer = requests.post(address, json={"inputs": {"heights": heights}}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["input"].startswith("heights")
    assert requests.get(f"{server}/nope", timeout=10).json()["status"] == 404


def test_nothing_of_segmentation_is_imported(blocks):
    code = f"{blocks[0][1]}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {name.split(".")[1] for name in json.loads(done.stdout) if "samgis_process." in name}
    assert ours == {"errors", "ogc", "turns"}
    assert not {"numpy", "onnxruntime", "rasterio", "pygeoapi"} & set(json.loads(done.stdout))
