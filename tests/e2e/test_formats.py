"""docs/how-to/formats.md does what it says, and jobs give the same files."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pyogrio
import pytest
import rasterio
import requests
from PIL import Image

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "formats.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
GEOPACKAGE = "application/geopackage+sqlite3"


@pytest.fixture(scope="module")
def files(server, tmp_path_factory, unavailable):
    """Where the page's commands were run."""
    for program in ("ogrinfo", "gdalinfo"):
        if not shutil.which(program):
            unavailable(f"no {program}; `make system-packages` tells how to get it")
    directory = tmp_path_factory.mktemp("page")
    commands = "set -e\n" + "".join(BLOCKS).replace("http://127.0.0.1:5000", server.url)
    done = subprocess.run(
        ["bash", "-c", commands], cwd=directory, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return directory


def test_the_tables_hold_both_objects(files):
    for name in ("features.gpkg", "features.fgb"):
        assert sorted(pyogrio.read_dataframe(files / name)["object"]) == ["0", "1"]
    assert (files / "features.parquet").read_bytes()[:4] == b"PAR1"


def test_the_raster_and_the_picture_are_of_the_window(files):
    with rasterio.open(files / "objects.tif") as raster:
        assert set(raster.read(1).flat) == {0, 1, 2}
    with Image.open(files / "preview.png") as picture:
        assert picture.size[0] >= raster.width


def test_the_report_gives_the_same_features_again(files):
    again = json.loads((files / "again.geojson").read_text())
    roofs = json.loads((files / "roofs.geojson").read_text())
    assert len(again["features"]) == 2
    lake, roof = again["features"]
    assert roofs["features"][0]["geometry"] == lake["geometry"]
    assert len(roofs["features"][1]["geometry"]["coordinates"][0]) == 5
    assert len(roof["geometry"]["coordinates"][0]) > 5


def test_a_job_gives_a_file_under_its_suffix(server, files):
    request = json.loads((files / "request.json").read_text())
    request["outputs"] = {"features": {"format": {"mediaType": GEOPACKAGE}}}
    url = f"{server.url}/processes/segment/execution"
    job = requests.post(url, json=request, headers={"Prefer": "respond-async"}, timeout=20)
    location = job.headers["location"]
    until = time.monotonic() + 60
    while requests.get(location, timeout=20).json()["status"] not in ("successful", "failed"):
        assert time.monotonic() < until
        time.sleep(0.1)
    for address in (f"{location}/results/features.gpkg", f"{location}/results"):
        answer = requests.get(address, timeout=20)
        assert answer.headers["content-type"] == GEOPACKAGE
        assert answer.headers["content-disposition"] == 'inline; filename="features.gpkg"'
        assert answer.content[:15] == b"SQLite format 3"
