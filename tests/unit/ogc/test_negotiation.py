"""Accept and Prefer headers."""

import pytest

from samgis_process.ogc.negotiation import best, is_json, matches, quality, wants_html
from samgis_process.ogc.prefer import execution_mode, preferences

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
OFFERS = ["application/json", "text/html"]
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        (BROWSER, "text/html"),
        ("text/*", "text/html"),
        ("TEXT/HTML", "text/html"),
        ("text/html;q=0.1, application/json;q=0.9", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("application/json;q=0, */*;q=0.1", "text/html"),
        ("image/png", None),
        ("text/html;q=x", "text/html"),
        (",;,/", None),
    ],
)
def test_the_best_offer(accept, wanted):
    assert best(accept, OFFERS) == wanted


def test_the_most_precise_range_counts():
    assert quality("image/*;q=0.5, image/png;q=0.1", "image/png") == 0.1
    assert quality("image/tiff;q=0.2, image/tiff;application=geotiff", COG) == 1


def test_parameters_left_out_do_not_count():
    assert matches("image/tiff", COG)
    assert matches('image/tiff;profile="cloud-optimized"', COG)
    assert not matches("image/tiff; profile=other", COG)


@pytest.mark.parametrize(
    ("accept", "f", "page"),
    [(BROWSER, None, True), (BROWSER, "json", False), (None, "html", True), ("a/b", None, False)],
)
def test_who_wants_a_page(accept, f, page):
    assert wants_html(accept, f) is page


def test_what_is_json():
    assert is_json("application/geo+json; charset=utf-8")
    assert not is_json("text/html")


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], {}),
        (["respond-async, wait=5"], {"respond-async": "", "wait": "5"}),
        (["respond-async;wait=1"], {"respond-async": ""}),
        (["Respond-Async", "WAIT = 10"], {"respond-async": "", "wait": "10"}),
        (["wait=1, wait=2"], {"wait": "1"}),
        (['note="a, b; c"; x=y, return=minimal'], {"note": "a, b; c", "return": "minimal"}),
        ([", ,;="], {}),
    ],
)
def test_preferences_are_a_list(headers, found):
    assert preferences(headers) == found


@pytest.mark.parametrize(
    ("job_control", "preferred", "mode"),
    [
        (["sync-execute"], [], "sync"),
        (["sync-execute"], ["respond-async"], "sync"),
        (["async-execute"], [], "async"),
        (["sync-execute", "async-execute"], [], "sync"),
        (["sync-execute", "async-execute"], ["respond-async"], "async"),
        (["sync-execute", "async-execute"], ["wait=3"], "async"),
        (["sync-execute", "async-execute"], ["wait=soon"], "sync"),
        (["sync-execute"], ["wait=3"], "sync"),
    ],
)
def test_the_way_of_execution(job_control, preferred, mode):
    assert execution_mode(job_control, preferences(preferred)) == mode
