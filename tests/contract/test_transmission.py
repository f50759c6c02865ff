"""Outputs by reference, of runs that are waited for and of jobs."""

import email
import re
from datetime import UTC, datetime, timedelta

import lab
import numpy as np
import pytest
import rasterio
import requests

from samgis_process.server.app import create_app

REFERENCE, VALUE = {"transmissionMode": "reference"}, {"transmissionMode": "value"}
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
SYNC, WAITED = {}, {"Prefer": "wait=20"}
EXPECTED = np.random.default_rng(7).integers(0, 256, (3, 1200, 1500), np.uint8)
LINK = re.compile(r'<([^>]+)>; rel="\w+"; title="(\w+)"; type="((?:[^"\\]|\\.)*)"(.*)')


@pytest.fixture(scope="module")
def server(serve, config_path, tmp_path_factory):
    room = lab.job_room(tmp_path_factory.mktemp("jobs"), factory=lab.raster_work)
    services = lab.services(processes=lab.raster_processes())
    with serve(create_app(config_path, services, room)) as address:
        assert run(address, WAITED, outputs={"count": {}}).status_code == 200
        yield address


def run(server, headers=SYNC, **body):
    content = {"inputs": {"name": "x", "count": 7}, **body}
    address = f"{server}/processes/raster/execution"
    return requests.post(address, json=content, headers=headers, timeout=60)


def get(address, method="get", **headers):
    return requests.request(method, address, headers=headers, timeout=20)


def item_links(answer):
    """Return (address, media type, rest) by output."""
    # requests joins the headers; no address here holds a comma.
    found = [LINK.match(one.strip()) for one in answer.headers["link"].split(", ")]
    return {m[2]: (m[1], m[3], m[4]) for m in found if m}


def parts(answer):
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.content)
    return {part["content-id"].strip("<>"): part for part in message.get_payload()}


def check_pixels(address):
    with (
        rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_HTTP_TIMEOUT="20"),
        rasterio.open(f"/vsicurl/{address}") as file,
    ):
        window = rasterio.windows.Window(700, 600, 90, 80)
        np.testing.assert_array_equal(file.read(window=window), EXPECTED[:, 600:680, 700:790])


def test_both_transmissions_are_declared(server):
    described = get(f"{server}/processes/raster").json()
    assert described["outputTransmission"] == ["value", "reference"]
    for summary in get(f"{server}/processes").json()["processes"]:
        assert summary["outputTransmission"] == ["value", "reference"]


@pytest.mark.parametrize("headers", [SYNC, WAITED], ids=["sync", "job"])
def test_raw_references_are_links_without_content(server, headers):  # row 14
    outputs = {"picture": REFERENCE, "words": REFERENCE}
    answer = run(server, headers, outputs=outputs, response="raw")
    assert (answer.status_code, answer.content) == (204, b"")
    links = item_links(answer)
    assert list(links) == ["picture", "words"]
    assert links["picture"][1] == COG
    assert links["picture"][0].endswith("/picture.tif")
    assert links["words"][0].endswith("/words.txt")
    assert get(links["words"][0]).text == "Grüße, x"
    check_pixels(links["picture"][0])


def test_one_raw_reference_is_the_default_shape(server):
    answer = run(server, outputs={"count": REFERENCE})
    assert answer.status_code == 204
    assert get(item_links(answer)["count"][0]).json() > 1000


def test_a_link_says_until_when_it_leads_somewhere(server):
    answer = run(server, outputs={"count": REFERENCE})
    until = re.search(r'expires="([^"]+)"', item_links(answer)["count"][2])[1]
    left = datetime.fromisoformat(until) - datetime.now(UTC)
    assert timedelta(minutes=55) < left <= timedelta(hours=1)


@pytest.mark.parametrize("headers", [SYNC, WAITED], ids=["sync", "job"])
def test_a_document_holds_links(server, headers):
    outputs = {"picture": REFERENCE, "words": VALUE, "count": {}}
    answer = run(server, headers, outputs=outputs, response="document")
    assert answer.status_code == 200
    document = answer.json()
    assert document["picture"]["type"] == COG
    assert ("expires" in document["picture"]) == (headers == SYNC)
    assert document["words"] == "Grüße, x"
    assert document["count"] == int(
        get(document["picture"]["href"], "head").headers["content-length"]
    )
    check_pixels(document["picture"]["href"])


@pytest.mark.parametrize("headers", [SYNC, WAITED], ids=["sync", "job"])
def test_mixed_raw_outputs_are_parts(server, headers):
    outputs = {"picture": REFERENCE, "words": {}}
    answer = run(server, headers, outputs=outputs, response="raw")
    assert answer.headers["content-type"].startswith("multipart/related")
    found = parts(answer)
    assert found["picture"].get_payload(decode=True).strip() == b""
    assert found["picture"].get_content_type() == "image/tiff"
    assert "content-location" not in found["words"]
    assert found["words"].get_payload(decode=True).decode() == "Grüße, x"
    check_pixels(found["picture"]["content-location"])


def test_a_job_keeps_how_its_outputs_were_wanted(server):
    outputs = {"picture": REFERENCE, "words": REFERENCE}
    made = run(server, {"Prefer": "respond-async, wait=20"}, outputs=outputs, response="raw")
    assert made.status_code == 204
    monitor = re.search(r"<([^>]+)>; rel=monitor", made.headers["link"])[1]
    answer = get(f"{monitor}/results")
    assert answer.status_code == 204
    assert item_links(answer)["words"][0] == f"{monitor}/results/words.txt"
    assert get(f"{monitor}/results?outputs=words").status_code == 204
    assert "preference-applied" not in answer.headers


def test_an_output_of_a_job_is_a_file(server):
    link = item_links(run(server, WAITED, outputs={"picture": REFERENCE}))["picture"][0]
    whole = get(link)
    assert whole.headers["content-type"] == COG
    assert whole.headers["accept-ranges"] == "bytes"
    assert get(link.removesuffix(".tif")).content == whole.content
    head = get(link, "head")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(whole.content)
    part = get(link, Range="bytes=100-299", **{"Accept-Encoding": "gzip"})
    assert (part.status_code, part.content) == (206, whole.content[100:300])
    again = get(link, **{"If-None-Match": head.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert get(link, Accept="text/csv").status_code == 406
    assert get(link + "f").status_code == 400
    assert get(link, "delete").status_code == 405


def test_a_page_of_a_json_output_is_no_file(server):
    link = item_links(run(server, WAITED, outputs={"count": REFERENCE}))["count"][0]
    assert link.endswith("/count.json")
    assert get(link).headers["content-type"] == "application/json"
    assert get(link, Accept="text/html").headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("headers", [SYNC, WAITED], ids=["sync", "job"])
def test_a_page_shows_an_output_of_text(server, headers):
    page = {"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"}
    answer = run(server, headers | page, inputs={"name": "<b>"}, outputs={"words": {}})
    assert answer.headers["content-type"].startswith("text/html")
    assert "Grüße, &lt;b&gt;" in answer.text
    plain = run(
        server, headers | {"Accept": "text/plain"}, inputs={"name": "<b>"}, outputs={"words": {}}
    )
    assert plain.headers["content-type"].startswith("text/plain")
    assert plain.text == "Grüße, <b>"


def test_a_page_shows_the_text_of_a_job(server):
    link = item_links(run(server, WAITED, outputs={"words": REFERENCE}))["words"][0]
    assert get(link).headers["content-type"].startswith("text/plain")
    page = get(f"{link}?f=html")
    assert page.headers["content-type"].startswith("text/html")
    assert "Grüße, x" in page.text


def test_a_dismissed_jobs_references_are_gone(server):
    link = item_links(run(server, WAITED, outputs={"count": REFERENCE}))["count"][0]
    job = link.partition("/results/")[0]
    assert get(job, "delete").status_code == 200
    assert get(link).status_code == 410


def test_minimal_answers_refer_to_what_is_large(server):
    answer = run(server, {"Prefer": "return=minimal"})
    assert answer.headers["preference-applied"] == "return=minimal"
    document = answer.json()
    assert document["words"] == "Grüße, x"
    check_pixels(document["picture"]["href"])
    waited = run(server, {"Prefer": "return=minimal, wait=20"})
    assert waited.headers["preference-applied"] == "wait=20, return=minimal"
    assert "/jobs/" in waited.json()["picture"]["href"]


def test_what_the_body_says_outweighs_what_is_preferred(server):
    minimal, whole = {"Prefer": "return=minimal"}, {"Prefer": "return=representation"}
    answer = run(server, minimal, outputs={"picture": VALUE}, response="document")
    assert "value" in answer.json()["picture"]
    assert "preference-applied" not in answer.headers
    answer = run(server, whole, outputs={"words": REFERENCE})
    assert answer.status_code == 204
    assert "preference-applied" not in answer.headers
    answer = run(server, whole, outputs={"words": {}})
    assert answer.headers["preference-applied"] == "return=representation"


def test_where_no_room_is_left_a_reference_is_refused(serve, config_path, tmp_path):
    store = lab.ResultStore(tmp_path, 3600, 8192)
    services = lab.services(processes=lab.raster_processes(), results=store)
    with serve(create_app(config_path, services)) as address:
        answer = run(address, outputs={"picture": REFERENCE})
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:samgis:problem:no-room"
        assert run(address, outputs={"words": REFERENCE}).status_code == 204
