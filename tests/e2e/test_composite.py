"""`samgis-process composite`: files in a directory, or one file; its exit codes."""

import subprocess
import sys

import numpy as np
import pystac
import pytest
import rasterio
import requests
from PIL import Image

from samgis_process.sources import sample

WEST, SOUTH, _, _ = sample.BOUNDS
WINDOW = [str(round(x, 4)) for x in (WEST + 0.01, SOUTH + 0.01, WEST + 0.02, SOUTH + 0.018)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def composite(script, cache, tiny_model_dir, tmp_path):
    """Run the command; no model is installed where it looks."""
    sources = {
        "sample": {"type": "sample"},
        "sample-dem": {"type": "sample-dem"},
        "unreachable": {
            "type": "xyz",
            "url": "http://127.0.0.1:9/{z}/{x}/{y}.png",
            "encoding": "terrarium",
            "retries": 0,
        },
    }
    nowhere = tmp_path / "no-models" / tiny_model_dir.name
    config = script("server_process").configure(tmp_path / "config.yml", nowhere, cache, sources)

    def run(*arguments, window=("--bbox", *WINDOW)):
        command = [sys.executable, "-m", "samgis_process", "--config", config, "composite"]
        return subprocess.run(
            [*command, *window, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_directory_gets_an_item_and_the_files_beside_it(composite, tmp_path):
    out = tmp_path / "out"
    arguments = ("--layer", "slope", "--layer", "sky_view", "--radius", "40m", "--sun", 90, 30)
    done = composite(*arguments, "--rendering", "relief", "--out", out)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")
    item = pystac.Item.from_file(out / "item.json")
    assert item.validate()
    assert item.properties["rendering"] == "relief"
    assert item.properties["sun"] == {"azimuth": 90.0, "altitude": 30.0}
    named = {asset.href for asset in item.assets.values()}
    assert {f"./{path.name}" for path in out.iterdir()} == {*named, "./item.json"}
    with rasterio.open(item.assets["slope"].get_absolute_href()) as file:
        assert np.isfinite(file.read(1)).all()
    assert "NaN" not in (out / "item.json").read_text()


def test_one_file_is_written_alone(composite, tmp_path):
    assert composite("--out", tmp_path / "picture.png").returncode == 0
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.format == "PNG"
    assert composite("--out", tmp_path / "picture.tif", "--zoom", 15).returncode == 0
    with rasterio.open(tmp_path / "picture.tif") as file:
        assert (file.count, file.dtypes[0]) == (3, "uint8")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--layer", "slop"), 2, "did you mean slope?"),
        (("--radius", "far"), 2, "as in 16, or of metres, as in 500m"),
        (("--radius", "900m"), 2, "1 to 100 cells"),
        (
            ("--source", "sample"),
            2,
            "sample holds no elevation (wanted: one of: sample-dem, unreachable)",
        ),
        (("--source", "unreachable"), 3, "unreachable"),
        (("--rendering", "rgb"), 2, "one of: terrain"),
        (("--zoom", "x"), 2, "integer"),
    ],
)
def test_what_does_not_do_ends_with_its_code_and_one_line(
    composite, tmp_path, arguments, code, words
):
    done = composite(*arguments, "--out", tmp_path / "out")
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_raster_of_ones_own_is_drawn_as_a_whole(composite, tmp_path):
    assert composite("--out", tmp_path / "part").returncode == 0
    own = tmp_path / "part" / "elevation.tif"
    done = composite(own, "--layer", "slope", "--out", tmp_path / "own", window=())
    assert done.returncode == 0, done.stderr
    with rasterio.open(own) as one, rasterio.open(tmp_path / "own" / "slope.tif") as other:
        assert other.bounds == pytest.approx(one.bounds, abs=2 * one.res[0])
    done = composite(own, "--source", "sample-dem", "--out", tmp_path / "both")
    assert done.returncode == 2
    assert "IMAGE and --source are two pictures" in done.stderr


def test_without_a_raster_a_window_is_needed(composite, tmp_path):
    done = composite("--out", tmp_path / "out", window=())
    assert (done.returncode, "--bbox: is missing" in done.stderr) == (2, True), done.stderr


def test_layers_do_not_fit_into_one_picture(composite, tmp_path):
    done = composite("--layer", "slope", "--out", tmp_path / "picture.tif")
    assert done.returncode == 2
    assert "a directory" in done.stderr


def test_a_composite_goes_on_to_segment_by_its_link(suite_server, another_server, tmp_path):
    """As the item names it: the media type of a COG says more than `image` asks for."""
    hosts = f'["127.0.0.1:{suite_server.port}", "localhost:{suite_server.port}"]'
    other = another_server(tmp_path / "cache", SAMGIS_HREF__PRIVATE_HOSTS=hosts)
    inputs = {"source": "sample-dem", "bbox": [-29.6, 41.24, -29.56, 41.27]}
    url = f"{suite_server.url}/processes/dem-composite/execution"
    made = requests.post(url, json={"inputs": inputs}, timeout=60)
    (item,) = made.json()["features"]
    asset = item["assets"]["composite"]
    assert asset["type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    middle = {"lng": -29.58, "lat": 41.255}
    inputs = {
        "image": {"href": asset["href"], "type": asset["type"]},
        "prompt": [{"type": "point", "data": middle}],
    }
    found = other.segment(inputs)
    assert found.status_code == 200, found.text
    assert found.json()["samgis"]["source"]["id"] == "image"
