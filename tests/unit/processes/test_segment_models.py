"""Which model answers, which of its readings come back, and when it looks twice."""

import types

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from samgis_process.errors import InvalidInput
from samgis_process.grid import GeoBox, Pixel

# 2048 x 2048 pixels: the model sees every second one, and a cell of its mask grid is 8 wide.
WIDE = GeoBox(15, 34_400 * 128 + 37, 23_100 * 128 + 11, 2048, 2048)
SHED = (901, 1203, 950, 1260)
POND = (200, 300, 700, 900)
SHORE = (140, 240, 760, 960)
GRASS, SHALLOW, WATER, ROOF = (70, 110, 50), (55, 85, 150), (30, 60, 140), (190, 80, 60)


@pytest.fixture
def wide(tmp_path, tiny_model_dir):
    """A wide picture with a small object and a large one; how to ask about it."""
    from samgis_process.ogc.process import Context
    from samgis_process.server.wiring import build_services
    from samgis_process.settings import parse

    write(tmp_path / "wide.tif")
    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(tmp_path / "cache")},
        "default_source": "wide",
        "sources": {"wide": {"type": "raster", "path": str(tmp_path / "wide.tif")}},
    }
    services = build_services(parse(section, tmp_path))

    def ask(*prompts, **more):
        inputs = {"bbox": list(WIDE.bounds), "zoom": 15, "prompt": list(prompts), **more}
        return services.processes["segment"].run(inputs, Context("x"))["features"].value

    return types.SimpleNamespace(ask=ask, services=services)


def write(path):
    image = np.empty((3, 2048, 2048), np.uint8)
    image[:] = np.array(GRASS)[:, None, None]
    for (left, top, right, bottom), colour in ((SHED, ROOF), (SHORE, SHALLOW), (POND, WATER)):
        image[:, top:bottom, left:right] = np.array(colour)[:, None, None]
    x, y = WIDE.transform @ (0, 0)
    profile = {"driver": "GTiff", "count": 3, "height": 2048, "width": 2048, "dtype": "uint8"}
    transform = from_origin(x, y, WIDE.resolution, WIDE.resolution)
    with rasterio.open(path, "w", crs="EPSG:3857", transform=transform, **profile) as dataset:
        dataset.write(image)


def place(col, row):
    lng, lat = WIDE.lnglat(Pixel(col, row))
    return {"lng": lng, "lat": lat}


def click(box, label=1):
    at = place((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return {"type": "point", "data": at, "label": label}


def rectangle(left, top, right, bottom):
    data = {"ne": place(right, top), "sw": place(left, bottom)}
    return {"type": "rectangle", "data": data}


def iou(feature, box):
    found = shapely.transform(
        shapely.geometry.shape(feature["geometry"]),
        lambda at: np.column_stack(WIDE.pixels(at[:, 0], at[:, 1])),
    )
    truth = shapely.box(*box)
    return found.intersection(truth).area / found.union(truth).area


PROMPTS = {"click": click(SHED), "box": rectangle(898, 1200, 953, 1263)}


@pytest.mark.parametrize("kind", PROMPTS)
def test_a_small_object_of_a_wide_window_is_seen_at_full_resolution(wide, kind):
    once = wide.ask(PROMPTS[kind], detail="never")
    twice = wide.ask(PROMPTS[kind])
    assert once["samgis"]["looked_closer"] == 0
    assert twice["samgis"]["looked_closer"] == 1
    missed = [1 - iou(answer["features"][0], SHED) for answer in (once, twice)]
    assert missed[1] < missed[0] / (2 if kind == "box" else 1)


def test_a_large_object_is_looked_at_once(wide):
    answer = wide.ask(click(POND))
    assert answer["samgis"]["looked_closer"] == 0
    assert iou(answer["features"][0], POND) > 0.97
    assert wide.ask(click(SHED), detail="always")["samgis"]["looked_closer"] == 1


def test_the_second_look_is_kept_for_the_next_prompt(wide):
    """A click on the same object meets the crop of the first one: no further pixels are read."""
    wide.ask(click(SHED))
    kept = embeddings(wide)
    assert kept == 2
    other = {"type": "point", "data": place(SHED[0] + 12, SHED[1] + 9), "label": 1}
    answer = wide.ask(other)
    assert answer["samgis"]["looked_closer"] == 1
    assert embeddings(wide) == kept


def embeddings(wide):
    from samgis_process.server.wiring import Caches

    return Caches.of(wide.services.settings).embeddings.stats().entries


def test_the_same_request_gets_the_same_answer(wide):
    first, second = (wide.ask(PROMPTS["click"])["features"] for _ in range(2))
    assert first == second


def test_excluding_points_count_in_the_second_look(wide):
    inside = {"type": "point", "data": place(930, 1230), "label": 0}
    answer = wide.ask(PROMPTS["box"], inside)
    unpointed = wide.ask(PROMPTS["box"])
    assert answer["features"] != unpointed["features"]


def test_all_readings_come_back_ranked(wide):
    (best,) = wide.ask(click(POND))["features"]
    answer = wide.ask(click(POND), click(SHED), masks="all", separate=True)
    first, *others = [f for f in answer["features"] if f["properties"]["object"] == 0]
    assert first == best
    assert iou(first, POND) > 0.97
    assert max(iou(other, SHORE) for other in others) > 0.97
    assert best["properties"]["alternative"] == 0
    assert [f["properties"]["alternative"] for f in others] == list(range(1, len(others) + 1))
    assert len({f["id"] for f in answer["features"]}) == len(answer["features"])


def test_a_model_that_is_not_installed_is_refused_with_those_that_are(wide):
    with pytest.raises(InvalidInput) as raised:
        wide.ask(click(POND), model="sam-9")
    (fault,) = raised.value.faults
    assert fault.input == "model"
    assert "tiny" in fault.limit


def test_a_thousand_points_on_one_object_are_answered(wide):
    rng = np.random.default_rng(1)
    points = [
        {"type": "point", "data": place(*at), "label": 1}
        for at in rng.uniform((210, 310), (690, 890), (1000, 2))
    ]
    answer = wide.ask(*points)
    assert iou(answer["features"][0], POND) > 0.97


def test_second_looks_of_one_request_are_bounded_and_told(wide):
    """Each may take an encoder run: a long list of small boxes must not take minutes."""
    boxes = [
        rectangle(x, y, x + 20, y + 20) for x in range(40, 2000, 480) for y in range(40, 2000, 360)
    ]
    answer = wide.ask(*boxes)
    assert answer["samgis"]["looked_closer"] == 16
    assert [w for w in answer["samgis"]["warnings"] if "looked at again" in w] == [
        "only 16 objects were looked at again; ask for smaller windows"
    ]


def test_a_source_that_fails_at_the_second_look_leaves_the_first_answer(
    script, tiny_model_dir, tmp_path
):
    from samgis_process.ogc.process import Context
    from samgis_process.server.wiring import build_services
    from samgis_process.settings import parse

    module = script("tile_server")
    body = module.png([[GRASS] * 256] * 256)
    inputs = {"bbox": list(WIDE.bounds), "zoom": 15, "prompt": [rectangle(900, 900, 940, 950)]}
    with module.TileServer(respond=lambda _: body) as tiles:
        source = {"type": "xyz", "url": tiles.url + "/{z}/{x}/{y}.png", "cache_tiles": False}
        section = {
            "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
            "cache": {"directory": str(tmp_path / "cache")},
            "default_source": "tiles",
            "sources": {"tiles": source | {"retries": 0, "connect_timeout_s": 1}},
        }
        process = build_services(parse(section, tmp_path)).processes["segment"]
        process.run(inputs | {"detail": "never"}, Context("x"))
    answer = process.run(inputs, Context("x"))["features"].value  # the tile server is gone
    assert len(answer["features"]) == 1
    assert answer["samgis"]["looked_closer"] == 0
    assert any("not looked at again" in words for words in answer["samgis"]["warnings"])
