"""What conformance tests ask of a server with the process `echo`, and what it said."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import pytest
import requests
from ogc_schemas import EXCEPTION, STATUS_INFO, check

rule = pytest.mark.rule
GENERIC = {"stringInput": "teststring"}
TIFF = "SUkqAAgAAAAAAA=="
POINT = {"type": "Point", "coordinates": [7.0, 51.9]}
GML = "<gml:Point xmlns:gml='http://www.opengis.net/gml/3.2'><gml:pos>7 51.9</gml:pos></gml:Point>"
BBOX = {"bbox": [51.9, 7.0, 52.0, 7.1], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
THING = {"property1": "value1", "property5": True}
ONE, TWO = {"stringInput": {}}, {"stringInput": {}, "arrayInput": {}}
ASYNC = {"Prefer": "respond-async"}
REFERENCE = {"transmissionMode": "reference"}
REFERENCES = {"stringInput": REFERENCE, "arrayInput": REFERENCE}
MIXED = {"stringInput": {}, "arrayInput": REFERENCE}
STATES_OPEN = ("accepted", "running")

# What is executed and waited for: inputs besides the generic one, further members of the body.
SYNC = {
    "plain": ({}, {}),
    "auto": ({}, {}),
    "document": ({"arrayInput": [1, 2, 3]}, {"response": "document"}),
    "raw one": ({}, {"response": "raw", "outputs": ONE}),
    "raw two": ({"arrayInput": [1, 2, 3]}, {"response": "raw", "outputs": TWO}),
    "raw references": ({"arrayInput": [1, 2, 3]}, {"response": "raw", "outputs": REFERENCES}),
    "raw mixed": ({"arrayInput": [1, 2, 3]}, {"response": "raw", "outputs": MIXED}),
    "array": ({"arrayInput": [1, 2, 3]}, {"response": "document"}),
    "one as array": ({"geometryInput": [POINT]}, {"response": "document"}),
    "one bare": ({"geometryInput": POINT}, {"response": "document"}),
    "object": (
        {"complexObjectInput": {"value": THING, "mediaType": "application/json"}},
        {"response": "document"},
    ),
    "mixed, text": (
        {"geometryInput": [{"value": GML, "mediaType": "application/gml+xml; version=3.2"}]},
        {"response": "document"},
    ),
    "mixed, object": (
        {"geometryInput": [{"value": POINT, "mediaType": "application/geo+json"}]},
        {"response": "document"},
    ),
    "older nesting": (
        {"imagesInput": [{"value": TIFF, "format": {"mediaType": "image/tiff"}}]},
        {"response": "document"},
    ),
    "binary": ({"imagesInput": [TIFF]}, {"response": "raw", "outputs": {"imagesInput": {}}}),
    "bbox": ({"boundingBoxInput": BBOX}, {"response": "document"}),
    "bbox of four": ({"boundingBoxInput": {"bbox": BBOX["bbox"]}}, {"response": "document"}),
}
# What must be refused: the whole body.
WRONG = {
    "missing input": {"invalid-execute-request": "true)"},
    "unknown input": {"inputs": {**GENERIC, "nope": 1}},
    "out of range": {"inputs": {**GENERIC, "doubleInput": 11}},
    "too short": {"inputs": {**GENERIC, "arrayInput": [1]}},
    "no integers": {"inputs": {**GENERIC, "arrayInput": ["1", "2"]}},
    "no date": {"inputs": {**GENERIC, "dateInput": "the day before yesterday"}},
    "other crs": {"inputs": {**GENERIC, "boundingBoxInput": {**BBOX, "crs": "urn:x"}}},
    "wrong type": {"inputs": {**GENERIC, "imagesInput": {"type": "wrong/type_image"}}},
    "wrong media type": {
        "inputs": {**GENERIC, "imagesInput": {"value": TIFF, "mediaType": "image/x-nope"}}
    },
    "too many": {"inputs": {**GENERIC, "imagesInput": [TIFF] * 6}},
    "unknown output": {"inputs": GENERIC, "outputs": {"nope": {}}},
    "unknown response": {"inputs": GENERIC, "response": "both"},
    "unknown mode": {"inputs": GENERIC, "outputs": {"stringInput": {"transmissionMode": "x"}}},
}
JOBS = {
    "plain": ({}, {}),
    "raw one": ({}, {"response": "raw", "outputs": ONE}),
    "raw two": ({"arrayInput": [1, 2, 3]}, {"response": "raw", "outputs": TWO}),
    "raw references": ({"arrayInput": [1, 2, 3]}, {"response": "raw", "outputs": REFERENCES}),
    "raw mixed": ({"arrayInput": [1, 2, 3]}, {"response": "raw", "outputs": MIXED}),
    "document": ({"arrayInput": [1, 2, 3]}, {"response": "document"}),
    "failed": ({"imagesInput": ["not base64!"]}, {"outputs": {"imagesInput": {}}}),
}


class Suite:
    """A server under test."""

    def __init__(self, url):
        self.url = url

    def get(self, path, *, accept=None, **options):
        address = path if path.startswith("http") else self.url + path
        return requests.get(address, headers={"Accept": accept}, timeout=30, **options)

    def options(self, path):
        return requests.options(self.url + path, timeout=30)

    def execute(self, body, process="echo", **headers):
        address = f"{self.url}/processes/{process}/execution"
        return requests.post(address, json=body, headers={"Accept": None} | headers, timeout=60)

    def delete(self, address):
        return requests.delete(address, headers={"Accept": None}, timeout=30)

    def page(self, path):
        answer = self.get(path, accept="text/html")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/html")
        return answer.text

    def ended(self, location):
        """Return the status of a job that has ended; each one on the way is checked."""
        until = time.monotonic() + 40
        while (info := check(self.get(location).json(), STATUS_INFO))["status"] in STATES_OPEN:
            assert time.monotonic() < until, info
            time.sleep(0.1)
        return info

    @cached_property
    def made(self):
        """Jobs by name: the answers to their requests. They are under way before all else."""
        return {
            name: self.execute({"inputs": GENERIC | inputs, **more}, **ASYNC)
            for name, (inputs, more) in JOBS.items()
        }

    @cached_property
    def answers(self):
        """Answers by name to what is executed while its client waits, at the same time."""
        _ = self.made
        with ThreadPoolExecutor(16) as pool:
            bodies = {
                name: {"inputs": GENERIC | inputs, **more} for name, (inputs, more) in SYNC.items()
            }
            return dict(zip(bodies, pool.map(self.execute, bodies.values()), strict=True))

    @cached_property
    def refusals(self):
        return {name: self.execute(body) for name, body in WRONG.items()}

    @cached_property
    def done(self):
        """Jobs by name: their last status."""
        return {name: self.ended(each.headers["location"]) for name, each in self.made.items()}

    @cached_property
    def results(self):
        return {name: self.get(f"{self.address(name)}/results") for name in self.done}

    def address(self, name):
        return self.made[name].headers["location"]


def links(content):
    """Return addresses by relation; of several with one relation the first."""
    return {link["rel"]: link["href"] for link in reversed(content["links"])}


def problem(answer, status, type_=None):
    """Assert that the answer is an exception as the standard wants it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    found = check(answer.json(), EXCEPTION)
    assert found["status"] == status
    assert type_ in {None, found["type"]}
    return found
