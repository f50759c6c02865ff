from datetime import UTC, datetime

import pytest

from samgis_process.ogc.delivery import MINIMAL_BYTES, Delivery, Reference, suffix
from samgis_process.ogc.process import Output

THERE = Reference("image/png", "http://host/a.png", datetime(2026, 3, 1, 12, tzinfo=UTC))
HERE = Output("image/png", b"")


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("image/tiff; application=geotiff; profile=cloud-optimized", ".tif"),
        ("IMAGE/PNG", ".png"),
        ("application/geo+json", ".geojson"),
        ("application/vnd.someone+json", ".json"),
        ("text/csv", ".csv"),
        ("application/octet-stream", ""),
        ("x/y", ""),
        ("", ""),
    ],
)
def test_a_media_type_has_its_usual_suffix(media_type, expected):
    assert suffix(media_type) == expected


def test_a_reference_says_where_what_and_until_when():
    until = "2026-03-01T12:00:00Z"
    assert THERE.link() == {"href": THERE.href, "type": "image/png", "expires": until}
    assert THERE.header("a") == (
        f'<http://host/a.png>; rel="a"; title="a"; type="image/png"; expires="{until}"'
    )
    assert Reference("image/png", "x").link() == {"href": "x", "type": "image/png"}


def test_the_body_outweighs_the_preference():
    delivery = Delivery(None, {"a": "value", "b": "reference"}, "minimal")
    assert not delivery.by_reference("a", 10**9)
    assert delivery.by_reference("b", 1)
    assert delivery.by_reference("c", MINIMAL_BYTES + 1)
    assert not delivery.by_reference("c", MINIMAL_BYTES)


def test_a_preference_is_applied_only_where_it_made_a_difference():
    minimal = Delivery(None, {"b": "reference"}, "minimal")
    assert minimal.applied({"a": THERE, "b": THERE}) == "return=minimal"
    assert minimal.applied({"a": HERE, "b": THERE}) is None
    whole = Delivery(preferred="representation")
    assert whole.applied({"a": HERE}) == "return=representation"
    assert whole.applied({"a": THERE}) is None
    assert whole.applied({}) is None


def test_nobody_gets_references_where_a_process_has_none():
    delivery = Delivery("raw")
    assert delivery.preferring("minimal", ["value"]) == delivery
    assert delivery.preferring("minimal", ["value", "reference"]).preferred == "minimal"
    assert delivery.preferring("representation", ["value"]).preferred == "representation"


def test_a_delivery_is_kept_with_its_job_and_an_older_one_read():
    delivery = Delivery("raw", {"b": "reference"}, "minimal")
    assert Delivery.of(delivery.stored()) == delivery
    assert Delivery.of({"response": "document"}) == Delivery("document")
