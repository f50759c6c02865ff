"""The frame of pages, whatever they show."""

import re
from types import SimpleNamespace

import pytest
from starlette.requests import Request

from samgis_process.ogc.pages import POLICY, Place, Site, page, pretty, prose, root_of

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


def request(path="/x", query=b"", method="GET", **site):
    app = SimpleNamespace(state=SimpleNamespace(site=Site(**site)))
    scope = {"type": "http", "path": path, "query_string": query, "headers": [], "method": method}
    return Request(scope | ({"app": app} if site else {}))


def shown(asked, **values):
    given = {"problem": {"status": 404, "detail": "", "type": "", "instance": ""}, **values}
    return page(asked, "problem.html", **{"title": "T", **given})


def test_a_page_needs_no_site():
    answer = shown(request())
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["vary"] == "Accept"
    assert b"<title>T" in answer.body


def test_nothing_of_a_site_is_taken_for_html():
    places = (Place(HOSTILE, f"/{HOSTILE}", HOSTILE),)
    site = {"title": HOSTILE, "version": HOSTILE, "highlights": places}
    for trail in ((), places):
        text = shown(request(**site), title=HOSTILE, trail=trail).body.decode()
        assert "<img src=x" not in text
        assert "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;&amp;" in text


@pytest.mark.parametrize("href", ["javascript:alert(1)", "data:text/html,x", " javascript:x"])
def test_links_lead_nowhere_but_to_addresses(href):
    links = [{"href": href, "rel": "item", "title": "x"}]
    text = shown(request(highlights=(Place("x", href),)), links=links).body.decode()
    assert href not in text


@pytest.mark.parametrize(
    ("public_url", "root"),
    [(None, ""), ("https://maps.example.org", ""), ("https://maps.example.org/a/b/", "/a/b")],
)
def test_files_of_pages_are_found_behind_a_proxy(public_url, root):
    asked = request(public_url=public_url, title="Maps")
    assert root_of(asked) == root
    text = shown(asked).body.decode()
    assert set(re.findall(r'(?:src|href)="([^"]*)/assets/', text)) == {root}


def test_a_page_leads_to_its_json_with_the_query_it_has():
    assert 'href="?limit=2&amp;f=json"' in shown(request(query=b"limit=2&f=html")).body.decode()
    repeated = shown(request(query=b"status=a&status=b")).body.decode()
    assert 'href="?status=a&amp;status=b&amp;f=json"' in repeated
    assert "f=json" not in shown(request(method="POST")).body.decode()


def test_words_in_backticks_are_code():
    assert prose("`a<b` or <c>") == "<code>a&lt;b</code> or &lt;c&gt;"


def test_json_is_indented():
    assert pretty({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
