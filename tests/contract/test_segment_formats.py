"""The media types of `segment`'s output over HTTP: as a client asks for them and gets them."""

import base64
import io
import json

import geopandas
import numpy as np
import pyogrio
import pytest
import rasterio
import requests
import shapely
from PIL import Image
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from samgis_process.formats import COG
from samgis_process.formats.tables import FLATGEOBUF, GEOPACKAGE, GEOPARQUET
from samgis_process.grid import GeoBox, Pixel
from samgis_process.processes.segment_answer import COLUMNS, GEOJSON, PNG, REPORT
from samgis_process.server.wiring import build_services
from samgis_process.settings import parse

GRID = GeoBox(15, 34_400 * 128 + 37, 23_100 * 128 + 11, 256, 256)
GRASS, ROOF = (70, 110, 50), (190, 80, 60)
HOUSE, BARN = (180, 30, 220, 62), (40, 60, 120, 150)  # left, top, right, bottom in pixels
SUFFIXES = {
    GEOPACKAGE: "gpkg", FLATGEOBUF: "fgb", GEOPARQUET: "parquet", COG: "tif", PNG: "png",
}  # fmt: skip


def scene(path):
    """A flat picture of two roofs on the map."""
    image = np.empty((256, 256, 3), np.uint8)
    image[:] = GRASS
    for left, top, right, bottom in (HOUSE, BARN):
        image[top:bottom, left:right] = ROOF
    x, y = GRID.transform @ (0, 0)
    place = from_origin(x, y, GRID.resolution, GRID.resolution)
    kind = {"driver": "GTiff", "count": 3, "height": 256, "width": 256, "dtype": "uint8"}
    with rasterio.open(path, "w", crs="EPSG:3857", transform=place, **kind) as file:
        file.write(image.transpose(2, 0, 1))
    return path


@pytest.fixture(scope="module")
def address(make_server, tiny_model_dir, tmp_path_factory):
    directory = tmp_path_factory.mktemp("formats")
    source = {
        "type": "raster",
        "path": str(scene(directory / "scene.tif")),
        "attribution": "© the painter",
    }
    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(directory / "cache")},
        "results": {"directory": str(directory / "data")},
        "sources": {"scene": source},
        "default_source": "scene",
    }
    services = build_services(parse(section, directory))
    changes = {"limits": services.limits, "results": services.results}
    with make_server(processes=services.processes, **changes) as address:
        yield address


def rectangle(box, **properties):
    ring = [GRID.lnglat(Pixel(*at)) for at in shapely.box(*box).exterior.coords]
    geometry = {"type": "Polygon", "coordinates": [[list(at) for at in ring]]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def prompts(*features):
    return {"type": "FeatureCollection", "features": list(features)}


BOTH = prompts(rectangle(HOUSE, owner="Ada", object="house"), rectangle(BARN, beds=None, tags=[1]))
NOTHING = {"prompt": BOTH, "min_score": 1}  # scores of the tiny model stay below


@pytest.fixture(scope="module")
def segment(address):
    def post(wanted=None, headers=None, body=None, **inputs):
        whole = {"bbox": list(GRID.bounds), "zoom": 15, "prompt": BOTH} | inputs
        whole = {"inputs": whole}
        if wanted:
            whole["outputs"] = {"features": {"format": {"mediaType": wanted}}}
        url = f"{address}/processes/segment/execution"
        answer = requests.post(url, json=body or whole, headers=headers, timeout=60)
        assert answer.status_code in (200, 204), answer.text
        return answer

    return post


@pytest.fixture
def opened(tmp_path):
    """The rows of a table."""

    def read(answer):
        kind = answer.headers["content-type"]
        if kind == GEOPARQUET:
            return geopandas.read_parquet(io.BytesIO(answer.content))
        path = tmp_path / f"features.{SUFFIXES[kind]}"
        path.write_bytes(answer.content)
        return pyogrio.read_dataframe(path, layer="features")

    return read


tables = pytest.mark.parametrize("media_type", [GEOPACKAGE, FLATGEOBUF, GEOPARQUET])


def test_the_description_offers_them_and_geojson_first(address):
    told = requests.get(f"{address}/processes/segment", timeout=20).json()
    schemas = told["outputs"]["features"]["schema"]["oneOf"]
    assert [one["contentMediaType"] for one in schemas] == [GEOJSON, *SUFFIXES, REPORT]


@pytest.mark.parametrize("media_type", [*SUFFIXES, REPORT, GEOJSON])
def test_each_is_had_by_outputs_and_by_accept(segment, media_type):
    for answer in (segment(media_type), segment(headers={"Accept": media_type})):
        assert answer.headers["content-type"] == media_type
        named = answer.headers.get("content-disposition")
        suffix = SUFFIXES.get(media_type)
        assert named == (f'inline; filename="features.{suffix}"' if suffix else None)


def test_whoever_takes_any_json_gets_geojson(segment):
    for accept in ("*/*", "application/json", "application/*"):
        assert segment(headers={"Accept": accept}).headers["content-type"] == GEOJSON


@tables
def test_a_table_holds_what_the_collection_does(segment, opened, media_type):
    collection = segment().json()
    rows = opened(segment(media_type)).set_index("object")
    assert len(rows) == len(collection["features"]) == 2
    for feature in collection["features"]:
        row, own = rows.loc[str(feature["properties"]["object"])], feature["properties"]
        assert row[rows.geometry.name].equals(
            shapely.MultiPolygon([shapely.geometry.shape(feature["geometry"])])
        )
        assert row["score"] == own["score"]
        assert bool(row["touches_edge"]) is own["touches_edge"]
        assert row["alternative"] == 0
        assert json.loads(row["prompt_ids"]) == own["prompt_ids"]
    assert rows.loc["house", "owner"] == "Ada"
    assert rows["tags"].dropna().tolist() == ["[1]"]


@tables
def test_alternatives_are_told_apart_in_a_table(segment, opened, media_type):
    at = GRID.lnglat(Pixel(80, 100))
    click = [{"type": "point", "data": {"lng": at.lng, "lat": at.lat}}]
    collection = segment(prompt=click, masks="all").json()
    rows = opened(segment(media_type, prompt=click, masks="all"))
    wanted = sorted(feature["properties"]["alternative"] for feature in collection["features"])
    assert sorted(rows["alternative"]) == wanted


@tables
def test_a_table_of_nothing_has_its_columns(segment, opened, media_type):
    rows = opened(segment(media_type, **NOTHING))
    assert len(rows) == 0
    assert set(COLUMNS) <= set(rows.columns)


def test_the_raster_numbers_the_objects_on_the_windows_grid(segment):
    for inputs in ({}, NOTHING):
        with MemoryFile(segment(COG, **inputs).content) as memory, memory.open() as file:
            pixels = file.read(1)
            assert file.transform.almost_equals(GRID.transform)
            assert (file.dtypes, file.nodata, file.crs) == (("uint16",), 0, "EPSG:3857")
            assert pixels[46, 200] == (0 if inputs else 1)
            assert pixels[100, 80] == (0 if inputs else 2)
            assert pixels[5, 5] == 0


def test_the_preview_shows_the_window_and_what_was_found(segment):
    found, nothing = (
        np.asarray(Image.open(io.BytesIO(segment(PNG, **inputs).content))).astype(int)
        for inputs in ({}, NOTHING)
    )
    assert found.shape == nothing.shape
    side = found.shape[1] / 256
    middle = round(100 * side), round(80 * side)
    assert (nothing[middle] == ROOF).all()
    assert np.abs(found[middle] - ROOF).max() > 5
    assert (found[round(240 * side), round(20 * side)] == GRASS).all()


def test_a_report_can_be_posted_again_as_it_is(segment):
    inputs = {"id": "from-samgis", "debug": True, "simplify": 0.5, "orthogonalize": True}
    before = segment(**inputs).json()
    report = segment(REPORT, **inputs).json()
    told = report["inputs"]
    assert {"source", "zoom", "model", "rendering", "window", "masks", "detail"} <= told.keys()
    assert not {"id", "debug"} & told.keys()
    samgis = report["samgis"]
    assert samgis["features"] == 2
    assert samgis["source"]["version_digest"].startswith("sha256:")
    assert samgis["model"] == before["samgis"]["model"]
    assert samgis["software"]["samgis-process"] == before["samgis"]["version"]
    again = segment(body=report)
    assert again.headers["content-type"] == GEOJSON
    assert again.json()["features"] == before["features"]
    assert segment(REPORT, **inputs).json()["inputs"] == told
    assert segment(REPORT, body=None, **told).json()["inputs"] == told


def test_a_report_names_a_picture_of_the_request_by_its_digest(segment):
    stream = io.BytesIO()
    Image.fromarray(np.full((64, 96, 3), GRASS, np.uint8)).save(stream, "PNG")
    picture = {"value": base64.b64encode(stream.getvalue()).decode(), "mediaType": PNG}
    click = [{"type": "point", "data": {"lng": 8.005, "lat": 46.0035}}]
    inputs = {"image": picture, "bbox": [8.0, 46.0, 8.01, 46.007], "prompt": click}
    wanted = {"features": {"format": {"mediaType": REPORT}}}
    report = segment(body={"inputs": inputs, "outputs": wanted}).json()
    assert report["inputs"]["image"]["digest"].startswith("sha256:")
    assert "source" not in report["inputs"]
    assert "value" not in json.dumps(report["inputs"]["image"])
    again = segment(body=report).json()
    assert again["features"] == segment(body={"inputs": inputs}).json()["features"]


@pytest.mark.parametrize("media_type", list(SUFFIXES))
def test_each_goes_by_reference_under_its_suffix(address, media_type):
    url = f"{address}/processes/segment/execution"
    wanted = {"format": {"mediaType": media_type}, "transmissionMode": "reference"}
    inputs = {"bbox": list(GRID.bounds), "zoom": 15, "prompt": BOTH}
    body = {"inputs": inputs, "outputs": {"features": wanted}}
    answer = requests.post(url, json=body, timeout=60)
    assert answer.status_code == 204, answer.text
    href = answer.links["features"]["url"]
    assert href.endswith(f"/features.{SUFFIXES[media_type]}")
    kept = requests.get(href, timeout=20)
    assert kept.headers["content-type"] == media_type
    assert len(kept.content) > 100


def test_right_angles_are_had_and_shared_walls_stay_shared(segment):
    left, right = (40, 60, 80, 150), (80, 60, 120, 150)
    pair = prompts(rectangle(left, object="west"), rectangle(right, object="east"))
    found = segment(prompt=pair, orthogonalize=True, box_margin=0.02).json()["features"]
    west, east = (shapely.geometry.shape(feature["geometry"]) for feature in found)
    assert len(west.exterior.coords) <= 7
    assert shapely.intersection(west, east).area == 0
    assert shapely.intersection(west.boundary, east.boundary).length > 0
