"""`dem-composite`: what it takes, what it refuses and why, and what its files hold."""

import base64
import io
import json

import numpy as np
import pystac
import pytest
import rasterio
from PIL import Image
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from samgis_process.blobs import BlobStore
from samgis_process.errors import InvalidRequest, NoData, NoRoom
from samgis_process.formats import COG
from samgis_process.grid import GeoBox
from samgis_process.ogc.process import Context
from samgis_process.processes.dem_composite import DemCompositeProcess
from samgis_process.processes.dem_composite_request import DemCompositeRequest
from samgis_process.processes.pictures import Pictures
from samgis_process.rendering import TERRAIN
from samgis_process.results import ResultStore
from samgis_process.settings import parse
from samgis_process.sources import SourceCatalogue
from samgis_process.terrain import LAYERS

# A plane that rises to the east, 400 x 300 cells of zoom 14, far enough north to be stretched.
GRID = GeoBox(14, 8_600 * 256, 4_700 * 256, 400, 300)
RISE = 0.25  # metres a metre on the ground
HOLE = (slice(40, 60), slice(100, 130))  # unknown
GEOJSON, PNG = "application/geo+json", "image/png"


def bbox(grid):
    return list(grid.bounds)


def crop(left, top, width, height):
    return GeoBox(14, GRID.col_off + left, GRID.row_off + top, width, height)


SMALL = bbox(crop(9, 13, 25, 11))


def plane():
    """Heights at the middles of the cells."""
    step = RISE * GRID.ground_resolution
    values = np.repeat(500 + step * np.arange(400, dtype=np.float32)[None], 300, axis=0)
    values[HOLE] = np.nan
    return values


def tiff(bands, grid=GRID):
    """A GeoTIFF in base64."""
    x, y = grid.transform @ (0, 0)
    count, height, width = bands.shape
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=count,
            height=height,
            width=width,
            dtype=bands.dtype.name,
            nodata=np.nan if bands.dtype.kind == "f" else None,
            crs="EPSG:3857",
            transform=from_origin(x, y, grid.resolution, grid.resolution),
        ) as dataset:
            dataset.write(bands)
        return base64.b64encode(memory.read()).decode()


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    directory = tmp_path_factory.mktemp("dem")
    for name, bands in (("dem", plane()[None]), ("photo", np.full((3, 300, 400), 9, np.uint8))):
        (directory / f"{name}.tif").write_bytes(base64.b64decode(tiff(bands)))
    section = {
        "default_source": "photo",
        "sources": {
            "photo": {"type": "raster", "path": "photo.tif", "aliases": ["Old.Photo"]},
            "dem": {
                "type": "raster",
                "path": "dem.tif",
                "elevation": True,
                "title": "A plane",
                "attribution": "(c) Nobody",
                "aliases": ["nextzen.terrarium"],
            },
        },
    }
    settings = parse(section, directory)
    sources = SourceCatalogue(settings.sources, settings.default_source, directory)
    pictures = Pictures(BlobStore(directory / "pictures", 10**9), settings.limits)
    return sources, settings.limits, pictures


@pytest.fixture
def ask(catalogue):
    """Parse inputs."""

    def parsed(**inputs):
        return DemCompositeRequest.from_inputs(
            {"bbox": bbox(GRID), "zoom": 14} | inputs, *catalogue
        )

    return parsed


@pytest.fixture
def store(tmp_path):
    return ResultStore(tmp_path / "results", 3600, 10**9)


@pytest.fixture
def run(catalogue, store):
    """Run the process; return media type and value."""
    process = DemCompositeProcess(*catalogue, store)

    def go(wanted=GEOJSON, **inputs):
        context = Context("an-id", {"features": wanted}, "https://maps.example.org")
        return process.run({"bbox": bbox(GRID), "zoom": 14} | inputs, context)

    return go


@pytest.fixture
def opened(store):
    """Read a file that an asset links."""

    def read(asset):
        result_id, name = (
            asset["href"].removeprefix("https://maps.example.org/results/").split("/")
        )
        return rasterio.open(store.find(result_id, name).path)

    return read


# What is asked for


def test_a_window_is_enough(ask):
    request = ask()
    assert request.source.info.id == "dem"
    assert request.rendering.name == "terrain"
    assert request.layers == ()
    assert (request.options.azimuth, request.options.altitude) == (315, 45)


@pytest.mark.parametrize("name", ["source", "source_type"])
def test_a_source_is_found_by_its_names(ask, name):
    assert ask(**{name: "NextZen.Terrarium"}).source.info.id == "dem"


def test_a_radius_is_cells_or_metres(ask):
    assert ask(radius=20).options.radius == 20
    assert ask(radius=20.0).options.radius == 20
    step = ask().grid.ground_resolution
    request = ask(radius={"metres": 20.4 * step})
    assert request.options.radius == request.rendering.radius == 20


def test_the_elevation_comes_anyway(ask):
    assert ask(layers=["slope", "elevation", "tpi"]).layers == ("slope", "tpi")


REFUSED = [
    ({"source": "photo"}, "source", "holds no elevation", "one of: dem"),
    ({"source_type": "Old.Photo"}, "source_type", "photo holds no elevation", "one of: dem"),
    ({"source": "dam"}, "source", "'dam' is not offered", "dem"),
    ({"bbox": None}, "bbox", "is missing", ""),
    ({"bbox": [1, 2, 3]}, "bbox", "no bounding box", "four finite numbers"),
    ({"zoom": 30}, "zoom", "30 is outside", "to"),
    ({"zoom": 14.5}, "zoom", "no whole number", "whole number"),
    ({"rendering": "terain"}, "rendering", "'terain' is not offered", ", ".join(TERRAIN)),
    ({"rendering": "rgb"}, "rendering", "'rgb' is not offered", ", ".join(TERRAIN)),
    ({"rendering": {"bands": [1]}}, "rendering", "is not offered", ", ".join(TERRAIN)),
    ({"layers": "slope"}, "layers", "is no list", "a list"),
    ({"layers": ["slope", "skyview"]}, "layers[1]", "'skyview' is not offered", "sky_view"),
    ({"layers": ["slope", "tpi", "slope"]}, "layers[2]", "named twice", ""),
    ({"layers": [7]}, "layers[0]", "'7' is not offered", "slope"),
    ({"radius": 0}, "radius", "0 cells", "1 to 100 cells"),
    ({"radius": 101}, "radius", "101 cells", "1 to 100 cells"),
    ({"radius": 2.5}, "radius", "no whole number", "whole number"),
    ({"radius": True}, "radius", "no whole number", "whole number"),
    ({"radius": {"metres": 9e9}}, "radius", "cells", "1 to 100 cells"),
    ({"radius": {"metres": 0.01}}, "radius", "0 cells", "1 to 100 cells"),
    ({"radius": {"metres": -5}}, "radius.metres", "-5", "0 or more"),
    ({"radius": {"metres": float("inf")}}, "radius.metres", "inf", "0 or more"),
    ({"radius": {"feet": 5}}, "radius", "metres", "metres"),
    ({"bbox": SMALL, "radius": 26}, "radius", "26 cells", "25 cells, the window's longer side"),
    ({"sun": {"azimuth": 361}}, "sun.azimuth", "361", "0 to 360"),
    ({"sun": {"altitude": -1}}, "sun.altitude", "-1", "0 to 90"),
    ({"sun": {"azimut": 1}}, "sun", "'azimut' is not offered", "azimuth, altitude"),
    ({"sun": 45}, "sun", "no object", "azimuth and altitude"),
    ({"smooth": -1}, "smooth", "-1", "0 to 1000 metres"),
    ({"smooth": 1001}, "smooth", "1001", "0 to 1000 metres"),
    ({"smooth": 900}, "smooth", "900 m", "50 cells"),
    ({"smooth": float("nan")}, "smooth", "nan", "0 to 1000 metres"),
    ({"z_factor": 0}, "z_factor", "0", "more than 0"),
    ({"z_factor": -2}, "z_factor", "-2", "0 to 100"),
    ({"z_factor": 101}, "z_factor", "101", "0 to 100"),
    ({"z_factor": "2"}, "z_factor", "2", "0 to 100"),
]


@pytest.mark.parametrize(("inputs", "name", "message", "limit"), REFUSED)
def test_what_does_not_do_is_named_with_its_limit(ask, inputs, name, message, limit):
    with pytest.raises(InvalidRequest) as caught:
        ask(**inputs)
    (fault,) = caught.value.faults
    assert fault.input == name
    assert message in fault.message
    assert limit in fault.limit
    assert "\n" not in str(fault)


@pytest.mark.parametrize(
    ("inputs", "remedy"),
    [
        ({"radius": 101}, "lower zoom"),
        ({"radius": {"metres": 0.01}}, "higher zoom"),
        ({"smooth": 900}, "lower zoom"),
        ({"rendering": "terain"}, "did you mean terrain?"),
        ({"layers": ["skyview"]}, "did you mean sky_view?"),
        ({"bbox": SMALL, "radius": 26}, "larger window"),
    ],
)
def test_a_remedy_is_told(ask, inputs, remedy):
    with pytest.raises(InvalidRequest) as caught:
        ask(**inputs)
    assert remedy in caught.value.faults[0].remedy


# What comes back


def test_the_answer_is_a_valid_item_with_a_file_for_each_layer(run):
    media_type, collection = run(layers=["slope", "aspect"], radius={"metres": 200})
    assert media_type == GEOJSON
    json.dumps(collection, allow_nan=False)
    (item,) = collection["features"]
    assert pystac.Item.from_dict(item).validate()
    assert list(item["assets"]) == ["composite", "elevation", "slope", "aspect", "preview"]
    assert item["bbox"] == pytest.approx(bbox(GRID), abs=1e-6)
    assert item["properties"]["attribution"] == "(c) Nobody"
    assert item["properties"]["radius"]["cells"] == round(200 / GRID.ground_resolution)
    assert set(item["properties"]["formulas"]) == {"elevation", "slope", "aspect"}
    assert item["properties"]["samgis:expires"] > item["properties"]["datetime"]
    member = collection["samgis"]
    assert member["request_id"] == "an-id"
    assert member["source"] == {"id": "dem", "zoom": 14, "attribution": "(c) Nobody"}
    assert (member["window"]["width"], member["window"]["height"]) == (400, 300)


def test_heights_come_back_as_the_source_has_them(run, opened):
    (item,) = run()[1]["features"]
    asset = item["assets"]["elevation"]
    with opened(asset) as file:
        np.testing.assert_array_equal(file.read(1), plane())
        assert file.bounds == pytest.approx(
            rasterio.transform.array_bounds(300, 400, GRID.transform)
        )
    (band,) = asset["bands"]
    known = plane()[np.isfinite(plane())]
    assert band["statistics"]["minimum"] == 500
    assert band["statistics"]["mean"] == pytest.approx(known.mean(dtype=float), rel=1e-6)
    assert band["statistics"]["valid_percent"] == pytest.approx(100 - 100 * 600 / 120_000)
    assert (band["unit"], band["nodata"], band["data_type"]) == ("m", "nan", "float32")


def test_slope_and_aspect_are_those_of_the_plane(run, opened):
    (item,) = run(layers=["slope", "aspect"], bbox=bbox(crop(150, 100, 200, 120)))[1]["features"]
    with opened(item["assets"]["slope"]) as file:
        slope = file.read(1)
    with opened(item["assets"]["aspect"]) as file:
        np.testing.assert_allclose(file.read(1), 270, atol=0.1)  # it descends to the west
    assert np.degrees(np.arctan(RISE)) == pytest.approx(slope.mean(), rel=0.01)
    assert np.isfinite(slope).all()  # no edge inside the source


def test_options_reach_the_layers(run, opened):
    window = bbox(crop(150, 100, 50, 40))
    tangents = []
    for factor in (1, 3):
        (item,) = run(layers=["slope"], z_factor=factor, bbox=window)[1]["features"]
        with opened(item["assets"]["slope"]) as file:
            tangents.append(np.tan(np.radians(file.read(1))).mean())
    assert tangents[1] == pytest.approx(3 * tangents[0], rel=1e-3)


def test_what_is_unknown_is_masked_in_the_composite(run, opened):
    (item,) = run()[1]["features"]
    with opened(item["assets"]["composite"]) as file:
        mask = file.dataset_mask() > 0
        assert file.dtypes == ("uint8",) * 3
    np.testing.assert_array_equal(mask, np.isfinite(plane()))


@pytest.mark.parametrize("rendering", list(TERRAIN))
def test_the_composite_or_the_preview_come_alone(run, store, rendering):
    media_type, content = run(COG, rendering=rendering)
    assert media_type == COG
    with MemoryFile(content) as memory, memory.open() as file:
        assert file.shape == (300, 400)
    media_type, content = run(PNG, rendering=rendering)
    assert media_type == PNG
    assert Image.open(io.BytesIO(content)).width > 400
    assert not store.directory.exists()  # nothing is kept of these


@pytest.mark.parametrize("size", [(1, 1), (2, 37), (37, 2)])
def test_windows_of_a_few_cells_are_answered(run, opened, size):
    grid = crop(200, 150, *size)
    (item,) = run(layers=list(LAYERS), bbox=bbox(grid))[1]["features"]
    assert pystac.Item.from_dict(item).validate()
    for name in LAYERS:
        with opened(item["assets"][name]) as file:
            assert file.shape == size[::-1]
            assert np.isfinite(file.read(1)).all(), name


def test_layers_of_what_is_unknown_have_no_numbers_in_the_item(run):
    grid = crop(100, 40, 31, 20)  # the hole, and one column beside it
    (item,) = run(layers=["slope"], bbox=bbox(grid))[1]["features"]
    json.dumps(item, allow_nan=False)
    assert item["assets"]["slope"]["bands"][0]["statistics"] == {"valid_percent": 0.0}


def test_a_raster_in_the_request_is_a_source_too(run, opened):
    image = tiff(plane()[None])
    collection = run(image=image, bbox=None, zoom=None, layers=["slope"])[1]
    (item,) = collection["features"]
    with opened(item["assets"]["elevation"]) as file:
        np.testing.assert_array_equal(file.read(1), plane())
    digest = collection["samgis"]["source"]["digest"]
    again = run(image={"digest": digest}, layers=["slope"])[1]["features"][0]
    assert again["assets"]["slope"]["bands"] == item["assets"]["slope"]["bands"]


def test_a_picture_in_the_request_is_no_elevation(run):
    with pytest.raises(InvalidRequest) as caught:
        run(image=tiff(np.full((3, 300, 400), 9, np.uint8)))
    (fault,) = caught.value.faults
    assert fault.input == "image"
    assert "one band" in fault.limit


def test_a_window_across_the_antimeridian_has_two_parts(run, opened):
    east = GeoBox(14, 0, GRID.row_off, 40, 30)  # data on one side of it only
    window = GeoBox(14, east.world_size - 20, GRID.row_off + 5, 50, 20)
    heights = np.arange(1200, dtype=np.float32).reshape(1, 30, 40)
    collection = run(image=tiff(heights, east), bbox=bbox(window), layers=["slope"])[1]
    (item,) = collection["features"]
    assert pystac.Item.from_dict(item).validate()
    assert item["geometry"]["type"] == "MultiPolygon"
    assert item["bbox"][0] > 0 > item["bbox"][2]
    with opened(item["assets"]["elevation"]) as file:
        values = file.read(1)
    assert np.isnan(values[:, :20]).all()
    np.testing.assert_array_equal(values[:, 20:], heights[0, 5:25, :30])


def test_a_window_off_the_data_names_its_bounds(run):
    with pytest.raises(NoData) as caught:
        run(bbox=[0, 0, 0.1, 0.1])
    assert f"{GRID.bounds.west:.5f}" in caught.value.faults[0].limit


def test_no_room_for_the_files_is_said(catalogue, tmp_path):
    process = DemCompositeProcess(*catalogue, ResultStore(tmp_path, 3600, 10_000))
    with pytest.raises(NoRoom, match=r"results\.max_bytes"):
        process.run({"bbox": bbox(GRID)}, Context("an-id", base_url="https://maps.example.org"))


def test_progress_is_told(catalogue, store):
    told = []
    context = Context(
        "an-id", base_url="https://maps.example.org", on_report=lambda *news: told.append(news)
    )
    inputs = {"bbox": bbox(GRID), "layers": ["slope"]}
    DemCompositeProcess(*catalogue, store).run(inputs, context)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert any("slope" in words for _, words in told)
