"""A window across 180 degrees is a window like any other; its outlines come back in two parts."""

import io
import re

import geopandas
import numpy as np
import pytest
import shapely
from PIL import Image
from rasterio.io import MemoryFile

from samgis_process.formats import COG
from samgis_process.formats.tables import GEOPARQUET
from samgis_process.grid import GeoBox, Pixel
from samgis_process.ogc.process import Context
from samgis_process.processes.segment_answer import GEOJSON, PNG
from samgis_process.server.wiring import build_services
from samgis_process.settings import parse

ZOOM = 9
WORLD = 256 * 2**ZOOM
BOX = GeoBox(ZOOM, WORLD - 100, 40_000, 256, 256)
SEA, ISLAND = (30, 60, 140), (190, 180, 90)
LEFT, TOP, RIGHT, BOTTOM = 60, 50, 150, 110  # the island, in pixels of the window
PLACE = re.compile(r"/(\d+)/(\d+)/(\d+)\.png")


@pytest.fixture
def tiles(script):
    """Tiles of an island that lies on the antimeridian."""
    server = script("tile_server")

    def respond(path):
        _, x, y = map(int, PLACE.match(path).groups())
        cols = (np.arange(256) + x * 256 - BOX.col_off) % WORLD
        rows = np.arange(256) + y * 256 - BOX.row_off
        inside = ((rows >= TOP) & (rows < BOTTOM))[:, None] & ((cols >= LEFT) & (cols < RIGHT))
        return server.png(np.where(inside[..., None], ISLAND, SEA))

    with server.TileServer(respond=respond) as running:
        yield running


@pytest.fixture
def ask(tiles, tiny_model_dir, tmp_path):
    """The value of the output in a media type, for a click on the island."""
    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(tmp_path)},
        "default_source": "sea",
        "sources": {"sea": {"type": "xyz", "url": f"{tiles.url}/{{z}}/{{x}}/{{y}}.png"}},
    }
    segment = build_services(parse(section, tmp_path)).processes["segment"]
    bounds = BOX.bounds
    assert bounds.west > bounds.east
    lng, lat = BOX.lnglat(Pixel(140, 80))
    assert lng > 180
    inputs = {
        "bbox": list(bounds),
        "zoom": ZOOM,
        "contour": "pixel",
        "simplify": 0,
        "prompt": [{"type": "point", "data": {"lng": lng - 360, "lat": lat}}],
    }

    def run(media_type=GEOJSON, **more):
        context = Context("x", {"features": media_type})
        return segment.run(inputs | more, context)["features"].value

    return run


def test_an_island_on_the_antimeridian(ask):
    (feature,) = ask()["features"]
    outline = shapely.geometry.shape(feature["geometry"])
    assert outline.geom_type == "MultiPolygon"
    assert outline.is_valid
    west, _, east, _ = outline.bounds
    assert (west, east) == (-180, 180)
    for part in outline.geoms:
        places = shapely.get_coordinates(part)
        cols, rows = BOX.pixels(places[:, 0], places[:, 1])
        in_east = part.bounds[0] > 0
        assert np.min(cols) == pytest.approx(LEFT if in_east else 100, abs=0.01)
        assert np.max(cols) == pytest.approx(100 if in_east else RIGHT, abs=0.01)
        assert (np.min(rows), np.max(rows)) == pytest.approx((TOP, BOTTOM), abs=0.01)


def test_its_raster_and_its_preview_are_in_one_piece(ask):
    with MemoryFile(ask(COG)) as memory, memory.open() as file:
        rows, cols = np.nonzero(file.read(1))
        assert file.transform.almost_equals(BOX.transform)
    found = (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)
    assert found == (LEFT, TOP, RIGHT, BOTTOM)
    preview = np.asarray(Image.open(io.BytesIO(ask(PNG)))).astype(int)
    side = preview.shape[1] // 256
    for col in (LEFT + 10, RIGHT - 10):  # tinted on both sides
        assert np.abs(preview[80 * side, col * side] - ISLAND).max() > 5


def test_a_table_has_both_parts_in_one_row(ask):
    frame = geopandas.read_parquet(io.BytesIO(ask(GEOPARQUET)))
    (outline,) = frame.geometry
    assert outline.bounds[0] == -180
    assert outline.bounds[2] == 180
    assert len(outline.geoms) == 2


def corner(col, row):
    lng, lat = BOX.lnglat(Pixel(col, row))
    return (lng + 180) % 360 - 180, lat


@pytest.mark.parametrize("spelling", ["rectangle", "polygon", "polygon beyond 180"])
def test_a_rectangle_across_180_is_one(ask, spelling):
    (west, north), (east, south) = corner(LEFT - 4, TOP - 4), corner(RIGHT + 4, BOTTOM + 4)
    assert west > 0 > east
    if spelling == "rectangle":
        ne, sw = {"lng": east, "lat": north}, {"lng": west, "lat": south}
        prompt = [{"type": "rectangle", "data": {"ne": ne, "sw": sw}}]
    else:
        right = east + 360 if "beyond" in spelling else east
        ring = [[west, south], [right, south], [right, north], [west, north], [west, south]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        prompt = {"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {}, "geometry": geometry}]}  # fmt: skip
    (feature,) = ask(prompt=prompt)["features"]
    outline = shapely.geometry.shape(feature["geometry"])
    assert (outline.bounds[0], outline.bounds[2]) == (-180, 180)
    parts = [BOX.pixels(*shapely.get_coordinates(part).T)[0] for part in outline.geoms]
    assert min(map(np.min, parts)) == pytest.approx(LEFT, abs=0.6)
    assert max(map(np.max, parts)) == pytest.approx(RIGHT, abs=0.6)
