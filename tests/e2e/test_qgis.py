"""QGIS opens a job's results by their address, and sees what other readers see."""

import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
import requests
import shapely

SCRIPT = Path(__file__).parent.parent / "qgis_layer.py"
LAKE = {
    "source": "sample",
    "bbox": [-29.59652, 41.25536, -29.58304, 41.26479],
    "zoom": 16,
    "prompt": [{"type": "point", "data": {"lng": -29.58979, "lat": 41.26234}}],
}
RELIEF = {"source": "sample-dem", "bbox": [-29.59, 41.26, -29.57, 41.27], "zoom": 14}
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


@pytest.fixture
def qgis(script, tmp_path, unavailable):
    """Open an address as a layer, and return what QGIS says of it."""
    if not script("clients_page").has_qgis():
        unavailable("no QGIS: it takes `make system-packages`")
    environ = {
        "PATH": "/usr/bin:/bin",  # another Python first on the path breaks QGIS's own
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
        "LANG": os.environ.get("LANG", "C.UTF-8"),
    }

    def open_(kind, address):
        command = ["/usr/bin/python3", SCRIPT, kind, f"/vsicurl/{address}"]
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return open_


def finished(server, process, **request):
    """Run a job to its end and return its address."""
    address = f"{server.url}/processes/{process}/execution"
    made = requests.post(address, json=request, headers={"Prefer": "respond-async"}, timeout=10)
    job = made.headers["Location"]
    deadline = time.monotonic() + 60
    while (status := requests.get(job, timeout=10).json())["status"] in ("accepted", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert status["status"] == "successful", status
    return job


def test_an_outline_is_a_vector_layer_in_its_place(qgis, server):
    address = f"{finished(server, 'segment', inputs=LAKE)}/results/features"
    seen = qgis("vector", address)
    (feature,) = requests.get(address, timeout=10).json()["features"]
    outline = shapely.geometry.shape(feature["geometry"])
    assert seen["valid"]
    assert seen["crs"] == "EPSG:4326"
    assert seen["extent"] == pytest.approx(outline.bounds, abs=1e-7)
    (read,) = seen["features"]
    assert read["score"] == feature["properties"]["score"]
    assert shapely.from_wkt(read["wkt"]).equals_exact(outline, 1e-7)


def test_a_composite_is_a_raster_layer_in_its_place(qgis, server, tmp_path):
    wanted = {"features": {"format": {"mediaType": COG}}}
    job = finished(server, "dem-composite", inputs=RELIEF, outputs=wanted)
    address = f"{job}/results/features"
    seen = qgis("raster", address)
    path = tmp_path / "composite.tif"
    path.write_bytes(requests.get(address, timeout=10).content)
    with rasterio.open(path) as file:
        middle = next(file.sample([np.mean([file.bounds[:2], file.bounds[2:]], axis=0)]))
        assert seen["valid"]
        assert seen["crs"] == "EPSG:3857"
        assert seen["extent"] == pytest.approx(file.bounds, abs=1e-3)
        assert seen["shape"] == list(file.shape)
        assert seen["middle"] == list(middle)
