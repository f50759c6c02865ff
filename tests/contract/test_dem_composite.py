"""`dem-composite` over HTTP, on the elevation of the sample scene: as a client sees it."""

import io
import json
import subprocess
import sys

import numpy as np
import pystac
import pytest
import rasterio
import requests
from PIL import Image
from rasterio.io import MemoryFile
from rio_cogeo import cog_validate

from samgis_process.formats import COG
from samgis_process.processes.dem_composite import DemCompositeProcess
from samgis_process.processes.pictures import Pictures
from samgis_process.results import ResultStore
from samgis_process.server.wiring import Caches, DemCompositeService, build_services
from samgis_process.settings import parse
from samgis_process.sources import sample

WEST, SOUTH, EAST, NORTH = sample.BOUNDS
BBOX = [WEST + 0.01, SOUTH + 0.01, WEST + 0.02, SOUTH + 0.018]
GEOJSON, PNG = "application/geo+json", "image/png"
LIMITS = {"max_pixels": 1_000_000}


@pytest.fixture(scope="module")
def services(tiny_model_dir, tmp_path_factory):
    directory = tmp_path_factory.mktemp("composite")
    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(directory)},
        "results": {"directory": str(directory / "data")},
        "limits": LIMITS,
        "sources": {"sample": {"type": "sample"}, "sample-dem": {"type": "sample-dem"}},
    }
    return build_services(parse(section, directory))


@pytest.fixture(scope="module")
def address(make_server, services):
    changes = {"limits": services.limits, "results": services.results}
    with make_server(processes=services.processes, **changes) as address:
        yield address


@pytest.fixture(scope="module")
def compose(address):
    def post(headers=None, outputs=None, **inputs):
        body = {"inputs": {"bbox": BBOX} | inputs} | ({"outputs": outputs} if outputs else {})
        url = f"{address}/processes/dem-composite/execution"
        return requests.post(url, json=body, headers=headers, timeout=60)

    return post


@pytest.fixture(scope="module")
def answer(compose):
    return compose(layers=["slope", "openness"], radius=8)


def no_nan(text):
    raise AssertionError(f"{text} in JSON")


def test_the_answer_is_one_valid_stac_item(answer, address):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == GEOJSON
    collection = json.loads(answer.text, parse_constant=no_nan)
    (feature,) = collection["features"]
    item = pystac.Item.from_dict(feature)
    assert item.validate()
    assert set(item.assets) == {"composite", "elevation", "slope", "openness", "preview"}
    for asset in item.assets.values():
        assert asset.href.startswith(f"{address}/results/{item.id}/")
    assert collection["samgis"]["request_id"] == answer.headers["x-request-id"]
    assert feature["properties"]["attribution"] == sample.ATTRIBUTION
    west, south, east, north = feature["bbox"]
    assert west <= BBOX[0] < BBOX[2] <= east
    assert south <= BBOX[1] < BBOX[3] <= north


def test_the_item_itself_is_kept_under_its_link(answer):
    (item,) = answer.json()["features"]
    (link,) = item["links"]
    assert requests.get(link["href"], timeout=20).json() == item


def test_assets_come_in_ranges_and_are_cogs(answer, tmp_path):
    (item,) = answer.json()["features"]
    for name in ("composite", "elevation", "slope", "openness"):
        href = item["assets"][name]["href"]
        first = requests.get(href, headers={"Range": "bytes=0-3"}, timeout=20)
        assert (first.status_code, first.content) == (206, b"II*\0")
        path = tmp_path / f"{name}.tif"
        path.write_bytes(requests.get(href, timeout=20).content)
        assert cog_validate(path, strict=True, quiet=True) == (True, [], [])
        with rasterio.open(path) as file:
            assert file.crs == "EPSG:3857"
            assert len(item["assets"][name]["bands"]) == file.count
    with rasterio.open(tmp_path / "elevation.tif") as file:
        values = file.read(1)
    statistics = item["assets"]["elevation"]["bands"][0]["statistics"]
    assert statistics["maximum"] == pytest.approx(float(np.nanmax(values)))


@pytest.mark.parametrize(
    ("how", "media_type"),
    [
        ({"headers": {"Accept": PNG}}, PNG),
        ({"headers": {"Accept": "image/tiff"}}, COG),
        ({"outputs": {"features": {"format": {"mediaType": PNG}}}}, PNG),
        ({"outputs": {"features": {"format": {"mediaType": COG}}}}, COG),
        ({"outputs": {"features": {"format": {"mediaType": "image/tiff"}}}}, COG),
        ({"outputs": {"features": {}}, "headers": {"Accept": "*/*"}}, GEOJSON),
    ],
)
def test_a_picture_comes_by_its_media_type(compose, how, media_type):
    answer = compose(**how)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_type
    if media_type == PNG:
        assert Image.open(io.BytesIO(answer.content)).format == "PNG"
    elif media_type == COG:
        with MemoryFile(answer.content) as memory, memory.open() as file:
            assert (file.driver, file.count) == ("GTiff", 3)


def test_gdal_opens_an_asset_by_its_address(answer):
    """In a process of its own: while GDAL looks for neighbours of a file, Python stands still."""
    (item,) = answer.json()["features"]
    code = "import rasterio, sys; print(rasterio.open(f'/vsicurl/{sys.argv[1]}').shape)"
    command = [sys.executable, "-c", code, item["assets"]["slope"]["href"]]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    window = answer.json()["samgis"]["window"]
    assert shown.stdout.strip() == str((window["height"], window["width"]))


def test_a_type_that_is_not_offered_is_refused(compose):
    assert compose(headers={"Accept": "image/jpeg"}).status_code == 406


def errors(answer):
    assert answer.status_code == 400, answer.text
    return {one["input"]: one for one in answer.json()["errors"]}


def test_imagery_is_no_elevation(compose):
    fault = errors(compose(source="sample"))["source"]
    assert "holds no elevation" in fault["message"]
    assert "sample-dem" in fault["limit"]


def test_an_unknown_layer_is_answered_with_the_nearest(compose):
    (fault,) = errors(compose(layers=["slop"])).values()
    assert "Did you mean slope?" in fault["remedy"]


def test_an_unknown_input_is_refused(compose):
    assert "radios" in errors(compose(radios=3))


def test_a_window_off_the_data_is_told_where_there_is_some(compose):
    answer = compose(bbox=[8.0, 46.0, 8.01, 46.01])
    assert answer.json()["type"] == "urn:samgis:problem:no-data"
    assert f"{WEST:.5f}" in errors(answer)["bbox"]["limit"]


def test_a_window_too_large_is_told_a_zoom(compose):
    fault = errors(compose(bbox=list(sample.BOUNDS), zoom=17))["bbox"]
    assert "max_pixels" in fault["limit"]
    assert "zoom" in fault["remedy"]


@pytest.mark.parametrize(("cols", "rows"), [(1, 1), (2, 9)])
def test_a_window_of_a_few_cells_is_answered(compose, cols, rows):
    grid = sample.GRID  # of zoom 16
    west, north = grid.lnglats(np.array([600.5, 600.5 + cols - 0.6]), np.array([600.5, 600.5]))
    east, south = grid.lnglats(
        np.array([600.5 + cols - 0.6, 0]), np.array([600.5 + rows - 0.6, 0])
    )
    answer = compose(bbox=[west[0], south[0], east[0], north[0]], zoom=16, layers=["tpi"])
    assert answer.status_code == 200, answer.text
    window = answer.json()["samgis"]["window"]
    assert (window["width"], window["height"]) == (cols, rows)


def test_the_document_of_results_holds_a_file_in_base64(address):
    body = {
        "inputs": {"bbox": BBOX},
        "outputs": {"features": {"format": {"mediaType": PNG}}},
        "response": "document",
    }
    url = f"{address}/processes/dem-composite/execution"
    found = requests.post(url, json=body, timeout=60).json()["features"]
    assert (found["mediaType"], found["encoding"]) == (PNG, "base64")


def test_where_there_is_no_room_the_files_come_one_by_one(make_server, services):
    full = ResultStore(services.settings.results.directory / "full", 3600, 10_000)
    process = DemCompositeService(
        DemCompositeProcess(
            services.sources,
            services.limits,
            Pictures(Caches.of(services.settings).pictures, services.limits),
            full,
        )
    )
    with make_server(
        processes={"dem-composite": process}, limits=services.limits, results=full
    ) as address:
        url = f"{address}/processes/dem-composite/execution"
        answer = requests.post(url, json={"inputs": {"bbox": BBOX}}, timeout=60)
        alone = requests.post(
            url, json={"inputs": {"bbox": BBOX}}, headers={"Accept": PNG}, timeout=60
        )
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:samgis:problem:no-room"
    assert "results.max_bytes" in answer.json()["detail"]
    assert alone.status_code == 200


def test_links_bear_the_public_address(make_server, services):
    changes = {"limits": services.limits, "results": services.results}
    with make_server(
        processes=services.processes, public_url="https://maps.example.org/samgis/", **changes
    ) as address:
        answer = requests.post(
            f"{address}/processes/dem-composite/execution",
            json={"inputs": {"bbox": BBOX}},
            timeout=60,
        )
    (item,) = answer.json()["features"]
    assert item["assets"]["preview"]["href"].startswith("https://maps.example.org/samgis/results/")
