"""The pages as they go over the wire: nothing from outside, a strict policy, nothing unescaped."""

import re
import time
from html.parser import HTMLParser
from typing import ClassVar

import pytest
import requests
import yaml

from samgis_process.ogc.assets import OWN
from samgis_process.ogc.jobs import STATES
from samgis_process.ogc.process import Output
from samgis_process.ogc.serve import application
from samgis_process.server.keys import hashed, new_key
from samgis_process.settings import AccessSettings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HOSTILE = "</code></title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
READABLE = (
    "/", "/conformance", "/openapi", "/processes", "/processes?limit=1", "/processes/alpha",
    "/processes/alpha/form",
    "/jobs", "/jobs?status=running,accepted&limit=2", "/nope", "/processes/nope",
    "/jobs?status=nope", "/jobs/9ad5cbc4-6b7c-4d6b-9b2c-1f6f0ee0a2ad",
)  # fmt: skip
ANN = new_key()
LOADING = {"src", "action", "srcset", "data", "formaction", "poster"}


class Tags(HTMLParser):
    """The start tags of a page, as a browser reads them."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    @property
    def loaded(self):
        """Addresses that a browser asks for, or sends forms to, by itself."""
        own = [v for _, attrs in self.found for k, v in attrs.items() if k in LOADING]
        return own + [attrs["href"] for tag, attrs in self.found if tag == "link"]

    def values(self, name):
        return [attrs[name] for _, attrs in self.found if name in attrs]


def page(address, method="GET", **headers):
    answer = requests.request(
        method, address, headers={"Accept": "text/html"} | headers, timeout=20
    )
    assert answer.headers["content-type"] == "text/html; charset=utf-8", address
    return answer


def is_sound(answer):
    """Assert what holds for every page."""
    assert answer.headers["content-security-policy"] == POLICY
    assert "Accept" in answer.headers["vary"]
    text = answer.text
    assert text.startswith("<!doctype html>")
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text
    tags = Tags(text)
    own = ("/assets/", "/jobs/", "data:image/")
    assert [one for one in tags.loaded if not one.startswith(own)] == []
    names = {name for _, attrs in tags.found for name in attrs}
    assert [name for name in names if name == "style" or name.startswith("on")] == []
    assert [tag for tag, attrs in tags.found if tag == "script" and "src" not in attrs] == []
    assert {"style", "iframe", "object", "base"} & {tag for tag, _ in tags.found} == set()
    assert [one for one in tags.values("href") if one.strip().startswith("javascript:")] == []
    assert [tag for tag, _ in tags.found].count("h1") == 1
    assert len(tags.values("id")) == len(set(tags.values("id")))
    return text


def ended(location):
    until = time.monotonic() + 30
    while (info := requests.get(location, timeout=10).json())["status"] in STATES[:2]:
        assert time.monotonic() < until
        time.sleep(0.05)
    return info


def job(server, **inputs):
    answer = requests.post(
        f"{server}/processes/alpha/execution",
        json={"inputs": {"name": "x", **inputs}},
        headers={"Prefer": "respond-async"},
        timeout=20,
    )
    return answer.headers["location"]


@pytest.mark.parametrize("path", READABLE)
def test_pages_load_nothing_from_outside(job_server, path):
    is_sound(page(job_server + path))


@pytest.mark.parametrize("path", READABLE)
def test_head_says_the_same_without_the_page(job_server, path):
    whole, head = page(job_server + path), page(job_server + path, "HEAD")
    assert head.status_code == whole.status_code
    assert head.content == b""
    for name in ("content-security-policy", "vary"):
        assert head.headers[name] == whole.headers[name]


def test_what_pages_load_is_there(job_server):
    tags = Tags(page(f"{job_server}/processes/alpha").text)
    scripts = [f"/assets/pages/{name}.js" for name in tags.values("data-module")]
    for address in {*tags.loaded, *scripts}:
        assert requests.get(job_server + address, timeout=10).status_code == 200, address


def test_what_pages_load_loads_nothing_from_outside():
    for path in OWN.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|\burl\(|@import|\bimport\(\s*[^`]", text), path


def test_every_process_has_its_form_at_an_address_of_its_own(job_server):
    answer = page(f"{job_server}/processes/alpha/form")
    assert 'data-module="execute"' in answer.text
    assert 'data-module="execute"' in page(f"{job_server}/processes/alpha").text
    assert page(f"{job_server}/processes/nope/form").status_code == 404
    assert page(f"{job_server}/processes/alpha/form", "POST").status_code == 405


def test_a_job_shows_its_results(job_server):
    location = job(job_server)
    ended(location)
    text = is_sound(page(location))
    assert f'href="{location}/results/features"' in text
    assert "successful" in text
    assert "FeatureCollection" in is_sound(page(f"{location}/results/features"))
    assert location in is_sound(page(f"{job_server}/jobs"))


def test_a_failed_job_shows_what_was_wrong(job_server):
    location = job(job_server, fail="input")
    ended(location)
    text = is_sound(page(location))
    assert "7 is odd" in text
    assert "Send 8." in text
    assert "7 is odd" in is_sound(page(f"{location}/results"))


def test_a_problem_names_the_request_and_each_input(job_server):
    answer = requests.post(
        f"{job_server}/processes/alpha/execution",
        json={"inputs": {"count": 99}},
        headers={"Accept": "text/html"},
        timeout=20,
    )
    text = is_sound(answer)
    assert answer.status_code == 400
    assert "<code>count</code>" in text
    assert "<code>name</code>" in text
    assert f"urn:uuid:{answer.headers['x-request-id']}" in text


def test_filters_keep_what_was_chosen(job_server):
    text = page(f"{job_server}/jobs?status=failed&processID=alpha&limit=50&minDuration=1").text
    assert '<option value="failed" selected>' in text
    assert 'name="processID" value="alpha"' in text
    assert "<option selected>50</option>" in text
    assert '<input type="hidden" name="minDuration" value="1">' in text
    odd = page(f"{job_server}/jobs?status=failed,dismissed&limit=7").text
    assert '<option value="failed,dismissed" selected>' in odd
    assert "<option selected>7</option>" in odd


def test_the_rest_of_the_processes_is_a_page_too(job_server):
    text = is_sound(page(f"{job_server}/processes?limit=1"))
    (link,) = re.findall(r'rel="next" href="([^"]+)"', text)
    assert "Lab" in is_sound(page(link.replace("&amp;", "&")))


def test_the_next_page_of_jobs_is_a_page_too(job_server):
    for _ in range(2):
        job(job_server)
    (link,) = re.findall(r'rel="next" href="([^"]+)"', page(f"{job_server}/jobs?limit=1").text)
    is_sound(page(link.replace("&amp;", "&")))


class Hostile:
    description: ClassVar = {
        "id": HOSTILE,
        "version": HOSTILE,
        "title": HOSTILE,
        "description": f"{HOSTILE} `{HOSTILE}`",
        "keywords": [HOSTILE],
        "jobControlOptions": ["sync-execute"],
        "outputTransmission": ["value"],
        "inputs": {
            HOSTILE: {
                "title": HOSTILE,
                "description": HOSTILE,
                "schema": {"type": "string", "enum": [HOSTILE], "default": HOSTILE},
            },
            "number": {"schema": {"type": "number", "title": HOSTILE, "format": HOSTILE}},
            "list": {"schema": {"type": "array", "items": {"enum": [HOSTILE]}}},
            "any": {"schema": {}},
            "file": {"schema": {"contentEncoding": "base64", "contentMediaType": HOSTILE}},
        },
        "outputs": {HOSTILE: {"title": HOSTILE, "schema": {"contentMediaType": HOSTILE}}},
        "example": {"inputs": {HOSTILE: HOSTILE, "any": HOSTILE, "number": HOSTILE}},
        "links": [],
    }

    def run(self, inputs, _context):
        href = {"href": "javascript:alert(1)", "type": HOSTILE}
        picture = {"value": '"><script>', "mediaType": "image/png"}
        return {HOSTILE: Output("application/json", {HOSTILE: inputs, "a": href, "b": picture})}


def test_nothing_that_came_is_taken_for_html(serve):
    with serve(application([Hostile()], title=HOSTILE, version=HOSTILE)) as server:
        name = requests.utils.quote(HOSTILE, safe="")
        answers = [
            page(server + path)
            for path in ("/", "/openapi", "/processes", f"/processes/{name}", f"/nope/{name}")
        ]
        run = f"{server}/processes/{name}/execution"
        inputs = {HOSTILE: HOSTILE, "number": 1, "list": [], "any": 1, "file": "AAAA"}
        bodies = ({HOSTILE: 1}, inputs, {HOSTILE: "<script>", HOSTILE + "x": 1})
        asked = {"Accept": "text/html"}
        answers += [
            requests.post(run, json={"inputs": body}, headers=asked, timeout=9) for body in bodies
        ]
        for answer in answers:
            assert answer.status_code in {200, 400, 404}, answer.text
            is_sound(answer)
            assert "<script>" not in answer.text
            assert "<img src=x" not in answer.text
            assert "{{ 7 * 7 }}" in answer.text


def test_a_server_of_other_processes_has_the_same_pages(serve):
    with serve(application([Hostile()], title="Heights", version="7")) as server:
        for path in ("/", "/conformance", "/openapi", "/processes", "/nope"):
            text = is_sound(page(server + path))
            assert "Heights 7" in text
            assert "/jobs" not in Tags(text).values("href")
        assert requests.get(f"{server}/assets/pages/pages.css", timeout=9).ok


def test_the_first_page_says_whose_the_service_is(make_server, config_path, tmp_path):
    document = yaml.safe_load(config_path.read_text())
    document["server"]["languages"] = ["en-US", "de-CH"]
    metadata = document["metadata"]
    metadata["identification"]["title"] = {"en": "Maps", "de": "Karten"}
    metadata["provider"] = {"name": "The <b> office", "url": "https://maps.example.org/about"}
    path = tmp_path / "config.yml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    with make_server(path) as server:
        text = is_sound(page(server))
    assert "<title>Maps</title>" in text
    assert '<a href="https://maps.example.org/about">The &lt;b&gt; office</a>' in text
    assert '<a href="mailto:operator@example.org">The operator of this server</a>' in text
    assert "Apache-2.0" in text


def test_a_page_that_wants_a_key_says_so(make_job_server, tmp_path):
    access = AccessSettings(keys=[{"name": "ann", "sha256": hashed(ANN)}], everything=True)
    with make_job_server(tmp_path, access=access) as server:
        for path in ("/", "/jobs", "/processes/alpha/form"):
            answer = page(server + path)
            assert answer.status_code == 401
            text = is_sound(answer)
            assert "<api-key>" in text
            assert "X-API-Key" in text
            assert page(server + path, **{"X-API-Key": ANN}).status_code == 200
        # Without them nobody could enter a key.
        assert requests.get(f"{server}/assets/pages/key.js", timeout=9).ok


def test_forms_are_as_open_as_descriptions(make_server):
    access = AccessSettings(keys=[{"name": "ann", "sha256": hashed(ANN)}])
    with make_server(access=access) as server:
        assert page(f"{server}/processes/alpha/form").status_code == 200
        assert "<api-key>" in page(f"{server}/processes/alpha/form").text
    with make_server() as server:
        assert "<api-key>" not in page(f"{server}/").text
