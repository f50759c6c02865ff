"""The inputs `image` and `window`, and windows of odd shapes."""

import base64
import io
import re

import numpy as np
import pytest
import shapely
from PIL import Image

from samgis_process.errors import InvalidRequest, PictureGone
from samgis_process.grid import GeoBox, Pixel

RASTERS = (
    "cog_rgb_3857",
    "rgb_4326_30cm",
    "rgba_uint16_utm12",
)


def outline(feature):
    return shapely.geometry.shape(feature["geometry"])


def in_pixels(feature, grid):
    return shapely.transform(
        outline(feature), lambda at: np.column_stack(grid.pixels(at[:, 0], at[:, 1]))
    )


def inline(data):
    return base64.b64encode(data).decode()


def png(scene, image_format="PNG"):
    stream = io.BytesIO()
    Image.fromarray(scene.image).save(stream, image_format)
    return inline(stream.getvalue())


def click(scene, box):
    at = scene.grid.lnglat(Pixel((box[0] + box[2]) / 2, (box[1] + box[3]) / 2))
    return [{"type": "point", "data": {"lng": at.lng, "lat": at.lat}, "label": 1}]


@pytest.fixture
def ask(scene):
    """Inputs for the house of the scene."""

    def inputs(**more):
        exact = {"contour": "pixel", "simplify": 0}
        return {"prompt": click(scene, scene.house), **exact, **more}

    return inputs


def test_a_geotiff_needs_no_bbox_and_says_what_the_source_says(segment, ask, scene):
    sent = segment(ask(image=inline(scene.path.read_bytes())))
    configured = segment(ask(bbox=list(scene.grid.bounds), zoom=15))
    assert sent["features"] == configured["features"]
    assert sent["samgis"]["source"]["zoom"] == 15
    assert sent["samgis"]["window"]["width"] == 256


def test_a_png_on_its_bounds_says_the_same(segment, ask, scene):
    (feature,) = segment(ask(image=png(scene), bbox=list(scene.grid.bounds)))["features"]
    assert in_pixels(feature, scene.grid).bounds == pytest.approx(scene.house, abs=0.01)


def test_a_picture_is_sent_once(segment, ask, scene):
    first = segment(ask(image=inline(scene.path.read_bytes())))
    source = first["samgis"]["source"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", source["digest"])
    assert source["id"] == "image"
    second = segment(ask(image={"digest": source["digest"]}))
    assert second["samgis"]["cache"] == "hit"
    assert second["features"] == first["features"]


def test_by_digest_any_window_of_it_can_be_seen(segment, ask, scene):
    digest = segment(ask(image=inline(scene.path.read_bytes())))["samgis"]["source"]["digest"]
    part = GeoBox(16, scene.grid.col_off * 2 + 300, scene.grid.row_off * 2 + 20, 200, 150)
    answer = segment(ask(image={"digest": digest}, bbox=list(part.bounds), zoom=16))
    assert answer["samgis"]["cache"] == "miss"
    assert answer["samgis"]["window"]["width"] == 200
    (feature,) = answer["features"]
    assert in_pixels(feature, scene.grid).bounds == pytest.approx(scene.house, abs=1)


def test_a_png_by_digest_is_seen_in_parts_where_it_was_put(segment, ask, scene):
    first = segment(ask(image=png(scene), bbox=list(scene.grid.bounds)))
    source = first["samgis"]["source"]
    named = {"digest": source["digest"], "bounds": source["bounds"]}
    whole = segment(ask(image=named))
    part = GeoBox(15, scene.grid.col_off + 150, scene.grid.row_off, 100, 100)
    (feature,) = segment(ask(image=named, bbox=list(part.bounds)))["features"]
    assert in_pixels(feature, scene.grid).bounds == pytest.approx(scene.house, abs=0.01)
    assert len(whole["features"]) == 1


def test_other_bounds_are_another_picture(segment, ask, scene):
    bounds = list(scene.grid.bounds)
    segment(ask(image=png(scene), bbox=bounds))
    bounds[0] -= 1e-3
    assert segment(ask(image=png(scene), bbox=bounds))["samgis"]["cache"] == "miss"


def test_another_rendering_of_it_is_another_picture(segment, ask, scene):
    segment(ask(image=inline(scene.path.read_bytes())))
    answer = segment(ask(image=inline(scene.path.read_bytes()), rendering={"bands": [3, 2, 1]}))
    assert answer["samgis"]["cache"] == "miss"


def test_a_digest_that_is_not_kept_is_gone(segment, ask, services, scene):
    digest = segment(ask(image=inline(scene.path.read_bytes())))["samgis"]["source"]["digest"]
    from samgis_process.server.wiring import Caches

    Caches.of(services.settings).pictures.clear()
    with pytest.raises(PictureGone, match="not kept here"):
        segment(ask(image={"digest": digest}))
    assert segment(ask(image=inline(scene.path.read_bytes())))["samgis"]["cache"] == "hit"
    assert segment(ask(image={"digest": digest}))["features"]


def test_what_could_not_be_read_is_not_kept(segment, ask, services, scene):
    from samgis_process.server.wiring import Caches

    data = base64.b64decode(png(scene))
    with pytest.raises(InvalidRequest, match="damaged"):
        segment(ask(image=inline(data[:-100]), bbox=list(scene.grid.bounds)))
    assert Caches.of(services.settings).pictures.stats().entries == 0


BAD = [
    ({"source": "scene"}, "image", "source are both given"),
    ({"source_type": "scene"}, "image", "both given"),
    ({"image": "not base64!"}, "image", "is no base64"),
    ({"image": ""}, "image", "is no picture"),
    ({"image": inline(b"<VRTDataset></VRTDataset>")}, "image", "is no picture"),
    ({"image": {"digest": "sha256:abc"}}, "image.digest", "is no digest"),
    ({"image": {"digest": "../../etc/passwd"}}, "image.digest", "is no digest"),
    ({"zoom": 9}, "zoom", "outside the zooms of image"),
    ({"bbox": [1, 1, 1.01, 1.01], "zoom": 15}, "prompt[0]", "outside the window"),
]


@pytest.mark.parametrize(("change", "name", "message"), BAD)
def test_bad_input_is_named(segment, ask, scene, change, name, message):
    with pytest.raises(InvalidRequest) as caught:
        segment(ask(image=inline(scene.path.read_bytes())) | change)
    (fault,) = caught.value.faults
    assert fault.input == name
    assert message in fault.message
    assert fault.limit or fault.remedy


def test_a_png_needs_bounds(segment, ask, scene):
    with pytest.raises(InvalidRequest, match="bbox: is missing"):
        segment(ask(image=png(scene)))


def test_base64_in_lines_and_without_padding_is_read(segment, ask, scene):
    text = base64.encodebytes(scene.path.read_bytes()).decode().rstrip("=\n")
    assert segment(ask(image=text))["features"]


@pytest.mark.parametrize("name", RASTERS)
def test_a_real_geotiff_sent_says_what_the_configured_file_says(
    test_data, tiny_model_dir, tmp_path, name
):
    from samgis_process.ogc.process import Context
    from samgis_process.server.wiring import build_services
    from samgis_process.settings import parse

    path = test_data / "georaster" / f"{name}.tif"
    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(tmp_path / "cache")},
        "default_source": "file",
        "sources": {"file": {"type": "raster", "path": str(path)}},
    }
    services = build_services(parse(section, tmp_path))
    process = services.processes["segment"]
    sent = inline(path.read_bytes())
    west, south, east, north = services.sources.get("file").info.bounds
    prompt = [
        {
            "type": "point",
            "label": 1,
            "data": {"lng": west + (east - west) * across, "lat": south + (north - south) * 0.5},
        }
        for across in (0.4, 0.5, 0.6)
    ]
    inputs = {"prompt": prompt, "separate": True}
    inner = process.run(inputs | {"image": sent}, Context("a"))["features"].value
    member = inner["samgis"]
    outer = process.run(
        inputs | {"bbox": [west, south, east, north], "zoom": member["source"]["zoom"]},
        Context("b"),
    )["features"].value
    assert outer["features"] == inner["features"]
    assert outer["samgis"]["window"] == member["window"]
    assert outer["samgis"]["cache"] == "miss"


# Snapped windows


def test_a_pan_meets_the_snapped_window(segment, ask, scene):
    west, south, east, north = scene.grid.bounds
    step = (east - west) / 256
    places = [west + 60 * step, south + 120 * step, west + 240 * step, north - 5 * step]
    first = segment(ask(bbox=places, zoom=15, window="snap"))
    moved = [places[0] + step, places[1], places[2] + step, places[3]]
    second = segment(ask(bbox=moved, zoom=15, window="snap"))
    assert [first["samgis"]["cache"], second["samgis"]["cache"]] == ["miss", "hit"]
    assert second["samgis"]["window"] == first["samgis"]["window"]
    assert second["features"] == first["features"]


def test_snapped_and_exact_outlines_agree(segment, ask, scene):
    """The same object within a pixel, in a window that is larger."""
    bbox = list(GeoBox(15, scene.grid.col_off + 130, scene.grid.row_off, 120, 110).bounds)
    exact = segment(ask(bbox=bbox, zoom=15))
    snap = segment(ask(bbox=bbox, zoom=15, window="snap"))
    assert snap["samgis"]["window"]["width"] > exact["samgis"]["window"]["width"]
    one, other = (in_pixels(answer["features"][0], scene.grid) for answer in (exact, snap))
    assert one.hausdorff_distance(other) <= 1
    assert one.bounds == pytest.approx(scene.house, abs=0.6)


def test_a_prompt_may_lie_in_the_snapped_window(segment, ask, scene):
    bbox = list(GeoBox(15, scene.grid.col_off + 20, scene.grid.row_off + 70, 100, 60).bounds)
    answer = segment(ask(bbox=bbox, zoom=15, window="snap", prompt=click(scene, scene.lake)))
    west, south, east, north = answer["samgis"]["window"]["bounds"]
    assert west <= bbox[0] < bbox[2] <= east
    assert south <= bbox[1] < bbox[3] <= north


# Windows of odd shapes


@pytest.mark.parametrize("window", ["exact", "snap"])
def test_a_window_of_one_pixel_is_answered(segment, scene, window):
    col, row = 200, 46  # in the house
    pixel = GeoBox(15, scene.grid.col_off + col, scene.grid.row_off + row, 1, 1)
    at = pixel.lnglat(Pixel(0.5, 0.5))
    prompt = [{"type": "point", "data": {"lng": at.lng, "lat": at.lat}, "label": 1}]
    inputs = {"bbox": list(pixel.bounds), "zoom": 15, "window": window, "prompt": prompt}
    answer = segment(inputs)
    assert answer["samgis"]["window"]["width"] == (1 if window == "exact" else 16)
    for feature in answer["features"]:
        assert outline(feature).is_valid


@pytest.mark.parametrize("window", ["exact", "snap"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("contour", ["pixel", "smooth"])
def test_a_window_as_long_as_they_come_is_answered(segment, scene, window, turned, contour):
    size = (1, 16384) if turned else (16384, 1)
    start = scene.grid
    strip = GeoBox(18, start.col_off * 8 + 1600, start.row_off * 8 + 300, *size)
    at = strip.lnglat(Pixel(0.5, 0.5))
    prompt = [{"type": "point", "data": {"lng": at.lng, "lat": at.lat}, "label": 1}]
    inputs = {"bbox": list(strip.bounds), "zoom": 18, "window": window, "prompt": prompt}
    answer = segment({**inputs, "contour": contour})
    assert max(answer["samgis"]["window"][side] for side in ("width", "height")) == 16384
    for feature in answer["features"]:
        assert outline(feature).is_valid


def test_a_longer_window_is_refused(segment, scene):
    strip = GeoBox(18, scene.grid.col_off * 8, scene.grid.row_off * 8 + 300, 16400, 1)
    at = strip.lnglat(Pixel(0.5, 0.5))
    prompt = [{"type": "point", "data": {"lng": at.lng, "lat": at.lat}, "label": 1}]
    with pytest.raises(InvalidRequest, match="16400 x 1 pixels"):
        segment({"bbox": list(strip.bounds), "zoom": 18, "prompt": prompt})


@pytest.mark.parametrize("window", ["exact", "snap"])
@pytest.mark.parametrize("north", [True, False])
def test_a_picture_at_the_edge_of_the_world(segment, scene, window, north):
    """The last rows of Web Mercator, near 85.05 degrees."""
    world = 256 << 10
    grid = GeoBox(10, 1000, 0 if north else world - 256, 256, 256)
    at = grid.lnglat(Pixel(200, 46))
    prompt = [{"type": "point", "data": {"lng": at.lng, "lat": at.lat}, "label": 1}]
    inputs = {"bbox": list(grid.bounds), "prompt": prompt, "window": window, "zoom": 10}
    answer = segment({**inputs, "image": png(scene), "contour": "pixel", "simplify": 0})
    (feature,) = answer["features"]
    assert in_pixels(feature, grid).bounds == pytest.approx(scene.house, abs=1.01)
