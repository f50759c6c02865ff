"""A picture in the request, through a real server."""

import base64
import io

import numpy as np
import pytest
import requests
from PIL import Image

from samgis_process.server.wiring import Caches, build_services
from samgis_process.settings import parse

BOUNDS = [8.0, 46.0, 8.01, 46.007]
PROMPT = [{"type": "point", "data": {"lng": 8.0025, "lat": 46.0035}, "label": 1}]
LIMITS = {"max_image_bytes": 100_000, "max_image_pixels": 1_000_000, "max_body_bytes": 200_000}


def png(width=96, height=64):
    pixels = np.full((height, width, 3), (70, 110, 50), np.uint8)
    pixels[height // 4 : -height // 4, width // 8 : width // 2] = (190, 80, 60)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def qualified(data, media_type="image/png", **more):
    return {"value": base64.b64encode(data).decode(), "mediaType": media_type, **more}


@pytest.fixture(scope="module")
def services(tiny_model_dir, tmp_path_factory):
    directory = tmp_path_factory.mktemp("inline")
    section = {
        "models": {"default": tiny_model_dir.name, "directory": str(tiny_model_dir.parent)},
        "cache": {"directory": str(directory)},
        "limits": LIMITS,
    }
    return build_services(parse(section, directory))


@pytest.fixture(scope="module")
def address(make_server, services):
    with make_server(processes=services.processes, limits=services.limits) as address:
        yield address


@pytest.fixture
def segment(address):
    def post(**inputs):
        body = {"inputs": {"bbox": BOUNDS, "prompt": PROMPT} | inputs}
        return requests.post(f"{address}/processes/segment/execution", json=body, timeout=20)

    return post


@pytest.mark.parametrize(
    "image",
    [
        qualified(png()),
        qualified(png(), encoding="base64"),
        qualified(png(), "image/tiff; application=geotiff"),  # what it is counts
        {"value": qualified(png())["value"], "format": {"mediaType": "image/png"}},
        {"value": qualified(png())["value"]},
        qualified(png())["value"],
    ],
)
def test_every_spelling_is_read(segment, image):
    answer = segment(image=image)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["features"]) == 1


def test_the_digest_stands_for_it_while_it_is_kept(segment, services):
    first = segment(image=qualified(png())).json()
    digest = first["samgis"]["source"]["digest"]
    again = segment(image={"digest": digest})
    assert again.json()["samgis"]["cache"] == "hit"
    assert again.json()["features"] == first["features"]
    Caches.of(services.settings).pictures.clear()
    gone = segment(image={"digest": digest})
    assert gone.status_code == 409
    assert gone.json()["type"] == "urn:samgis:problem:picture-gone"
    assert gone.json()["errors"][0]["input"] == "image.digest"
    assert "again" in gone.json()["errors"][0]["remedy"]


@pytest.mark.parametrize(
    ("image", "status", "words"),
    [
        (qualified(b"\0" * 100_001), 400, "limits.max_image_bytes"),
        (qualified(b"\0" * 200_000), 413, "200000 bytes"),
        (qualified(png(1001, 1000)), 400, "limits.max_image_pixels"),
        (qualified(png()[:-60]), 400, "damaged"),
        (qualified(b"<VRTDataset/>"), 400, "no picture"),
        (qualified(png(), "image/gif"), 400, "image/gif"),
        ({"href": "http://127.0.0.1/x.png", "type": "image/png"}, 400, "does not fetch"),
        ({"digest": "sha256:" + "0" * 64}, 409, "not kept"),
        ({"digest": 7}, 400, "image"),
        ({"digest": "x", "path": "/etc"}, 400, "image"),
        (7, 400, "image"),
    ],
)
def test_what_does_not_do_is_refused(segment, image, status, words):
    answer = segment(image=image)
    assert answer.status_code == status
    assert words in answer.text
    assert len(answer.text) < 3000


def test_a_source_besides_is_refused(segment):
    answer = segment(image=qualified(png()), source="sample")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["input"] == "image"


def test_snap_is_offered(segment):
    answer = segment(image=qualified(png(960, 640)), window="snap")
    assert answer.status_code == 200
    window = answer.json()["samgis"]["window"]
    assert window["bounds"][0] <= BOUNDS[0]
    assert window["width"] % 16 == 0
    assert segment(image=qualified(png()), window="snip").status_code == 400
